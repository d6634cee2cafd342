"""Fees at the edges: the days of a contract and of a price, and another area's."""

from datetime import date

from kanava.common.contracts.registry import Contract
from kanava.common.db import Pool
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, resident, visit

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


async def days_paid(pool: Pool, *days: int) -> list[tuple[int, int]]:
    """Report visits of October, one a day, close the month, and say which days were paid with how much."""
    await story.hear(pool, "listing.resident", resident(1))
    reports = [visit(day, 1, date(2026, 10, day), recorded_at=at(11, 1)) for day in days]
    await story.hear(pool, "monitoring.production", *reports)
    await story.close(pool, OCTOBER, at(11, 2))
    await story.assert_books_agree(pool)
    cents_of = {line["source"]: line["amount_cents"] for line in await story.lines(pool, "fee")}
    return [
        (day, cents_of[report.production_id])
        for day, report in zip(days, reports, strict=True)
        if report.production_id in cents_of
    ]


def contract(**changed: object) -> Contract:
    """The private producer's contract, changed."""
    return told.contract(private=True).model_copy(update={"version": 2} | changed)


async def test_a_contract_pays_from_its_first_day_until_the_day_before_its_end(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "registry.contract", contract(starts_on=date(2026, 10, 6), ends_on=date(2026, 10, 20)))
    assert await days_paid(pool, 5, 6, 19, 20) == [(6, 45_00), (19, 45_00)]


async def test_a_price_holds_from_its_day_on_and_in_its_area_alone(pool: Pool) -> None:
    await story.open_area(pool)
    elsewhere = told.price(99_00, date(2026, 10, 4)).model_copy(update={"area": "05", "price_id": "05:SOS.1.1"})
    await story.hear(pool, "registry.price", told.price(50_00, date(2026, 10, 6)), elsewhere)
    assert await days_paid(pool, 5, 6, 7) == [(5, 45_00), (6, 50_00), (7, 50_00)]


async def test_the_first_and_the_last_day_of_a_month_are_in_it(pool: Pool) -> None:
    await story.open_area(pool)
    next_month = visit(90, 1, NOVEMBER, recorded_at=at(11, 1))
    await story.hear(pool, "monitoring.production", next_month)
    assert await days_paid(pool, 1, 31) == [(1, 45_00), (31, 45_00)]
    assert len(await story.lines(pool)) == 2, "the visit of the next month waits for it"


async def test_a_contract_with_another_area_pays_nothing_here(pool: Pool) -> None:
    await story.open_area(pool)
    ended = contract(ends_on=date(2026, 9, 2))
    elsewhere = contract(version=1, area="05", contract_id="C-elsewhere")
    await story.hear(pool, "registry.contract", ended, elsewhere)
    assert await days_paid(pool, 5) == []
