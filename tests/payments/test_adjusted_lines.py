"""Adjusted lines whose facts change afterwards, before or at once: each cent is corrected once, on a real PostgreSQL.

An adjustment says what a line should have said, and lives as long as that line stands.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from kanava.common.db import Pool, transaction
from kanava.common.errors import Refused
from kanava.payments.commands import RequestRun
from kanava.payments.errors import Reason
from kanava.payments.service.runs import close_next, request_run
from tests.payments import story
from tests.payments.dispute_story import adjust, adjusted, adjusted_together, assert_whole, cents, contest, find
from tests.payments.test_incentives import TERMS, october, snapshot
from tests.payments.test_payout import closed_month
from tests.support import facts as told
from tests.support.facts import at, listed, resident, resident_id, span, visit

OCTOBER, NOVEMBER, DECEMBER, JANUARY = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
CLOSED_ON = {
    DECEMBER: datetime(2027, 1, 2, 9, tzinfo=UTC),
    JANUARY: datetime(2027, 2, 2, 9, tzinfo=UTC),
    date(2027, 2, 1): datetime(2027, 3, 2, 9, tzinfo=UTC),
}
SINCE = date(2026, 9, 1)


async def close(pool: Pool, *months: date) -> None:
    """Close months behind November; the books agree after each."""
    for month in months:
        await story.close(pool, month, CLOSED_ON[month])
        await assert_whole(pool)


async def died(pool: Pool, day: date, recorded_at: datetime) -> None:
    """The private producer's resident died, as becomes known late."""
    gone = resident(2, version=2, what="died", lives_until=day, recorded_at=recorded_at)
    ended = listed(2, span(SINCE, day, private=True), version=2, recorded_at=recorded_at)
    await story.hear(pool, "listing.resident", gone)
    await story.hear(pool, "listing.listing", ended)


async def capitation_of_november(pool: Pool) -> int:
    """What stands for the private producer's resident in November, corrections and adjustments included."""
    return await cents(pool, "capitation", "adjustment", resident_id=resident_id(2), for_month=NOVEMBER)


async def test_a_death_known_after_an_adjustment_leaves_what_the_days_give(pool: Pool) -> None:
    """7.00 was adjusted to 10.00; then the resident turns out to have lived for 10 of the 30 days."""
    await closed_month(pool)
    line = await find(pool, NOVEMBER, "capitation", producer_id=told.PRIVATE)
    dispute_id = await adjusted(pool, line, 10_00, at(12, 10))
    await close(pool, DECEMBER)
    assert await capitation_of_november(pool) == 10_00
    await died(pool, date(2026, 11, 11), CLOSED_ON[DECEMBER] + timedelta(days=1))
    await close(pool, JANUARY)
    assert await capitation_of_november(pool) == 2_33
    undone = [(row["kind"], row["amount_cents"], row["source"]) for row in await story.lines(pool, "adjustment")]
    assert sorted(undone) == sorted(
        [(kind, cents_, dispute_id) for kind, cents_ in
         (("refund", -7_00), ("correction", 10_00), ("refund", -10_00), ("correction", 7_00))]
    )  # fmt: skip
    await close(pool, date(2027, 2, 1))
    assert await capitation_of_november(pool) == 2_33, "undone once"


async def test_a_death_that_a_dispute_took_already_is_not_taken_twice(pool: Pool) -> None:
    """The dispute took off the days after the death; when the feed tells of it, nothing more comes off."""
    await closed_month(pool)
    line = await find(pool, NOVEMBER, "capitation", producer_id=told.PRIVATE)
    await adjusted(pool, line, 2_33, at(12, 10))
    await close(pool, DECEMBER)
    await died(pool, date(2026, 11, 11), CLOSED_ON[DECEMBER] + timedelta(days=1))
    await close(pool, JANUARY)
    assert await capitation_of_november(pool) == 2_33


async def test_a_fact_and_an_adjustment_that_one_run_sees_correct_once(pool: Pool) -> None:
    """Known before the decision, and in no run yet: December writes what the days give, and no adjustment."""
    await closed_month(pool)
    line = await find(pool, NOVEMBER, "capitation", producer_id=told.PRIVATE)
    dispute_id = await contest(pool, line, at(12, 10))
    await died(pool, date(2026, 11, 11), at(12, 11))
    await adjust(pool, dispute_id, line, 10_00, at(12, 12))
    await close(pool, DECEMBER, JANUARY)
    assert await capitation_of_november(pool) == 2_33
    assert await story.lines(pool, "adjustment") == []


async def test_a_line_that_a_run_corrected_is_not_adjusted_any_more(pool: Pool) -> None:
    await closed_month(pool)
    line = await find(pool, NOVEMBER, "capitation", producer_id=told.PRIVATE)
    dispute_id = await contest(pool, line, at(12, 10))
    await died(pool, date(2026, 11, 11), at(12, 11))
    await close(pool, DECEMBER)
    with pytest.raises(Refused) as refused:
        await adjust(pool, dispute_id, line, 10_00, CLOSED_ON[DECEMBER])
    assert refused.value.reason is Reason.LINE_CORRECTED_SINCE
    corrected = await find(pool, DECEMBER, "capitation", "correction", producer_id=told.PRIVATE)
    await adjusted(pool, corrected, 3_00, CLOSED_ON[DECEMBER])
    await close(pool, JANUARY)
    assert await capitation_of_november(pool) == 3_00, "what stands now can be contested anew"


async def test_a_listing_moved_to_another_unit_takes_its_adjustment_with_it(pool: Pool) -> None:
    await closed_month(pool)
    line = await find(pool, NOVEMBER, "capitation", producer_id=told.PRIVATE)
    await adjusted(pool, line, 5_00, at(12, 10))
    await close(pool, DECEMBER)
    moved = listed(2, span(SINCE), version=2, recorded_at=CLOSED_ON[DECEMBER] + timedelta(days=1))
    await story.hear(pool, "listing.listing", moved)
    await close(pool, JANUARY)
    by_producer = [
        await cents(pool, "capitation", "adjustment", for_month=NOVEMBER, producer_id=producer)
        for producer in (told.PRIVATE, told.OWN)
    ]
    assert by_producer == [0, 14_00]


async def test_a_refund_that_a_dispute_undid_is_not_paid_again_when_its_fact_is(pool: Pool) -> None:
    """Struck off the list by error, the refund of 7.00 is adjusted to nothing; then listing puts the resident back."""
    await closed_month(pool)
    await story.hear(pool, "listing.listing", listed(2, version=2, recorded_at=at(12, 5)))
    await close(pool, DECEMBER)
    refund = await find(pool, DECEMBER, "capitation", "refund", producer_id=told.PRIVATE)
    await adjusted(pool, refund, 0, CLOSED_ON[DECEMBER])
    await close(pool, JANUARY)
    assert await capitation_of_november(pool) == 7_00
    back = listed(2, span(SINCE, private=True), version=3, recorded_at=CLOSED_ON[JANUARY] + timedelta(days=1))
    await story.hear(pool, "listing.listing", back)
    await close(pool, date(2027, 2, 1))
    assert await capitation_of_november(pool) == 7_00


async def test_a_refund_beside_a_correction_is_not_adjusted_but_the_correction_is(pool: Pool) -> None:
    """Undoing the refund of 7.00 would leave 7.00 and 2.33; what holds is said by the correction alone."""
    await closed_month(pool)
    await died(pool, date(2026, 11, 11), at(12, 5))
    await close(pool, DECEMBER)
    refund = await find(pool, DECEMBER, "capitation", "refund", producer_id=told.PRIVATE)
    with pytest.raises(Refused) as refused:
        await adjusted(pool, refund, 0, CLOSED_ON[DECEMBER])
    assert refused.value.reason is Reason.TAKES_BACK
    correction = await find(pool, DECEMBER, "capitation", "correction", producer_id=told.PRIVATE)
    await adjusted(pool, correction, 7_00, CLOSED_ON[DECEMBER])
    await close(pool, JANUARY)
    assert await capitation_of_november(pool) == 7_00


async def test_what_takes_an_adjustment_back_is_not_adjusted_again(pool: Pool) -> None:
    """After the report of two visits, 45.00 no longer stands anywhere, so nothing can be added to it."""
    await closed_month(pool)
    await adjusted(pool, await find(pool, NOVEMBER, "fee"), 50_00, at(12, 10))
    await close(pool, DECEMBER)
    twice = visit(1, 2, date(2026, 11, 15), recorded_at=CLOSED_ON[DECEMBER], fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", twice.model_copy(update={"quantity": 2}))
    await close(pool, JANUARY)
    for kind, holds_cents in (("correction", 50_00), ("refund", 0)):
        line = await find(pool, JANUARY, "adjustment", kind)
        with pytest.raises(Refused) as refused:
            await adjusted(pool, line, holds_cents, CLOSED_ON[JANUARY])
        assert refused.value.reason is Reason.TAKES_BACK
    await close(pool, date(2027, 2, 1))
    assert await fee_of_november(pool) == 90_00


async def fee_of_november(pool: Pool) -> int:
    """What stands for the visit of November."""
    return await cents(pool, "fee", "adjustment", for_month=NOVEMBER)


async def test_a_report_that_is_revised_after_an_adjustment_is_paid_as_it_says_now(pool: Pool) -> None:
    await closed_month(pool)
    await adjusted(pool, await find(pool, NOVEMBER, "fee"), 0, at(12, 10))
    await close(pool, DECEMBER)
    assert await fee_of_november(pool) == 0
    twice = visit(1, 2, date(2026, 11, 15), recorded_at=CLOSED_ON[DECEMBER], fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", twice.model_copy(update={"quantity": 2}))
    await close(pool, JANUARY)
    assert await fee_of_november(pool) == 90_00


async def test_a_price_that_is_corrected_after_an_adjustment_pays_the_price(pool: Pool) -> None:
    """The dispute paid the 5.00 that the price lacked; when the organiser corrects the price, it is not paid again."""
    await closed_month(pool)
    await adjusted(pool, await find(pool, NOVEMBER, "fee"), 50_00, at(12, 10))
    await close(pool, DECEMBER)
    changed = {"version": 2, "price_cents": 50_00, "correction_reason": "Kirjoitusvirhe"}
    corrected = told.price().model_copy(update=changed | {"recorded_at": CLOSED_ON[DECEMBER] + timedelta(days=1)})
    await story.hear(pool, "registry.price", corrected)
    await close(pool, JANUARY)
    assert await fee_of_november(pool) == 50_00


async def test_an_adjustment_of_an_adjustment_goes_with_it(pool: Pool) -> None:
    """45.00, adjusted to 50.00, and that to 55.00; then the report turns out to be of two visits: 90.00."""
    await closed_month(pool)
    await adjusted(pool, await find(pool, NOVEMBER, "fee"), 50_00, at(12, 10))
    await close(pool, DECEMBER)
    first = await find(pool, DECEMBER, "adjustment", "correction")
    await adjusted(pool, first, 55_00, CLOSED_ON[DECEMBER])
    await close(pool, JANUARY)
    assert await fee_of_november(pool) == 55_00
    twice = visit(1, 2, date(2026, 11, 15), recorded_at=CLOSED_ON[JANUARY], fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", twice.model_copy(update={"quantity": 2}))
    await close(pool, date(2027, 2, 1))
    assert await fee_of_november(pool) == 90_00


async def test_adjustments_of_a_fee_and_of_capitation_in_one_line_go_each_with_its_fact(pool: Pool) -> None:
    """One case on both: its lines of November are one pair, the adjustment of that pair stands on both facts."""
    await closed_month(pool)
    both = [
        await find(pool, NOVEMBER, "capitation", producer_id=told.PRIVATE),
        await find(pool, NOVEMBER, "fee"),
    ]
    await adjusted_together(pool, list(zip(both, (10_00, 50_00), strict=True)), at(12, 10))
    await close(pool, DECEMBER)
    pair = await find(pool, DECEMBER, "adjustment", "correction")
    assert pair["amount_cents"] == 60_00
    await adjusted(pool, pair, 61_00, CLOSED_ON[DECEMBER])
    await close(pool, JANUARY)
    assert await cents(pool, "adjustment") == 8_00 + 1_00
    await died(pool, date(2026, 11, 11), CLOSED_ON[JANUARY])
    await close(pool, date(2027, 2, 1))
    assert await cents(pool, "adjustment") == 5_00, "the fee's, whose report is as it was"
    assert await cents(pool, "capitation", "fee", "adjustment", for_month=NOVEMBER, producer_id=told.PRIVATE) == 52_33


async def test_a_line_that_is_adjusted_is_not_contested_again_nor_by_another(pool: Pool) -> None:
    await closed_month(pool)
    line = await find(pool, NOVEMBER, "fee")
    await adjusted(pool, line, 50_00, at(12, 10))
    with pytest.raises(Refused) as again:
        await contest(pool, line, at(12, 11))
    with pytest.raises(Refused) as other:
        await contest(pool, {**line, "producer_id": told.OWN}, at(12, 11))
    assert (again.value.reason, other.value.reason) == (Reason.LINE_CONTESTED_BEFORE, Reason.NO_SUCH_LINE)


async def test_both_producers_of_a_moved_resident_are_corrected_on_their_own_lines(pool: Pool) -> None:
    """One keeps 1.00 of what was refunded, the other gets 5.00 instead of 7.00; each of them once."""
    await closed_month(pool)
    moved = listed(2, span(SINCE), version=2, recorded_at=at(12, 5))
    await story.hear(pool, "listing.listing", moved)
    await close(pool, DECEMBER)
    refund = await find(pool, DECEMBER, "capitation", "refund", producer_id=told.PRIVATE, for_month=NOVEMBER)
    gained = await find(pool, DECEMBER, "capitation", "correction", producer_id=told.OWN, for_month=NOVEMBER)
    await adjusted(pool, refund, -6_00, CLOSED_ON[DECEMBER])
    await adjusted(pool, gained, 5_00, CLOSED_ON[DECEMBER])
    await close(pool, JANUARY, date(2027, 2, 1))
    found = [
        await cents(pool, "capitation", "adjustment", for_month=NOVEMBER, producer_id=one, resident_id=resident_id(2))
        for one in (told.PRIVATE, told.OWN)
    ]
    assert found == [1_00, 5_00]


@pytest.mark.parametrize(
    ("component", "holds_cents", "reason"),
    [
        ("fee", -45_00, Reason.HOLDS_TURN_THE_LINE),
        ("capitation", -1, Reason.HOLDS_TURN_THE_LINE),
        ("client_fee", -10_00, Reason.COUNTED_ELSEWHERE),
    ],
)
async def test_what_an_adjustment_cannot_say_is_refused(
    pool: Pool, component: str, holds_cents: int, reason: Reason
) -> None:
    await closed_month(pool)
    line = await find(pool, NOVEMBER, component, producer_id=told.PRIVATE)
    with pytest.raises(Refused) as refused:
        await adjusted(pool, line, holds_cents, at(12, 10))
    assert refused.value.reason is reason
    await close(pool, DECEMBER)
    assert await story.lines(pool, "adjustment") == []


async def test_a_decision_behind_a_cut_off_waits_for_the_next_run(pool: Pool) -> None:
    """Its clock says before the cut-off, but the run was requested already: it counts from the cut-off on."""
    await closed_month(pool)
    dispute_id = await contest(pool, await find(pool, NOVEMBER, "fee"), at(12, 10))
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, DECEMBER, "operator"), CLOSED_ON[DECEMBER])
    line = await find(pool, NOVEMBER, "fee")
    await adjust(pool, dispute_id, line, 50_00, at(12, 20))
    assert await close_next(pool)
    assert await story.lines(pool, "adjustment") == []
    await close(pool, JANUARY)
    assert await fee_of_november(pool) == 50_00


async def earned(pool: Pool) -> None:
    """November's run paid October's incentive: 11 and 10 cents on the two residents of the private producer."""
    await october(pool, TERMS)
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20)))
    await story.close(pool, NOVEMBER, at(12, 2))


async def incentive(pool: Pool, number: int) -> int:
    """What stands of October's incentive on a resident."""
    return await cents(pool, "incentive", "adjustment", for_month=OCTOBER, resident_id=resident_id(number))


async def test_an_adjusted_incentive_stays_when_another_resident_is_corrected(pool: Pool) -> None:
    """Another's days move the shares by cents, which is no fact of the adjusted line's resident."""
    await earned(pool)
    await adjusted(pool, await find(pool, NOVEMBER, "incentive", resident_id=resident_id(1)), 31, at(12, 10))
    await close(pool, DECEMBER)
    assert await incentive(pool, 1) == 31
    gone = listed(2, span(SINCE, date(2026, 10, 4), private=True), version=2, recorded_at=CLOSED_ON[DECEMBER])
    await story.hear(pool, "listing.listing", gone)
    await close(pool, JANUARY)
    assert await incentive(pool, 1) == await cents(pool, "incentive", resident_id=resident_id(1)) + 20
    assert await cents(pool, "adjustment") == 20


async def test_an_incentive_whose_cents_moved_is_not_adjusted_by_a_second_line(pool: Pool) -> None:
    """One who was found late moved a share from 10 to 11; what the first dispute gave stands beside it already."""
    await earned(pool)
    await adjusted(pool, await find(pool, NOVEMBER, "incentive", resident_id=resident_id(2)), 30, at(12, 10))
    await story.hear(pool, "listing.resident", resident(4))
    await story.hear(pool, "listing.listing", listed(4, span(SINCE, private=True), recorded_at=at(12, 11)))
    await close(pool, DECEMBER)
    assert await incentive(pool, 2) == 11 + 20
    again = await find(pool, DECEMBER, "incentive", "correction", resident_id=resident_id(2))
    dispute_id = await contest(pool, again, CLOSED_ON[DECEMBER])
    with pytest.raises(Refused) as refused:
        await adjust(pool, dispute_id, again, 30, CLOSED_ON[DECEMBER])
    assert refused.value.reason is Reason.ADJUSTED_BEFORE
    await close(pool, JANUARY)
    assert await incentive(pool, 2) == 11 + 20


async def test_an_adjusted_incentive_goes_with_the_days_that_earned_it(pool: Pool) -> None:
    """A dispute took the incentive of a resident who was never there; when listing says so, it is not taken twice."""
    await earned(pool)
    await adjusted(pool, await find(pool, NOVEMBER, "incentive", resident_id=resident_id(1)), 0, at(12, 10))
    await close(pool, DECEMBER)
    await story.hear(pool, "listing.listing", listed(1, version=2, recorded_at=CLOSED_ON[DECEMBER]))
    await close(pool, JANUARY)
    assert await incentive(pool, 1) == 0


async def test_capitation_that_earns_an_incentive_is_corrected_where_its_fact_is(pool: Pool) -> None:
    """The reserve follows listing and model; an adjustment beside them would leave 5 % behind."""
    await earned(pool)
    line = await find(pool, OCTOBER, "capitation", resident_id=resident_id(1))
    with pytest.raises(Refused) as refused:
        await adjusted(pool, line, 5_00, at(12, 1))
    assert refused.value.reason is Reason.COUNTED_ELSEWHERE
