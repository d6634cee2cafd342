"""SQL that reads cases in which statements are contested, with their age."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from ..adjustments import SAME_FACT

_CASES = """
SELECT d.dispute_id, d.statement_id, d.area, d.producer_id, p.name AS producer, to_char(s.month, 'YYYY-MM') AS month,
       d.opened_by, d.opened_at, d.reason, d.due_on, coalesce(c.outcome, 'open') AS status, c.reasons, c.decided_by,
       c.decided_at, c.remedy, c.owner, l.lines, l.amount_cents,
       coalesce((c.decided_at AT TIME ZONE 'Europe/Helsinki')::date, %(today)s::date)
           - (d.opened_at AT TIME ZONE 'Europe/Helsinki')::date AS age_days,
       coalesce((c.decided_at AT TIME ZONE 'Europe/Helsinki')::date, %(today)s::date) > d.due_on AS overdue
FROM dispute d JOIN statement s USING (statement_id) LEFT JOIN producer p ON p.producer_id = d.producer_id
LEFT JOIN dispute_decision c USING (dispute_id)
CROSS JOIN LATERAL (SELECT count(*)::int AS lines, sum(amount_cents)::bigint AS amount_cents FROM dispute_line
                    WHERE dispute_line.dispute_id = d.dispute_id) l
WHERE (%(area)s::text IS NULL OR d.area = %(area)s) AND (%(id)s::uuid IS NULL OR d.dispute_id = %(id)s)
  AND (%(producers)s::text[] IS NULL OR d.producer_id = ANY(%(producers)s))
  AND (%(status)s::text IS NULL OR coalesce(c.outcome, 'open') = %(status)s)
  AND (NOT %(overdue)s OR coalesce((c.decided_at AT TIME ZONE 'Europe/Helsinki')::date, %(today)s::date) > d.due_on)
  AND (d.opened_at, d.dispute_id) > (%(opened_at)s::timestamptz, %(after)s::uuid)
ORDER BY d.opened_at, d.dispute_id LIMIT %(limit)s
"""
_EVERYTHING = {"area": None, "id": None, "producers": None, "status": None, "overdue": False, "limit": 1}
_START = {"opened_at": "-infinity", "after": UUID(int=0)}


async def cases(tx: Tx, parameters: dict[str, object]) -> list[DictRow]:
    """Cases, oldest first, with age and whether they are overdue.

    `parameters`: today, and as wanted area, id, producers, status, overdue, opened_at and after (the place behind
    which to go on), limit.
    """
    return await rows(tx, _CASES, {**_EVERYTHING, **_START, **parameters})


_LINES = f"""
SELECT a.resident_id, a.component, a.kind, to_char(a.for_month, 'YYYY-MM') AS for_month, a.unit_id, a.source,
       a.amount_cents, j.holds_cents,
       CASE WHEN c.outcome IS DISTINCT FROM 'accepted' THEN NULL
            WHEN EXISTS (SELECT FROM run later JOIN line l ON l.run_id = later.run_id AND {SAME_FACT}
                         WHERE later.area = stood.area AND later.month > stood.month) THEN 'corrected'
            WHEN EXISTS (SELECT FROM run taking WHERE taking.area = stood.area AND taking.status = 'closed'
                         AND taking.cut_off > j.recorded_at) THEN 'adjusted'
            ELSE 'waiting' END AS became
FROM dispute_line a JOIN run stood USING (run_id) LEFT JOIN dispute_decision c USING (dispute_id)
LEFT JOIN line_adjustment j
    USING (dispute_id, run_id, resident_id, component, kind, for_month, unit_id, source)
WHERE dispute_id = %s ORDER BY resident_id, component, kind, a.for_month, unit_id, source
"""


async def case_lines(tx: Tx, dispute_id: UUID) -> list[DictRow]:
    """The contested lines of a case; of an accepted one also what became of each.

    `waiting`: no run has seen what the case says has to change. `corrected`: a later run wrote lines for its fact.
    `adjusted`: a run took what the line should have said, `holds_cents`.
    """
    return await rows(tx, _LINES, (dispute_id,))


async def open_cases(tx: Tx, producer_id: str, area: str) -> int:
    """How many cases of a producer in an area wait for a decision."""
    row = await one(
        tx,
        "SELECT count(*)::int AS cases FROM dispute d WHERE producer_id = %s AND area = %s"
        " AND NOT EXISTS (SELECT FROM dispute_decision c WHERE c.dispute_id = d.dispute_id)",
        (producer_id, area),
    )
    assert row is not None, "a count has one row"
    return int(row["cases"])


_WAITING = """
WITH seen AS (
    SELECT coalesce(max(cut_off), '-infinity') AS cut_off, max(month) + interval '1 month' AS until
    FROM run WHERE area = %(area)s AND status = 'closed'
)
SELECT (SELECT count(*) FROM line_adjustment a, seen WHERE a.producer_id = %(producer)s AND a.area = %(area)s
        AND a.recorded_at >= seen.cut_off)
    + (SELECT count(*) FROM performance_decision d LEFT JOIN performance_revocation r USING (performance_id), seen
       WHERE d.producer_id = %(producer)s AND d.area = %(area)s AND (greatest(d.recorded_at, r.recorded_at)
           >= seen.cut_off OR (r.performance_id IS NULL AND d.performed_on >= seen.until))) AS corrections
"""


async def waiting_corrections(tx: Tx, producer_id: str, area: str) -> int:
    """How many adjustments, performance lines and revocations of a producer no closed run of an area has seen."""
    row = await one(tx, _WAITING, {"producer": producer_id, "area": area})
    assert row is not None, "a count has one row"
    return int(row["corrections"])


async def states(tx: Tx, statement_ids: Sequence[UUID]) -> dict[UUID, list[DictRow]]:
    """The cases of each statement as its fact tells them."""
    found: dict[UUID, list[DictRow]] = {}
    query = (
        "SELECT d.statement_id, d.dispute_id, coalesce(c.outcome, 'open') AS status, d.due_on, c.remedy, c.owner,"
        " (SELECT count(*)::int FROM dispute_line l WHERE l.dispute_id = d.dispute_id) AS lines"
        " FROM dispute d LEFT JOIN dispute_decision c USING (dispute_id) WHERE d.statement_id = ANY(%s)"
        " ORDER BY d.opened_at, d.dispute_id"
    )
    for row in await rows(tx, query, (list(statement_ids),)):
        found.setdefault(row["statement_id"], []).append(row)
    return found
