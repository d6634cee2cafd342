"""SQL that writes orders, budgets and sanctions, and that reads with a lock for a write. No decisions, no commit."""

from collections.abc import Sequence
from datetime import date, datetime

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

_IN_FORCE = """
    WITH in_force AS (
        SELECT DISTINCT ON (code) package_id, code FROM package WHERE valid_from <= %(day)s
        ORDER BY code, valid_from DESC, number DESC
    )
"""


async def newest_order(tx: Tx, order_id: str) -> DictRow | None:
    """The newest version of an order or a budget; the caller holds its name."""
    query = "SELECT * FROM year_order WHERE order_id = %s ORDER BY version DESC LIMIT 1"
    return await one(tx, query, (order_id,))


async def prices_on(tx: Tx, area: str, nodes: Sequence[str], day: date) -> dict[tuple[str, str], int]:
    """The organiser's prices in cents that hold on a day, by node and unit of measure."""
    query = """
        SELECT DISTINCT ON (node, unit_of_measure) node, unit_of_measure, price_cents FROM price
        WHERE area = %s AND node = ANY(%s) AND valid_from <= %s
        ORDER BY node, unit_of_measure, valid_from DESC, version DESC
    """
    found = await rows(tx, query, (area, list(nodes), day))
    return {(row["node"], row["unit_of_measure"]): row["price_cents"] for row in found}


async def nodes_on(tx: Tx, nodes: Sequence[str], day: date) -> frozenset[str]:
    """Those of the codes that are a package in force on a day, or a node of one."""
    query = f"""
        {_IN_FORCE}
        SELECT code FROM in_force WHERE code = ANY(%(nodes)s)
        UNION SELECT n.code FROM package_node n JOIN in_force USING (package_id) WHERE n.code = ANY(%(nodes)s)
    """
    return frozenset(row["code"] for row in await rows(tx, query, {"day": day, "nodes": list(nodes)}))


async def units_below(tx: Tx, package: str, day: date) -> dict[str, frozenset[str]]:
    """For each node of a package in force on a day the units of measure of it and of all below it; empty if none."""
    query = f"""
        {_IN_FORCE}
        SELECT above.code, array_agg(DISTINCT taken) FILTER (WHERE taken IS NOT NULL) AS units
        FROM in_force JOIN package_node above USING (package_id)
        JOIN package_node below ON below.package_id = above.package_id
            AND (below.code = above.code OR starts_with(below.code, above.code || '.'))
        LEFT JOIN LATERAL unnest(below.units) taken ON true
        WHERE in_force.code = %(package)s GROUP BY above.code
    """
    found = await rows(tx, query, {"day": day, "package": package})
    return {row["code"]: frozenset(row["units"] or ()) for row in found}


async def producers_of(tx: Tx, area: str) -> frozenset[str]:
    """The producers of an area, whatever their standing."""
    found = await rows(tx, "SELECT producer_id FROM producer WHERE area = %s", (area,))
    return frozenset(row["producer_id"] for row in found)


async def contract_holder(tx: Tx, contract_id: str) -> str | None:
    """The producer that holds a contract; None when there is no such contract."""
    row = await one(tx, "SELECT producer_id FROM contract WHERE contract_id = %s", (contract_id,))
    return row["producer_id"] if row else None


async def steps_taken(tx: Tx, producer_id: str) -> list[int]:
    """The steps of the ladder that stand against a producer: those that were not withdrawn."""
    query = "SELECT step FROM sanction WHERE producer_id = %s AND status <> 'withdrawn'"
    return [row["step"] for row in await rows(tx, query, (producer_id,))]


async def sanction(tx: Tx, sanction_id: str) -> DictRow | None:
    """A sanction as it stands."""
    return await one(tx, "SELECT * FROM sanction WHERE sanction_id = %s", (sanction_id,))


async def change_sanction(tx: Tx, sanction_id: str, *, status: str, amount_cents: int | None, now: datetime) -> DictRow:
    """Set the standing and the sum of a sanction whose producer is locked."""
    query = """
        UPDATE sanction SET version = version + 1, status = %s, amount_cents = %s, recorded_at = %s
        WHERE sanction_id = %s RETURNING *
    """
    row = await one(tx, query, (status, amount_cents, now, sanction_id))
    assert row is not None, "a sanction of a locked producer vanished"
    return row
