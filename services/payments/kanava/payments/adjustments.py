"""The SQL by which a run takes the adjustments that accepted disputes left to payments itself.

Each gives a pair, like a fact that became known later: a refund of what stood and a correction with what holds.
They are a component of their own (`adjustment`), so that recomputing a month from facts neither sees nor undoes
them, and their source is the dispute, so that each is taken once.
"""

from collections.abc import Sequence
from uuid import UUID

from kanava.common.db import Tx

from .month import Month

_ADJUSTMENTS = """
INSERT INTO {partition} (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days,
                         permille_days, rate_cents, amount_cents)
SELECT %(run_id)s, a.resident_id, 'adjustment', side.kind, a.for_month, a.unit_id, a.dispute_id, a.producer_id,
       0, 0, 0, sum(side.cents)::bigint
FROM line_adjustment a
CROSS JOIN LATERAL (VALUES ('refund', -a.stood_cents), ('correction', a.holds_cents)) AS side (kind, cents)
WHERE a.area = %(area)s AND a.recorded_at < %(cut_off)s
  AND NOT EXISTS (SELECT FROM line l WHERE l.run_id = ANY(%(runs)s) AND l.component = 'adjustment'
                  AND l.resident_id = a.resident_id AND l.source = a.dispute_id)
GROUP BY a.resident_id, side.kind, a.for_month, a.unit_id, a.dispute_id, a.producer_id
HAVING sum(side.cents) <> 0
"""


async def write_adjustments(tx: Tx, month: Month, partition: str, earlier_runs: Sequence[UUID]) -> int:
    """Write the lines of adjustments recorded before the cut-off that no earlier run has taken; how many lines."""
    known = {"run_id": month.run_id, "area": month.area, "cut_off": month.cut_off, "runs": list(earlier_runs)}
    return (await tx.execute(_ADJUSTMENTS.format(partition=partition), known)).rowcount
