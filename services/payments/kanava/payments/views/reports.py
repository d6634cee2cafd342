"""SQL that sums what was spent, by month and component: of an area, producer, municipality, package or resident."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

from .nodes import BY_NODE, NODE_OF_LINE


@dataclass(frozen=True)
class Window:
    """Months (their first days) of a report, `until` included, and the page of it: behind month and component."""

    since: date
    until: date
    after: tuple[date, str]
    limit: int

    @property
    def parameters(self) -> dict[str, object]:
        """What the queries name."""
        month, component = self.after
        return {
            "since": self.since,
            "until": self.until,
            "month": month,
            "component": component,
            "limit": self.limit,
        }


_OF_STATEMENTS = """
SELECT to_char(s.month, 'YYYY-MM') AS month, t.component, sum(t.lines)::int AS lines,
       sum(t.amount_cents)::bigint AS amount_cents
FROM statement s JOIN statement_sum t USING (statement_id)
WHERE s.month BETWEEN %(since)s AND %(until)s AND (%(area)s::text IS NULL OR s.area = %(area)s)
  AND (%(producer)s::text IS NULL OR s.producer_id = %(producer)s)
  AND (s.month, t.component) > (%(month)s::date, %(component)s)
GROUP BY s.month, t.component ORDER BY s.month, t.component LIMIT %(limit)s
"""


async def of_statements(tx: Tx, window: Window, *, area: str | None, producer: str | None) -> list[DictRow]:
    """Sums of the statements of an area, or of one producer, by the month that they are of."""
    return await rows(tx, _OF_STATEMENTS, window.parameters | {"area": area, "producer": producer})


_OF_MUNICIPALITY = """
SELECT to_char(r.month, 'YYYY-MM') AS month, l.component, count(*)::int AS lines,
       sum(l.amount_cents)::bigint AS amount_cents
FROM line l JOIN run r USING (run_id) JOIN unit u USING (unit_id)
WHERE l.run_id = ANY(%(runs)s) AND u.municipality = %(municipality)s
  AND (r.month, l.component) > (%(month)s::date, %(component)s)
GROUP BY r.month, l.component ORDER BY r.month, l.component LIMIT %(limit)s
"""


async def of_municipality(tx: Tx, window: Window, municipality: str, areas: Sequence[str]) -> list[DictRow]:
    """Sums of the lines of units in a municipality, by the month of the statement that they stand on.

    A unit that a report named before registry told of it has no municipality yet; its lines count once it has.
    """
    runs = await _runs(tx, window, areas)
    return await rows(tx, _OF_MUNICIPALITY, window.parameters | {"municipality": municipality, "runs": runs})


async def areas_of_municipality(tx: Tx, municipality: str) -> list[str]:
    """The areas that have units in a municipality."""
    query = "SELECT DISTINCT area FROM unit WHERE municipality = %s ORDER BY area"
    return [row["area"] for row in await rows(tx, query, (municipality,))]


_OF_PACKAGE = """
WITH RECURSIVE node AS (
    SELECT %(node)s::text AS code UNION SELECT n.code FROM node_name n JOIN node ON n.parent = node.code
)
SELECT to_char(r.month, 'YYYY-MM') AS month, u.component, sum(u.amount_cents)::bigint AS amount_cents
FROM node_use u JOIN node ON node.code = u.node JOIN run r USING (run_id)
WHERE u.run_id = ANY(%(runs)s) AND (r.month, u.component) > (%(month)s::date, %(component)s)
GROUP BY r.month, u.component HAVING sum(u.amount_cents) <> 0
ORDER BY r.month, u.component LIMIT %(limit)s
"""


async def of_package(tx: Tx, window: Window, node: str, area: str) -> list[DictRow]:
    """Sums of what was paid in an area for a node of a package and all nodes below it.

    A report that was corrected to another node stands under each for what the runs paid, and moved away, there.
    """
    runs = await _runs(tx, window, [area])
    return await rows(tx, _OF_PACKAGE, window.parameters | {"node": node, "runs": runs})


async def _runs(tx: Tx, window: Window, areas: Sequence[str]) -> list[UUID]:
    query = "SELECT run_id FROM run WHERE area = ANY(%s) AND month BETWEEN %s AND %s AND status = 'closed'"
    return [row["run_id"] for row in await rows(tx, query, (list(areas), window.since, window.until))]


async def producer_areas(tx: Tx, producer_id: str) -> list[str]:
    """The areas in which a producer has statements or is known."""
    query = (
        "SELECT area FROM producer WHERE producer_id = %(id)s"
        " UNION SELECT area FROM statement WHERE producer_id = %(id)s ORDER BY area"
    )
    return [row["area"] for row in await rows(tx, query, {"id": producer_id})]


_OF_RESIDENT = f"""
SELECT to_char(for_month, 'YYYY-MM') AS month, producer_id, producer, component, node, product,
       sum(cents)::bigint AS amount_cents
FROM (
    SELECT l.for_month, l.producer_id, p.name AS producer, l.component, v.node, n.name_fi AS product,
           l.amount_cents AS cents
    FROM line l JOIN run r USING (run_id) LEFT JOIN producer p USING (producer_id) {NODE_OF_LINE}
    LEFT JOIN node_name n ON n.code = v.node
    WHERE l.resident_id = %(resident)s AND l.for_month BETWEEN %(since)s AND %(until)s
    UNION ALL
    SELECT d.for_month, NULL, NULL, 'benefit', NULL, d.kind, d.change_cents
    FROM benefit_decision d WHERE d.resident_id = %(resident)s AND d.for_month BETWEEN %(since)s AND %(until)s
) spent
GROUP BY for_month, producer_id, producer, component, node, product HAVING sum(cents) <> 0
ORDER BY for_month, producer_id, component, node NULLS FIRST, product LIMIT %(limit)s OFFSET %(offset)s
"""


async def of_resident(tx: Tx, parameters: dict[str, object]) -> list[DictRow]:
    """What was spent for a resident by the month it was for, with the names of producer and product; cents.

    Benefits (etuudet) are the component `benefit`, with their kind as the product. What came to nothing is left out.

    `parameters`: resident, since, until, limit, offset.
    """
    return await rows(tx, _OF_RESIDENT, parameters | {"by_node": list(BY_NODE)})
