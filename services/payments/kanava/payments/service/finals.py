"""The final statement of a producer that leaves: everything open in one statement, with the life of any other.

It gathers drawn, approved and rejected statements and receivables. What it owes in sum is approved and released
like a month; when the producer owes in sum, its release makes one receivable, which stays listed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import add_months
from kanava.common.db import Tx, one, rows
from kanava.common.errors import Refused
from kanava.common.ids import derived_id

from .. import ledger
from ..commands import DrawFinalStatement
from ..domain import chart
from ..domain.chart import EntryKind
from ..domain.finals import Exit, refusal
from ..errors import UnknownProducer
from ..views import disputes, receivables
from .statements import tell


@dataclass(frozen=True)
class FinalDrawn:
    """A final statement: what it gathered, and its sum; negative is owed by the producer."""

    statement_id: UUID
    month: str
    gathered: list[UUID]
    amount_cents: int


_OPEN = """
SELECT * FROM statement WHERE area = %s AND producer_id = %s
  AND status IN ('drawn', 'approved', 'rejected', 'receivable') ORDER BY month, statement_id FOR UPDATE
"""


async def draw_final_statement(tx: Tx, command: DrawFinalStatement, now: datetime) -> FinalDrawn:
    """Gather what is open of a producer that left, was revoked or is insolvent into one drawn statement."""
    # In the order in which a payout takes them: the area's book, then its statements.
    await tx.execute("SELECT FROM book WHERE area = %s FOR UPDATE", (command.area,))
    open_statements = await rows(tx, _OPEN, (command.area, command.producer_id))
    reason = refusal(await _exit(tx, command, len(open_statements)), command.ground)
    if reason is not None:
        raise Refused(reason, pointer="/ground")
    ids = [row["statement_id"] for row in open_statements]
    left = await receivables.left(tx, ids)
    amount_cents = sum(sum(sums.values()) for sums in left.values())
    final = await _insert(tx, command, open_statements[-1], amount_cents=amount_cents, now=now)
    await _reopen_receivables(tx, open_statements, left, now)
    await _gather(tx, open_statements, left, into_id=final.statement_id, now=now)
    gathered = (await receivables.left(tx, [final.statement_id]))[final.statement_id]
    assert sum(gathered.values()) == final.amount_cents, "the final statement lost a cent"
    emptied = await receivables.left(tx, ids)
    assert not any(emptied.values()), "what was gathered is empty"
    await tell(tx, [*ids, final.statement_id], now)
    return FinalDrawn(final.statement_id, final.month, ids, final.amount_cents)


async def _exit(tx: Tx, command: DrawFinalStatement, open_statements: int) -> Exit:
    producer = await one(
        tx, "SELECT status FROM producer WHERE producer_id = %s AND area = %s", (command.producer_id, command.area)
    )
    if producer is None:
        raise UnknownProducer(f"There is no producer {command.producer_id} in the area {command.area}.")
    row = await one(
        tx,
        "SELECT EXISTS (SELECT FROM final_statement WHERE area = %(area)s AND producer_id = %(producer)s) AS drawn,"
        " (SELECT count(*)::int FROM statement WHERE area = %(area)s AND producer_id = %(producer)s"
        "  AND status = 'released') AS at_the_bank,"
        " EXISTS (SELECT FROM span s JOIN unit u USING (unit_id) WHERE u.area = %(area)s"
        "  AND s.producer_id = %(producer)s AND s.recorded_until = 'infinity' AND s.starts_on IS DISTINCT FROM s.until"
        "  AND (s.until IS NULL OR s.until > %(closed)s)) AS listed",
        {"area": command.area, "producer": command.producer_id, "closed": await _closed_until(tx, command.area)},
    )
    assert row is not None, "a query of counts has one row"
    return Exit(
        standing=producer["status"],
        already_drawn=row["drawn"],
        still_listed=row["listed"],
        payments_at_the_bank=row["at_the_bank"],
        open_disputes=await disputes.open_cases(tx, command.producer_id, command.area),
        waiting_corrections=await disputes.waiting_corrections(tx, command.producer_id, command.area),
        open_statements=open_statements,
    )


async def _closed_until(tx: Tx, area: str) -> date | None:
    """The first day that no closed month of the area covers."""
    row = await one(tx, "SELECT max(month) AS month FROM run WHERE area = %s AND status = 'closed'", (area,))
    return add_months(row["month"], 1) if row and row["month"] else None


async def _insert(
    tx: Tx, command: DrawFinalStatement, newest: DictRow, now: datetime, *, amount_cents: int
) -> FinalDrawn:
    run_id = derived_id("final", command.area, command.producer_id)
    statement_id = derived_id("statement", run_id, command.producer_id)
    await tx.execute(
        "INSERT INTO statement (statement_id, version, run_id, area, month, producer_id, kind, amount_cents, status)"
        " VALUES (%s, 1, %s, %s, %s, %s, 'final', %s, 'drawn')",
        (statement_id, run_id, command.area, newest["month"], command.producer_id, amount_cents),
    )
    await tx.execute(
        "INSERT INTO final_statement (statement_id, area, producer_id, ground, reasons, drawn_by, drawn_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            *(statement_id, command.area, command.producer_id, command.ground),
            *(command.reasons, command.drawn_by, now),
        ),
    )
    return FinalDrawn(statement_id, f"{newest['month']:%Y-%m}", [], amount_cents)


async def _reopen_receivables(
    tx: Tx, open_statements: Sequence[DictRow], left: Mapping[UUID, Mapping[str, int]], now: datetime
) -> None:
    """What is left of receivables goes back beside what is owed, where the final statement takes both."""
    owed = [row for row in open_statements if row["status"] == "receivable"]
    drafts = [
        chart.payment(
            EntryKind.GATHERED,
            statement_id=row["statement_id"],
            producer_id=row["producer_id"],
            sums=left[row["statement_id"]],
        )
        for row in owed
    ]
    if drafts:
        await ledger.post(tx, owed[0]["area"], drafts, now)


async def _gather(
    tx: Tx,
    open_statements: Sequence[DictRow],
    left: Mapping[UUID, Mapping[str, int]],
    *,
    into_id: UUID,
    now: datetime,
) -> None:
    """Hand what is left of each statement to the final one, component by component."""
    for row in open_statements:
        for component, cents in left[row["statement_id"]].items():
            await tx.execute(
                "INSERT INTO statement_offset (statement_id, into_id, version, component, amount_cents, taken_at)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (row["statement_id"], into_id, row["version"], component, cents, now),
            )
        await tx.execute(
            "UPDATE statement SET status = 'settled', version = version + 1 WHERE statement_id = %s",
            (row["statement_id"],),
        )
