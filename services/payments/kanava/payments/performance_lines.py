"""The SQL by which a run takes the performance lines (suoritekorvaukset) that an organiser decided on afterwards.

A line is what a decision holds at the cut-off less what stands of it in the books: an original when it is first
taken, a refund when it was revoked since. A decision that was revoked before any run took it leaves no line.
"""

from collections.abc import Sequence
from uuid import UUID

from kanava.common.db import Tx

from .month import Month

_PERFORMANCE = """
INSERT INTO {partition} (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days,
                         permille_days, rate_cents, amount_cents)
SELECT %(run_id)s, d.resident_id, 'performance', CASE WHEN r.performance_id IS NULL THEN 'original' ELSE 'refund' END,
       date_trunc('month', d.performed_on)::date, d.unit_id, d.performance_id, d.producer_id, 0, 0, d.amount_cents,
       holds.cents - stood.cents
FROM performance_decision d
LEFT JOIN performance_revocation r ON r.performance_id = d.performance_id AND r.recorded_at < %(cut_off)s
CROSS JOIN LATERAL (SELECT CASE WHEN r.performance_id IS NULL THEN d.amount_cents ELSE 0 END AS cents) holds
CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.amount_cents), 0)::bigint AS cents FROM line l
    WHERE l.run_id = ANY(%(runs)s) AND l.resident_id = d.resident_id AND l.component = 'performance'
      AND l.source = d.performance_id
) stood
WHERE d.area = %(area)s AND d.recorded_at < %(cut_off)s AND d.performed_on < %(end)s
  AND (greatest(d.recorded_at, r.recorded_at) >= %(since)s::timestamptz OR d.performed_on >= %(first)s)
  AND holds.cents <> stood.cents
ORDER BY d.resident_id
"""
"""What the previous run saw as it is now, and whose day was before its month's end, it has taken."""


async def write_performance(tx: Tx, month: Month, partition: str, earlier_runs: Sequence[UUID]) -> int:
    """Write what decisions recorded before the cut-off changed since the earlier runs of the area; how many lines.

    A decision for a day of a later month waits for that month.
    """
    known = {"run_id": month.run_id, "area": month.area, "cut_off": month.cut_off, "end": month.end}
    place = {"first": month.first, "since": month.since, "runs": list(earlier_runs)}
    return (await tx.execute(_PERFORMANCE.format(partition=partition), known | place)).rowcount
