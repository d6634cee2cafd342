"""A small Länsi-Uusimaa for the tests: facts as the other services state them."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from kanava.common.contracts import listing, payments, registry, steering
from kanava.common.db import Tx
from kanava.common.ids import organisation_oid
from kanava.monitoring import consumers, read_models

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
AREA = "03"
PRIVATE, OWN, OTHER = (organisation_oid(number) for number in ("1234567-1", "2345678-0", "0112038-9"))
UNIT, OWN_UNIT, CLOSED_UNIT, OTHER_UNIT = (
    f"{PRIVATE[:-1]}1",
    f"{OWN[:-1]}1",
    f"{PRIVATE[:-1]}2",
    f"{OTHER[:-1]}1",
)
FIRST, DEAD = UUID(int=1), UUID(int=2)
_SAID: dict[str, Any] = {"version": 1, "recorded_at": NOW}


def producer(producer_id: str, kind: str, **changes: Any) -> registry.Producer:
    """An approved producer of the area."""
    fields = {"business_id": "1234567-1", "name": f"Tuottaja {kind}", "area": AREA, "status": "approved"}
    return registry.Producer(
        what="approved", producer_id=producer_id, kind=kind, **(_SAID | fields | changes)
    )


def unit(unit_id: str, producer_id: str, **changes: Any) -> registry.Unit:
    """An open unit in Espoo."""
    fields = {"area": AREA, "municipality": "049", "name": "Asema", "own": False, "status": "open"}
    fields |= {"capacity": None, "opens_on": date(2026, 1, 1)}
    return registry.Unit(
        what="opened", unit_id=unit_id, producer_id=producer_id, **(_SAID | fields | changes)
    )


def package(
    number: int = 1, *, valid_from: date = date(2026, 1, 1), units: tuple[str, ...] = ("kaynti",)
) -> Any:
    """A version of the package SOS with one leaf."""
    node = registry.PackageNode(code="SOS.1.1", parent="SOS.1", level=3, name_fi="Käynti", units=units)  # type: ignore[arg-type]  # a tuple of literals
    fields = {"number": number, "valid_from": valid_from, "name_fi": "Sosiaaliohjaus", "name_en": "Guidance"}
    fields |= {"source": "Kanava", "nodes": (node,), "package_id": f"SOS:{number}"}
    return registry.Package(what="published", **(_SAID | fields))


def scheme(phase: int = 5, *, entered_on: date = date(2026, 10, 1), version: int = 1) -> registry.Scheme:
    """Espoo's scheme in a phase."""
    fields = {
        "scheme_id": "049:1",
        "municipality": "049",
        "area": AREA,
        "phase": phase,
        "entered_on": entered_on,
    }
    return registry.Scheme(what="entered_phase", **(_SAID | fields | {"version": version}))


def resident(resident_id: UUID, **changes: Any) -> listing.Resident:
    """A resident of Espoo, born in 1980."""
    fields = {"birth_date": date(1980, 1, 1), "sex": "female", "municipality": "049", "area": AREA}
    fields |= {"protected": False, "lives_until": None}
    return listing.Resident(what="registered", resident_id=resident_id, **(_SAID | fields | changes))


def span(unit_id: str, starts_on: date, until: date | None = None, origin: str = "default") -> listing.Span:
    """A stretch of being listed with a unit."""
    producer_id = f"{unit_id.rpartition('.')[0]}.0"
    fields = {"unit_id": unit_id, "producer_id": producer_id, "starts_on": starts_on, "until": until}
    return listing.Span(origin=origin, **fields)  # type: ignore[arg-type]  # a literal as text


def listed(resident_id: UUID, *spans: listing.Span, version: int = 1) -> listing.Listing:
    """Where a resident is listed, whole."""
    return listing.Listing(
        what="listed", resident_id=resident_id, spans=spans, version=version, recorded_at=NOW
    )


def statement(producer_id: str, amount_cents: int, *, version: int = 1, month: str = "2026-11") -> Any:
    """A producer's statement with one component."""
    part = payments.ComponentSum(component="capitation", lines=1, amount_cents=amount_cents)
    fields = {
        "statement_id": UUID(int=int(producer_id.split(".")[4])),
        "producer_id": producer_id,
        "area": AREA,
    }
    fields |= {"month": month, "status": "drawn", "amount_cents": amount_cents, "sums": (part,)}
    return payments.Statement(what="drawn", recorded_at=NOW, version=version, **fields)


async def settle(tx: Tx) -> None:
    """Tell monitoring of three producers, their units, a package, the scheme and two residents."""
    await consumers.take_producers(
        tx,
        [
            producer(PRIVATE, "private"),
            producer(OWN, "own_enterprise"),
            producer(OTHER, "private", area="90"),
        ],
    )
    closed = {"status": "closed", "closes_on": date(2026, 11, 10)}
    await consumers.take_units(
        tx, [unit(UNIT, PRIVATE), unit(OWN_UNIT, OWN, own=True), unit(CLOSED_UNIT, PRIVATE, **closed)]
    )
    await consumers.take_units(tx, [unit(OTHER_UNIT, OTHER, area="90", municipality="091")])
    await consumers.take_packages(tx, [package()])
    await consumers.take_schemes(tx, [scheme()])
    await read_models.merge_residents(tx, [resident(FIRST), resident(DEAD, lives_until=date(2026, 11, 15))])


def annual_order(producer_id: str = PRIVATE, *, quantity: int = 800, **changes: Any) -> steering.Order:
    """The annual order of 2026 from a producer: visits of social guidance."""
    line = steering.OrderLine(node="SOS", unit_of_measure="kaynti", quantity=quantity, price_cents=4_500)
    wanted = steering.AnnualOrder(
        producer_id=producer_id, contract_id=None, integrator="organiser", lines=(line,)
    )
    fields = {"order_id": f"{AREA}:annual_order:2026:{producer_id}", "kind": "annual_order", "area": AREA}
    fields |= {"year": 2026, "valid_from": date(2026, 1, 1), "status": "in_force", "annual_order": wanted}
    return steering.Order.model_validate({"what": "ordered"} | _SAID | fields | changes)


def report(report_id: str = "r-1", **changes: Any) -> dict[str, Any]:
    """The fields of a good row."""
    fields: dict[str, Any] = {"report_id": report_id, "unit_id": UNIT, "resident_id": str(FIRST)}
    fields |= {"node": "SOS.1.1", "unit_of_measure": "kaynti", "performed_on": "2026-11-12"}
    return fields | {"quantity": 1, "client_fee_cents": 2090} | changes
