"""What a verification recomputes beside the chain: the digest of each closed run, and the sums of its statements.

An entry seals the lines of its run. A run without entries, charges, and what a statement says of them are sealed by
the run's digest alone, so they are compared with it here.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from .lines import sums

RunSums = Mapping[tuple[str, str], DictRow]
"""The sums of a run by producer and component, in the order of its export."""

_SUM_FIELDS = ("producer_id", "component", "lines", "amount_cents", "lines_digest")


def digest_of(sums: Iterable[DictRow], claims: Iterable[str]) -> str:
    """The SHA-256 of a run's export: a row for each producer and component, then the digests of its claims."""
    exported = ["|".join(str(row[name]) for name in _SUM_FIELDS) for row in sums]
    return hashlib.sha256("\n".join([*exported, *claims]).encode()).hexdigest()


async def sums_of(tx: Tx, run_id: UUID) -> RunSums:
    """The sums of a run, recomputed from its resident lines and charges."""
    return {(row["producer_id"], row["component"]): row for row in await sums(tx, run_id)}


async def flaw_of_runs(tx: Tx, area: str, known: Mapping[UUID, RunSums]) -> str | None:
    """What is wrong with the first run or statement of an area that does not hold; None where all of them do.

    `known` holds the sums of the runs that have entries. Runs are read before what belongs to them, so a month that was
    closed is whole; one that closes beside this is for the next verification.
    """
    runs = await rows(tx, "SELECT run_id, area, month, status, digest FROM run WHERE area = %s ORDER BY month", (area,))
    missing = sorted(known.keys() - {run["run_id"] for run in runs})
    if missing:
        return f"A run with entries is missing: {missing[0]}"
    claims: dict[UUID, list[str]] = {}
    for row in await rows(tx, _CLAIMS, (area,)):
        claims.setdefault(row["reference"], []).append(row["lines_digest"])
    for run in runs:
        sums = known.get(run["run_id"]) or await sums_of(tx, run["run_id"])
        reason = await _flaw_of_run(tx, run, sums, claims.get(run["run_id"], ()))
        if reason is not None:
            return f"The run of {run['month']:%Y-%m}: {reason}"
    return await _flaw_of_statements(tx, area)


_CLAIMS = "SELECT reference, lines_digest FROM entry WHERE area = %s AND kind = 'ceiling' ORDER BY seq"


async def _flaw_of_run(tx: Tx, run: DictRow, sums: RunSums, claims: Sequence[str]) -> str | None:
    if run["status"] != "closed":
        is_open = (sums or claims) and not await _is_closed(tx, run["run_id"])
        return "it is not closed, and has entries" if is_open else None
    if digest_of(sums.values(), claims) != run["digest"]:
        return "its digest is not that of its lines, charges and claims"
    drawn = _of_producers(run, sums.values())
    stated = await _stated(tx, run["run_id"])
    for producer_id in sorted(drawn.keys() | stated.keys()):
        if drawn.get(producer_id) != stated.get(producer_id):
            return f"the statement of {producer_id} is not the sum of its lines and charges"
    return None


async def _is_closed(tx: Tx, run_id: UUID) -> bool:
    """Whether a run is closed by now: then it closed after it was read, and before what belongs to it was."""
    return await one(tx, "SELECT FROM run WHERE run_id = %s AND status = 'closed'", (run_id,)) is not None


def _of_producers(run: DictRow, sums: Iterable[DictRow]) -> dict[str, DictRow]:
    """The statements that a run draws: area, month, cents and parts by producer."""
    drawn: dict[str, DictRow] = {}
    for row in sums:
        own = drawn.setdefault(
            row["producer_id"], {"area": run["area"], "month": run["month"], "amount_cents": 0, "parts": {}}
        )
        own["amount_cents"] += row["amount_cents"]
        own["parts"][row["component"]] = [row["lines"], row["amount_cents"], row["lines_digest"]]
    return drawn


_STATED = """
SELECT s.producer_id, s.area, s.month, s.amount_cents, coalesce((
    SELECT jsonb_object_agg(t.component, jsonb_build_array(t.lines, t.amount_cents, t.lines_digest))
    FROM statement_sum t WHERE t.statement_id = s.statement_id), '{}') AS parts
FROM statement s WHERE s.run_id = %s AND s.kind = 'month'
"""


async def _stated(tx: Tx, run_id: UUID) -> dict[str, DictRow]:
    return {row.pop("producer_id"): row for row in await rows(tx, _STATED, (run_id,))}


_OF_NO_RUN = """
SELECT s.statement_id FROM statement s LEFT JOIN run r ON r.run_id = s.run_id AND r.status = 'closed'
WHERE s.area = %s AND s.kind = 'month' AND r.run_id IS NULL ORDER BY s.month, s.statement_id LIMIT 1
"""
_FINAL = """
SELECT s.statement_id FROM statement s LEFT JOIN final_statement f USING (statement_id) LEFT JOIN LATERAL (
    SELECT sum(o.amount_cents) AS cents FROM statement_offset o JOIN statement gathered USING (statement_id)
    WHERE o.into_id = s.statement_id AND o.taken_at = f.drawn_at AND gathered.month <= s.month) o ON true
WHERE s.area = %s AND s.kind = 'final' AND s.amount_cents IS DISTINCT FROM coalesce(o.cents, 0)
ORDER BY s.month, s.statement_id LIMIT 1
"""
"""What was handed to a final statement when it was drawn; later statements pay off a receivable that it became."""


async def _flaw_of_statements(tx: Tx, area: str) -> str | None:
    """A statement that nothing drew, or a final one of another sum than it gathered."""
    for query, reason in (
        (_OF_NO_RUN, "The statement {} is of no closed run"),
        (_FINAL, "The final statement {} is not the sum of what it gathered"),
    ):
        found = await one(tx, query, (area,))
        if found is not None:
            return reason.format(found["statement_id"])
    return None
