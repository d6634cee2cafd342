"""Instalments at the edges of their days, versions and payers, on a real PostgreSQL."""

from dataclasses import replace
from datetime import UTC, date, datetime

from kanava.common.db import Pool, transaction
from kanava.payments.commands import AllocateContributions, PlaceFunding
from kanava.payments.service.funding import Funded, allocate_contributions, place_funding
from kanava.payments.views import funding as views
from tests.payments.test_funding import DECEMBER, JANUARY_8, NOVEMBER, of_the_state, plan, receive
from tests.support import facts as told
from tests.support.facts import at


def years(funded: Funded) -> list[tuple[int, int]]:
    """The fiscal years that an instalment belongs to, with its cents."""
    return [(one.fiscal_year, one.amount_cents) for one in funded.years]


async def test_what_is_due_today_is_missing_and_overdue_tomorrow(pool: Pool) -> None:
    await plan(pool, (NOVEMBER, 100_00), (DECEMBER, 50_00))
    due = await of_the_state(pool, 2026, NOVEMBER)
    assert (due.missing_cents, due.overdue_cents, due.most_days_late) == (150_00, 0, 0)
    late = await of_the_state(pool, 2026, date(2026, 11, 3))
    assert (late.missing_cents, late.overdue_cents, late.most_days_late) == (150_00, 100_00, 1)


async def test_what_comes_on_its_day_is_seen_on_its_day(pool: Pool) -> None:
    await plan(pool, (NOVEMBER, 100_00), (DECEMBER, 50_00))
    await receive(pool, 100_00, NOVEMBER)
    assert (await of_the_state(pool, 2026, date(2026, 11, 1))).received_cents == 0
    seen = await of_the_state(pool, 2026, NOVEMBER)
    assert (seen.received_cents, seen.missing_cents) == (100_00, 50_00)


async def test_the_old_year_is_filled_as_far_as_its_newest_plan_misses(pool: Pool) -> None:
    """Of 200 € of the newest plan 80 € had come; what had come for the year before fills nothing of it."""
    await receive(pool, 50_00, date(2025, 12, 1))
    await plan(pool, (DECEMBER, 100_00))
    await plan(pool, (DECEMBER, 200_00))
    await receive(pool, 80_00, DECEMBER)
    assert years(await receive(pool, 150_00, JANUARY_8.date(), now=JANUARY_8)) == [(2026, 120_00), (2027, 30_00)]


async def test_a_surplus_of_the_old_year_takes_nothing_of_the_new_one(pool: Pool) -> None:
    await plan(pool, (DECEMBER, 100_00))
    await receive(pool, 130_00, DECEMBER)
    assert years(await receive(pool, 50_00, JANUARY_8.date(), now=JANUARY_8)) == [(2027, 50_00)]
    assert (await of_the_state(pool, 2026, JANUARY_8.date())).surplus_cents == 30_00


async def test_each_municipality_fills_its_own_plan(pool: Pool) -> None:
    """Espoo paid its year and Kauniainen did not: the instalments of January belong to different years."""
    for party in ("049", "235"):
        await plan(pool, (DECEMBER, 10_00), payer="municipality", party=party)
    async with transaction(pool) as tx:
        await place_funding(tx, PlaceFunding(told.AREA, "municipality", "049", 10_00, DECEMBER, "12"), at(12, 2))
        espoo, kauniainen = [
            await place_funding(
                tx, PlaceFunding(told.AREA, "municipality", party, 10_00, JANUARY_8.date(), "1"), JANUARY_8
            )
            for party in ("049", "235")
        ]
    assert (years(espoo), years(kauniainen)) == ([(2027, 10_00)], [(2026, 10_00)])


async def test_the_gain_of_the_phase_out_is_that_of_the_year_up_to_the_day_and_of_insurance_alone(pool: Pool) -> None:
    """A quarter of class II in 2027, and more in 2028; the state's funding has no part in it."""
    first = AllocateContributions(1_000_00, (("03", 1),), date(2027, 2, 1), "2", 0, 400_00)
    second = replace(first, received_on=date(2027, 3, 1), reference="3")
    later = replace(first, received_on=date(2028, 1, 1), reference="1")
    async with transaction(pool) as tx:
        for command in (first, second, later):
            await allocate_contributions(tx, command, datetime(2028, 1, 3, 9, tzinfo=UTC))
        await place_funding(
            tx, PlaceFunding(told.AREA, "state", "", 5_00, date(2027, 2, 1), "2/12"), datetime(2027, 2, 1, tzinfo=UTC)
        )
        gains = [
            {one.payer: one.phase_out_gain_cents for one in await views.payers(tx, told.AREA, 2027, day)}
            for day in (date(2027, 2, 1), date(2027, 2, 28), date(2027, 12, 31), date(2028, 2, 1))
        ]
        shown = [len(await views.contributions(tx, told.AREA, year)) for year in (2027, 2028)]
    assert gains == [{"insurance": cents, "state": 0} for cents in (100_00, 100_00, 200_00, 200_00)]
    assert shown == [2, 1]
