"""The forecast of an area's account from its book."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from kanava.common.clock import add_months
from kanava.common.db import Pool, transaction
from kanava.common.errors import Invalid, Refused
from kanava.common.ids import derived_id
from kanava.payments import ledger
from kanava.payments.commands import PlaceFunding, PlanInstalments
from kanava.payments.domain import chart
from kanava.payments.domain.forecast import outflow_path
from kanava.payments.errors import Reason
from kanava.payments.service.forecasts import Forecast, forecast_account, forecast_income
from kanava.payments.service.funding import place_funding
from kanava.payments.service.funding_plans import plan_instalments
from kanava.payments.views.forecasts import flows, income
from tests.payments import story
from tests.support import facts as told

MONTHS = [add_months(date(2024, 1, 1), n) for n in range(36)]


async def asked(pool: Pool, now: datetime, planned: dict[date, int] | None = None) -> Forecast:
    """The forecast as it is at an instant."""
    async with transaction(pool) as tx:
        return await forecast_account(tx, told.AREA, planned or {}, now)


async def live(pool: Pool, months: list[date]) -> None:
    """Each month an instalment comes in on the 1st, and on the 20th the own enterprise is settled."""
    for n, month in enumerate(months):
        await story.fund(pool, 1_000_00, datetime(month.year, month.month, 1, 9, tzinfo=UTC), f"{month}")
        draft = chart.payment(
            chart.EntryKind.SETTLEMENT,
            statement_id=UUID(int=n),
            producer_id=told.OWN,
            sums={"capitation": 1_200_00 if month.month == 12 else 900_00},
        )
        async with transaction(pool) as tx:
            await ledger.post(tx, told.AREA, [draft], datetime(month.year, month.month, 20, 9, tzinfo=UTC))


async def test_a_year_ahead_follows_the_book(pool: Pool) -> None:
    await live(pool, MONTHS)
    found = await asked(pool, datetime(2027, 1, 15, tzinfo=UTC))
    assert (found.months_of_history, found.calibrated) == (36, True)
    assert found.balance_cents == 36 * 100_00 - 3 * 300_00
    assert [one.month for one in found.months] == [f"2027-{n:02d}" for n in range(1, 13)]
    assert [one.outflow_cents for one in found.months] == [900_00] * 11 + [1_200_00]
    assert found.months[-1].balance_cents == found.balance_cents + 12 * 100_00 - 300_00
    assert found.below_limit_in is None


async def test_months_before_anything_was_paid_are_no_history_of_what_goes_out(pool: Pool) -> None:
    """The first payout of an area comes a month after its first instalment, and would look like a season."""
    await story.fund(pool, 1_000_00, datetime(2025, 11, 1, 9, tzinfo=UTC), "2025-11")
    await live(pool, MONTHS[-13:-1])
    found = await asked(pool, datetime(2026, 12, 15, tzinfo=UTC))
    assert (found.months_of_history, found.balance_cents) == (12, 1_000_00 + 12 * 100_00 - 300_00)
    assert [one.outflow_cents for one in found.months] == [1_200_00] + [900_00] * 11
    with pytest.raises(Refused) as refused:
        await asked(pool, datetime(2026, 11, 15, tzinfo=UTC))
    assert refused.value.reason is Reason.TOO_LITTLE_HISTORY


async def test_an_instalment_that_will_not_come_is_seen_in_the_band(pool: Pool) -> None:
    await live(pool, MONTHS)
    nothing = {date(2027, n, 1): 0 for n in range(1, 13)}
    found = await asked(pool, datetime(2027, 1, 15, tzinfo=UTC), nothing)
    assert found.below_limit_in == "2027-04"


@pytest.mark.parametrize("month", [date(2026, 12, 1), date(2028, 1, 1)])
async def test_a_month_that_the_forecast_does_not_reach_is_asked_in_vain_and_refused(pool: Pool, month: date) -> None:
    await live(pool, MONTHS)
    with pytest.raises(Invalid) as refused:
        await asked(pool, datetime(2027, 1, 15, tzinfo=UTC), {month: 5})
    assert (refused.value.pointer, refused.value.rule) == ("/planned", "month_ahead")
    assert (await asked(pool, datetime(2027, 1, 15, tzinfo=UTC), {date(2027, 12, 1): 5})).months[-1].inflow_cents == 5


async def plan(pool: Pool, year: int, *instalments: tuple[date, int]) -> None:
    """The state plans a year."""
    command = PlanInstalments(told.AREA, "state", "", year, instalments, "Päätös.", "operator")
    async with transaction(pool) as tx:
        await plan_instalments(tx, command, datetime(year - 1, 11, 1, tzinfo=UTC))


async def test_the_funding_plan_is_read_and_what_is_overdue_comes_first(pool: Pool) -> None:
    """The state still misses 500 € of December and plans by quarters; Espoo has no plan and pays as a year ago."""
    await live(pool, MONTHS)
    paid = PlaceFunding(told.AREA, "municipality", "049", 70_00, date(2026, 5, 2), "Espoo")
    async with transaction(pool) as tx:
        await place_funding(tx, paid, datetime(2026, 5, 2, 9, tzinfo=UTC))
    now = datetime(2027, 1, 15, tzinfo=UTC)
    assert {one.inflow_from for one in (await asked(pool, now)).months} == {"last_year"}
    monthly = [(date(2026, n, 1), 1_000_00 if n < 12 else 1_500_00) for n in range(1, 13)]
    await plan(pool, 2026, *monthly)
    await plan(pool, 2027, *[(date(2027, n, 2), 3_000_00) for n in (1, 4, 7, 10)])
    found = await asked(pool, now, {date(2027, 7, 1): 0})
    inflows = {int(one.month[-2:]): one.inflow_cents for one in found.months if one.inflow_cents}
    assert inflows == {1: 3_500_00, 4: 3_000_00, 5: 70_00, 10: 3_000_00}
    assert {one.month: one.inflow_from for one in found.months}["2027-07"] == "asked"
    assert sum(one.inflow_from == "plan" for one in found.months) == 11


async def test_a_month_that_is_not_over_is_no_history(pool: Pool) -> None:
    await live(pool, MONTHS[:12])
    with pytest.raises(Refused) as early:
        await asked(pool, datetime(2024, 12, 31, 12, tzinfo=UTC))
    assert early.value.reason is Reason.TOO_LITTLE_HISTORY
    found = await asked(pool, datetime(2024, 12, 31, 22, 30, tzinfo=UTC))
    assert (found.months_of_history, found.calibrated) == (12, False)


async def state(pool: Pool, months: list[date], producer_id: str = told.PRIVATE) -> None:
    """A drawn statement of 1,000 € for each month, of 1,300 € for each July."""
    async with transaction(pool) as tx:
        for month in months:
            run_id, cents = derived_id("run", month), 1_300_00 if month.month == 7 else 1_000_00
            await tx.execute(
                "INSERT INTO statement (statement_id, version, run_id, area, month, producer_id, amount_cents, status)"
                " VALUES (%s, 1, %s, %s, %s, %s, %s, 'drawn')",
                (derived_id(run_id, producer_id), run_id, told.AREA, month, producer_id, cents),
            )


async def test_a_producer_sees_its_income_of_a_year(pool: Pool) -> None:
    await state(pool, MONTHS)
    await state(pool, MONTHS[:1], told.OWN)
    async with transaction(pool) as tx:
        found = await forecast_income(tx, told.AREA, told.PRIVATE)
    assert (found.months_of_history, found.calibrated) == (36, True)
    assert [one.income_cents for one in found.months] == [1_000_00] * 6 + [1_300_00] + [1_000_00] * 5
    assert found.months[-1].sum_cents == 12_300_00
    assert all(one.low_cents <= one.sum_cents <= one.high_cents for one in found.months)
    for producer in (told.OWN, "1.2.246.10.1120389.10.0"):
        with pytest.raises(Refused):
            async with transaction(pool) as tx:
                await forecast_income(tx, told.AREA, producer)


async def test_the_month_that_has_begun_may_be_asked_too(pool: Pool) -> None:
    await live(pool, MONTHS)
    found = await asked(pool, datetime(2027, 1, 15, tzinfo=UTC), {date(2027, 1, 1): 5})
    assert (found.months[0].inflow_cents, found.months[0].inflow_from) == (5, "asked")


async def test_a_months_money_is_that_of_its_days_in_helsinki(pool: Pool) -> None:
    """Half past midnight on the first of January is still December by UTC."""
    await live(pool, MONTHS[:24])
    new_year = datetime(2025, 12, 31, 22, 30, tzinfo=UTC)
    await story.fund(pool, 7_00, new_year, "uusivuosi")
    async with transaction(pool) as tx:
        flowed = {flow.month: flow.inflow_cents for flow in await flows(tx, told.AREA, date(2026, 2, 1))}
        assert max(flow.month for flow in await flows(tx, told.AREA, date(2026, 1, 1))) == date(2025, 12, 1)
    assert (flowed[date(2025, 12, 1)], flowed[date(2026, 1, 1)]) == (1_000_00, 7_00)


async def test_what_comes_on_the_first_is_of_the_month_that_begins(pool: Pool) -> None:
    """The balance is that of the last month's end, so what has come since is still expected beside it."""
    await live(pool, MONTHS)
    paid = PlaceFunding(told.AREA, "municipality", "049", 70_00, date(2026, 1, 1), "Espoo")
    async with transaction(pool) as tx:
        await place_funding(tx, paid, datetime(2026, 1, 1, 9, tzinfo=UTC))
    await plan(pool, 2027, (date(2027, 1, 1), 3_000_00))
    await story.fund(pool, 3_000_00, datetime(2027, 1, 1, 9, tzinfo=UTC), "2027")
    found = await asked(pool, datetime(2027, 1, 15, tzinfo=UTC))
    assert found.balance_cents == 36 * 100_00 - 3 * 300_00 + 70_00
    assert [one.inflow_cents for one in found.months] == [3_000_00 + 70_00] + [0] * 11


async def test_an_income_is_in_a_band_as_wide_as_it_was_missed(pool: Pool) -> None:
    """A July that brings 1,300 € only every other year is missed, and the band says so."""
    await state(pool, [month for month in MONTHS if month.month != 7 or month.year != 2026])
    async with transaction(pool) as tx:
        await tx.execute(
            "INSERT INTO statement (statement_id, version, run_id, area, month, producer_id, amount_cents, status)"
            " VALUES (%s, 1, %s, %s, '2026-07-01', %s, 100, 'drawn')",
            (UUID(int=1), UUID(int=2), told.AREA, told.PRIVATE),
        )
        found = await forecast_income(tx, told.AREA, told.PRIVATE)
        _, half_widths = outflow_path([cents for _, cents in await income(tx, told.AREA, told.PRIVATE)])
    assert half_widths[-1] > 0
    assert [one.high_cents - one.sum_cents for one in found.months] == half_widths
    assert [one.sum_cents - one.low_cents for one in found.months] == half_widths


async def widths(pool: Pool, planned: dict[date, int] | None = None) -> list[int]:
    """How wide the band of each month of 2027 is, in cents."""
    found = await asked(pool, datetime(2027, 1, 15, tzinfo=UTC), planned)
    return [one.high_cents - one.low_cents for one in found.months]


async def test_what_is_asked_is_taken_at_its_word_and_what_is_guessed_is_not(pool: Pool) -> None:
    """Espoo paid in May of 2026 and never before: that it does so again in 2027 is a guess, which missed before."""
    await live(pool, MONTHS)
    paid = PlaceFunding(told.AREA, "municipality", "049", 70_00, date(2026, 5, 2), "Espoo")
    async with transaction(pool) as tx:
        await place_funding(tx, paid, datetime(2026, 5, 2, 9, tzinfo=UTC))
    await plan(pool, 2027, *[(date(2027, n, 2), 3_000_00) for n in (1, 4, 7, 10)])
    guessed = await widths(pool)
    assert guessed[:4] == [0] * 4
    assert min(guessed[4:]) > 0
    assert await widths(pool, {date(2027, 5, 1): 50_00}) == [0] * 12


async def test_the_account_may_fall_below_its_limit_before_the_balance_is_expected_to(pool: Pool) -> None:
    """One month cost far more than foreseen, so the lower edge of the band goes below zero and the balance does not."""
    await story.fund(pool, 3_000_00, datetime(2024, 1, 1, 9, tzinfo=UTC), "alku")
    await live(pool, MONTHS)
    draft = chart.payment(
        chart.EntryKind.SETTLEMENT, statement_id=UUID(int=99), producer_id=told.OWN, sums={"capitation": 5_000_00}
    )
    async with transaction(pool) as tx:
        await ledger.post(tx, told.AREA, [draft], datetime(2026, 6, 20, 9, tzinfo=UTC))
    found = await asked(pool, datetime(2027, 1, 15, tzinfo=UTC))
    first = next(one for one in found.months if one.low_cents < 0)
    assert first.balance_cents > 0
    assert found.below_limit_in == first.month


async def test_twelve_statements_are_enough_for_the_income_of_a_producer(pool: Pool) -> None:
    await state(pool, MONTHS[:11])
    with pytest.raises(Refused):
        async with transaction(pool) as tx:
            await forecast_income(tx, told.AREA, told.PRIVATE)
    await state(pool, MONTHS[11:12])
    async with transaction(pool) as tx:
        found = await forecast_income(tx, told.AREA, told.PRIVATE)
    assert (found.months_of_history, found.calibrated) == (12, False)
