"""SQL that reads costs by cost class: of an area from its books, of a municipality from its units' lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from psycopg.rows import DictRow

from kanava.common.clock import add_months
from kanava.common.db import Tx, rows

from ..cost_classes import class_tables
from ..domain.chart import COST_OF, Account
from ..domain.cost_classes import ClassSum, Cost, sums_by_class
from ..domain.trial_balance import AccountClass, class_of
from .dated import DATED_ENTRIES
from .nodes import BY_NODE, NODE_OF_LINE
from .reports import areas_of_municipality


@dataclass(frozen=True)
class CostClasses:
    """What some months cost by class and kind, and all of it; cents."""

    sums: list[ClassSum]
    total_cents: int


COSTS = tuple(account for account in Account if class_of(account) is AccountClass.COST)

_OF_AREA = f"""
WITH dated AS MATERIALIZED (
    SELECT d.seq, d.kind, d.reference, date_trunc('month', d.value_date)::date AS month FROM ({DATED_ENTRIES}) d
    WHERE d.value_date >= %(since)s AND d.value_date < %(before)s
)
SELECT d.month, p.account, CASE WHEN p.account = %(benefit)s THEN p.party ELSE '' END AS benefit, '' AS node,
       sum(p.amount_cents)::bigint AS amount_cents
FROM dated d JOIN posting p ON p.area = %(area)s AND p.seq = d.seq
WHERE p.account = ANY(%(accounts)s) AND NOT (d.kind = 'cost' AND p.component = ANY(%(by_node)s))
GROUP BY 1, 2, 3
UNION ALL
SELECT d.month, n.component, '', side.node, sum(side.cents)::bigint
FROM (SELECT DISTINCT reference, month FROM dated WHERE kind = 'cost') d JOIN node_use n ON n.run_id = d.reference
CROSS JOIN LATERAL (VALUES (n.node, n.amount_cents), ('', CASE WHEN n.component = ANY(%(by_node)s) THEN 0
    ELSE -n.amount_cents END)) side (node, cents)
GROUP BY 1, 2, 4
"""
"""What is always of a node is read by node alone. An adjustment is of a node only where a fee is adjusted: that part of
its posting goes from no node to the one that it used."""


async def of_area(tx: Tx, area: str, since: date, until: date) -> CostClasses:
    """All costs in an area's books from a month to a month, `until` included, by what they are for.

    Fees and vouchers are split by the use of nodes, whose sum is what was posted.
    """
    asked = {
        "area": area,
        "since": since,
        "before": add_months(until, 1),
        "accounts": [account.value for account in COSTS],
        "benefit": Account.BENEFIT.value,
        "by_node": list(BY_NODE),
    }
    return await _classed(tx, await rows(tx, _OF_AREA, asked))


_OF_MUNICIPALITY = f"""
SELECT r.month, l.component AS account, '' AS benefit, coalesce(v.node, '') AS node,
       sum(l.amount_cents)::bigint AS amount_cents
FROM run r JOIN line l USING (run_id) JOIN unit u USING (unit_id) {NODE_OF_LINE}
WHERE r.area = ANY(%(areas)s) AND r.month BETWEEN %(since)s AND %(until)s AND r.status = 'closed'
  AND u.municipality = %(municipality)s
GROUP BY 1, 2, 4
"""


async def of_municipality(tx: Tx, municipality: str, since: date, until: date) -> CostClasses:
    """What residents' lines of a municipality's units cost by what they are for."""
    areas = await areas_of_municipality(tx, municipality)
    asked = {"areas": areas, "municipality": municipality, "since": since, "until": until, "by_node": list(BY_NODE)}
    return await _classed(tx, await rows(tx, _OF_MUNICIPALITY, asked))


async def _classed(tx: Tx, found: Sequence[DictRow]) -> CostClasses:
    parents = {row["code"]: row["parent"] for row in await rows(tx, "SELECT code, parent FROM node_name")}
    costs = [Cost(**row | {"account": COST_OF.get(row["account"]) or Account(row["account"])}) for row in found]
    sums = sums_by_class(costs, class_tables(), parents)
    return CostClasses(list(sums), sum(one.amount_cents for one in sums))
