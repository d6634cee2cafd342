"""Facts that come late, in another order, or while a month is being closed, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date

import pytest

from kanava.common.contracts import Fact
from kanava.common.contracts.listing import Listing
from kanava.common.db import Pool, Tx, rows, transaction
from kanava.payments.commands import RequestRun
from kanava.payments.consumers import SUBSCRIPTIONS
from kanava.payments.service import runs
from kanava.payments.service.runs import close_next, request_run
from tests.payments import story
from tests.payments.test_vouchers import voucher
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
PAID_LATE = [(OCTOBER, "correction", 7_00), (NOVEMBER, "original", 7_00), (DECEMBER, "original", 7_00)]


def nowhere(number: int, *, version: int, day: tuple[int, int]) -> Listing:
    """A version of a listing that holds no span any more."""
    return listed(number, version=version, recorded_at=at(*day))


async def found(pool: Pool) -> list[tuple[date, str, int]]:
    """The month, kind and cents of all lines, sorted."""
    return sorted((line["for_month"], line["kind"], line["amount_cents"]) for line in await story.lines(pool))


async def test_residents_of_a_unit_that_became_known_after_the_month_are_paid_for_it(pool: Pool) -> None:
    await story.hear(pool, "registry.document", told.document())
    await story.hear(pool, "registry.scheme", told.scheme())
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1))))
    await story.close(pool, OCTOBER, at(11, 2))
    assert await found(pool) == []
    await story.hear(pool, "registry.unit", told.unit(private=False))
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await found(pool) == PAID_LATE


async def test_residents_of_a_scheme_that_became_known_after_the_month_are_paid_for_it(pool: Pool) -> None:
    await story.hear(pool, "registry.document", told.document())
    await story.hear(pool, "registry.unit", told.unit(private=False))
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1))))
    await story.close(pool, OCTOBER, at(11, 2))
    assert await found(pool) == []
    await story.hear(pool, "registry.scheme", told.scheme())
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await found(pool) == PAID_LATE


async def test_a_listing_that_holds_nothing_any_more_takes_back_what_was_paid(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1))))
    await story.close(pool, OCTOBER, at(11, 2))
    await story.hear(pool, "listing.listing", nowhere(1, version=2, day=(11, 9)))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await found(pool) == [(OCTOBER, "original", 7_00), (OCTOBER, "refund", -7_00)]


async def test_an_older_listing_has_no_effect_after_one_that_holds_nothing(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    assert await story.hear(pool, "listing.listing", nowhere(1, version=2, day=(9, 9))) == 1
    assert await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1)))) == 0
    await story.close(pool, OCTOBER, at(11, 2))
    assert await found(pool) == []


async def test_a_version_recorded_before_the_one_it_replaces_still_replaces_it(pool: Pool) -> None:
    """The clock of its owner stepped back between the two."""
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    first = visit(1, 1, date(2026, 10, 5), recorded_at=at(10, 6, 10), fee_cents=1_00)
    second = visit(1, 1, date(2026, 10, 5), recorded_at=at(10, 6, 9), fee_cents=2_00, version=2)
    assert await story.hear(pool, "monitoring.production", first) == 1
    assert await story.hear(pool, "monitoring.production", second) == 1
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1)), recorded_at=at(9, 2, 10)))
    ended = listed(1, span(date(2026, 9, 1), date(2026, 10, 11)), version=2, recorded_at=at(9, 2, 9))
    assert await story.hear(pool, "listing.listing", ended) == 1
    both = [listed(2, span(date(2026, 9, 1)), recorded_at=at(9, 2, 10)), nowhere(2, version=2, day=(9, 1))]
    assert await story.hear(pool, "listing.listing", *both) == 2
    await story.close(pool, OCTOBER, at(11, 2))
    cents = sorted((line["component"], line["amount_cents"]) for line in await story.lines(pool))
    assert cents == [("capitation", 2_26), ("client_fee", -2_00), ("fee", 45_00)]


async def test_a_cut_off_is_never_before_the_one_of_the_month_before(pool: Pool) -> None:
    """The clock stepped back between the two requests: what October knew, November knows too."""
    await story.open_area(pool)
    await story.hear(pool, "monitoring.production", visit(1, 1, date(2026, 10, 5), recorded_at=at(12, 2, 10)))
    await story.close(pool, OCTOBER, at(12, 2, 11))
    await story.close(pool, NOVEMBER, at(12, 2, 9))
    assert await found(pool) == [(OCTOBER, "original", 45_00)]


async def test_a_fact_under_way_when_a_run_is_requested_is_in_that_run(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is requested while a worker looks for one: between its barrier and its choice of a run."""
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    transactions = 0

    @asynccontextmanager
    async def interrupted(given: Pool) -> AsyncIterator[Tx]:
        nonlocal transactions
        transactions += 1
        if transactions == 2:
            await hear_slowly.enter_async_context(heard(given))
            await requested(given)
        async with transaction(given) as tx:
            yield tx

    @asynccontextmanager
    async def heard(given: Pool) -> AsyncIterator[None]:
        async with transaction(given) as tx:
            await SUBSCRIPTIONS["kanava.listing.listing.v1"](tx, [listed(1, span(date(2026, 9, 1)))])
            yield

    async def requested(given: Pool) -> None:
        async with transaction(given) as tx:
            await request_run(tx, RequestRun(told.AREA, OCTOBER, "operator"), at(11, 2))

    monkeypatch.setattr(runs, "transaction", interrupted)
    async with AsyncExitStack() as hear_slowly:
        await close_next(pool)
    await close_next(pool)
    assert await found(pool) == [(OCTOBER, "original", 7_00)]


IN_TIME = visit(1, 1, date(2026, 10, 5), recorded_at=at(10, 6), fee_cents=20_00)
EARLIER = {"version": 2, "recorded_at": at(10, 20)}
LATE: dict[str, tuple[str, Fact, dict[str, int]]] = {
    "a report": (
        "monitoring.production",
        visit(2, 1, date(2026, 10, 6), recorded_at=at(10, 20), fee_cents=900_00),
        {"fee": 45_00, "client_fee": -900_00, "ceiling": 920_00 - 815_00},
    ),
    "a corrected report": (
        "monitoring.production",
        IN_TIME.model_copy(update=EARLIER | {"what": "corrected", "client_fee_cents": 900_00}),
        {"client_fee": -880_00, "ceiling": 900_00 - 815_00},
    ),
    "a corrected price": (
        "registry.price",
        told.price().model_copy(update=EARLIER | {"correction_reason": "Kirjoitusvirhe", "price_cents": 50_00}),
        {"fee": 5_00},
    ),
    "a voucher": (
        "listing.voucher",
        voucher(1, 1, recorded_at=at(10, 20), starts_on=OCTOBER),
        {"fee": -45_00, "client_fee": 20_00, "voucher": 50_00},
    ),
    "a contract's end": (
        "registry.contract",
        told.contract(private=True).model_copy(update=EARLIER | {"ends_on": date(2026, 10, 5)}),
        {"fee": -45_00, "client_fee": 20_00},
    ),
}
"""What was recorded before the cut-off of October and came after it, and by how many cents it changes October."""


async def test_a_late_fee_moves_a_claim_that_stands(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    over = visit(1, 1, date(2026, 10, 5), recorded_at=at(10, 6), fee_cents=900_00)
    await story.hear(pool, "monitoring.production", over)
    await story.close(pool, OCTOBER, at(11, 2))
    late = visit(2, 1, date(2026, 10, 6), recorded_at=at(10, 20), fee_cents=10_00)
    await story.hear(pool, "monitoring.production", late)
    await story.close(pool, NOVEMBER, at(12, 2))
    async with transaction(pool) as tx:
        claims = await rows(tx, "SELECT amount_cents FROM ceiling_claim JOIN run USING (run_id) ORDER BY month")
    assert [row["amount_cents"] for row in claims] == [85_00, 10_00]


@pytest.mark.parametrize("what", LATE)
async def test_what_came_after_the_cut_off_changes_the_month_by_itself(pool: Pool, what: str) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "monitoring.production", IN_TIME)
    await story.close(pool, OCTOBER, at(11, 2))
    topic, fact, changes = LATE[what]
    assert await story.hear(pool, topic, fact) == 1
    run = await story.close(pool, NOVEMBER, at(12, 2))
    query = (
        "SELECT component, sum(amount_cents)::int AS cents FROM (SELECT component, amount_cents FROM line"
        " WHERE run_id = %(run)s AND for_month = '2026-10-01' UNION ALL SELECT 'ceiling', amount_cents"
        " FROM ceiling_claim WHERE run_id = %(run)s) moved GROUP BY component"
    )
    async with transaction(pool) as tx:
        moved = {row["component"]: row["cents"] for row in await rows(tx, query, {"run": run["run_id"]})}
    assert moved == changes
    await story.assert_books_agree(pool)
