"""What became of contested lines: waiting, adjusted or corrected, in no month forgotten, on a real PostgreSQL."""

from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Pool, one, transaction
from kanava.payments.commands import DecideDispute, RequestRun
from kanava.payments.domain.disputes import Remedy
from kanava.payments.service.disputes import decide_dispute
from kanava.payments.service.runs import close_month, request_run
from kanava.payments.views import disputes, explained
from kanava.payments.views.reconciliation import reconciliation
from tests.payments import story
from tests.payments.dispute_story import adjust, adjusted, assert_whole, cents, contest, find
from tests.payments.test_adjusted_lines import CLOSED_ON, close
from tests.payments.test_budgets import budget, line, standing
from tests.payments.test_payout import closed_month
from tests.payments.test_performance import rolled_back
from tests.payments.test_receivables import balance, status_of
from tests.support import facts as told
from tests.support.facts import at, visit

NOVEMBER, DECEMBER, JANUARY, FEBRUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)
FLOW = "accepted adjustment → resident line"


async def became(pool: Pool, dispute_id: UUID) -> tuple[str | None, int | None]:
    """What became of the one line of a case, and what it should have said."""
    async with transaction(pool) as tx:
        (line,) = await disputes.case_lines(tx, dispute_id)
    return line["became"], line["holds_cents"]


async def counted(pool: Pool) -> list[tuple[int, int, int, bool]]:
    """What came, was done and waits of accepted adjustments, and whether that is all."""
    async with transaction(pool) as tx:
        flows = (await reconciliation(tx, date(2026, 12, 1), date(2027, 3, 1))).flows
    return [(f["came"], f["done"], f["waiting"], f["is_whole"]) for f in flows if f["flow"] == FLOW]  # type: ignore[misc]


async def test_an_adjusted_line_waits_is_adjusted_and_is_corrected_by_a_later_fact(pool: Pool) -> None:
    await closed_month(pool)
    contested = await find(pool, NOVEMBER, "fee")
    dispute_id = await contest(pool, contested, at(12, 10))
    assert await became(pool, dispute_id) == (None, None)
    await adjust(pool, dispute_id, contested, 50_00, at(12, 10))
    assert await became(pool, dispute_id) == ("waiting", 50_00)
    assert await counted(pool) == [(1, 0, 1, True)]
    await close(pool, DECEMBER)
    assert await became(pool, dispute_id) == ("adjusted", 50_00)
    assert await counted(pool) == [(1, 1, 0, True)]
    twice = visit(1, 2, date(2026, 11, 15), recorded_at=CLOSED_ON[DECEMBER], fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", twice.model_copy(update={"quantity": 2}))
    await close(pool, JANUARY)
    assert await became(pool, dispute_id) == ("corrected", 50_00)
    assert await counted(pool) == [(1, 1, 0, True)]


async def test_an_accepted_case_waits_until_its_fact_is_corrected(pool: Pool) -> None:
    """The producer was told to report anew: until a run has seen the report, the case says so."""
    await closed_month(pool)
    dispute_id = await contest(pool, await find(pool, NOVEMBER, "fee"), at(12, 10))
    accepted = DecideDispute(dispute_id, True, "Perustelut on annettu.", "cecilia", Remedy.REPORT)
    async with transaction(pool) as tx:
        await decide_dispute(tx, accepted, at(12, 11))
    await close(pool, DECEMBER)
    assert await became(pool, dispute_id) == ("waiting", None)
    twice = visit(1, 2, date(2026, 11, 15), recorded_at=CLOSED_ON[DECEMBER], fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", twice.model_copy(update={"quantity": 2}))
    await close(pool, JANUARY)
    assert await became(pool, dispute_id) == ("corrected", None)


async def test_a_rejected_case_changes_no_line(pool: Pool) -> None:
    await closed_month(pool)
    dispute_id = await contest(pool, await find(pool, NOVEMBER, "fee"), at(12, 10))
    async with transaction(pool) as tx:
        await decide_dispute(tx, DecideDispute(dispute_id, False, "Perustelut.", "cecilia"), at(12, 11))
    await close(pool, DECEMBER)
    assert await became(pool, dispute_id) == (None, None)
    assert await counted(pool) == []


async def test_the_reconciliation_names_an_adjustment_that_the_books_do_not_hold(pool: Pool) -> None:
    """As if a run had passed over it: it was recorded before the cut-off, and no line is there."""
    await closed_month(pool)
    contested = await find(pool, NOVEMBER, "fee")
    dispute_id = await contest(pool, contested, at(12, 10))
    await close(pool, DECEMBER)
    holds = (
        "INSERT INTO line_adjustment SELECT d.dispute_id, d.run_id, resident_id, component, kind, for_month, unit_id"
    )
    async with transaction(pool) as tx:
        await tx.execute(
            "INSERT INTO dispute_decision (dispute_id, outcome, reasons, decided_by, decided_at, remedy, owner)"
            " VALUES (%s, 'accepted', 'Perustelut.', 'cecilia', %s, 'payments', 'payments')",
            (dispute_id, at(12, 11)),
        )
        await tx.execute(f"{holds}, source, '03', producer_id, amount_cents, 0, %s FROM dispute_line d", (at(12, 11),))
    assert await counted(pool) == [(1, 0, 0, False)]


async def explained_lines(pool: Pool, month: date) -> dict[str, DictRow]:
    """The adjustment lines of the private producer's statement of a month as it shows them, by kind."""
    async with transaction(pool) as tx:
        row = await one(
            tx, "SELECT statement_id FROM statement WHERE month = %s AND producer_id = %s", (month, told.PRIVATE)
        )
        assert row is not None
        full = await explained.head(tx, row["statement_id"])
        assert full is not None
        found = await explained.lines(tx, full, limit=100)
    return {line["kind"]: line for line in found if line["component"] == "adjustment"}


async def test_an_adjustment_says_which_case_it_is_of_and_which_statement_it_corrects(pool: Pool) -> None:
    await closed_month(pool)
    dispute_id = await adjusted(pool, await find(pool, NOVEMBER, "fee"), 50_00, at(12, 10))
    await close(pool, DECEMBER)
    taken = await explained_lines(pool, DECEMBER)
    assert {kind: line["amount_cents"] for kind, line in taken.items()} == {"refund": -45_00, "correction": 50_00}
    assert {(line["rule_kind"], line["rule"]) for line in taken.values()} == {("dispute", str(dispute_id))}
    assert {line["corrects_statement_of"] for line in taken.values()} == {"2026-11"}
    twice = visit(1, 2, date(2026, 11, 15), recorded_at=CLOSED_ON[DECEMBER], fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", twice.model_copy(update={"quantity": 2}))
    await close(pool, JANUARY)
    undone = await explained_lines(pool, JANUARY)
    assert {line["corrects_statement_of"] for line in undone.values()} == {"2026-12"}


async def test_an_adjustment_that_turns_a_statement_negative_is_one_receivable_and_paid_off_once(pool: Pool) -> None:
    """December gives 7.00 and takes back the 45.00 of a visit that was paid: 38.00 is owed, and paid off by January."""
    await closed_month(pool, funding_cents=1_000_00)
    await story.pay(pool, NOVEMBER, at(12, 3))
    await adjusted(pool, await find(pool, NOVEMBER, "fee"), 0, at(12, 10))
    await close(pool, DECEMBER)
    paid = await story.pay(pool, DECEMBER, CLOSED_ON[DECEMBER])
    assert (paid.receivable_cents, paid.to_bank) == (38_00, 0)
    assert await balance(pool, "1300") == 38_00
    late = visit(2, 2, date(2026, 12, 15), recorded_at=CLOSED_ON[DECEMBER])
    await story.hear(pool, "monitoring.production", late)
    await close(pool, JANUARY)
    paid = await story.pay(pool, JANUARY, CLOSED_ON[JANUARY])
    assert (paid.offset_cents, paid.to_bank_cents) == (38_00, 7_00 + 45_00 - 38_00)
    assert (await status_of(pool, DECEMBER), await balance(pool, "1300")) == ("settled", 0)
    assert await cents(pool, "adjustment") == -45_00
    await assert_whole(pool)


async def test_an_adjusted_fee_uses_the_earmark_of_its_node(pool: Pool) -> None:
    """24.40 were used of the line for SOS; 5.00 more are, and when two visits are reported, what those cost alone."""
    await closed_month(pool)
    await story.hear(pool, "registry.order", budget(line("2", "package", 100_00, nodes=["SOS"])))
    await adjusted(pool, await find(pool, NOVEMBER, "fee"), 50_00, at(12, 10))
    await close(pool, DECEMBER)
    assert await standing(pool) == {"2": (29_40, 0, 70_60, 29_40)}
    again = await find(pool, DECEMBER, "adjustment", "correction")
    await adjusted(pool, again, 60_00, CLOSED_ON[DECEMBER])
    await close(pool, JANUARY)
    assert await used_of_nodes(pool) == 60_00 - 20_60
    twice = visit(1, 2, date(2026, 11, 15), recorded_at=CLOSED_ON[JANUARY], fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", twice.model_copy(update={"quantity": 2}))
    await close(pool, FEBRUARY)
    assert await used_of_nodes(pool) == 90_00 - 20_60


async def used_of_nodes(pool: Pool) -> int:
    """What runs used of package nodes."""
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT sum(amount_cents)::bigint AS cents FROM node_use WHERE node = 'SOS.1.1'")
    assert row is not None
    return int(row["cents"])


async def test_a_run_that_takes_and_takes_back_adjustments_gives_the_same_bytes_when_it_is_repeated(pool: Pool) -> None:
    await closed_month(pool)
    await adjusted(pool, await find(pool, NOVEMBER, "fee"), 50_00, at(12, 10))
    await close(pool, DECEMBER)
    await adjusted(pool, await find(pool, DECEMBER, "capitation", producer_id=told.PRIVATE), 9_00, CLOSED_ON[DECEMBER])
    twice = visit(1, 2, date(2026, 11, 15), recorded_at=CLOSED_ON[DECEMBER], fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", twice.model_copy(update={"quantity": 2}))
    digests = []
    for _ in range(2):
        async with rolled_back(pool) as tx:
            requested = await request_run(tx, RequestRun(told.AREA, JANUARY, "operator"), CLOSED_ON[JANUARY])
            run = await one(tx, "SELECT * FROM run WHERE run_id = %s", (requested.run_id,))
            assert run is not None
            await close_month(tx, run)
            digests.append(await one(tx, "SELECT digest FROM run WHERE run_id = %s", (requested.run_id,)))
    await close(pool, JANUARY)
    async with transaction(pool) as tx:
        assert [await one(tx, "SELECT digest FROM run WHERE month = %s", (JANUARY,))] * 2 == digests
    assert await cents(pool, "adjustment") == 2_00
