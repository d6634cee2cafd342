"""SQL that reads the budget of an area and year, and what was used of it."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.contracts import steering
from kanava.common.db import Tx, rows

from ..domain import budgets
from ..domain.budgets import Line, Ordered, Plan, Standing, Use

_IN_FORCE = """
SELECT * FROM (
    SELECT DISTINCT ON (order_id) order_id, kind, status, content FROM year_order
    WHERE area = %(area)s AND year = %(year)s AND valid_from <= greatest(%(day)s::date, make_date(%(year)s, 1, 1))
    ORDER BY order_id, version DESC
) newest WHERE status = 'in_force' AND content IS NOT NULL ORDER BY order_id
"""


async def granted(tx: Tx, area: str, year: int, day: date) -> tuple[list[steering.BudgetLine], list[Ordered]]:
    """The lines of the budget and what annual orders encumber, as they hold on a day (or when the year begins)."""
    lines: list[steering.BudgetLine] = []
    orders: list[Ordered] = []
    for row in await rows(tx, _IN_FORCE, {"area": area, "year": year, "day": day}):
        if row["kind"] == "budget":
            lines += steering.Budget.model_validate(row["content"]).lines
        else:
            orders += _ordered(steering.AnnualOrder.model_validate(row["content"]))
    return lines, orders


def _ordered(order: steering.AnnualOrder) -> list[Ordered]:
    return [
        Ordered(line.budget_line, order.producer_id, line.node, line.quantity * line.price_cents)
        for line in order.lines
        if line.budget_line is not None
    ]


_DRAWING = """
SELECT s.run_id, s.producer_id, s.month, s.statement_id AS sums_id, coalesce(f.statement_id, s.statement_id)
       AS statement_id, coalesce(f.status, s.status) AS status
FROM statement s LEFT JOIN LATERAL (
    SELECT final.statement_id, final.status FROM statement_offset o JOIN statement final
        ON final.statement_id = o.into_id AND final.kind = 'final'
    WHERE o.statement_id = s.statement_id AND NOT (s.amount_cents < 0 AND EXISTS (
        SELECT FROM entry e WHERE e.area = s.area AND e.kind = 'receivable' AND e.reference = s.statement_id))
    LIMIT 1
) f ON true
WHERE s.kind = 'month' AND {which}
"""
"""The statements of months, each with the statement that pays it and its status: itself, or the final one that gathered
it. A receivable was taken when it came to be, so it draws by itself."""
_USES = f"""
SELECT s.statement_id, s.producer_id, s.month, n.node, n.amount_cents, s.status
FROM ({_DRAWING}) s JOIN node_use n USING (run_id, producer_id)
UNION ALL
SELECT s.statement_id, s.producer_id, s.month, NULL, t.amount_cents - coalesce(n.amount_cents, 0), s.status
FROM ({_DRAWING}) s
JOIN (SELECT statement_id AS sums_id, sum(amount_cents) AS amount_cents FROM statement_sum GROUP BY statement_id) t
    USING (sums_id)
LEFT JOIN (SELECT run_id, producer_id, sum(amount_cents) AS amount_cents FROM node_use GROUP BY run_id, producer_id) n
    USING (run_id, producer_id)
"""
_OF_YEAR = "s.area = %(area)s AND s.month >= make_date(%(year)s, 1, 1) AND s.month < make_date(%(year)s + 1, 1, 1)"
_BY_NODE = f"""
SELECT producer_id, node, sum(amount_cents)::bigint AS amount_cents FROM ({_USES.format(which=_OF_YEAR)}) used
WHERE NOT %(taken)s OR status IN ('released', 'settled', 'booked', 'receivable')
GROUP BY producer_id, node ORDER BY producer_id, node
"""
_PAID_BY = """(s.statement_id = ANY(%(ids)s) OR s.statement_id IN (
    SELECT o.statement_id FROM statement_offset o WHERE o.into_id = ANY(%(ids)s)))"""
_BY_STATEMENT = f"""
SELECT statement_id, producer_id, extract(year FROM month)::int AS year, node, sum(amount_cents)::bigint AS amount_cents
FROM ({_USES.format(which=_PAID_BY)}) used WHERE statement_id = ANY(%(ids)s)
GROUP BY statement_id, producer_id, year, node ORDER BY statement_id, year, node
"""


async def uses_of_year(tx: Tx, area: str, year: int, *, taken: bool) -> list[Use]:
    """What a year's months cost an area, by producer and node: all that was charged, or what payouts took."""
    return [_use(row) for row in await rows(tx, _BY_NODE, {"area": area, "year": year, "taken": taken})]


async def uses_of(tx: Tx, statement_ids: Sequence[UUID]) -> dict[UUID, dict[int, tuple[Use, ...]]]:
    """What statements cost, by year and node; a line without a node (as capitation) has None.

    A final statement costs what the months that it gathered cost.
    """
    found: dict[UUID, dict[int, tuple[Use, ...]]] = {statement_id: {} for statement_id in statement_ids}
    for row in await rows(tx, _BY_STATEMENT, {"ids": list(statement_ids)}):
        years = found[row["statement_id"]]
        years[row["year"]] = (*years.get(row["year"], ()), _use(row))
    return found


def _use(row: DictRow) -> Use:
    return Use(row["producer_id"], row["node"], row["amount_cents"])


async def plan(tx: Tx, area: str, year: int, day: date) -> Plan:
    """The budget of a year as a payout sees it on a day: used is what payouts took."""
    lines, orders = await granted(tx, area, year, day)
    if not lines:
        return budgets.opened((), ())
    return budgets.opened(_lines(lines), orders, await uses_of_year(tx, area, year, taken=True))


def _lines(lines: Sequence[steering.BudgetLine]) -> list[Line]:
    return [Line(**line.model_dump(exclude={"name_fi"})) for line in lines]


async def standing_lines(tx: Tx, area: str, year: int, day: date) -> list[dict[str, object]]:
    """The lines of a budget with what was charged, encumbered and is left, what is unpaid of it, and breaches."""
    lines, orders = await granted(tx, area, year, day)
    charged = budgets.opened(_lines(lines), orders, await uses_of_year(tx, area, year, taken=False))
    taken = budgets.opened(_lines(lines), orders, await uses_of_year(tx, area, year, taken=True))
    paid = {one.line.line: one.used_cents for one in budgets.standings(taken)}
    names = {line.line: line.name_fi for line in lines}
    return [_shown(one, names[one.line.line], paid[one.line.line]) for one in budgets.standings(charged)]


def _shown(one: Standing, name_fi: str, paid_cents: int) -> dict[str, object]:
    line = one.line
    return {
        "line": line.line,
        "name_fi": name_fi,
        "kind": line.kind,
        "producer_id": line.producer_id,
        "nodes": line.nodes,
        "on_breach": "refuse" if budgets.is_limit(line) else "flag",
        "amount_cents": line.amount_cents,
        "used_cents": one.used_cents,
        "encumbered_cents": one.encumbered_cents,
        "left_cents": one.left_cents,
        "unpaid_cents": one.used_cents - paid_cents,
        "breached": one.left_cents < 0,
    }
