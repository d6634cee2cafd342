"""Closing months: a request makes a job row, a worker of any copy picks it up, one transaction does it all.

Killed anywhere, a run is as if it had not begun; picked up again, it reads the same facts (those known before
its cut-off) and writes the same bytes.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import structlog
from psycopg.rows import DictRow

from kanava.common.clock import add_months, helsinki_date
from kanava.common.contracts.payments import ComponentSum
from kanava.common.contracts.payments import Run as RunFact
from kanava.common.contracts.payments import Statement as StatementFact
from kanava.common.crash import crash_point
from kanava.common.db import Pool, Tx, one, rows, transaction
from kanava.common.errors import Refused
from kanava.common.ids import derived_id
from kanava.common.outbox import emit

from .. import ledger, lines
from ..adjustments import write_adjustments
from ..allowed_kinds import stage_refused_kinds
from ..ceilings import write_ceiling_claims
from ..charges import write_charges
from ..closed_runs import digest_of
from ..commands import RequestRun
from ..domain import chart
from ..errors import Reason, UnknownRun
from ..facts import MERGE_LOCK
from ..fees import write_fees
from ..incentives import write_incentives
from ..month import Month
from ..performance_lines import write_performance
from ..producing import stage_producing_units
from ..touched_reports import stage_touched_reports
from ..vouchers import stage_claims, write_vouchers

log = structlog.get_logger()

MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class Requested:
    """A month that will be closed, or is."""

    run_id: UUID
    area: str
    month: str
    cut_off: datetime
    status: str


_ASK_AGAIN = "UPDATE run SET status = 'requested', attempts = 0 WHERE run_id = %s AND status = 'failed' RETURNING *"


async def request_run(tx: Tx, command: RequestRun, now: datetime) -> Requested:
    """Fix the cut-off of a month and queue its run. Asked again, it answers with the run that waits; one that failed
    is queued anew with the cut-off that it had, one that is closed is refused.

    Months of an area close in order, after their last day in Helsinki. A cut-off is after all before it, also where
    the clock stepped back: what counted as known then is known in every later run.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('run' || %s))", (command.area,))
    run_id = derived_id("run", command.area, command.month)
    existing = await one(tx, _ASK_AGAIN, (run_id,)) or await one(tx, "SELECT * FROM run WHERE run_id = %s", (run_id,))
    if existing is not None:
        if existing["status"] == "closed":
            raise Refused(Reason.MONTH_CLOSED, pointer="/month", run_id=str(run_id))
        return _requested(existing)
    if helsinki_date(now) < add_months(command.month, 1):
        raise Refused(Reason.MONTH_NOT_OVER, pointer="/month")
    latest = await one(tx, "SELECT max(month) AS month FROM run WHERE area = %s", (command.area,))
    if latest and latest["month"] and command.month != add_months(latest["month"], 1):
        expected = f"{add_months(latest['month'], 1):%Y-%m}"
        raise Refused(Reason.MONTH_OUT_OF_ORDER, f"The next month to close is {expected}.", pointer="/month")
    made = await one(
        tx,
        "INSERT INTO run (run_id, area, month, cut_off, status, requested_by, attempts)"
        " SELECT %s, %s, %s, greatest(%s, max(cut_off) + interval '1 microsecond'), 'requested', %s, 0 FROM run"
        " RETURNING *",
        (run_id, command.area, command.month, now, command.requested_by),
    )
    assert made is not None, "a run that was just made is there"
    return _requested(made)


def _requested(row: DictRow) -> Requested:
    return Requested(row["run_id"], row["area"], f"{row['month']:%Y-%m}", row["cut_off"], row["status"])


async def close_next(pool: Pool) -> bool:
    """Close one requested run, the oldest month first; returns whether there was one to try.

    A run that fails is tried again up to five times, then stays failed with its problem for the operator.
    """
    async with transaction(pool) as tx:
        # The barrier: whoever was taking facts over when the cut-off of one of these was fixed has committed.
        await tx.execute("SELECT pg_advisory_xact_lock(%s)", (MERGE_LOCK,))
        behind = [row["run_id"] for row in await rows(tx, "SELECT run_id FROM run WHERE status = 'requested'")]
    run_id: UUID | None = None
    try:
        async with transaction(pool) as tx:
            run = await one(
                tx,
                "SELECT * FROM run WHERE status = 'requested' AND run_id = ANY(%s)"
                " AND NOT EXISTS (SELECT FROM run earlier WHERE earlier.area = run.area"
                " AND earlier.month < run.month AND earlier.status <> 'closed')"
                " ORDER BY month, area FOR UPDATE SKIP LOCKED LIMIT 1",
                (behind,),
            )
            if run is None:
                return False
            run_id = run["run_id"]
            await close_month(tx, run)
    except Exception as error:
        if run_id is None:
            raise
        log.exception("run_failed", run_id=str(run_id))
        await _note_failure(pool, run_id, type(error).__name__)
    return True


async def _note_failure(pool: Pool, run_id: UUID, problem: str) -> None:
    async with transaction(pool) as tx:
        await tx.execute(
            "UPDATE run SET attempts = attempts + 1, problem = %s,"
            " status = CASE WHEN attempts + 1 >= %s THEN 'failed' ELSE status END WHERE run_id = %s",
            (problem, MAX_ATTEMPTS, run_id),
        )


async def close_month(tx: Tx, run: DictRow) -> None:
    """Write the lines, book their sums, draw the statements and close the run, all in this transaction."""
    begun = time.monotonic()
    month, closed = await _month(tx, run)
    partition = await _opened(tx, "SELECT open_line_partition(%s, %s, %s) AS name", month)
    has_refused = await stage_refused_kinds(tx, month)
    await lines.write_capitation(tx, month, partition)
    await lines.write_corrections(tx, month, partition, closed)
    crash_point("run_after_lines")
    earlier = [run_id for run_id, _ in closed]
    await stage_producing_units(tx, month)
    has_touched = await stage_touched_reports(tx, month)
    has_vouchers = await stage_claims(tx, month)
    has = {"has_touched": has_touched, "has_vouchers": has_vouchers, "has_refused": has_refused}
    await write_fees(tx, month, partition, earlier, **has)
    if has_vouchers:
        await write_vouchers(tx, month, partition, earlier)
    await write_adjustments(tx, month, partition, earlier)
    await write_performance(tx, month, partition, earlier)
    reserves = await write_incentives(tx, month, partition)
    await _opened(tx, "SELECT seal_line_partition(%s, %s, %s) AS name", month)
    await write_charges(tx, month)
    sums = await lines.sums(tx, month.run_id)
    claims = await write_ceiling_claims(tx, month, earlier)
    await _book(tx, month, sums, [*reserves, *claims])
    crash_point("run_after_booking")
    statements = await _draw(tx, month, sums)
    digest = digest_of(sums, (draft.lines_digest for draft in claims))
    await tx.execute(
        "UPDATE run SET status = 'closed', digest = %s, seconds = %s, problem = NULL WHERE run_id = %s",
        (digest, time.monotonic() - begun, month.run_id),
    )
    await emit(tx, _closed(month, sums, digest), *statements)


async def _month(tx: Tx, run: DictRow) -> tuple[Month, list[tuple[UUID, date]]]:
    """The month of a run, and the runs closed before it in its area."""
    earlier = await rows(
        tx,
        "SELECT run_id, month, cut_off FROM run WHERE area = %s AND month < %s AND status = 'closed' ORDER BY month",
        (run["area"], run["month"]),
    )
    previous = earlier[-1]["cut_off"] if earlier else None
    month = Month(run["run_id"], run["area"], run["month"], run["cut_off"], previous)
    return month, [(row["run_id"], row["month"]) for row in earlier]


async def _opened(tx: Tx, call: str, month: Month) -> str:
    row = await one(tx, call, (month.run_id, month.area, month.first))
    assert row is not None, "the partition's function answers with its name"
    return str(row["name"])


async def _book(tx: Tx, month: Month, sums: Sequence[DictRow], others: Sequence[chart.Draft]) -> None:
    """One entry for each producer and component, equal to the sum of its lines; then `others` of the run."""
    drafts = [
        chart.cost(
            run_id=month.run_id,
            producer_id=row["producer_id"],
            component=row["component"],
            amount_cents=row["amount_cents"],
            lines_digest=row["lines_digest"],
        )
        for row in sums
    ]
    if drafts or others:
        await ledger.post(tx, month.area, [*drafts, *others], month.cut_off)


async def _draw(tx: Tx, month: Month, sums: Sequence[DictRow]) -> list[StatementFact]:
    """Draw one statement for each producer that has lines."""
    statements = []
    for producer_id in dict.fromkeys(row["producer_id"] for row in sums):
        own = [row for row in sums if row["producer_id"] == producer_id]
        statement_id = derived_id("statement", month.run_id, producer_id)
        amount_cents = sum(row["amount_cents"] for row in own)
        await tx.execute(
            "INSERT INTO statement (statement_id, version, run_id, area, month, producer_id, amount_cents, status)"
            " VALUES (%s, 1, %s, %s, %s, %s, %s, 'drawn')",
            (statement_id, month.run_id, month.area, month.first, producer_id, amount_cents),
        )
        for row in own:
            await tx.execute(
                "INSERT INTO statement_sum (statement_id, component, lines, amount_cents, lines_digest)"
                " VALUES (%s, %s, %s, %s, %s)",
                (statement_id, row["component"], row["lines"], row["amount_cents"], row["lines_digest"]),
            )
        statements.append(
            StatementFact(
                what="drawn",
                version=1,
                recorded_at=month.cut_off,
                statement_id=statement_id,
                producer_id=producer_id,
                area=month.area,
                month=f"{month.first:%Y-%m}",
                status="drawn",
                amount_cents=amount_cents,
                sums=tuple(_component_sum(row) for row in own),
            )
        )
    return statements


def _component_sum(row: DictRow) -> ComponentSum:
    return ComponentSum(component=row["component"], lines=row["lines"], amount_cents=row["amount_cents"])


def _closed(month: Month, sums: Sequence[DictRow], digest: str) -> RunFact:
    totals: dict[str, list[int]] = {}
    for row in sums:
        total = totals.setdefault(row["component"], [0, 0])
        total[0] += row["lines"]
        total[1] += row["amount_cents"]
    parts = tuple(
        ComponentSum.model_validate({"component": name, "lines": count, "amount_cents": cents})
        for name, (count, cents) in sorted(totals.items())
    )
    return RunFact(
        what="closed",
        version=1,
        recorded_at=month.cut_off,
        run_id=month.run_id,
        area=month.area,
        month=f"{month.first:%Y-%m}",
        cut_off=month.cut_off,
        sums=parts,
        digest=digest,
    )


async def run_row(tx: Tx, run_id: UUID) -> DictRow:
    """A run's row, or `UnknownRun`."""
    row = await one(tx, "SELECT * FROM run WHERE run_id = %s", (run_id,))
    if row is None:
        raise UnknownRun(f"There is no run {run_id}.")
    return row
