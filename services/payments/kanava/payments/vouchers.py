"""The SQL by which vouchers and personal budgets pay reports: in the order of the days of service, never beyond what
is left.

A report of a resident who holds a voucher for its node is paid from it instead of by a fee: a use costs the area
the voucher's value less the resident's own share (omavastuu), which the producer collects itself; a personal budget
pays the organiser's price. What the grant does not cover is not paid, and neither is who had no contract or whose
scheme was not in production on the day: `domain.vouchers` names why. Like fees, what changed since gives a pair.
"""

from collections.abc import Sequence
from uuid import UUID

from kanava.common.contracts import listing
from kanava.common.db import Tx, one, stage

from .facts import known_since, merge_versions
from .lines import parameters
from .month import Month
from .prices import closed_at, fee_of, needs_referral

_STAGED = (
    "voucher_id uuid, version int4, recorded_from timestamptz, resident_id uuid, area text, kind text, status text,"
    " starts_on date, until date, nodes text[], unit_of_measure text, value_cents int4, self_pay_cents int4,"
    " uses_granted int4, sum_granted_cents int8, producer_ids text[]"
)
_COLUMNS = (
    "voucher_id, version, resident_id, area, kind, status, starts_on, until, nodes, unit_of_measure, value_cents,"
    " self_pay_cents, uses_granted, sum_granted_cents, producer_ids"
)


async def merge_vouchers(tx: Tx, facts: Sequence[listing.Voucher]) -> int:
    """Take over versions of vouchers and personal budgets."""
    since = await known_since(tx)
    await stage(
        tx,
        "staged_voucher",
        _STAGED,
        (
            (
                *(f.voucher_id, f.version, max(f.recorded_at, since), f.resident_id, f.area, f.kind, f.status),
                *(f.starts_on, f.until, _nodes(f), f.unit_of_measure, f.value_cents, f.self_pay.share_cents),
                *(f.uses_granted, f.sum_granted_cents, list(f.producer_ids)),
            )
            for f in facts
        ),
    )
    return await merge_versions(tx, "voucher", "voucher_id", _COLUMNS)


def _nodes(fact: listing.Voucher) -> list[str]:
    return [fact.node] if fact.node is not None else [item.node for item in fact.plan]


_COVERING = """
    SELECT k.voucher_id, k.kind, k.value_cents, k.self_pay_cents, k.uses_granted, k.sum_granted_cents, k.until,
        closeness
    FROM voucher k CROSS JOIN LATERAL (
        SELECT t.nodes FROM voucher t WHERE t.voucher_id = k.voucher_id AND t.recorded_from < {at}
        ORDER BY t.recorded_from < closed.at DESC,
            CASE WHEN t.recorded_from < closed.at THEN -t.version ELSE t.version END LIMIT 1
    ) planned CROSS JOIN LATERAL (
        SELECT max(length(n)) AS closeness FROM unnest(planned.nodes) n
        WHERE v.node = n OR starts_with(v.node, n || '.')
    ) near
    WHERE k.area = v.area AND k.resident_id = v.resident_id
        AND k.recorded_from < {at} AND k.recorded_until >= {at}
        AND v.performed_on >= k.starts_on AND v.performed_on < k.until AND closeness IS NOT NULL
        AND k.status <> 'annulled' AND k.kind <> 'sote_centre'
        AND (k.unit_of_measure IS NULL OR v.unit_of_measure = k.unit_of_measure)
        AND (k.producer_ids = '{{}}' OR v.producer_id = ANY(k.producer_ids))
"""
"""The vouchers that stand for a report `v`; a new plan stands for no report of a month that was closed before it."""


def covered(*, at: str) -> str:
    """Whether a voucher that is known at an instant stands for a report `v`: then its client fee is a self-pay. SQL."""
    stands = f"SELECT FROM {closed_at()} closed CROSS JOIN LATERAL ({_COVERING.format(at=at)}) covering"
    return f"(v.resident_id IN (SELECT resident_id FROM voucher) AND EXISTS ({stands}))"


_CLAIMS = (
    f"""
INSERT INTO voucher_claim
WITH contract_known AS (
    SELECT DISTINCT ON (contract_id) producer_id, starts_on, ends_on FROM contract_version
    WHERE area = %(area)s AND recorded_at < %(cut_off)s ORDER BY contract_id, version DESC
)
SELECT DISTINCT ON (v.production_id) v.production_id, k.voucher_id, v.resident_id, v.unit_id, v.producer_id, v.node,
       v.report_id, v.performed_on, v.quantity, k.uses_granted, k.sum_granted_cents,
       coalesce(CASE k.kind WHEN 'personal_budget' THEN p.price_cents ELSE k.value_cents - k.self_pay_cents END, 0),
       CASE k.kind WHEN 'personal_budget' THEN p.fee_cents END,
       CASE WHEN NOT EXISTS (SELECT FROM contract_known c WHERE c.producer_id = v.producer_id
                AND c.starts_on <= v.performed_on AND (c.ends_on IS NULL OR c.ends_on > v.performed_on))
            THEN 'no_contract'
            WHEN NOT EXISTS (SELECT FROM producing_unit u WHERE u.unit_id = v.unit_id
                AND u.begins <= v.performed_on AND u.ends > v.performed_on) THEN 'no_scheme'
            WHEN v.referral_id IS NULL AND {needs_referral(at="%(cut_off)s")} THEN 'no_referral'
            WHEN k.kind = 'personal_budget' THEN CASE WHEN p.price_id IS NULL THEN 'no_price' ELSE p.why END END
FROM voucher_report JOIN visit v USING (production_id)
CROSS JOIN LATERAL {closed_at()} closed
CROSS JOIN LATERAL ({_COVERING.format(at="%(cut_off)s")}) k
LEFT JOIN """
    + fee_of(at="%(cut_off)s")
    + """ p ON k.kind = 'personal_budget'
WHERE v.area = %(area)s AND v.performed_on < %(end)s AND v.quantity > 0
    AND v.recorded_from < %(cut_off)s AND v.recorded_until >= %(cut_off)s
ORDER BY v.production_id, k.kind = 'personal_budget', k.closeness DESC, k.until, k.voucher_id
"""
)

_REPORTS = """
CREATE TEMP TABLE voucher_report ON COMMIT DROP AS
SELECT v.production_id FROM visit v
WHERE v.area = %(area)s AND v.performed_on >= %(first)s AND v.performed_on < %(end)s
    AND v.resident_id IN (SELECT resident_id FROM voucher WHERE area = %(area)s)
UNION SELECT production_id FROM touched_report
"""
_CONCERNED = """
CREATE TEMP TABLE voucher_concerned ON COMMIT DROP AS
SELECT voucher_id FROM voucher
WHERE area = %(area)s AND resident_id IN (SELECT v.resident_id FROM voucher_report JOIN visit v USING (production_id))
UNION SELECT u.voucher_id FROM voucher_report JOIN voucher_use u USING (production_id) WHERE u.area = %(area)s
"""
"""Vouchers of which a report is of the month or touched."""
_USED_BEFORE = """
INSERT INTO voucher_report
SELECT production_id FROM voucher_use JOIN voucher_concerned USING (voucher_id) WHERE area = %(area)s
EXCEPT SELECT production_id FROM voucher_report
"""
"""A voucher pays in the order of days, so all that ever asked for it are counted anew."""
_ANY = "SELECT FROM voucher WHERE area = %(area)s AND recorded_from < %(cut_off)s LIMIT 1"


async def stage_claims(tx: Tx, month: Month) -> bool:
    """Lay out which report which voucher pays, of those of the month, those touched, and all that a voucher of one of
    these paid before; whether the area has, or had, any voucher at all.

    A report has one voucher: one with a value per use before a personal budget, then the one whose node is closest,
    then the one that ends first. What is not paid for another reason than the grant has it beside it.
    """
    await tx.execute(
        "CREATE TEMP TABLE voucher_claim (production_id uuid, voucher_id uuid, resident_id uuid, unit_id text,"
        " producer_id text, node text, report_id text, performed_on date, quantity int, uses_granted int,"
        " sum_granted_cents bigint, rate_cents bigint, whole_cents bigint, why text) ON COMMIT DROP"
    )
    known = parameters(month, month.first)
    if await one(tx, _ANY, known) is None:
        return False
    await tx.execute(_REPORTS, known)
    await tx.execute("ANALYZE voucher_report")
    await tx.execute(_CONCERNED, known)
    await tx.execute(_USED_BEFORE, known)
    await tx.execute("ANALYZE voucher_report, voucher_concerned")
    await tx.execute(_CLAIMS, known)
    await tx.execute("ANALYZE voucher_claim")
    return True


_USES = """
INSERT INTO voucher_use (run_id, voucher_id, production_id, kind, unit_id, for_month, node, area, resident_id,
                         producer_id, uses, rate_cents, amount_cents, why)
WITH stands AS (
    SELECT voucher_id, sum(amount_cents)::bigint AS cents FROM voucher_use JOIN voucher_concerned USING (voucher_id)
    WHERE run_id = ANY(%(runs)s) GROUP BY voucher_id
),
wanted AS (
    SELECT production_id, voucher_id, resident_id, unit_id, producer_id, node, report_id, performed_on, uses_granted,
           CASE WHEN sum_granted_cents IS NOT NULL THEN greatest(sum_granted_cents, stands.cents) END
               AS sum_granted_cents,
           rate_cents, whole_cents, why, CASE WHEN why IS NULL THEN quantity ELSE 0 END AS quantity
    FROM voucher_claim JOIN voucher_concerned USING (voucher_id) LEFT JOIN stands USING (voucher_id)
),
counted AS (
    SELECT *, greatest(0, least(quantity, coalesce(uses_granted - coalesce(sum(quantity) OVER prior, 0), quantity)))
        AS uses
    FROM wanted
    WINDOW prior AS (PARTITION BY voucher_id ORDER BY performed_on, report_id, production_id
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
costing AS (
    SELECT *, CASE WHEN uses = 0 THEN 0 ELSE coalesce(whole_cents, uses * rate_cents) END AS cost_cents FROM counted
),
paid AS (
    SELECT *, greatest(0, least(cost_cents, coalesce(
        sum_granted_cents - coalesce(sum(cost_cents) OVER prior, 0), cost_cents)))::bigint AS cents
    FROM costing
    WINDOW prior AS (PARTITION BY voucher_id ORDER BY performed_on, report_id, production_id
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
now AS (
    SELECT voucher_id, production_id, resident_id, unit_id, producer_id, node,
           date_trunc('month', performed_on)::date AS for_month, rate_cents, covered.uses, cents AS amount_cents,
           coalesce(why, CASE WHEN covered.uses = 0 THEN 'beyond_the_grant' END) AS why
    FROM paid CROSS JOIN LATERAL (
        SELECT CASE WHEN cents > 0 OR cost_cents = 0 THEN paid.uses ELSE 0 END::int AS uses
    ) covered
),
stood AS (
    SELECT voucher_id, production_id, resident_id, unit_id, producer_id, node, for_month,
           sum(CASE kind WHEN 'refund' THEN -rate_cents ELSE rate_cents END)::bigint AS rate_cents,
           sum(uses)::int AS uses, sum(amount_cents)::bigint AS amount_cents,
           (array_agg(why ORDER BY run.month DESC) FILTER (WHERE kind <> 'refund'))[1] AS why
    FROM voucher_use JOIN voucher_concerned USING (voucher_id) JOIN run USING (run_id) WHERE run_id = ANY(%(runs)s)
    GROUP BY voucher_id, production_id, resident_id, unit_id, producer_id, node, for_month
    HAVING sum(CASE kind WHEN 'refund' THEN -1 ELSE 1 END) > 0
),
changed AS (
    SELECT stood AS old, now AS new
    FROM now FULL JOIN stood USING (voucher_id, production_id, resident_id, unit_id, producer_id, node, for_month)
    WHERE (now.uses, now.amount_cents, now.why) IS DISTINCT FROM (stood.uses, stood.amount_cents, stood.why)
)
SELECT %(run_id)s, (old).voucher_id, (old).production_id, 'refund', (old).unit_id, (old).for_month, (old).node,
       %(area)s, (old).resident_id, (old).producer_id, -(old).uses, (old).rate_cents, -(old).amount_cents, NULL
FROM changed WHERE (old).uses IS NOT NULL
UNION ALL
SELECT %(run_id)s, (new).voucher_id, (new).production_id,
       CASE WHEN coalesce((old).uses, 0) = 0 THEN 'original' ELSE 'correction' END, (new).unit_id, (new).for_month,
       (new).node, %(area)s, (new).resident_id, (new).producer_id, (new).uses, (new).rate_cents, (new).amount_cents,
       (new).why
FROM changed WHERE (new).uses IS NOT NULL
"""

_LINES = """
INSERT INTO {partition} (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days,
                         permille_days, rate_cents, amount_cents)
SELECT run_id, resident_id, 'voucher', kind, for_month, unit_id, production_id, producer_id, 0, 0,
       max(rate_cents), sum(amount_cents)::bigint
FROM voucher_use WHERE run_id = %(run_id)s
GROUP BY run_id, resident_id, kind, for_month, unit_id, production_id, producer_id HAVING sum(amount_cents) <> 0
"""


_NODE_USE = """
INSERT INTO node_use (run_id, producer_id, component, node, area, amount_cents)
SELECT run_id, producer_id, 'voucher', node, area, sum(amount_cents)::bigint FROM voucher_use
WHERE run_id = %(run_id)s GROUP BY run_id, producer_id, node, area HAVING sum(amount_cents) <> 0
"""


async def write_vouchers(tx: Tx, month: Month, partition: str, earlier_runs: Sequence[UUID]) -> None:
    """Write what vouchers pay for reports, and pairs where that changed; the claims are staged.

    What is not paid is remembered as a use of nothing with its reason, so that its report is accounted for.
    """
    known = {"run_id": month.run_id, "area": month.area, "runs": list(earlier_runs)}
    await tx.execute(_USES, known)
    await tx.execute(_LINES.format(partition=partition), known)
    await tx.execute(_NODE_USE, known)
