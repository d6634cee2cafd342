"""Incentives from the reserve of a month to the cents on residents, on a real PostgreSQL."""

from datetime import UTC, date, datetime
from uuid import UUID

from kanava.common.contracts.listing import Listing
from kanava.common.contracts.monitoring import Snapshot
from kanava.common.contracts.registry import IncentiveTerm
from kanava.common.db import Pool, one, rows, transaction
from kanava.common.money import split_by_largest_remainder
from kanava.payments import ledger
from kanava.payments.domain.chart import Account
from kanava.payments.domain.incentives import Measured, holds
from kanava.payments.views import explained
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, listed, resident, resident_id, span

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
TERMS = (
    IncentiveTerm(indicator="esh", share_permille=600, direction="lower_is_better", floor=100, target=50),
    IncentiveTerm(indicator="nps", share_permille=400, direction="higher_is_better", floor=0, target=40),
)


def snapshot(number: int, recorded_at: datetime, **changed: object) -> Snapshot:
    """Referrals of the private producer in October, half way between floor and target, confirmed."""
    fields: dict[str, object] = {
        "what": "frozen",
        "version": 1,
        "recorded_at": recorded_at,
        "snapshot_id": UUID(int=5 * 10**30 + number),
        "indicator": "esh",
        "subject": "producer",
        "area": told.AREA,
        "producer_id": told.PRIVATE,
        "period_from": OCTOBER,
        "period_until": NOVEMBER,
        "direction": "lower_is_better",
        "value": 75,
        "scale": 0,
        "confirmed_by": "HUS",
    }
    return Snapshot.model_validate(fields | changed)


async def october(
    pool: Pool, incentives: tuple[IncentiveTerm, ...] = TERMS, *, both: bool = False, heard: tuple[Snapshot, ...] = ()
) -> None:
    """October closed: two residents of the private producer give 14.00 € of capitation and 0.70 € of reserve.

    With `both`, the contract of the own enterprise has incentives too: its resident gives 0.35 €.
    """
    await story.open_area(pool)
    await story.fund(pool, 100_00, at(10, 1))
    model = told.document()
    assert model.compensation is not None
    terms = model.compensation.model_copy(update={"incentives": incentives})
    later = {"document_id": "03:compensation_model:2", "number": 2, "compensation": terms}
    await story.hear(pool, "registry.document", model.model_copy(update=later))
    adopted = {"version": 6, "compensation_model": "03:compensation_model:2"}
    await story.hear(pool, "registry.scheme", told.scheme().model_copy(update=adopted))
    kinds = {"version": 2, "compensation_kinds": ("capitation", "fee", "incentive")}
    for private in (True, False) if both else (True,):
        await story.hear(pool, "registry.contract", told.contract(private=private).model_copy(update=kinds))
    await story.hear(pool, "listing.resident", resident(1), resident(2), resident(3))
    private = span(date(2026, 9, 1), private=True)
    await story.hear(pool, "listing.listing", listed(1, private), listed(2, private), listed(3, span(date(2026, 9, 1))))
    await story.hear(pool, "monitoring.snapshot", *heard)
    await story.close(pool, OCTOBER, at(11, 2))


async def reserved_cents(pool: Pool) -> int:
    """What the books still hold in reserve."""
    async with transaction(pool) as tx:
        row = await one(
            tx,
            "SELECT coalesce(-sum(amount_cents), 0)::int AS cents FROM posting WHERE account = %s",
            (Account.RESERVED,),
        )
    assert row is not None
    return int(row["cents"])


async def test_a_month_reserves_and_a_frozen_indicator_earns_its_part_on_residents(pool: Pool) -> None:
    await october(pool)
    assert await reserved_cents(pool) == 70, "the own enterprise's contract has no incentive"
    assert await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20))) == 1
    await story.close(pool, NOVEMBER, at(12, 2))
    found = [(line["resident_id"], line["for_month"], line["amount_cents"], line["source"]) for line in
             await story.lines(pool, "incentive")]  # fmt: skip
    assert [line[1:3] for line in found] == [(OCTOBER, 11), (OCTOBER, 10)]
    assert {line[3] for line in found} == {snapshot(1, at(11, 20)).snapshot_id}
    async with transaction(pool) as tx:
        settled = await rows(tx, "SELECT indicator, earned_cents, released_cents FROM incentive_outcome")
    assert settled == [{"indicator": "esh", "earned_cents": 21, "released_cents": 21}]
    async with transaction(pool) as tx:
        statement = await one(tx, "SELECT * FROM statement ORDER BY month DESC, producer_id DESC LIMIT 1")
        assert statement is not None
        shown = [line for line in await explained.lines(tx, statement, limit=10) if line["component"] == "incentive"]
    behind = {(line["rule"], line["fact_topic"], line["fact_version"]) for line in shown}
    assert behind == {("03:compensation_model:2", "kanava.monitoring.snapshot.v1", 1)}
    assert await reserved_cents(pool) == 70 - 42 + 70, "the other indicator's part waits, and November reserved anew"
    await story.assert_books_agree(pool)
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None


async def test_a_reserve_is_settled_once_by_the_first_snapshot(pool: Pool) -> None:
    await october(pool)
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20)), snapshot(2, at(11, 21), value=50))
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.hear(pool, "monitoring.snapshot", snapshot(3, at(12, 5), value=50))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert sum(line["amount_cents"] for line in await story.lines(pool, "incentive")) == 21
    assert await reserved_cents(pool) == 3 * 70 - 42
    await story.assert_books_agree(pool)


async def test_what_nobody_confirmed_or_covers_no_whole_month_earns_nothing(pool: Pool) -> None:
    await october(pool)
    unconfirmed = snapshot(1, at(11, 20), confirmed_by=None)
    half = snapshot(2, at(11, 20), period_from=date(2026, 10, 15))
    unit = snapshot(3, at(11, 20), subject="unit", unit_id=told.PRIVATE_UNIT)
    a_day_short = snapshot(4, at(11, 20), period_until=date(2026, 10, 31))
    assert await story.hear(pool, "monitoring.snapshot", unconfirmed, half, unit, a_day_short) == 2
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await story.lines(pool, "incentive") == []
    assert await reserved_cents(pool) == 2 * 70


async def test_an_indicator_that_is_frozen_before_its_month_closes_settles_it_in_the_next_run(pool: Pool) -> None:
    await october(pool, heard=(snapshot(1, at(11, 1)),))
    assert (await story.lines(pool, "incentive"), await reserved_cents(pool)) == ([], 70)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert sum(line["amount_cents"] for line in await story.lines(pool, "incentive")) == 21
    assert await reserved_cents(pool) == 70 - 42 + 70


async def test_a_contract_that_ended_on_the_first_reserves_nothing_for_that_month(pool: Pool) -> None:
    await october(pool)
    ended = {"version": 3, "compensation_kinds": ("capitation", "incentive"), "recorded_at": at(11, 3)}
    contract = told.contract(private=True).model_copy(update=ended | {"ends_on": NOVEMBER})
    await story.hear(pool, "registry.contract", contract)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await reserved_cents(pool) == 70, "October's alone"


async def test_a_missed_target_releases_the_whole_part_to_the_area(pool: Pool) -> None:
    await october(pool)
    missed = snapshot(1, at(11, 20), value=100)
    met = snapshot(2, at(11, 20), indicator="nps", direction="higher_is_better", value=60)
    await story.hear(pool, "monitoring.snapshot", missed, met)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert sum(line["amount_cents"] for line in await story.lines(pool, "incentive")) == 28
    assert await reserved_cents(pool) == 70, "October is settled, November reserved"
    await story.assert_books_agree(pool)


async def incentive_lines(pool: Pool) -> list[tuple[UUID, str, date, int]]:
    """Lines of incentives, by the run's month, then resident."""
    async with transaction(pool) as tx:
        found = await rows(
            tx,
            "SELECT l.* FROM line l JOIN run USING (run_id) WHERE component = 'incentive'"
            " ORDER BY run.month, resident_id, l.for_month, kind DESC",
        )
    return [(line["resident_id"], line["kind"], line["for_month"], line["amount_cents"]) for line in found]


def left_on(day: date, number: int = 2) -> Listing:
    """It became known in December that a resident left the private unit."""
    return listed(number, span(date(2026, 9, 1), day, private=True), version=2, recorded_at=at(12, 10))


async def test_a_late_correction_of_the_capitation_takes_back_what_it_earned_in_pairs(pool: Pool) -> None:
    """14.00 € became 10.39 €: 0.70 € of reserve became 0.52 €, and 0.21 € earned became 0.16 €."""
    await october(pool)
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20)))
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.hear(pool, "listing.listing", left_on(date(2026, 10, 16)))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    first = [(resident_id(1), "original", OCTOBER, 11), (resident_id(2), "original", OCTOBER, 10)]
    pair = [(resident_id(2), "refund", OCTOBER, -10), (resident_id(2), "correction", OCTOBER, 5)]
    assert await incentive_lines(pool) == [*first, *pair]
    async with transaction(pool) as tx:
        outcomes = await rows(
            tx, "SELECT earned_cents, released_cents FROM incentive_outcome JOIN run USING (run_id) ORDER BY run.month"
        )
    assert [tuple(row.values()) for row in outcomes] == [(21, 21), (-5, -6)]
    assert await reserved_cents(pool) == 52 - 31 + 35 + 35, "October's other indicator, November and December"
    await story.close(pool, date(2027, 1, 1), datetime(2027, 2, 2, 9, tzinfo=UTC))
    assert await incentive_lines(pool) == [*first, *pair], "never twice"
    assert await reserved_cents(pool) == 52 - 31 + 3 * 35
    await story.assert_books_agree(pool)
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None


async def test_a_correction_before_the_indicator_is_frozen_moves_the_reserve_of_its_own_month(pool: Pool) -> None:
    await october(pool)
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.hear(pool, "listing.listing", left_on(date(2026, 10, 16)))
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(12, 12)))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await incentive_lines(pool) == [
        (resident_id(1), "original", OCTOBER, 11),
        (resident_id(2), "original", OCTOBER, 5),
    ]
    assert await reserved_cents(pool) == 52 - 31 + 35 + 35
    await story.assert_books_agree(pool)


async def test_a_resident_found_late_earns_for_the_month_and_one_never_there_earns_nothing(pool: Pool) -> None:
    """Resident 4 was listed all along and resident 2 never was: the sums stay, the residents change."""
    await october(pool)
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20)))
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.hear(pool, "listing.resident", resident(4))
    there = listed(4, span(date(2026, 9, 1), private=True), recorded_at=at(12, 10))
    await story.hear(pool, "listing.listing", there, left_on(date(2026, 9, 1)))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert (await incentive_lines(pool))[2:] == [
        (resident_id(2), "refund", OCTOBER, -10),
        (resident_id(4), "correction", OCTOBER, 10),
    ]
    again = listed(4, span(date(2026, 9, 1), date(2026, 10, 16), private=True), version=2, recorded_at=at(12, 31, 23))
    await story.hear(pool, "listing.listing", again)
    await story.close(pool, date(2027, 1, 1), datetime(2027, 2, 2, 9, tzinfo=UTC))
    assert (await incentive_lines(pool))[4:] == [
        (resident_id(4), "refund", OCTOBER, -10),
        (resident_id(4), "correction", OCTOBER, 5),
    ]
    await story.assert_books_agree(pool)


async def test_the_lines_are_the_rule_whatever_was_corrected_in_between(pool: Pool) -> None:
    """Forty residents come and go, known in two later months: each ends with the share of what holds in the end."""
    await october(pool)
    people = range(5, 45)
    await story.hear(pool, "listing.resident", *[resident(n, date(1940 + n, 1, 1)) for n in people])
    in_november = [span(date(2026, 10, 1 + n % 9), private=True) for n in people]
    await story.hear(
        pool,
        "listing.listing",
        *[listed(n, s, recorded_at=at(11, 9)) for n, s in zip(people, in_november, strict=True)],
    )
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20)))
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.hear(pool, "listing.listing", *[left_on(date(2026, 10, 3 + n % 28), n) for n in people if n % 3])
    await story.close(pool, DECEMBER, at(12, 31, 23))
    async with transaction(pool) as tx:
        earning = await rows(
            tx,
            "SELECT resident_id, sum(amount_cents)::bigint AS cents FROM line WHERE component = 'capitation'"
            " AND producer_id = %s AND for_month = %s GROUP BY resident_id HAVING sum(amount_cents) > 0"
            " ORDER BY resident_id",
            (told.PRIVATE, OCTOBER),
        )
    stands = holds(sum(row["cents"] for row in earning), 5, TERMS, {"esh": Measured(75, 0)})
    shares = split_by_largest_remainder(stands.earned_cents("esh"), [row["cents"] for row in earning])
    expected = {row["resident_id"]: cents for row, cents in zip(earning, shares, strict=True) if cents}
    paid: dict[UUID, int] = {}
    for who, _, _, cents in await incentive_lines(pool):
        paid[who] = paid.get(who, 0) + cents
    assert {who: cents for who, cents in paid.items() if cents} == expected
    await story.assert_books_agree(pool)
