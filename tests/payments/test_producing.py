"""Before phase 5 nothing is paid: fees, base payments and measures wait for their scheme, on a real PostgreSQL."""

from datetime import date

from kanava.common.contracts.registry import Scheme
from kanava.common.db import Pool
from tests.payments import story
from tests.payments.test_base_payments import cooperation, paid
from tests.payments.test_prices import fees, waiting
from tests.support import facts as told
from tests.support.facts import at, visit

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def production(entered_on: date, **changed: object) -> Scheme:
    """The scheme that told of roll-out only (phase 4) enters production."""
    return told.scheme(5).model_copy(update={"version": 6, "entered_on": entered_on} | changed)


async def open_in_roll_out(pool: Pool) -> None:
    """An area whose scheme is in phase 4, with a contract for fees and one with a base payment."""
    await story.hear(pool, "registry.document", told.document())
    await story.hear(pool, "registry.scheme", told.scheme(4))
    await story.hear(pool, "registry.price", told.price())
    await story.hear(pool, "registry.producer", told.producer(private=True))
    await story.hear(pool, "registry.unit", told.unit(private=True))
    await story.hear(pool, "registry.contract", told.contract(private=True), cooperation())
    reports = [visit(day, 1, date(2026, 10, day), recorded_at=at(10, 30)) for day in (15, 21)]
    await story.hear(pool, "monitoring.production", *reports)


async def test_fees_and_base_payments_wait_for_production(pool: Pool) -> None:
    await open_in_roll_out(pool)
    await story.close(pool, OCTOBER, at(11, 2))
    assert await story.lines(pool) == []
    assert await paid(pool) == []
    assert await waiting(pool) == [("SOS.1.1", "no_scheme", 2)]


async def test_production_that_became_known_late_pays_from_its_day_on(pool: Pool) -> None:
    """Of October the visit of the 21st and 11 of 31 days of 310 euros; nothing of the days before."""
    await open_in_roll_out(pool)
    await story.close(pool, OCTOBER, at(11, 2))
    await story.hear(pool, "registry.scheme", production(date(2026, 10, 21), recorded_at=at(11, 5)))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await fees(pool, NOVEMBER) == [("original", 45_00)]
    assert await paid(pool) == [("11", "original", 110_00), ("11", "original", 310_00)]
    assert await waiting(pool) == [("SOS.1.1", "no_scheme", 1)]
    await story.assert_books_agree(pool)


async def test_a_unit_of_another_municipality_does_not_produce_with_this_one(pool: Pool) -> None:
    await open_in_roll_out(pool)
    elsewhere = production(date(2026, 9, 1), scheme_id="kauniainen", municipality="235", recorded_at=told.SEPTEMBER)
    await story.hear(pool, "registry.scheme", elsewhere)
    await story.close(pool, OCTOBER, at(11, 2))
    assert await story.lines(pool) == []
    assert await paid(pool) == []
