"""SQL that reads decisions on performance lines (suoritekorvaukset) and what the books have of them."""

from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

FIRST = (date.min, UUID(int=0))
"""The place before the first decision: its day and id."""

_DECISIONS = """
SELECT d.performance_id, d.area, d.resident_id, d.unit_id, d.producer_id, d.performed_on, d.amount_cents, d.reason,
       d.recorded_at, r.recorded_at AS revoked_at, r.reason AS revocation_reason,
       coalesce(taken.cents, 0) AS in_the_books_cents
FROM performance_decision d LEFT JOIN performance_revocation r USING (performance_id)
LEFT JOIN LATERAL (
    SELECT sum(l.amount_cents)::bigint AS cents FROM line l
    WHERE l.run_id IN (SELECT run_id FROM run WHERE run.area = d.area AND status = 'closed')
      AND l.resident_id = d.resident_id AND l.component = 'performance' AND l.source = d.performance_id
) taken ON true
WHERE d.area = %(area)s AND (%(producer)s::text IS NULL OR d.producer_id = %(producer)s)
  AND (d.performed_on, d.performance_id) > (%(day)s::date, %(after)s::uuid)
ORDER BY d.performed_on, d.performance_id LIMIT %(limit)s
"""


async def decisions(
    tx: Tx, *, area: str, producer_id: str | None = None, after: tuple[date, UUID] = FIRST, limit: int = 100
) -> list[DictRow]:
    """Decisions of an area, or on one producer in it, each with its revocation and what the books have of it."""
    place = {"day": after[0], "after": after[1], "limit": limit}
    return await rows(tx, _DECISIONS, {"area": area, "producer": producer_id} | place)
