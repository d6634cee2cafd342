"""The SQL that writes a month's fees: reports as known at the cut-off, at the organiser's dated price.

Reports of the month are original lines. Of earlier months a run reads those that something new touches: one that came
late is an original line of this run, one that was corrected gives the pair of refund and correction, and so does a
price that corrects an error.
"""

from collections.abc import Sequence
from uuid import UUID

from kanava.common.db import Tx

from .allowed_kinds import fee_allowed
from .fee_contracts import as_seen_by, contracted, stage_fee_contracts
from .lines import parameters
from .month import Month
from .prices import earned, rates_of, treated_clients
from .touched_reports import KNOWN

_OF_THE_MONTH = f"{KNOWN} AND v.performed_on >= %(first)s"
_NOT_TOUCHED = " AND NOT EXISTS (SELECT FROM touched_report t WHERE t.production_id = v.production_id)"
_PAID = f"""
        AND {contracted()}
        AND EXISTS (SELECT FROM producing_unit u WHERE u.unit_id = v.unit_id
                    AND u.begins <= v.performed_on AND u.ends > v.performed_on)"""
_ALLOWED = "\n        AND " + fee_allowed()
_WITHOUT_VOUCHER = "\n        AND NOT EXISTS (SELECT FROM voucher_claim k WHERE k.production_id = v.production_id)"
_CLAIMS = """
WITH rate AS MATERIALIZED ({rates}),
claim AS MATERIALIZED (
    SELECT v.resident_id, v.unit_id, v.producer_id, v.production_id AS source, v.node,
        date_trunc('month', v.performed_on)::date AS for_month, rate.price_cents, p.fee_cents,
        -v.client_fee_cents::bigint AS client_fee_cents
    FROM {visits} v
    JOIN rate USING (node, unit_of_measure, performed_on)
    CROSS JOIN {earned} p
    WHERE {reported} AND p.why IS NULL {treated}
),
now AS (
    SELECT resident_id, unit_id, producer_id, source, node, 'fee' AS component, for_month, price_cents AS rate_cents,
           fee_cents AS amount_cents FROM claim WHERE fee_cents <> 0
    UNION ALL
    SELECT resident_id, unit_id, producer_id, source, node, 'client_fee', for_month, client_fee_cents, client_fee_cents
    FROM claim WHERE client_fee_cents <> 0
),
"""
_INTO_LINES = """
    INSERT INTO {partition} (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days,
                             permille_days, rate_cents, amount_cents)
"""
_USED = """
CREATE TEMP TABLE fee_used (producer_id text, component text, node text, cents bigint) ON COMMIT DROP
"""
_USE = """
INSERT INTO node_use (run_id, producer_id, component, node, area, amount_cents)
SELECT %(run_id)s, producer_id, component, node, %(area)s, sum(cents)::bigint FROM fee_used
GROUP BY producer_id, component, node HAVING sum(cents) <> 0
"""
_ORIGINALS = f"""{_CLAIMS}
written AS ({_INTO_LINES}
    SELECT %(run_id)s, resident_id, component, 'original', for_month, unit_id, source, producer_id, 0, 0, rate_cents,
           amount_cents
    FROM now ORDER BY 2
)
INSERT INTO fee_used
SELECT producer_id, 'fee', node, sum(fee_cents) FROM claim WHERE fee_cents <> 0 GROUP BY producer_id, node
UNION ALL
SELECT producer_id, 'client_fee', node, sum(client_fee_cents) FROM claim WHERE client_fee_cents <> 0
GROUP BY producer_id, node
"""
"""The lines of reports that no earlier run has seen, and beside them what they cost by package node."""
_CORRECTIONS = f"""{_CLAIMS}
stood AS (
    SELECT resident_id, unit_id, producer_id, source, component, for_month,
           sum(CASE kind WHEN 'refund' THEN -rate_cents ELSE rate_cents END)::bigint AS rate_cents,
           sum(amount_cents)::bigint AS amount_cents
    FROM touched_before CROSS JOIN LATERAL (
        SELECT l.unit_id, l.producer_id, l.source, l.component, l.for_month, l.kind, l.rate_cents, l.amount_cents
        FROM line l
        WHERE l.run_id = ANY(%(runs)s) AND l.resident_id = touched_before.resident_id
            AND l.component IN ('fee', 'client_fee') AND l.source = touched_before.production_id OFFSET 0
    ) l
    GROUP BY resident_id, unit_id, producer_id, source, component, for_month HAVING sum(amount_cents) <> 0
),
changed AS MATERIALIZED (
    SELECT resident_id, unit_id, producer_id, source, component, for_month, now.rate_cents, now.amount_cents,
           stood.rate_cents AS stood_rate_cents, stood.amount_cents AS stood_cents
    FROM now FULL JOIN stood USING (resident_id, unit_id, producer_id, source, component, for_month)
    WHERE now.amount_cents IS DISTINCT FROM stood.amount_cents
),
written AS ({_INTO_LINES}
    SELECT %(run_id)s, resident_id, component, 'refund', for_month, unit_id, source, producer_id, 0, 0,
           stood_rate_cents, -stood_cents
    FROM changed WHERE stood_cents IS NOT NULL
    UNION ALL
    SELECT %(run_id)s, resident_id, component, CASE WHEN stood_cents IS NULL THEN 'original' ELSE 'correction' END,
           for_month, unit_id, source, producer_id, 0, 0, rate_cents, amount_cents
    FROM changed WHERE amount_cents IS NOT NULL
    ORDER BY 2
)
INSERT INTO fee_used
SELECT producer_id, component, node, amount_cents FROM now
UNION ALL
SELECT stood.producer_id, component, before.node, -amount_cents
FROM stood CROSS JOIN LATERAL (
    SELECT v.node FROM visit v WHERE v.production_id = stood.source
        AND v.recorded_from < %(since)s AND v.recorded_until >= %(since)s LIMIT 1
) before
"""
"""The lines where what stands may have changed. The cost moves with the report from the node on which it stood, also
where its cents are the same."""


async def write_fees(
    tx: Tx,
    month: Month,
    partition: str,
    earlier_runs: Sequence[UUID],
    *,
    has_touched: bool,
    has_vouchers: bool,
    has_refused: bool,
) -> None:
    """Write fees and the client fees collected into a run's partition.

    A producer is paid by the contracts known at the cut-off, a unit while its scheme is in production
    (`producing.stage_producing_units`). A report without a price in force, or without the weight
    or the referral that it needs, stays until it has them. What a voucher pays (`vouchers.stage_claims`) has no fee,
    nor has what the model in force does not pay to the contract's class (`allowed_kinds.stage_refused_kinds`).
    """
    known = parameters(month, month.first) | {"runs": list(earlier_runs)}
    await stage_fee_contracts(tx, [as_seen_by(month)])
    await tx.execute(_USED)
    paid = _PAID + (_WITHOUT_VOUCHER if has_vouchers else "") + (_ALLOWED if has_refused else "")
    # The planner takes the conditions on recorded times for rarer than they are, and contracts and reports for few.
    await tx.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_sort = off; SET LOCAL work_mem = '512MB'")
    of_the_month = _OF_THE_MONTH + (_NOT_TOUCHED if has_touched else "")
    await tx.execute(_statement(_ORIGINALS, partition, "visit", seen=of_the_month, paid=paid), known)
    if has_touched:
        treated = await treated_clients(tx, known, "v.quantity > 0" + paid)
        corrections = _statement(_CORRECTIONS, partition, "touched_visit", seen="true", paid=paid, treated=treated)
        await tx.execute(corrections, known)
    await tx.execute("SET LOCAL enable_nestloop = on; SET LOCAL enable_sort = on")
    await tx.execute(_USE, known)


def _statement(template: str, partition: str, visits: str, *, seen: str, paid: str, treated: str = "") -> str:
    """A statement over the reports of a table that a run sees and that are paid."""
    return template.format(
        partition=partition,
        visits=visits,
        rates=rates_of(visits, seen),
        earned=earned(visit="v", rate="rate"),
        reported=seen + paid,
        treated=treated,
    )
