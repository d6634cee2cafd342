"""SQL that writes, and that reads with a lock for a write. No decisions, no commit."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from psycopg import sql
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from kanava.common.db import Tx, one, rows

from .domain.packages import Node


async def lock_name(tx: Tx, name: str) -> None:
    """Hold a name until the commit, so that its next number is given once, where there is no row to lock."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))


async def insert(tx: Tx, table: str, row: Mapping[str, Any]) -> DictRow:
    """Insert a row whose keys are the table's columns; a dict becomes JSON. Returns the row as stored."""
    query = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING *").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )
    values = [Jsonb(value) if isinstance(value, dict) else value for value in row.values()]
    stored = await (await tx.execute(query, values)).fetchone()
    assert stored is not None, "an insert returned nothing"
    return stored


async def next_document_number(tx: Tx, area: str, kind: str) -> int:
    """The number of the next version of a kind of document in an area; the caller holds its name."""
    query = "SELECT coalesce(max(number), 0) + 1 AS next FROM document WHERE area = %s AND kind = %s"
    return await _next(tx, query, (area, kind))


async def next_package_number(tx: Tx, code: str) -> int:
    """The number of the next version of a package; the caller holds its name."""
    return await _next(tx, "SELECT coalesce(max(number), 0) + 1 AS next FROM package WHERE code = %s", (code,))


async def next_price_version(tx: Tx, price_id: str) -> int:
    """The next version of a price; the caller holds its name."""
    query = "SELECT coalesce(max(version), 0) + 1 AS next FROM price WHERE price_id = %s"
    return await _next(tx, query, (price_id,))


async def next_number(tx: Tx, table: str, *, of: tuple[str, str]) -> int:
    """The next number in `table` among the rows `of` one (column, value), whose own row the caller has locked."""
    query = sql.SQL("SELECT coalesce(max(number), 0) + 1 AS next FROM {} WHERE {} = %s")
    cursor = await tx.execute(query.format(sql.Identifier(table), sql.Identifier(of[0])), of[1:])
    row = await cursor.fetchone()
    assert row is not None, "an aggregate returned nothing"
    return int(row["next"])


async def next_revision(tx: Tx, producer_id: str) -> int:
    """The next revision of a producer's checklist."""
    query = "SELECT coalesce(max(revision), 0) + 1 AS next FROM checklist_statement WHERE producer_id = %s"
    return await _next(tx, query, (producer_id,))


async def _next(tx: Tx, query: str, parameters: tuple[Any, ...]) -> int:
    row = await one(tx, query, parameters)
    assert row is not None, "an aggregate returned nothing"
    return int(row["next"])


async def document(tx: Tx, document_id: str) -> DictRow | None:
    """A document by its id."""
    return await one(tx, "SELECT * FROM document WHERE document_id = %s", (document_id,))


async def documents(tx: Tx, area: str, kind: str) -> list[DictRow]:
    """All versions of a kind of document in an area."""
    query = "SELECT document_id, number, valid_from FROM document WHERE area = %s AND kind = %s ORDER BY number"
    return await rows(tx, query, (area, kind))


async def insert_nodes(tx: Tx, package_id: str, nodes: list[Node]) -> None:
    """Store the nodes of a package version in reading order."""
    query = """
        INSERT INTO package_node (package_id, code, place, parent, level, name_fi, choice, price_basis, units,
            care_criteria, source_lines)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    """
    async with tx.cursor() as cursor:
        await cursor.executemany(query, [_node_row(package_id, place, node) for place, node in enumerate(nodes, 1)])


def _node_row(package_id: str, place: int, node: Node) -> tuple[Any, ...]:
    own = node.inherited
    attributes = (
        own.choice,
        own.price_basis,
        list(node.units),
        list(own.care_criteria),
        list(node.source_lines),
    )
    return (package_id, node.code, place, node.parent, node.level, node.name_fi, *attributes)


async def units_of_node(tx: Tx, node: str, day: date) -> list[str] | None:
    """The units of measure of a node in the package versions in force on a day; None if it is in none."""
    query = """
        WITH in_force AS (
            SELECT DISTINCT ON (code) package_id FROM package WHERE valid_from <= %s
            ORDER BY code, valid_from DESC, number DESC
        )
        SELECT units FROM package_node JOIN in_force USING (package_id) WHERE code = %s
    """
    row = await one(tx, query, (day, node))
    return row["units"] if row else None


async def lock_scheme(tx: Tx, scheme_id: str) -> DictRow | None:
    """A scheme, locked until the commit."""
    return await one(tx, "SELECT * FROM scheme WHERE scheme_id = %s FOR UPDATE", (scheme_id,))


async def scheme_of_municipality(tx: Tx, municipality: str) -> DictRow | None:
    """The scheme of a municipality."""
    return await one(tx, "SELECT * FROM scheme WHERE municipality = %s", (municipality,))


async def comments_unanswered(tx: Tx, scheme_id: str) -> int:
    """How many comments on a scheme have no answer."""
    query = """
        SELECT count(*) AS open FROM scheme_comment WHERE scheme_id = %s
            AND (scheme_id, number) NOT IN (SELECT scheme_id, number FROM scheme_answer)
    """
    row = await one(tx, query, (scheme_id,))
    assert row is not None, "an aggregate returned nothing"
    return int(row["open"])


async def comment(tx: Tx, scheme_id: str, number: int) -> DictRow | None:
    """A comment with its answer, where it has one."""
    query = """
        SELECT c.*, a.text AS answer FROM scheme_comment c LEFT JOIN scheme_answer a USING (scheme_id, number)
        WHERE scheme_id = %s AND number = %s
    """
    return await one(tx, query, (scheme_id, number))


async def latest_scheme_decision(tx: Tx, scheme_id: str) -> DictRow | None:
    """The municipality's latest decision on a scheme."""
    query = "SELECT * FROM scheme_decision WHERE scheme_id = %s ORDER BY number DESC LIMIT 1"
    return await one(tx, query, (scheme_id,))


async def scheme_phase_entered_on(tx: Tx, scheme_id: str, phase: int) -> date:
    """The day on which a scheme entered a phase that it has been in."""
    query = "SELECT entered_on FROM scheme_phase WHERE scheme_id = %s AND phase = %s"
    row = await one(tx, query, (scheme_id, phase))
    assert row is not None, "the scheme has not been in this phase"
    entered_on: date = row["entered_on"]
    return entered_on


async def approved_producers(tx: Tx, municipality: str, area: str) -> int:
    """How many approved producers have an open unit in the municipality or the area."""
    query = """
        SELECT count(DISTINCT p.producer_id) AS approved FROM producer p JOIN unit u USING (producer_id)
        WHERE p.status = 'approved' AND u.status = 'open' AND (u.municipality = %s OR u.area = %s)
    """
    row = await one(tx, query, (municipality, area))
    assert row is not None, "an aggregate returned nothing"
    return int(row["approved"])


async def move_scheme(tx: Tx, scheme_id: str, *, phase: int, entered_on: date, adopted: Mapping[str, Any]) -> DictRow:
    """Set a locked scheme's phase, the documents that it has adopted, and since when these two hold together."""
    query = """
        UPDATE scheme SET version = version + 1, phase = %(phase)s, entered_on = %(entered_on)s,
            rule_book = %(rule_book)s, compensation_model = %(compensation_model)s,
            service_description = %(service_description)s
        WHERE scheme_id = %(scheme_id)s RETURNING *
    """
    row = await one(tx, query, {"scheme_id": scheme_id, "phase": phase, "entered_on": entered_on, **adopted})
    assert row is not None, "a locked scheme vanished"
    return row


async def lock_producer(tx: Tx, producer_id: str) -> DictRow | None:
    """A producer, locked until the commit."""
    return await one(tx, "SELECT * FROM producer WHERE producer_id = %s FOR UPDATE", (producer_id,))


async def fulfilled_items(tx: Tx, producer_id: str) -> frozenset[str]:
    """The statutory items that the producer's newest checklist states as fulfilled."""
    query = """
        SELECT item FROM checklist_statement WHERE producer_id = %(producer)s AND fulfilled AND revision =
            (SELECT max(revision) FROM checklist_statement WHERE producer_id = %(producer)s)
    """
    return frozenset(row["item"] for row in await rows(tx, query, {"producer": producer_id}))


async def accepted_rule_books(tx: Tx, producer_id: str) -> frozenset[str]:
    """The rule books that the producer has accepted."""
    query = "SELECT document_id FROM rule_book_acceptance WHERE producer_id = %s"
    return frozenset(row["document_id"] for row in await rows(tx, query, (producer_id,)))


async def set_producer_status(tx: Tx, producer_id: str, *, status: str, now: datetime) -> DictRow:
    """Set a locked producer's standing."""
    query = """
        UPDATE producer SET version = version + 1, status = %s, recorded_at = %s
        WHERE producer_id = %s RETURNING *
    """
    row = await one(tx, query, (status, now, producer_id))
    assert row is not None, "a locked producer vanished"
    return row


async def lock_contract(tx: Tx, contract_id: str) -> DictRow | None:
    """A contract, locked until the commit."""
    return await one(tx, "SELECT * FROM contract WHERE contract_id = %s FOR UPDATE", (contract_id,))


async def end_contract(tx: Tx, contract_id: str, *, ends_on: date, now: datetime) -> DictRow:
    """Set the day on which a locked contract no longer holds."""
    query = """
        UPDATE contract SET version = version + 1, ends_on = %s, recorded_at = %s
        WHERE contract_id = %s RETURNING *
    """
    row = await one(tx, query, (ends_on, now, contract_id))
    assert row is not None, "a locked contract vanished"
    return row


async def is_under_contract(tx: Tx, producer_id: str, day: date) -> bool:
    """Whether a contract of a producer holds on a day, or begins later."""
    query = "SELECT FROM contract WHERE producer_id = %s AND (ends_on IS NULL OR ends_on > %s) LIMIT 1"
    return await one(tx, query, (producer_id, day)) is not None


async def lock_unit(tx: Tx, unit_id: str) -> DictRow | None:
    """A unit, locked until the commit."""
    return await one(tx, "SELECT * FROM unit WHERE unit_id = %s FOR UPDATE", (unit_id,))


async def close_unit(tx: Tx, unit_id: str, *, closes_on: date, now: datetime) -> DictRow:
    """Mark a locked unit as closed from a day on."""
    query = """
        UPDATE unit SET version = version + 1, status = 'closed', closes_on = %s, recorded_at = %s
        WHERE unit_id = %s RETURNING *
    """
    row = await one(tx, query, (closes_on, now, unit_id))
    assert row is not None, "a locked unit vanished"
    return row
