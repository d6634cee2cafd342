"""SQL that writes vouchers, and that reads with a lock for a write."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from kanava.common.db import Tx, one, rows

_RESIDENT = """
SELECT r.resident_id, r.area, r.lives_until,
    coalesce((SELECT max(phase) FROM scheme WHERE scheme.municipality = r.municipality), 0) AS scheme_phase,
    (SELECT min(voucher_valid_months) FROM scheme WHERE scheme.municipality = r.municipality) AS valid_months
FROM resident r WHERE resident_id = %s FOR UPDATE
"""
_OVERLAPS = """
SELECT FROM voucher WHERE resident_id = %(resident_id)s AND kind = %(kind)s AND node = %(node)s
    AND status <> 'annulled' AND starts_on < %(until)s AND until > %(starts_on)s
"""
_NODES = """
WITH in_force AS (
    SELECT DISTINCT ON (split_part(package_id, ':', 1)) package_id FROM package_node WHERE valid_from <= %(day)s
    ORDER BY split_part(package_id, ':', 1), valid_from DESC, split_part(package_id, ':', 2)::int DESC
)
SELECT code FROM package_node JOIN in_force USING (package_id) WHERE code = ANY(%(nodes)s)
UNION SELECT split_part(package_id, ':', 1) FROM in_force
"""
_INSERT = """
INSERT INTO voucher (voucher_id, version, resident_id, area, kind, status, starts_on, until, node, unit_of_measure,
    value_cents, self_pay, uses_granted, sum_granted_cents, plan, producer_ids, recorded_at)
VALUES (%(voucher_id)s, 1, %(resident_id)s, %(area)s, %(kind)s, 'granted', %(starts_on)s, %(until)s, %(node)s,
    %(unit_of_measure)s, %(value_cents)s, %(self_pay)s, %(uses_granted)s, %(sum_granted_cents)s, %(plan)s,
    %(producer_ids)s, %(recorded_at)s)
RETURNING *
"""
_CHANGE = """
UPDATE voucher SET version = version + 1, status = %(status)s, until = %(until)s, plan = %(plan)s,
    sum_granted_cents = %(sum_granted_cents)s, ground = %(ground)s, recorded_at = %(recorded_at)s
WHERE voucher_id = %(voucher_id)s RETURNING *
"""
_DECISION = """
INSERT INTO voucher_decision (voucher_id, version, what, ground, reasons_sealed, decided_by, recorded_at)
VALUES (%(voucher_id)s, %(version)s, %(what)s, %(ground)s, %(reasons_sealed)s, %(decided_by)s, %(recorded_at)s)
"""


async def lock_resident(tx: Tx, resident_id: UUID) -> DictRow | None:
    """A resident with the phase and the time limit of its municipality's scheme, locked until the commit."""
    return await one(tx, _RESIDENT, (resident_id,))


async def overlaps(tx: Tx, wanted: Mapping[str, Any]) -> bool:
    """Whether a voucher of the same kind and node holds on one of the days of another; its resident is locked."""
    return await one(tx, _OVERLAPS, dict(wanted)) is not None


async def published_nodes(tx: Tx, nodes: Sequence[str], day: date) -> frozenset[str]:
    """Those of the nodes that a package in force on a day has, and the codes of these packages."""
    return frozenset(row["code"] for row in await rows(tx, _NODES, {"nodes": list(nodes), "day": day}))


async def known_producers(tx: Tx, producer_ids: Sequence[str]) -> frozenset[str]:
    """Those of the producers that the registry has told of."""
    found = await rows(tx, "SELECT producer_id FROM producer WHERE producer_id = ANY(%s)", (list(producer_ids),))
    return frozenset(row["producer_id"] for row in found)


async def voucher(tx: Tx, voucher_id: UUID) -> DictRow | None:
    """A voucher, locked until the commit."""
    return await one(tx, "SELECT * FROM voucher WHERE voucher_id = %s FOR UPDATE", (voucher_id,))


async def add(tx: Tx, row: Mapping[str, Any]) -> DictRow:
    """Store a granted voucher."""
    return await _written(tx, _INSERT, row)


async def change(tx: Tx, row: Mapping[str, Any]) -> DictRow:
    """Store the next state of a locked voucher."""
    return await _written(tx, _CHANGE, row)


async def _written(tx: Tx, query: str, row: Mapping[str, Any]) -> DictRow:
    as_json = {name: Jsonb(row[name]) for name in ("self_pay", "plan")}
    stored = await one(tx, query, {**row, **as_json})
    assert stored is not None, "a written voucher comes back"
    return stored


async def note_decision(tx: Tx, decision: Mapping[str, Any], *, recorded_at: datetime) -> None:
    """Keep what was decided on a voucher, and its sealed reasons."""
    await tx.execute(_DECISION, {**decision, "recorded_at": recorded_at})
