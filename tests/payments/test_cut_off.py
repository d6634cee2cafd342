"""A run knows what was recorded before its cut-off, and nothing that came between the cut-off and the run."""

from datetime import date
from uuid import UUID

import pytest
from psycopg import Rollback

from kanava.common.contracts import Fact
from kanava.common.db import Pool, Tx, one, rows, transaction
from kanava.payments.commands import RequestRun
from kanava.payments.service.runs import close_month, close_next, request_run
from tests.payments import story
from tests.payments.test_base_payments import cooperation
from tests.payments.test_effectiveness import partnership
from tests.payments.test_incentives import october, snapshot
from tests.payments.test_performance import decide, wanted
from tests.payments.test_sanctions import sanction
from tests.payments.test_vouchers import voucher
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
EARLIER = at(11, 20)
"""When what comes late was recorded by its owners: before the cut-off."""
STRETCHES = [
    span(first, until, private=True)
    for first, until in ((date(2026, 9, 1), date(2026, 10, 16)), (NOVEMBER, date(2026, 11, 16)))
]
WRITTEN = (
    *("line", "charge", "incentive_reserve", "incentive_outcome", "voucher_use", "node_use", "ceiling_claim"),
    "statement",
)


async def written(tx: Tx, run_id: UUID) -> dict[str, list[str]]:
    """All that a run wrote, table by table, and the hashes of the book."""
    found = {}
    for table in WRITTEN:
        query = f"SELECT w::text AS row FROM {table} w WHERE run_id = %s ORDER BY 1"
        found[table] = [row["row"] for row in await rows(tx, query, (run_id,))]
    found["entry"] = [row["hash"].hex() for row in await rows(tx, "SELECT hash FROM entry ORDER BY seq")]
    return found


def reported(number: int, of: int, day: int, **changed: object) -> Fact:
    """A visit of November; the first is there in time."""
    return visit(number, of, date(2026, 11, day), recorded_at=EARLIER).model_copy(update=changed)


def late() -> list[tuple[str, Fact]]:
    """A fact of each kind that reaches into October or November."""
    price = {"version": 2, "recorded_at": EARLIER, "correction_reason": "Kirjoitusvirhe", "price_cents": 50_00}
    version = {"version": 2, "recorded_at": EARLIER}
    return [
        ("listing.resident", resident(1, date(2024, 5, 5), **version)),
        ("listing.listing", listed(2, *STRETCHES, version=2, recorded_at=EARLIER)),
        ("monitoring.production", reported(1, 1, 5, client_fee_cents=900_00, what="corrected", version=2)),
        ("monitoring.production", reported(2, 1, 6)),
        ("monitoring.production", reported(3, 3, 6)),
        ("registry.price", told.price().model_copy(update=price)),
        ("registry.contract", cooperation(recorded_at=EARLIER, starts_on=OCTOBER)),
        ("registry.sanction", sanction(1, EARLIER)),
        ("monitoring.snapshot", snapshot(1, EARLIER)),
        ("listing.voucher", voucher(1, 3, recorded_at=EARLIER)),
    ]


async def test_what_comes_between_the_cut_off_and_the_run_waits_for_the_next_one(pool: Pool) -> None:
    await october(pool)
    await story.hear(pool, "monitoring.production", reported(1, 1, 5, client_fee_cents=20_60))
    await story.hear(pool, "registry.contract", partnership())
    async with transaction(pool) as tx:
        requested = await request_run(tx, RequestRun(told.AREA, NOVEMBER, "operator"), at(12, 2))
    async with transaction(pool) as tx:
        run = await one(tx, "SELECT * FROM run WHERE run_id = %s", (requested.run_id,))
        assert run is not None
        await close_month(tx, run)
        before = await written(tx, requested.run_id)
        raise Rollback
    for topic, fact in late():
        assert await story.hear(pool, topic, fact) >= 1, topic
    await decide(pool, wanted(), at(12, 1))
    assert await close_next(pool)
    async with transaction(pool) as tx:
        assert await written(tx, requested.run_id) == before
    december = await story.close(pool, DECEMBER, at(12, 31, 23))
    query = (
        "SELECT component FROM line WHERE run_id = %(run)s AND for_month < '2026-12-01'"
        " UNION SELECT component FROM charge WHERE run_id = %(run)s"
        " UNION SELECT 'ceiling' FROM ceiling_claim WHERE run_id = %(run)s"
    )
    async with transaction(pool) as tx:
        moved = {row["component"] for row in await rows(tx, query, {"run": december["run_id"]})}
    cents: dict[tuple[int, date], int] = {}
    for line in await story.lines(pool, "capitation"):
        place = (line["resident_id"].int % 10, line["for_month"])
        cents[place] = cents.get(place, 0) + line["amount_cents"]
    assert {place: cents[place] for place in cents if place[0] < 3 and place[1] < DECEMBER} == {
        (1, OCTOBER): 15_00, (1, NOVEMBER): 15_00, (2, OCTOBER): 3_39, (2, NOVEMBER): 3_50,
    }, "another age, and two halves of a month"  # fmt: skip
    charged = {"base_payment", "effectiveness", "sanction"}
    assert moved == charged | {"capitation", "fee", "client_fee", "voucher", "incentive", "performance", "ceiling"}
    await story.assert_books_agree(pool)


async def sums(pool: Pool, month: date) -> dict[str, int]:
    """Cents of a month's lines by component, with what was corrected."""
    found: dict[str, int] = {}
    for line in await story.lines(pool):
        if line["for_month"] == month:
            found[line["component"]] = found.get(line["component"], 0) + line["amount_cents"]
    return found


@pytest.mark.parametrize("stops", ["contract", "scheme"])
async def test_what_stops_between_the_cut_off_and_the_run_still_pays_that_month(pool: Pool, stops: str) -> None:
    """A contract pays fees and vouchers no more, a scheme nothing at all; the next run takes back what it paid."""
    await october(pool)
    await story.hear(pool, "listing.voucher", voucher(1, 3))
    await story.hear(pool, "monitoring.production", reported(1, 1, 5), reported(2, 3, 6))
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, NOVEMBER, "operator"), at(12, 2))
    if stops == "scheme":
        stopped = {"version": 7, "recorded_at": EARLIER, "entered_on": NOVEMBER, "compensation_model": None}
        await story.hear(pool, "registry.scheme", told.scheme(4).model_copy(update=stopped))
    else:
        ended = {"version": 3, "recorded_at": EARLIER, "ends_on": NOVEMBER}
        await story.hear(pool, "registry.contract", told.contract(private=True).model_copy(update=ended))
    await story.hear(pool, "monitoring.production", reported(3, 3, 7))
    dearer = voucher(1, 3, version=2, recorded_at=EARLIER, value_cents=70_00, until=DECEMBER)
    await story.hear(pool, "listing.voucher", dearer)
    assert await close_next(pool)
    assert await sums(pool, NOVEMBER) == {"capitation": 21_00, "fee": 45_00, "voucher": 50_00}
    await story.close(pool, DECEMBER, at(12, 31, 23))
    left = {"capitation": 0 if stops == "scheme" else 21_00, "fee": 0, "voucher": 0}
    assert await sums(pool, NOVEMBER) == left
