"""SQL that reads what came into and what left an area's account, month by month."""

from datetime import date

from kanava.common.db import Tx, rows

from ..domain.chart import CASH, EntryKind
from ..domain.forecast import Flow

_FLOWS = """
WITH moved AS (
    SELECT date_trunc('month', e.booked_at AT TIME ZONE 'Europe/Helsinki')::date AS month,
        sum(p.amount_cents) FILTER (WHERE e.kind = %(funding)s) AS inflow_cents,
        -sum(p.amount_cents) FILTER (WHERE e.kind <> %(funding)s) AS outflow_cents
    FROM entry e JOIN posting p USING (area, seq)
    WHERE e.area = %(area)s AND p.account = ANY(%(cash)s) GROUP BY 1
)
SELECT m::date AS month, coalesce(inflow_cents, 0)::bigint AS inflow_cents,
    coalesce(outflow_cents, 0)::bigint AS outflow_cents
FROM generate_series((SELECT min(month) FROM moved)::timestamp, %(until)s::timestamp - interval '1 month', '1 month') m
LEFT JOIN moved ON moved.month = m::date ORDER BY m
"""


async def flows(tx: Tx, area: str, until: date) -> list[Flow]:
    """Every month from the first in which money moved up to the one before `until`; funding against the rest."""
    known = {"area": area, "until": until, "funding": EntryKind.FUNDING, "cash": sorted(CASH)}
    return [Flow(**row) for row in await rows(tx, _FLOWS, known)]


_INCOME = """
WITH own AS (SELECT month, sum(amount_cents) AS cents FROM statement
    WHERE area = %(area)s AND producer_id = %(producer_id)s GROUP BY month)
SELECT m::date AS month, coalesce(own.cents, 0)::bigint AS cents
FROM generate_series((SELECT min(month) FROM own)::timestamp, (SELECT max(month) FROM own)::timestamp, '1 month') m
LEFT JOIN own ON own.month = m::date ORDER BY m
"""


async def income(tx: Tx, area: str, producer_id: str) -> list[tuple[date, int]]:
    """What a producer's statements of an area say month by month, from its first to its last; cents."""
    found = await rows(tx, _INCOME, {"area": area, "producer_id": producer_id})
    return [(row["month"], row["cents"]) for row in found]
