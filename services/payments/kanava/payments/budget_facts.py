"""SQL that takes over budgets and annual orders, and that counts what a run's lines cost by package node."""

from collections.abc import Sequence

from psycopg.rows import DictRow

from kanava.common.contracts import steering
from kanava.common.db import Tx

from .facts import known_since
from .month import Month

WITH_NODE = frozenset({"fee", "client_fee"})
"""Components whose lines come from a report of production, which names the node that was performed."""

_TAKE = """
INSERT INTO year_order (order_id, version, recorded_at, area, year, kind, valid_from, status, content)
VALUES (%(order_id)s, %(version)s, %(recorded_at)s, %(area)s, %(year)s, %(kind)s, %(valid_from)s, %(status)s,
        %(content)s::jsonb) ON CONFLICT DO NOTHING
"""


async def merge_orders(tx: Tx, facts: Sequence[steering.Order]) -> int:
    """Take over versions of budgets and annual orders; returns how many were new."""
    since, taken = await known_since(tx), 0
    for fact in facts:
        content = fact.budget if fact.kind == "budget" else fact.annual_order
        fields = fact.model_dump(exclude={"budget", "annual_order"}) | {
            "recorded_at": max(fact.recorded_at, since),
            "content": content.model_dump_json() if content else None,
        }
        taken += (await tx.execute(_TAKE, fields)).rowcount
    return taken


_COUNT = """
INSERT INTO node_use (run_id, producer_id, component, node, area, amount_cents)
SELECT l.run_id, l.producer_id, l.component, v.node, %(area)s, sum(l.amount_cents)::bigint
FROM line l
JOIN visit v ON v.production_id = l.source
    AND v.recorded_from < CASE l.kind WHEN 'refund' THEN %(previous)s ELSE %(cut_off)s END
    AND v.recorded_until >= CASE l.kind WHEN 'refund' THEN %(previous)s ELSE %(cut_off)s END
WHERE l.run_id = %(run_id)s AND l.component = ANY(%(components)s)
GROUP BY l.run_id, l.producer_id, l.component, v.node
"""

_COUNT_VOUCHERS = """
INSERT INTO node_use (run_id, producer_id, component, node, area, amount_cents)
SELECT run_id, producer_id, 'voucher', node, area, sum(amount_cents)::bigint FROM voucher_use
WHERE run_id = %(run_id)s GROUP BY run_id, producer_id, node, area HAVING sum(amount_cents) <> 0
"""


async def count_use(tx: Tx, month: Month, sums: Sequence[DictRow]) -> int:
    """Count the cost of a run's lines by node; a refund falls on the node of the report as it stood before.

    `sums` are the run's, by producer and component: without one that has nodes, no line is read.
    """
    of_vouchers = (await tx.execute(_COUNT_VOUCHERS, {"run_id": month.run_id})).rowcount
    if not any(row["component"] in WITH_NODE for row in sums):
        return of_vouchers
    known = {
        "run_id": month.run_id,
        "area": month.area,
        "cut_off": month.cut_off,
        "previous": month.previous_cut_off or month.cut_off,
        "components": sorted(WITH_NODE),
    }
    return of_vouchers + (await tx.execute(_COUNT, known)).rowcount
