"""Facts as other services would state them: one small area with two producers, told in a few lines."""

from datetime import UTC, date, datetime
from uuid import UUID

from kanava.common.contracts import listing, monitoring, registry

AREA, MUNICIPALITY = "03", "049"
PRIVATE, OWN = "1.2.246.10.32213473.10.0", "1.2.246.10.2012566.10.0"
PRIVATE_UNIT, OWN_UNIT = "1.2.246.10.32213473.10.1", "1.2.246.10.2012566.10.1"
SEPTEMBER = datetime(2026, 9, 1, 9, tzinfo=UTC)
MODEL = "03:compensation_model:1"


def at(month: int, day: int, hour: int = 9) -> datetime:
    """An instant of 2026."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


def resident_id(number: int) -> UUID:
    """The id of the n-th resident."""
    return UUID(int=10**30 + number)


def resident(number: int, born: date = date(1980, 1, 1), *, version: int = 1, **changed: object) -> listing.Resident:
    """A resident of Espoo; `died` says that the resident has died, as listing says it."""
    fields: dict[str, object] = {
        "what": "registered",
        "version": version,
        "recorded_at": SEPTEMBER,
        "resident_id": resident_id(number),
        "birth_date": born,
        "sex": "female" if number % 2 else "male",
        "municipality": MUNICIPALITY,
        "area": AREA,
        "protected": False,
        "has_died": changed.get("what") == "died",
    }
    return listing.Resident.model_validate(fields | changed)


def span(starts_on: date, until: date | None = None, *, private: bool = False, permille: int = 1000) -> listing.Span:
    """A stretch with the private or with the own unit."""
    unit, producer = (PRIVATE_UNIT, PRIVATE) if private else (OWN_UNIT, OWN)
    origin: listing.Origin = "choice" if private else "default"
    fields = {"unit_id": unit, "producer_id": producer, "starts_on": starts_on, "until": until, "origin": origin}
    return listing.Span.model_validate(fields | {"coefficient_permille": permille})


def listed(number: int, *spans: listing.Span, version: int = 1, recorded_at: datetime = SEPTEMBER) -> listing.Listing:
    """Where a resident is listed."""
    return listing.Listing(
        what="listed", version=version, recorded_at=recorded_at, resident_id=resident_id(number), spans=spans
    )


def visit(
    number: int, of: int, performed_on: date, *, recorded_at: datetime, fee_cents: int = 0, version: int = 1
) -> monitoring.Production:
    """A social-guidance visit of resident `of` at the private unit."""
    return monitoring.Production(
        what="accepted" if version == 1 else "corrected",
        version=version,
        recorded_at=recorded_at,
        production_id=UUID(int=2 * 10**30 + number),
        report_id=f"R{number}",
        producer_id=PRIVATE,
        unit_id=PRIVATE_UNIT,
        resident_id=resident_id(of),
        area=AREA,
        node="SOS.1.1",
        unit_of_measure="kaynti",
        performed_on=performed_on,
        client_fee_cents=fee_cents,
    )


BANDS = (
    registry.RateBand(sex="any", age_from=0, annual_cents=180_00),
    registry.RateBand(sex="any", age_from=7, annual_cents=84_00),
    registry.RateBand(sex="any", age_from=65, annual_cents=240_00),
)


def terms(bands: tuple[registry.RateBand, ...] = BANDS) -> registry.CompensationTerms:
    """A compensation model's terms."""
    return registry.CompensationTerms(
        proration="calendar_days",
        bands=bands,
        coefficient_min_permille=500,
        coefficient_max_permille=2000,
        incentive_percent=5,
        label="test",
    )


def document(bands: tuple[registry.RateBand, ...] = BANDS) -> registry.Document:
    """The published compensation model."""
    return registry.Document(
        what="published",
        version=1,
        recorded_at=SEPTEMBER,
        document_id=MODEL,
        kind="compensation_model",
        area=AREA,
        number=1,
        valid_from=date(2026, 9, 1),
        title="Model",
        compensation=terms(bands),
    )


def scheme(phase: int = 5) -> registry.Scheme:
    """Espoo's scheme in production."""
    return registry.Scheme(
        what="entered_phase",
        version=phase,
        recorded_at=SEPTEMBER,
        scheme_id="espoo",
        municipality=MUNICIPALITY,
        area=AREA,
        phase=phase,
        entered_on=date(2026, 9, 1),
        compensation_model=MODEL,
    )


def producer(*, private: bool, iban: str | None = "FI2112345600000785", version: int = 1) -> registry.Producer:
    """The private producer, or the area's own enterprise, which has no account of its own."""
    return registry.Producer(
        what="approved",
        version=version,
        recorded_at=SEPTEMBER,
        producer_id=PRIVATE if private else OWN,
        business_id="3221347-3" if private else "0201256-6",
        name="Yksityinen Oy" if private else "Liikelaitos",
        kind="private" if private else "own_enterprise",
        area=AREA,
        status="approved",
        iban=iban if private else None,
    )


def unit(*, private: bool) -> registry.Unit:
    """The unit of one of the two producers."""
    return registry.Unit(
        what="opened",
        version=1,
        recorded_at=SEPTEMBER,
        unit_id=PRIVATE_UNIT if private else OWN_UNIT,
        producer_id=PRIVATE if private else OWN,
        area=AREA,
        municipality=MUNICIPALITY,
        name="Unit",
        own=not private,
        status="open",
        capacity=None,
        opens_on=date(2026, 9, 1),
    )


def contract(*, private: bool) -> registry.Contract:
    """A basic contract that allows capitation and fees."""
    return registry.Contract(
        what="signed",
        version=1,
        recorded_at=SEPTEMBER,
        contract_id=f"C-{private}",
        producer_id=PRIVATE if private else OWN,
        area=AREA,
        contract_class="basic",
        compensation_kinds=("capitation", "fee"),
        starts_on=date(2026, 9, 1),
    )


def price(cents: int = 45_00, valid_from: date = date(2026, 9, 1)) -> registry.Price:
    """The organiser's price of a social-guidance visit."""
    return registry.Price(
        what="set",
        version=1,
        recorded_at=SEPTEMBER,
        price_id=f"{AREA}:SOS.1.1:{valid_from}",
        area=AREA,
        node="SOS.1.1",
        unit_of_measure="kaynti",
        valid_from=valid_from,
        price_cents=cents,
    )
