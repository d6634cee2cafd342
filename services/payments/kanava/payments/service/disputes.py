"""Contesting lines of a statement (riitautus), and deciding on it.

An outcome posts nothing and changes no line. An accepted case names the fact that has to change and the service
that owns it; once its owner has corrected it, the next run writes the refund and the correction. What payments
itself owns is kept as an adjustment, which the next run takes.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from uuid import UUID

import psycopg
from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx, one, rows
from kanava.common.errors import Invalid, Refused
from kanava.common.ids import derived_id

from ..adjustments import stands_beside
from ..commands import ContestLines, DecideDispute, LineKey
from ..domain.disputes import (
    OWNER_OF,
    Adjusted,
    Remedy,
    adjustment_refusal,
    contest_refusal,
    decide_until,
    decision_refusal,
)
from ..errors import Reason, UnknownDispute
from ..facts import known_since
from .performance import locked_performance
from .statements import statement_row, tell


@dataclass(frozen=True)
class Contested:
    """A case that was opened: how many lines, their sum, and by when it is decided."""

    dispute_id: UUID
    statement_id: UUID
    lines: int
    amount_cents: int
    due_on: date


@dataclass(frozen=True)
class Decided:
    """The outcome of a case; of an accepted one the fact that has to change and the service that owns it."""

    dispute_id: UUID
    outcome: str
    remedy: Remedy | None
    owner: str | None
    adjusted_lines: int


async def contest_lines(tx: Tx, command: ContestLines, now: datetime) -> Contested:
    """Open a case about lines of a statement, within the time for it. Nothing of the statement changes."""
    statement = await _locked(tx, command.statement_id)
    drawn_on, today = await _drawn_on(tx, statement), helsinki_date(now)
    reason = contest_refusal(drawn_on=drawn_on, today=today, lines=len(set(command.lines)))
    if reason is not None:
        raise Refused(reason, pointer="/lines" if reason is Reason.TOO_MANY_LINES else None)
    found = await _lines(tx, statement, command.lines)
    dispute_id = derived_id("dispute", command.statement_id, statement["version"])
    due_on = decide_until(today)
    await tx.execute(
        "INSERT INTO dispute (dispute_id, statement_id, area, producer_id, opened_by, opened_at, reason, due_on)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(dispute_id, command.statement_id, statement["area"], statement["producer_id"]),
            *(command.opened_by, now, command.reason, due_on),
        ),
    )
    await _save_lines(tx, dispute_id, found)
    await _say(tx, command.statement_id, now, what="disputed")
    return Contested(dispute_id, command.statement_id, len(found), sum(row["amount_cents"] for row in found), due_on)


async def _locked(tx: Tx, statement_id: UUID) -> DictRow:
    await tx.execute("SELECT FROM statement WHERE statement_id = %s FOR UPDATE", (statement_id,))
    return await statement_row(tx, statement_id)


async def _drawn_on(tx: Tx, statement: DictRow) -> date:
    """The day of a month's cut-off; a final statement has no lines of its own, so its day is never asked for."""
    run = await one(tx, "SELECT cut_off FROM run WHERE run_id = %s", (statement["run_id"],))
    if run is None:
        raise Refused(Reason.NO_SUCH_LINE, "A final statement has no lines of its own; contest those of the months.")
    return helsinki_date(run["cut_off"])


_FIND = """
SELECT l.* FROM line l JOIN unnest(%s::uuid[], %s::text[], %s::text[], %s::date[], %s::text[], %s::uuid[])
    AS k (resident_id, component, kind, for_month, unit_id, source)
    USING (resident_id, component, kind, for_month, unit_id, source)
WHERE l.run_id = %s AND l.producer_id = %s
ORDER BY l.resident_id, l.component, l.kind, l.for_month, l.unit_id, l.source
"""


async def _lines(tx: Tx, statement: DictRow, keys: Sequence[LineKey]) -> list[DictRow]:
    """The contested lines, each once; `Refused` when one does not stand on the statement."""
    fields = ("resident_id", "component", "kind", "for_month", "unit_id", "source")
    columns = [[getattr(key, name) for key in sorted(set(keys), key=repr)] for name in fields]
    found = await rows(tx, _FIND, (*columns, statement["run_id"], statement["producer_id"]))
    if len(found) != len(set(keys)):
        raise Refused(Reason.NO_SUCH_LINE, pointer="/lines")
    return found


async def _save_lines(tx: Tx, dispute_id: UUID, found: Sequence[DictRow]) -> None:
    columns = "run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, amount_cents"
    names = [name.strip() for name in columns.split(",")]
    async with tx.cursor() as cursor:
        try:
            await cursor.executemany(
                f"INSERT INTO dispute_line (dispute_id, {columns}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [(dispute_id, *(row[name] for name in names)) for row in found],
            )
        except psycopg.errors.UniqueViolation as error:
            raise Refused(Reason.LINE_CONTESTED_BEFORE, pointer="/lines") from error


async def _say(tx: Tx, statement_id: UUID, now: datetime, *, what: str) -> None:
    await tx.execute("UPDATE statement SET version = version + 1 WHERE statement_id = %s", (statement_id,))
    await tell(tx, [statement_id], now, what=what)


async def decide_dispute(tx: Tx, command: DecideDispute, now: datetime) -> Decided:
    """Decide a case with reasons; not by who approved, released or contested the statement. Late is still decided."""
    assert not command.holds or command.remedy is Remedy.PAYMENTS, "sums are given where payments owns the fact"
    case = await dispute_row(tx, command.dispute_id)
    statement = await _locked(tx, case["statement_id"])
    decided = await one(tx, "SELECT outcome FROM dispute_decision WHERE dispute_id = %s", (command.dispute_id,))
    hands = (statement["approved_by"], statement["released_by"], case["opened_by"])
    status = decided["outcome"] if decided else "open"
    reason = decision_refusal(status=status, decided_by=command.decided_by, hands=hands)
    if reason is not None:
        raise Refused(reason)
    outcome = "accepted" if command.accepted else "rejected"
    owner = OWNER_OF[command.remedy] if command.remedy else None
    await tx.execute(
        "INSERT INTO dispute_decision (dispute_id, outcome, reasons, decided_by, decided_at, remedy, owner)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (command.dispute_id, outcome, command.reasons, command.decided_by, now, command.remedy, owner),
    )
    if command.holds:
        await _adjust_lines(tx, command, max(now, await known_since(tx)))
    await _say(tx, case["statement_id"], now, what="dispute_decided")
    return Decided(command.dispute_id, outcome, command.remedy, owner, len(command.holds))


_CONTESTED = (
    "SELECT a.*, run.area FROM dispute_line a JOIN run USING (run_id) WHERE a.dispute_id = %s"
    " AND a.resident_id = %s AND a.component = %s AND a.kind = %s AND a.for_month = %s AND a.unit_id = %s"
    " AND a.source = %s AND a.amount_cents <> %s"
)


async def _adjust_lines(tx: Tx, command: DecideDispute, recorded_at: datetime) -> None:
    """Keep what contested lines should have said. Decided after a cut-off was fixed, it counts as known from there on,
    like a late fact.

    Locks are taken in one order, so that nobody waits in a ring: those who take facts over, then resident by resident,
    then the resident's performance line. Whoever revokes that meanwhile waits, or was first.
    """
    for key, holds_cents in sorted(command.holds, key=repr):
        line = await one(tx, _CONTESTED, (command.dispute_id, *astuple(key), holds_cents))
        if line is None:
            problem = "An adjusted line is one of the case, with another sum."
            raise Invalid(problem, pointer="/holds", rule="contested_line")
        await _adjust(tx, line | {"decided_by": command.decided_by}, holds_cents, recorded_at)


async def _adjust(tx: Tx, line: DictRow, holds_cents: int, recorded_at: datetime) -> None:
    beside = await stands_beside(tx, line)
    decided = await locked_performance(tx, line["source"]) if line["component"] == "performance" else {}
    adjusted = Adjusted(
        component=line["component"],
        kind=line["kind"],
        stood_cents=line["amount_cents"],
        holds_cents=holds_cents,
        is_revoked=decided.get("revoked_by") is not None,
        is_own=decided.get("decided_by") == line["decided_by"],
        **beside,
    )
    reason = adjustment_refusal(adjusted, helsinki_date(recorded_at))
    if reason is not None:
        raise Refused(reason, pointer="/holds")
    await tx.execute(
        "INSERT INTO line_adjustment (dispute_id, run_id, resident_id, component, kind, for_month, unit_id, source,"
        " area, producer_id, stood_cents, holds_cents, recorded_at) VALUES (%(dispute_id)s, %(run_id)s,"
        " %(resident_id)s, %(component)s, %(kind)s, %(for_month)s, %(unit_id)s, %(source)s, %(area)s, %(producer_id)s,"
        " %(amount_cents)s, %(holds_cents)s, %(recorded_at)s)",
        line | {"holds_cents": holds_cents, "recorded_at": recorded_at},
    )


async def dispute_row(tx: Tx, dispute_id: UUID) -> DictRow:
    """A case's row, or `UnknownDispute`."""
    row = await one(tx, "SELECT * FROM dispute WHERE dispute_id = %s", (dispute_id,))
    if row is None:
        raise UnknownDispute(f"There is no dispute {dispute_id}.")
    return row
