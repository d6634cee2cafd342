"""SQL that reads statements, their resident lines, and what was spent for a resident."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

_STATEMENTS = """
SELECT s.statement_id, s.version, s.run_id, s.area, to_char(s.month, 'YYYY-MM') AS month, s.producer_id,
       p.name AS producer, s.amount_cents, s.status, s.approved_by, s.released_by,
       (SELECT json_object_agg(component, json_build_object('lines', lines, 'amount_cents', amount_cents))
        FROM statement_sum t WHERE t.statement_id = s.statement_id) AS sums
FROM statement s LEFT JOIN producer p USING (producer_id)
WHERE (%(area)s::text IS NULL OR s.area = %(area)s) AND (%(month)s::date IS NULL OR s.month = %(month)s)
  AND (%(producers)s::text[] IS NULL OR s.producer_id = ANY(%(producers)s))
  AND (%(id)s::uuid IS NULL OR s.statement_id = %(id)s)
ORDER BY s.month, s.producer_id LIMIT 1000
"""


async def statements(
    tx: Tx,
    *,
    area: str | None = None,
    month: date | None = None,
    producers: Sequence[str] | None = None,
    statement_id: UUID | None = None,
) -> list[DictRow]:
    """Statements with the sums of their components."""
    known = {"area": area, "month": month, "producers": list(producers) if producers is not None else None}
    return await rows(tx, _STATEMENTS, known | {"id": statement_id})


_LINES = """
SELECT l.resident_id, l.component, l.kind, to_char(l.for_month, 'YYYY-MM') AS for_month, l.unit_id, l.producer_id,
       nullif(l.source, '00000000-0000-0000-0000-000000000000') AS source, l.days, l.permille_days, l.rate_cents,
       l.amount_cents
FROM line l WHERE l.run_id = %(run_id)s AND l.producer_id = %(producer_id)s
  AND (l.resident_id, l.component, l.kind, l.for_month, l.unit_id, l.source)
      > (%(resident)s, %(component)s, %(kind)s, %(for_month)s::date, %(unit)s, %(source)s)
ORDER BY l.resident_id, l.component, l.kind, l.for_month, l.unit_id, l.source LIMIT %(limit)s
"""
FIRST_LINE = [
    "00000000-0000-0000-0000-000000000000",
    "",
    "",
    "0001-01-01",
    "",
    "00000000-0000-0000-0000-000000000000",
]


async def statement_lines(tx: Tx, *, run_id: UUID, producer_id: str, after: Sequence[str], limit: int) -> list[DictRow]:
    """Resident lines of a statement after a place in their order."""
    names = ("resident", "component", "kind", "for_month", "unit", "source")
    place = dict(zip(names, after, strict=True))
    return await rows(tx, _LINES, place | {"run_id": run_id, "producer_id": producer_id, "limit": limit})


async def resident_costs(tx: Tx, resident_id: UUID) -> list[DictRow]:
    """What was spent for a resident, by month, producer and component; cents."""
    return await rows(
        tx,
        "SELECT to_char(for_month, 'YYYY-MM') AS month, producer_id, component,"
        " sum(amount_cents)::bigint AS amount_cents FROM line WHERE resident_id = %s"
        " GROUP BY for_month, producer_id, component ORDER BY for_month, producer_id, component",
        (resident_id,),
    )


async def unpriced(tx: Tx, area: str) -> list[DictRow]:
    """Reports that no price in force covers: they wait and are paid once there is one."""
    return await rows(
        tx,
        "SELECT v.node, v.unit_of_measure, count(*)::int AS reports, min(v.performed_on) AS oldest FROM visit v"
        " WHERE v.area = %s AND v.recorded_until = 'infinity' AND NOT EXISTS (SELECT FROM price p WHERE"
        " p.area = v.area AND p.node = v.node AND p.unit_of_measure = v.unit_of_measure"
        " AND p.valid_from <= v.performed_on) GROUP BY v.node, v.unit_of_measure ORDER BY v.node",
        (area,),
    )


async def pain001(tx: Tx, payout_id: UUID) -> bytes | None:
    """The pain.001 file of a payout, if it paid anybody by bank."""
    row = await one(tx, "SELECT pain001 FROM payout WHERE payout_id = %s", (payout_id,))
    return bytes(row["pain001"]) if row and row["pain001"] else None
