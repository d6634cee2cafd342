"""SQL that reads what was booked on a resident, for the resident's own page."""

from datetime import date
from uuid import UUID

from kanava.common.db import Tx, one, rows

from ..domain.spending import Booked
from .nodes import BY_NODE, NODE_OF_LINE

MAX_ROWS = 2_000

_RUNS = "SELECT run_id FROM run WHERE status = 'closed' AND month >= %s"
"""A line is of its run's month or an earlier one, so runs before the first wanted month have none of its lines."""
_BOOKED = f"""
SELECT * FROM (
    SELECT l.for_month, r.month AS paid_month, l.component, l.kind, l.producer_id, l.unit_id,
           CASE l.component WHEN 'performance' THEN l.source::text ELSE coalesce(v.node, '') END AS node,
           p.name AS producer, u.name AS unit, n.name_fi AS product, decided.reason,
           sum(l.days)::int AS days, sum(l.permille_days)::int AS permille_days,
           CASE WHEN min(l.rate_cents) = max(l.rate_cents) THEN min(l.rate_cents) END AS rate_cents,
           sum(l.amount_cents)::bigint AS amount_cents, 0 AS decision
    FROM line l JOIN run r USING (run_id) LEFT JOIN producer p USING (producer_id)
    LEFT JOIN unit u ON u.unit_id = l.unit_id
    {NODE_OF_LINE}
    LEFT JOIN node_name n ON n.code = v.node
    LEFT JOIN LATERAL (
        SELECT CASE l.kind WHEN 'refund' THEN w.reason ELSE d.reason END AS reason
        FROM performance_decision d LEFT JOIN performance_revocation w USING (performance_id)
        WHERE l.component = 'performance' AND d.performance_id = l.source
    ) decided ON true
    WHERE l.run_id = ANY(%(runs)s) AND l.resident_id = %(resident)s
      AND l.for_month BETWEEN %(since)s AND %(until)s
    GROUP BY l.for_month, r.month, l.component, l.kind, l.producer_id, l.unit_id, 7, p.name, u.name, n.name_fi,
             decided.reason
    UNION ALL
    SELECT d.for_month, (d.decided_at AT TIME ZONE 'Europe/Helsinki')::date, 'benefit', part.kind, '', d.reference,
           d.kind, NULL, NULL, NULL, d.reasons, 0, 0, NULL, part.cents,
           d.number
    FROM benefit_decision d CROSS JOIN LATERAL (VALUES
        (CASE WHEN d.number = 1 THEN 'original' ELSE 'correction' END, d.holds_cents),
        ('refund', d.change_cents - d.holds_cents)
    ) part (kind, cents)
    WHERE d.resident_id = %(resident)s AND d.for_month BETWEEN %(since)s AND %(until)s
      AND (d.number > 1 OR part.kind = 'original')
) booked ORDER BY for_month DESC, component, producer_id, unit_id, node, paid_month, decision, kind, reason
LIMIT %(limit)s
"""


async def of_resident(tx: Tx, resident_id: UUID, since: date, until: date, *, limit: int = MAX_ROWS) -> list[Booked]:
    """What was booked on a resident for the months from `since` to `until`, the newest first.

    Lines by run and matter, and benefits by decision: a later one takes back what the former granted.
    """
    runs = [row["run_id"] for row in await rows(tx, _RUNS, (since,))]
    wanted = {"resident": resident_id, "since": since, "until": until, "runs": runs, "limit": limit}
    wanted |= {"by_node": list(BY_NODE)}
    return [Booked(**row) for row in await rows(tx, _BOOKED, wanted)]


_FIRST = """
SELECT least((SELECT min(month) FROM run WHERE status = 'closed'),
             (SELECT min(for_month) FROM benefit_decision WHERE resident_id = %s)) AS month
"""


async def first_month(tx: Tx, resident_id: UUID) -> date | None:
    """The first month of which anything may be booked on a resident: the first ever closed, or of a benefit."""
    row = await one(tx, _FIRST, (resident_id,))
    return row["month"] if row else None


_GUARDIAN = """
SELECT 1 FROM resident WHERE resident_id = %s AND recorded_until = 'infinity' AND guardian_id IS NOT NULL
AND birth_date + interval '18 years' > %s::date
"""


async def counts_with_a_guardian(tx: Tx, resident_id: UUID, today: date) -> bool:
    """Whether a resident's client fees count with a guardian (huoltaja) today."""
    return await one(tx, _GUARDIAN, (resident_id, today)) is not None
