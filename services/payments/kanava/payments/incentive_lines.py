"""The SQL that puts what incentives earned on the residents whose capitation earned it, by largest remainder.

What holds is the split over the capitation of the month as it stands now; where a resident's cents differ from what
stands, the run writes the pair of refund and correction.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date
from uuid import UUID

from kanava.common.db import Tx, one, rows

from .month import Month


@dataclass(frozen=True)
class Due:
    """What a snapshot's indicator earned of a month of capitation, and by how much that changed, in cents."""

    producer_id: str
    municipality: str
    for_month: date
    snapshot_id: UUID
    earned_cents: int
    change_cents: int
    is_first: bool


_STAGE = """
CREATE TEMP TABLE incentive_due (producer_id text, municipality text, for_month date, source uuid, earned numeric,
                                 change_cents bigint, is_first boolean) ON COMMIT DROP
"""
_RUNS = """
SELECT run_id FROM run WHERE area = %s AND month >= %s AND month < %s AND status = 'closed'
"""
_LINES = """
WITH earning AS (
    SELECT l.producer_id, u.municipality, l.for_month, l.resident_id, l.unit_id, sum(l.amount_cents) AS cents
    FROM (
        SELECT resident_id, unit_id, producer_id, for_month, amount_cents FROM line
        WHERE run_id = ANY(%(runs)s) AND component = 'capitation'
        UNION ALL
        SELECT resident_id, unit_id, producer_id, for_month, amount_cents FROM {partition}
        WHERE component = 'capitation'
    ) l JOIN unit u USING (unit_id)
    WHERE (l.producer_id, u.municipality, l.for_month) IN (
        SELECT producer_id, municipality, for_month FROM incentive_due)
    GROUP BY l.producer_id, u.municipality, l.for_month, l.resident_id, l.unit_id HAVING sum(l.amount_cents) > 0
), share AS (
    SELECT producer_id, municipality, for_month, source, resident_id, unit_id, earned,
           div(earned * cents, sum(cents) OVER due) AS whole, mod(earned * cents, sum(cents) OVER due) AS remainder
    FROM earning JOIN incentive_due USING (producer_id, municipality, for_month) WHERE earned > 0
    WINDOW due AS (PARTITION BY producer_id, municipality, for_month, source)
), part AS (
    SELECT *, whole + (row_number() OVER (due ORDER BY remainder DESC, resident_id, unit_id)
                       <= earned - sum(whole) OVER due)::int AS cents
    FROM share WINDOW due AS (PARTITION BY producer_id, municipality, for_month, source)
), now AS (
    SELECT producer_id, municipality, for_month, source, resident_id, unit_id, cents::bigint AS amount_cents
    FROM part WHERE cents > 0
), stood AS (
    SELECT l.producer_id, u.municipality, l.for_month, l.source, l.resident_id, l.unit_id,
           sum(l.amount_cents)::bigint AS amount_cents
    FROM line l JOIN unit u USING (unit_id)
    WHERE l.run_id = ANY(%(paid)s) AND l.component = 'incentive' AND (l.producer_id, u.municipality, l.for_month,
        l.source) IN (SELECT producer_id, municipality, for_month, source FROM incentive_due)
    GROUP BY l.producer_id, u.municipality, l.for_month, l.source, l.resident_id, l.unit_id
    HAVING sum(l.amount_cents) <> 0
), changed AS (
    SELECT stood AS old, now AS new
    FROM now FULL JOIN stood USING (producer_id, municipality, for_month, source, resident_id, unit_id)
    WHERE coalesce(now.amount_cents, 0) <> coalesce(stood.amount_cents, 0)
), written AS (
    INSERT INTO {partition} (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days,
                             permille_days, rate_cents, amount_cents)
    SELECT %(run_id)s, (old).resident_id, 'incentive', 'refund', (old).for_month, (old).unit_id, (old).source,
           (old).producer_id, 0, 0, 0, -(old).amount_cents
    FROM changed WHERE (old).amount_cents IS NOT NULL
    UNION ALL
    SELECT %(run_id)s, (new).resident_id, 'incentive', CASE WHEN d.is_first THEN 'original' ELSE 'correction' END,
           (new).for_month, (new).unit_id, (new).source, (new).producer_id, 0, 0, 0, (new).amount_cents
    FROM changed JOIN incentive_due d ON d.producer_id = (new).producer_id AND d.municipality = (new).municipality
        AND d.for_month = (new).for_month AND d.source = (new).source
    WHERE (new).amount_cents IS NOT NULL
    RETURNING amount_cents
)
SELECT coalesce(sum(amount_cents), 0)::bigint AS cents FROM written
"""


async def write_lines(tx: Tx, month: Month, partition: str, due: Sequence[Due]) -> None:
    """Bring the residents' lines to what is due; both the capitation and what stood are read once for all of it."""
    if not due:
        return
    await tx.execute(_STAGE)
    async with tx.cursor() as cursor:
        names = "(%s, %s, %s, %s, %s, %s, %s)"
        await cursor.executemany(f"INSERT INTO incentive_due VALUES {names}", [astuple(each) for each in due])
    since = min(each.for_month for each in due)
    runs = [row["run_id"] for row in await rows(tx, _RUNS, (month.area, since, month.first))]
    paid = [] if all(each.is_first for each in due) else runs
    known = {"run_id": month.run_id, "runs": runs, "paid": paid}
    written = await one(tx, _LINES.format(partition=partition), known)
    assert written is not None, "a sum has one row"
    assert written["cents"] == sum(each.change_cents for each in due), "what is earned is on residents"
