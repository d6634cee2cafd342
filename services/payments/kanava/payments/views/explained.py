"""SQL that reads a statement line by line, each with the rule and the fact that stand behind it.

A line does not store its rule: facts, prices and models are kept as they were known when, so the same query as of
the run's cut-off finds the very rows that the run used. A refund is explained as of the run whose line it takes back.
"""

from collections.abc import Sequence
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

from ..prices import fee_of, total_of

FIRST_LINE = (str(UUID(int=0)), "", "", "0001-01-01", "", str(UUID(int=0)))
"""The place before the first line, in the order of a line's key."""

_LINES = (
    """
WITH page AS (
    SELECT l.*, r.area, r.cut_off, r.month FROM line l JOIN run r USING (run_id)
    WHERE l.run_id = %(run_id)s AND l.producer_id = %(producer_id)s
      AND (l.resident_id, l.component, l.kind, l.for_month, l.unit_id, l.source)
          > (%(resident)s, %(component)s, %(kind)s, %(for_month)s::date, %(unit)s, %(source)s)
    ORDER BY l.resident_id, l.component, l.kind, l.for_month, l.unit_id, l.source LIMIT %(limit)s
)
SELECT l.resident_id, l.component, l.kind, to_char(l.for_month, 'YYYY-MM') AS for_month, l.unit_id, l.producer_id,
       nullif(l.source, '00000000-0000-0000-0000-000000000000') AS source, l.days, l.permille_days, l.rate_cents,
       l.amount_cents, coalesce(model.document_id, price.price_id, granted.voucher_id, decided.performance_id,
                                contested.dispute_id) AS rule,
       CASE WHEN model.document_id IS NOT NULL THEN 'compensation_model' WHEN price.price_id IS NOT NULL THEN 'price'
            WHEN granted.voucher_id IS NOT NULL THEN 'voucher'
            WHEN decided.performance_id IS NOT NULL THEN 'performance_decision'
            WHEN l.component = 'adjustment' THEN 'dispute' END AS rule_kind, decided.reason,
       CASE WHEN l.component = 'capitation' THEN 'kanava.listing.listing.v1'
            WHEN l.component = 'incentive' THEN 'kanava.monitoring.snapshot.v1'
            WHEN visit.version IS NOT NULL THEN 'kanava.monitoring.production.v1' END AS fact_topic,
       CASE WHEN l.component = 'capitation' THEN l.resident_id
            WHEN l.component = 'incentive' OR visit.version IS NOT NULL THEN l.source END AS fact_key,
       coalesce(visit.version, listed.version, CASE WHEN l.component = 'incentive' THEN 1 END)
           AS fact_version, visit.report_id, visit.node,
       coalesce(visit.performed_on, decided.performed_on) AS performed_on,
       visit.quantity, node_name.name_fi AS product, coalesce(stood.run_id, contested.run_id) AS corrects_run,
       to_char(coalesce(stood.month, contested.month), 'YYYY-MM') AS corrects_statement_of
FROM page l
LEFT JOIN unit u ON u.unit_id = l.unit_id
LEFT JOIN LATERAL (
    SELECT e.run_id, er.cut_off, er.month FROM line e JOIN run er USING (run_id)
    WHERE l.kind <> 'original' AND e.run_id = ANY(%(earlier)s) AND e.resident_id = l.resident_id
      AND e.component = l.component AND e.kind <> 'refund' AND e.for_month = l.for_month AND e.unit_id = l.unit_id
      AND e.source = l.source ORDER BY er.month DESC LIMIT 1
) stood ON true
CROSS JOIN LATERAL (SELECT CASE WHEN l.kind = 'refund' THEN coalesce(stood.cut_off, l.cut_off) ELSE l.cut_off END AS at)
    known
LEFT JOIN LATERAL (
    SELECT v.version, v.report_id, v.node, v.performed_on, v.quantity, v.unit_of_measure, v.weight_ten_thousandths,
        v.referral_id FROM visit v
    WHERE v.production_id = l.source AND v.recorded_from < known.at ORDER BY v.version DESC LIMIT 1
) visit ON l.component IN ('fee', 'client_fee', 'voucher')
LEFT JOIN """
    + fee_of(visit="visit", area="l.area", at="known.at")
    + """ own ON l.component = 'fee'
LEFT JOIN """
    + total_of(visit="visit", area="l.area", at="known.at")
    + """ whole ON l.component = 'fee' AND own.price_id IS NULL
CROSS JOIN LATERAL (SELECT coalesce(own.price_id, whole.price_id) AS price_id) price
LEFT JOIN LATERAL (
    SELECT newest.compensation_model AS document_id FROM (
        SELECT compensation_model FROM scheme_phase s
        WHERE s.area = l.area AND s.municipality = u.municipality AND s.recorded_at < known.at
          AND s.entered_on < l.for_month + interval '1 month' ORDER BY s.version DESC LIMIT 1
    ) newest
) model ON l.component IN ('capitation', 'incentive')
LEFT JOIN LATERAL (
    SELECT version FROM span s WHERE s.resident_id = l.resident_id AND s.recorded_from < known.at
      AND s.recorded_until >= known.at LIMIT 1
) listed ON l.component = 'capitation'
LEFT JOIN LATERAL (
    SELECT voucher_id::text FROM voucher_use n WHERE n.production_id = l.source AND n.run_id = l.run_id
      AND n.kind = l.kind AND n.unit_id = l.unit_id AND n.for_month = l.for_month ORDER BY voucher_id LIMIT 1
) granted ON l.component = 'voucher'
LEFT JOIN LATERAL (
    SELECT d.performance_id::text, d.performed_on, CASE l.kind WHEN 'refund' THEN r.reason ELSE d.reason END AS reason
    FROM performance_decision d LEFT JOIN performance_revocation r USING (performance_id)
    WHERE d.performance_id = l.source
) decided ON l.component = 'performance'
LEFT JOIN LATERAL (
    SELECT d.dispute_id::text, s.run_id, s.month FROM dispute d JOIN statement s USING (statement_id)
    WHERE d.dispute_id = l.source
) contested ON l.component = 'adjustment'
LEFT JOIN node_name ON node_name.code = visit.node
ORDER BY l.resident_id, l.component, l.kind, l.for_month, l.unit_id, l.source
"""
)


async def lines(tx: Tx, statement: DictRow, *, after: Sequence[str] = FIRST_LINE, limit: int) -> list[DictRow]:
    """Lines of a statement behind a place in their order, each with its rule, its fact and what it corrects."""
    earlier = await rows(
        tx,
        "SELECT run_id FROM run WHERE area = %s AND month < %s AND status = 'closed'",
        (statement["area"], statement["month"]),
    )
    names = ("resident", "component", "kind", "for_month", "unit", "source")
    known = {"run_id": statement["run_id"], "producer_id": statement["producer_id"], "limit": limit}
    place = dict(zip(names, after, strict=True)) | {"earlier": [row["run_id"] for row in earlier]}
    return await rows(tx, _LINES, known | place)


def place_of(line: DictRow) -> tuple[str, ...]:
    """The place of a line in their order."""
    names = ("resident_id", "component", "kind", "for_month", "unit_id")
    values = [str(line[name]) for name in names]
    values[3] += "-01"
    return (*values, str(line["source"] or FIRST_LINE[5]))


_HEAD = """
SELECT s.*, p.name AS producer, p.kind AS producer_kind, r.cut_off, r.digest, f.ground, f.reasons AS final_reasons,
       f.drawn_at AS final_drawn_at, pay.status AS bank_status, pay.bank_reason, pay.amount_cents AS bank_cents,
       pay.end_to_end_id, pay.created_at AS released_at
FROM statement s LEFT JOIN producer p USING (producer_id) LEFT JOIN run r USING (run_id)
LEFT JOIN final_statement f USING (statement_id)
LEFT JOIN LATERAL (
    SELECT payment.*, payout.created_at FROM payment JOIN payout USING (payout_id)
    WHERE payment.statement_id = s.statement_id ORDER BY payout.created_at DESC, payment.end_to_end_id DESC LIMIT 1
) pay ON true
WHERE s.statement_id = %s
"""


async def head(tx: Tx, statement_id: UUID) -> DictRow | None:
    """A statement with its producer, its run and what the bank last said of its payment."""
    return await _first(tx, _HEAD, statement_id)


async def _first(tx: Tx, query: str, statement_id: UUID) -> DictRow | None:
    found = await rows(tx, query, (statement_id,))
    return found[0] if found else None


async def component_sums(tx: Tx, statement_id: UUID) -> list[DictRow]:
    """The sums of a statement by component: lines and cents."""
    return await rows(
        tx,
        "SELECT component, lines, amount_cents FROM statement_sum WHERE statement_id = %s ORDER BY component",
        (statement_id,),
    )
