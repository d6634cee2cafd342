"""A producer contests lines of its statement; somebody decides; money changes by the next run alone."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import pytest
from psycopg.rows import DictRow

from kanava.common.db import Pool, one, rows, transaction
from kanava.common.errors import Invalid, Refused
from kanava.payments.commands import ContestLines, DecideDispute, LineKey, RequestRun
from kanava.payments.domain.disputes import Remedy
from kanava.payments.errors import Reason
from kanava.payments.service.disputes import Contested, Decided, contest_lines, decide_dispute
from kanava.payments.service.runs import close_next, request_run
from kanava.payments.views import disputes, statements
from tests.payments import story
from tests.payments.test_payout import closed_month
from tests.support import facts as told
from tests.support.facts import at

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)


async def statement(pool: Pool) -> DictRow:
    """The private producer's statement of November."""
    async with transaction(pool) as tx:
        (row,) = await statements.statements(tx, area=told.AREA, month=NOVEMBER, producers=[told.PRIVATE])
    return row


async def key(pool: Pool, component: str) -> LineKey:
    """The key of the private producer's line of a component."""
    (line,) = [line for line in await story.lines(pool, component) if line["producer_id"] == told.PRIVATE]
    names = ("resident_id", "component", "kind", "for_month", "unit_id", "source")
    return LineKey(*(line[name] for name in names))


async def contest(pool: Pool, *components: str, day: int = 10, by: str = "tuottaja") -> Contested:
    """Contest lines on a day of December."""
    keys = tuple([await key(pool, component) for component in components])
    command = ContestLines((await statement(pool))["statement_id"], keys, "Käynti on laskutettu väärin.", by)
    async with transaction(pool) as tx:
        return await contest_lines(tx, command, at(12, day))


async def decide(
    pool: Pool,
    dispute_id: UUID,
    *,
    remedy: Remedy | None = None,
    by: str = "cecilia",
    holds: Sequence[tuple[LineKey, int]] = (),
    day: int = 20,
    now: datetime | None = None,
) -> Decided:
    """Accept with a remedy, reject without one."""
    reasons = "Perustelut on annettu."
    command = DecideDispute(dispute_id, remedy is not None, reasons, by, remedy, tuple(holds))
    async with transaction(pool) as tx:
        return await decide_dispute(tx, command, now or at(12, day))


async def cases(pool: Pool, today: date, **wanted: object) -> list[DictRow]:
    """The cases of the area on a day."""
    async with transaction(pool) as tx:
        return await disputes.cases(tx, {"today": today, "area": told.AREA, "limit": 100} | wanted)


async def test_a_case_is_opened_listed_decided_and_told(pool: Pool) -> None:
    await closed_month(pool)
    opened = await contest(pool, "fee", "client_fee")
    assert (opened.lines, opened.amount_cents, opened.due_on) == (2, 45_00 - 20_60, date(2027, 1, 11))
    (case,) = await cases(pool, date(2026, 12, 15))
    assert (case["status"], case["age_days"], case["overdue"]) == ("open", 5, False)
    (late,) = await cases(pool, date(2027, 1, 12), overdue=True)
    assert (late["overdue"], late["age_days"]) == (True, 33)
    decided = await decide(pool, opened.dispute_id, remedy=Remedy.REPORT)
    assert (decided.outcome, decided.owner) == ("accepted", "monitoring")
    (case,) = await cases(pool, date(2027, 1, 12))
    assert (case["status"], case["age_days"], case["overdue"]) == ("accepted", 10, False)
    async with transaction(pool) as tx:
        said = await rows(
            tx,
            "SELECT body::jsonb AS fact FROM outbox WHERE topic = 'kanava.payments.statement.v1'"
            " AND body::jsonb->>'producer_id' = %s ORDER BY id",
            (told.PRIVATE,),
        )
    assert [row["fact"]["what"] for row in said] == ["drawn", "disputed", "dispute_decided"]
    (told_of,) = said[-1]["fact"]["disputes"]
    assert (told_of["status"], told_of["remedy"], told_of["lines"]) == ("accepted", "report", 2)
    assert said[-1]["fact"]["status"] == "drawn", "a dispute leaves the status of the statement"


async def test_an_outcome_moves_no_money_and_the_corrected_report_does(pool: Pool) -> None:
    """Accepted: the report was wrong. The producer reports anew, and December takes back and pays anew."""
    await closed_month(pool)
    opened = await contest(pool, "fee")
    before = await story.lines(pool)
    async with transaction(pool) as tx:
        entries = await rows(tx, "SELECT * FROM entry")
    await decide(pool, opened.dispute_id, remedy=Remedy.REPORT)
    assert await story.lines(pool) == before
    async with transaction(pool) as tx:
        assert await rows(tx, "SELECT * FROM entry") == entries
    corrected = told.visit(1, 2, date(2026, 11, 15), recorded_at=at(12, 21), fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", corrected.model_copy(update={"quantity": 2}))
    run = await story.close(pool, DECEMBER, at(12, 31, 23))
    fees = [line for line in await story.lines(pool, "fee") if line["run_id"] == run["run_id"]]
    assert sorted((line["kind"], line["amount_cents"]) for line in fees) == [("correction", 90_00), ("refund", -45_00)]


async def test_what_payments_owns_is_taken_by_the_next_run_once(pool: Pool) -> None:
    """45.00 should have been 50.00: the next run writes the pair as a component of its own, the one after nothing."""
    await closed_month(pool)
    contested = await key(pool, "fee")
    opened = await contest(pool, "fee")
    decided = await decide(pool, opened.dispute_id, remedy=Remedy.PAYMENTS, holds=[(contested, 50_00)])
    assert (decided.owner, decided.adjusted_lines) == ("payments", 1)
    await story.close(pool, DECEMBER, at(12, 31, 23))
    pair = [(line["kind"], line["amount_cents"], line["source"]) for line in await story.lines(pool, "adjustment")]
    assert sorted(pair) == [("correction", 50_00, opened.dispute_id), ("refund", -45_00, opened.dispute_id)]
    await story.assert_books_agree(pool)
    await story.close(pool, date(2027, 1, 1), told.at(12, 31).replace(year=2027))
    assert len(await story.lines(pool, "adjustment")) == 2
    await story.assert_books_agree(pool)


async def test_what_is_decided_at_the_cut_off_waits_and_another_area_takes_none_of_it(pool: Pool) -> None:
    await closed_month(pool)
    contested = await key(pool, "fee")
    opened = await contest(pool, "fee")
    await decide(pool, opened.dispute_id, remedy=Remedy.PAYMENTS, holds=[(contested, 50_00)])
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun("05", NOVEMBER, "operator"), at(12, 25))
    assert await close_next(pool)
    assert await story.lines(pool, "adjustment") == []
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, DECEMBER, "operator"), at(12, 31, 23))
    second = await contest(pool, "capitation")
    await decide(
        pool,
        second.dispute_id,
        remedy=Remedy.PAYMENTS,
        holds=[(await key(pool, "capitation"), 8_00)],
        now=at(12, 31, 23),
    )
    assert await close_next(pool)
    assert {line["source"] for line in await story.lines(pool, "adjustment")} == {opened.dispute_id}
    await story.close(pool, date(2027, 1, 1), told.at(12, 31).replace(year=2027))
    taken = {line["source"] for line in await story.lines(pool, "adjustment")}
    assert taken == {opened.dispute_id, second.dispute_id}


async def test_the_last_day_for_contesting_is_kept(pool: Pool) -> None:
    """Drawn on 2 December: 1 January is a holiday and the days after it a weekend, so 4 January is the last day."""
    await closed_month(pool)
    command = ContestLines((await statement(pool))["statement_id"], (await key(pool, "fee"),), "Väärin laskettu.", "t")
    with pytest.raises(Refused) as refused:
        async with transaction(pool) as tx:
            await contest_lines(tx, command, at(1, 5).replace(year=2027))
    assert refused.value.reason is Reason.CONTESTED_TOO_LATE
    async with transaction(pool) as tx:
        assert (await contest_lines(tx, command, at(1, 4).replace(year=2027))).lines == 1


async def test_a_line_is_contested_once(pool: Pool) -> None:
    await closed_month(pool)
    opened = await contest(pool, "fee")
    await decide(pool, opened.dispute_id)
    with pytest.raises(Refused) as refused:
        await contest(pool, "client_fee", "fee")
    assert refused.value.reason is Reason.LINE_CONTESTED_BEFORE
    assert (await contest(pool, "client_fee")).lines == 1, "what was refused left nothing"


async def test_a_line_of_another_statement_is_refused(pool: Pool) -> None:
    await closed_month(pool)
    foreign = [line for line in await story.lines(pool, "capitation") if line["producer_id"] == told.OWN]
    names = ("resident_id", "component", "kind", "for_month", "unit_id", "source")
    stranger = LineKey(*(foreign[0][name] for name in names))
    command = ContestLines((await statement(pool))["statement_id"], (stranger,), "Ei ole meidän rivi.", "t")
    with pytest.raises(Refused) as refused:
        async with transaction(pool) as tx:
            await contest_lines(tx, command, at(12, 10))
    assert refused.value.reason is Reason.NO_SUCH_LINE


async def test_another_decides_than_who_approved_or_contested_and_only_once(pool: Pool) -> None:
    await closed_month(pool)
    await story.approve(pool, NOVEMBER, at(12, 3))
    opened = await contest(pool, "fee")
    for hand in ("anna", "tuottaja"):
        with pytest.raises(Refused) as refused:
            await decide(pool, opened.dispute_id, by=hand)
        assert refused.value.reason is Reason.DECIDED_BY_THE_SAME
    await decide(pool, opened.dispute_id)
    with pytest.raises(Refused) as refused:
        await decide(pool, opened.dispute_id, remedy=Remedy.PRICE)
    assert refused.value.reason is Reason.DISPUTE_DECIDED


async def test_a_line_outside_the_case_cannot_be_adjusted(pool: Pool) -> None:
    await closed_month(pool)
    opened = await contest(pool, "fee")
    other, same = await key(pool, "client_fee"), await key(pool, "fee")
    for holds in ((other, 1), (same, 45_00)):
        with pytest.raises(Invalid) as refused:
            await decide(pool, opened.dispute_id, remedy=Remedy.PAYMENTS, holds=[holds])
        assert refused.value.rule == "contested_line"
    async with transaction(pool) as tx:
        assert await one(tx, "SELECT FROM dispute_decision") is None, "a refusal leaves the case open"
