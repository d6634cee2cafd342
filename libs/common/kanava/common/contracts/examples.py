"""One example of each fact, shown in the AsyncAPI document; a test reads each back with its model and schema.

The people, producers and sums are invented; the municipality is Espoo (049) in Länsi-Uusimaa (03).
"""

from datetime import UTC, date, datetime
from uuid import UUID

from . import listing, monitoring, payments, registry, steering
from .base import Fact

_AT = datetime(2026, 11, 2, 8, 15, tzinfo=UTC)
_PRODUCER = "1.2.246.10.12345671.10.1"
_UNIT = "1.2.246.10.12345671.10.2"
_RESIDENT = UUID("0192f0c4-7e6f-7a53-9f2c-5d9a4e0b7c11")
_VISIT = UUID("0192f0c4-9a10-7d02-8a41-2f6b1c3d4e55")
_VOUCHER = UUID("0192f0c4-a1b2-7c3d-9e4f-5a6b7c8d9e0f")
_SNAPSHOT = UUID("3d5c7e91-4a2b-5c8d-b6e7-1f2a3b4c5d6e")
_RUN = UUID("7c1f0a52-93f4-5b8e-a1d7-40c2b6e8f903")
_STATEMENT = UUID("2b9d6e14-0c3a-5f77-8e21-b5a4d3c2f106")
_ENTRY = UUID("5e8f7a90-1b2c-5d3e-9f4a-6b7c8d9e0f12")
_SUMS = (
    payments.ComponentSum(component="capitation", lines=4812, amount_cents=5_091_204),
    payments.ComponentSum(component="fee", lines=960, amount_cents=4_320_000),
    payments.ComponentSum(component="client_fee", lines=960, amount_cents=-1_977_600),
)

EXAMPLES: tuple[Fact, ...] = (
    registry.Package(
        what="published",
        version=1,
        recorded_at=_AT,
        package_id="SOS:1",
        number=1,
        valid_from=date(2026, 10, 1),
        name_fi="Sosiaaliohjaus",
        name_en="Social guidance",
        source="Kanava's own package, not from the source documents",
        nodes=(
            registry.PackageNode(code="SOS.1", parent=None, level=1, name_fi="Sosiaaliohjaus"),
            registry.PackageNode(
                code="SOS.1.1", parent="SOS.1", level=2, name_fi="Sosiaaliohjauskäynti", units=("kaynti",)
            ),
        ),
    ),
    registry.Document(
        what="published",
        version=1,
        recorded_at=_AT,
        document_id="03:rule_book:1",
        kind="rule_book",
        area="03",
        number=1,
        valid_from=date(2026, 10, 1),
        title="Sote-keskuksen sääntökirja",
        rule_book=registry.RuleBookTerms(months_between_choices=12, days_to_effect=21),
    ),
    registry.Price(
        what="set",
        version=1,
        recorded_at=_AT,
        price_id="03:SOS.1.1:2026-10-01",
        area="03",
        node="SOS.1.1",
        unit_of_measure="kaynti",
        valid_from=date(2026, 10, 1),
        price_cents=4_500,
    ),
    registry.Scheme(
        what="entered_phase",
        version=5,
        recorded_at=_AT,
        scheme_id="03:049:1",
        municipality="049",
        area="03",
        phase=5,
        entered_on=date(2026, 10, 1),
        rule_book="03:rule_book:1",
        compensation_model="03:compensation_model:1",
        service_description="03:service_description:1",
    ),
    registry.Producer(
        what="approved",
        version=3,
        recorded_at=_AT,
        producer_id=_PRODUCER,
        business_id="1234567-1",
        name="Esimerkkiterveys Oy",
        kind="private",
        area="03",
        status="approved",
        iban="FI2112345600000785",
    ),
    registry.Unit(
        what="opened",
        version=1,
        recorded_at=_AT,
        unit_id=_UNIT,
        producer_id=_PRODUCER,
        area="03",
        municipality="049",
        name="Esimerkkiterveys Tapiola",
        own=False,
        status="open",
        capacity=12_000,
        opens_on=date(2026, 10, 1),
        languages=("fi", "sv"),
    ),
    registry.Contract(
        what="signed",
        version=1,
        recorded_at=_AT,
        contract_id="03:1.2.246.10.12345671.10.1:1",
        producer_id=_PRODUCER,
        area="03",
        contract_class="basic",
        compensation_kinds=("capitation", "fee", "incentive"),
        starts_on=date(2026, 10, 1),
    ),
    steering.Order(
        what="budgeted",
        version=1,
        recorded_at=_AT,
        order_id="03:budget:2027",
        kind="budget",
        area="03",
        year=2027,
        valid_from=date(2027, 1, 1),
        status="in_force",
        budget=steering.Budget(
            lines=(
                steering.BudgetLine(
                    line="1",
                    name_fi="Oma liikelaitos, 1 momentti",
                    kind="one_item",
                    amount_cents=42_000_000_000,
                    on_breach="refuse",
                    producer_id="1.2.246.10.76543212.10.1",
                ),
                steering.BudgetLine(
                    line="2",
                    name_fi="Mielenterveys- ja päihdepalvelupaketti",
                    kind="package",
                    amount_cents=3_100_000_000,
                    on_breach="flag",
                    nodes=("MTP",),
                ),
            )
        ),
    ),
    steering.Sanction(
        what="imposed",
        version=1,
        recorded_at=_AT,
        sanction_id="1.2.246.10.12345671.10.1:3",
        producer_id=_PRODUCER,
        area="03",
        contract_id="1.2.246.10.12345671.10.1:1",
        step=3,
        name="sanktio",
        reason="Hoitoon pääsyn enimmäisaika ylittyi toistuvasti varoituksen jälkeen.",
        effective_on=date(2026, 11, 1),
        status="in_force",
        amount_cents=250_000,
        decided_on=date(2026, 11, 1),
    ),
    listing.Resident(
        what="registered",
        version=1,
        recorded_at=_AT,
        resident_id=_RESIDENT,
        birth_date=date(1984, 5, 17),
        sex="female",
        municipality="049",
        area="03",
        protected=False,
    ),
    listing.Listing(
        what="chosen",
        version=2,
        recorded_at=_AT,
        resident_id=_RESIDENT,
        spans=(
            listing.Span(
                unit_id="1.2.246.10.76543212.10.4",
                producer_id="1.2.246.10.76543212.10.1",
                starts_on=date(2026, 10, 1),
                until=date(2026, 11, 23),
                origin="default",
            ),
            listing.Span(
                unit_id=_UNIT, producer_id=_PRODUCER, starts_on=date(2026, 11, 23), until=None, origin="choice"
            ),
        ),
    ),
    listing.Voucher(
        what="granted",
        version=1,
        recorded_at=_AT,
        voucher_id=_VOUCHER,
        resident_id=_RESIDENT,
        area="03",
        kind="service",
        status="granted",
        starts_on=date(2026, 11, 2),
        until=date(2027, 5, 2),
        node="SOS.1.1",
        unit_of_measure="kaynti",
        value_cents=4_500,
        self_pay=listing.SelfPay(
            kind="income_tested",
            share_cents=1_200,
            bands=(
                listing.SelfPayBand(income_from_cents=0, self_pay_cents=0),
                listing.SelfPayBand(income_from_cents=150_000, self_pay_cents=1_200),
            ),
        ),
        uses_granted=10,
    ),
    monitoring.Production(
        what="accepted",
        version=1,
        recorded_at=_AT,
        production_id=_VISIT,
        report_id="2026-11-0001",
        producer_id=_PRODUCER,
        unit_id=_UNIT,
        resident_id=_RESIDENT,
        area="03",
        node="SOS.1.1",
        unit_of_measure="kaynti",
        performed_on=date(2026, 11, 24),
        client_fee_cents=2_060,
    ),
    monitoring.Snapshot(
        what="frozen",
        version=1,
        recorded_at=_AT,
        snapshot_id=_SNAPSHOT,
        indicator="esh_referrals_per_1000",
        subject="producer",
        area="03",
        producer_id=_PRODUCER,
        period_from=date(2026, 7, 1),
        period_until=date(2026, 10, 1),
        direction="lower_is_better",
        value=5_320,
        scale=2,
        numerator=256,
        denominator=4_812,
        floor=6_000,
        target=5_000,
        confirmed_by="1.2.246.10.76543212.10.1",
    ),
    payments.Run(
        what="closed",
        version=1,
        recorded_at=_AT,
        run_id=_RUN,
        area="03",
        month="2026-10",
        cut_off=_AT,
        sums=_SUMS,
        digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ),
    payments.Statement(
        what="drawn",
        version=1,
        recorded_at=_AT,
        statement_id=_STATEMENT,
        producer_id=_PRODUCER,
        area="03",
        month="2026-10",
        status="drawn",
        amount_cents=sum(part.amount_cents for part in _SUMS),
        sums=_SUMS,
        due_on=date(2026, 11, 15),
    ),
    payments.Account(
        what="moved",
        version=7,
        recorded_at=_AT,
        area="03",
        kind="payout_released",
        amount_cents=-7_433_604,
        balance_cents=1_812_566_396,
        entry_id=_ENTRY,
    ),
)
"""In the order of the table of topics, one for each topic."""
