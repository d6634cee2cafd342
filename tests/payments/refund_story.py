"""Steps of a municipal refund that tests tell their stories with: Espoo, 2022 to 2025."""

from datetime import UTC, date, datetime
from uuid import UUID

from kanava.common.db import Pool, transaction
from kanava.payments.commands import PlaceFunding
from kanava.payments.domain.refund import Component, Rule
from kanava.payments.refund_commands import (
    AgreeMeasure,
    ConfirmMeasure,
    DecideRefund,
    PayRefund,
    ProposeRefund,
    RecordNeed,
    SetRefundRule,
)
from kanava.payments.service import needs, refunds
from kanava.payments.service.funding import place_funding
from tests.payments.story import DEBTOR
from tests.support import facts as told

IBAN = "FI2112345600000785"
RULE = Rule(date(2022, 1, 1), dict(zip(Component, (400, 200, 300, 100), strict=True)), 500, 60)
THEN = dict(zip(Component, (1000, 1000, 1000, 1000), strict=True))
NOW = dict(zip(Component, (950, 900, 1000, 1000), strict=True))
NEW_YEAR = datetime(2026, 1, 15, 9, tzinfo=UTC)


async def pay_in(pool: Pool, cents: int, day: datetime, municipality: str = told.MUNICIPALITY) -> None:
    """A municipality's own payment."""
    command = PlaceFunding(told.AREA, "municipality", municipality, cents, day.date(), f"{day.date()}")
    async with transaction(pool) as tx:
        await place_funding(tx, command, day)


async def measure_need(pool: Pool, day: date, values: dict[Component, int]) -> None:
    """Figures of a day."""
    async with transaction(pool) as tx:
        for component, value in values.items():
            figure = RecordNeed(told.MUNICIPALITY, component, day, value, "THL", "thl")
            await needs.record_need(tx, figure, NEW_YEAR)


async def do_measure(pool: Pool, title: str, permille: int, done_on: date | None) -> UUID:
    """A measure that was agreed on in 2022, and done if a day is given."""
    agree = AgreeMeasure(told.AREA, told.MUNICIPALITY, title, permille, date(2022, 3, 1), "anna")
    async with transaction(pool) as tx:
        agreed = await needs.agree_measure(tx, agree, NEW_YEAR)
        if done_on is not None:
            done = ConfirmMeasure(agreed.measure_id, done_on, "Pöytäkirja 1/2024", "bertta")
            await needs.confirm_measure(tx, done, NEW_YEAR)
    return agreed.measure_id


async def four_years(pool: Pool) -> None:
    """1,000 € a year, and the grounds for getting something of it back."""
    await grounds(pool)
    for year in range(2022, 2026):
        await pay_in(pool, 1_000_00, datetime(year, 6, 1, 9, tzinfo=UTC))


async def grounds(pool: Pool) -> None:
    """The rule, a need that falls from 1.000 to 0.960, and one measure of two done."""
    async with transaction(pool) as tx:
        await needs.set_refund_rule(tx, SetRefundRule(RULE, "Kannustusperiaate 1/2021", "stm"), NEW_YEAR)
    await measure_need(pool, date(2021, 12, 31), THEN)
    await measure_need(pool, date(2025, 12, 31), NOW)
    await do_measure(pool, "Virtuaaliklinikka", 30, date(2024, 5, 1))
    await do_measure(pool, "Liikuntaneuvonta", 20, None)


async def propose(pool: Pool, last_year: int = 2025, now: datetime = NEW_YEAR) -> refunds.ProposedRefund:
    """Aino of the area proposes."""
    async with transaction(pool) as tx:
        return await refunds.propose_refund(tx, ProposeRefund(told.AREA, told.MUNICIPALITY, last_year, "aino"), now)


async def decide(pool: Pool, refund_id: UUID, *, approved: bool = True, by: str = "bertta") -> dict[str, object]:
    """Bertta of the area decides."""
    account = ("Espoon kaupunki", IBAN) if approved else ("", "")
    command = DecideRefund(refund_id, approved, "Perusteet täyttyvät.", *account, by)
    async with transaction(pool) as tx:
        return await refunds.decide_refund(tx, command, NEW_YEAR)


async def pay(pool: Pool, refund_id: UUID, by: str = "cecilia") -> refunds.RefundPaid:
    """Cecilia of the operator gives it to the bank."""
    async with transaction(pool) as tx:
        return await refunds.pay_refund(tx, PayRefund(refund_id, DEBTOR, by), NEW_YEAR)
