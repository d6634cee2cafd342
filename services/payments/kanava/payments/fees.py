"""The SQL that writes a month's fees: reports as known at the cut-off, at the organiser's dated price.

One pass over the area's reports. What differs from what stands in the books is written: a report that came late is
an original line of this run, one that was corrected gives the pair of refund and correction, and so does a price that
corrects an error.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from kanava.common.db import Tx, one

from .allowed_kinds import fee_allowed
from .lines import parameters
from .month import Month
from .prices import earned, rates_of, treated_clients

_CONTRACTS = """
CREATE TEMP TABLE fee_contract ON COMMIT DROP AS
SELECT DISTINCT producer_id, starts_on, ends_on FROM (
    SELECT DISTINCT ON (contract_id) * FROM contract_version WHERE area = %(area)s AND recorded_at < %(cut_off)s
    ORDER BY contract_id, version DESC
) c WHERE 'fee' = ANY(compensation_kinds)
"""
_KNOWN = """v.area = %(area)s AND v.recorded_from < %(cut_off)s AND v.recorded_until >= %(cut_off)s
        AND v.performed_on < %(end)s"""
_CONTRACTED = """
        AND EXISTS (SELECT FROM fee_contract c WHERE c.producer_id = v.producer_id
                    AND c.starts_on <= v.performed_on AND (c.ends_on IS NULL OR c.ends_on > v.performed_on))"""
_ALLOWED = "\n        AND " + fee_allowed()
_WITHOUT_VOUCHER = "\n        AND NOT EXISTS (SELECT FROM voucher_claim k WHERE k.production_id = v.production_id)"
_CLAIMS = """
WITH rate AS MATERIALIZED ({rates}),
claim AS MATERIALIZED (
    SELECT v.resident_id, v.unit_id, v.producer_id, v.production_id AS source, v.node,
        date_trunc('month', v.performed_on)::date AS for_month, rate.price_cents, p.fee_cents,
        -v.client_fee_cents::bigint AS client_fee_cents
    FROM visit v
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
_INTO_USE = """
INSERT INTO node_use (run_id, producer_id, component, node, area, amount_cents)
SELECT %(run_id)s, producer_id, component, node, %(area)s, sum(cents)::bigint
"""
_FIRST = f"""{_CLAIMS}
written AS ({_INTO_LINES}
    SELECT %(run_id)s, resident_id, component, 'original', for_month, unit_id, source, producer_id, 0, 0, rate_cents,
           amount_cents
    FROM now ORDER BY 2
){_INTO_USE}
FROM (
    SELECT producer_id, 'fee' AS component, node, fee_cents AS cents FROM claim WHERE fee_cents <> 0
    UNION ALL SELECT producer_id, 'client_fee', node, client_fee_cents FROM claim WHERE client_fee_cents <> 0
) used GROUP BY producer_id, component, node
"""
"""The lines where no earlier run has fees, and beside them what they cost by package node."""
_CHANGES = f"""{_CLAIMS}
stood AS (
    SELECT resident_id, unit_id, producer_id, source, component, for_month,
           sum(CASE kind WHEN 'refund' THEN -rate_cents ELSE rate_cents END)::bigint AS rate_cents,
           sum(amount_cents)::bigint AS amount_cents
    FROM line WHERE run_id = ANY(%(runs)s) AND component IN ('fee', 'client_fee')
    GROUP BY resident_id, unit_id, producer_id, source, component, for_month HAVING sum(amount_cents) <> 0
),
changed AS MATERIALIZED (
    SELECT resident_id, unit_id, producer_id, source, component, for_month, node, now.rate_cents, now.amount_cents,
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
){_INTO_USE}
FROM (
    SELECT producer_id, component, node, amount_cents AS cents FROM changed WHERE amount_cents IS NOT NULL
    UNION ALL
    SELECT changed.producer_id, component, before.node, -stood_cents
    FROM changed CROSS JOIN LATERAL (
        SELECT v.node FROM visit v WHERE v.production_id = changed.source
            AND v.recorded_from < %(previous)s AND v.recorded_until >= %(previous)s LIMIT 1
    ) before
    WHERE stood_cents IS NOT NULL
) used GROUP BY producer_id, component, node
"""
"""The lines where what stands may have changed; a refund falls on the node of the report as it stood."""
_HAS_FEES = """
SELECT FROM statement JOIN statement_sum USING (statement_id)
WHERE run_id = ANY(%(runs)s) AND component IN ('fee', 'client_fee') LIMIT 1
"""


async def write_fees(
    tx: Tx,
    month: Month,
    partition: str,
    closed: Sequence[tuple[UUID, date]],
    *,
    has_vouchers: bool,
    has_refused: bool,
) -> None:
    """Write fees and the client fees collected into a run's partition; `closed` are the runs before it.

    A producer is paid by the contracts known at the cut-off. A report without a price in force, or without the weight
    or the referral that it needs, stays until it has them. What a voucher pays (`vouchers.stage_claims`) has no fee,
    nor has what the model in force does not pay to the contract's class (`allowed_kinds.stage_refused_kinds`).
    """
    known = parameters(month, month.first) | {
        "runs": [run_id for run_id, _ in closed],
        "previous": month.previous_cut_off or month.cut_off,
    }
    await tx.execute(_CONTRACTS, known)
    await tx.execute("ANALYZE fee_contract")
    reported = _KNOWN + _CONTRACTED + (_WITHOUT_VOUCHER if has_vouchers else "") + (_ALLOWED if has_refused else "")
    priced = {"rates": rates_of(_KNOWN), "earned": earned(visit="v", rate="rate")}
    treated = await treated_clients(tx, known, reported)
    fees = _FIRST if await one(tx, _HAS_FEES, known) is None else _CHANGES
    statement = fees.format(partition=partition, reported=reported, treated=treated, **priced)
    # The planner takes the conditions on recorded times for rarer than they are, and contracts for few.
    await tx.execute("SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '512MB'")
    await tx.execute(statement, known)
    await tx.execute("SET LOCAL enable_nestloop = on")
