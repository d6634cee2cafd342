"""SQL that reads what is left of statements, and the receivables of producers."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

_LEFT = """
SELECT statement_id, component, sum(cents)::bigint AS amount_cents FROM (
    SELECT statement_id, component, amount_cents AS cents FROM statement_sum WHERE statement_id = ANY(%(ids)s)
    UNION ALL
    SELECT statement_id, component, -amount_cents FROM statement_offset WHERE statement_id = ANY(%(ids)s)
    UNION ALL
    SELECT into_id, component, amount_cents FROM statement_offset WHERE into_id = ANY(%(ids)s)
) parts GROUP BY statement_id, component HAVING sum(cents) <> 0 ORDER BY statement_id, component
"""


async def left(tx: Tx, statement_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """What is left of statements by component, in cents: their sums, less and plus what they handed to each other."""
    found: dict[UUID, dict[str, int]] = {statement_id: {} for statement_id in statement_ids}
    for row in await rows(tx, _LEFT, {"ids": list(statement_ids)}):
        found[row["statement_id"]][row["component"]] = row["amount_cents"]
    return found


_RECEIVABLES = """
SELECT s.statement_id, s.area, s.producer_id, p.name AS producer, p.status AS producer_status, s.kind,
       to_char(s.month, 'YYYY-MM') AS month, -s.amount_cents AS amount_cents, l.left_cents,
       -s.amount_cents - l.left_cents AS paid_off_cents, e.booked_at AS owed_since,
       %(today)s::date - (e.booked_at AT TIME ZONE 'Europe/Helsinki')::date AS age_days
FROM statement s LEFT JOIN producer p USING (producer_id)
JOIN entry e ON e.area = s.area AND e.reference = s.statement_id AND e.kind = 'receivable'
CROSS JOIN LATERAL (
    SELECT (coalesce((SELECT sum(amount_cents) FROM statement_offset o WHERE o.statement_id = s.statement_id), 0)
          - coalesce((SELECT sum(amount_cents) FROM statement_offset o WHERE o.into_id = s.statement_id), 0)
          - coalesce((SELECT sum(amount_cents) FROM statement_sum t WHERE t.statement_id = s.statement_id), 0)
           )::bigint AS left_cents) l
WHERE s.area = %(area)s AND (%(producers)s::text[] IS NULL OR s.producer_id = ANY(%(producers)s))
  AND (s.status = 'receivable' OR (%(paid_too)s AND s.status = 'settled' AND s.amount_cents < 0))
  AND (s.month, s.statement_id) > (%(month)s::date, %(after)s::uuid)
ORDER BY s.month, s.statement_id LIMIT %(limit)s
"""


async def receivables(tx: Tx, parameters: dict[str, object]) -> list[DictRow]:
    """Receivables of an area or of some producers, oldest first, with what was paid off of each and what is left.

    `parameters`: area, producers (or None for all), today, paid_too, month and after (behind which to go on), limit.
    """
    return await rows(tx, _RECEIVABLES, parameters)


async def offsets(tx: Tx, statement_id: UUID) -> list[DictRow]:
    """What a statement handed to others (negative), and what others handed to it; cents by component."""
    return await rows(
        tx,
        "SELECT CASE WHEN o.statement_id = %(id)s THEN o.into_id ELSE o.statement_id END AS statement_id,"
        " to_char(other.month, 'YYYY-MM') AS month, other.kind, o.component, o.taken_at,"
        " CASE WHEN o.statement_id = %(id)s THEN -o.amount_cents ELSE o.amount_cents END AS amount_cents"
        " FROM statement_offset o JOIN statement other ON other.statement_id"
        " = CASE WHEN o.statement_id = %(id)s THEN o.into_id ELSE o.statement_id END"
        " WHERE %(id)s IN (o.statement_id, o.into_id) ORDER BY o.taken_at, other.month, o.component",
        {"id": statement_id},
    )


async def offset_cents(tx: Tx, statement_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many cents of each statement paid off receivables or went into a final statement."""
    query = (
        "SELECT statement_id, sum(amount_cents)::bigint AS cents FROM statement_offset"
        " WHERE statement_id = ANY(%s) GROUP BY statement_id"
    )
    return {row["statement_id"]: row["cents"] for row in await rows(tx, query, (list(statement_ids),))}
