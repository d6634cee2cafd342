"""Incentives from the reserve of a month to the cents on residents, on a real PostgreSQL."""

from datetime import date, datetime
from uuid import UUID

from kanava.common.contracts.monitoring import Snapshot
from kanava.common.contracts.registry import IncentiveTerm
from kanava.common.db import Pool, one, rows, transaction
from kanava.payments import ledger
from kanava.payments.domain.chart import Account
from kanava.payments.views import explained
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span

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


async def october(pool: Pool) -> None:
    """October closed: two residents of the private producer give 14.00 € of capitation and 0.70 € of reserve."""
    await story.open_area(pool)
    await story.fund(pool, 100_00, at(10, 1))
    model = told.document()
    assert model.compensation is not None
    terms = model.compensation.model_copy(update={"incentives": TERMS})
    later = {"document_id": "03:compensation_model:2", "number": 2, "compensation": terms}
    await story.hear(pool, "registry.document", model.model_copy(update=later))
    adopted = {"version": 6, "compensation_model": "03:compensation_model:2"}
    await story.hear(pool, "registry.scheme", told.scheme().model_copy(update=adopted))
    kinds = {"version": 2, "compensation_kinds": ("capitation", "fee", "incentive")}
    await story.hear(pool, "registry.contract", told.contract(private=True).model_copy(update=kinds))
    await story.hear(pool, "listing.resident", resident(1), resident(2), resident(3))
    private = span(date(2026, 9, 1), private=True)
    await story.hear(pool, "listing.listing", listed(1, private), listed(2, private), listed(3, span(date(2026, 9, 1))))
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
    assert await story.hear(pool, "monitoring.snapshot", unconfirmed, half, unit) == 1
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await story.lines(pool, "incentive") == []
    assert await reserved_cents(pool) == 2 * 70


async def test_a_missed_target_releases_the_whole_part_to_the_area(pool: Pool) -> None:
    await october(pool)
    missed = snapshot(1, at(11, 20), value=100)
    met = snapshot(2, at(11, 20), indicator="nps", direction="higher_is_better", value=60)
    await story.hear(pool, "monitoring.snapshot", missed, met)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert sum(line["amount_cents"] for line in await story.lines(pool, "incentive")) == 28
    assert await reserved_cents(pool) == 70, "October is settled, November reserved"
    await story.assert_books_agree(pool)
