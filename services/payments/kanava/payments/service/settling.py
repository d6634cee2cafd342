"""What becomes of payments when the bank says so: laid on the desk in sets, and booked in sets.

Locks are taken in one order: refunds, books by area, payments, statements.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kanava.common.db import Tx, rows

from .. import ledger
from ..sets import columns
from ..views import receivables
from ..views.suspense import LEFT
from .clearing import Desk, Item, Payment
from .refunds import hold_refunds
from .statements import tell_as


@dataclass(frozen=True)
class Named:
    """What records name: end-to-end ids, files of ours, items, and areas whose books they may move."""

    end_to_end_ids: frozenset[str]
    payout_ids: frozenset[UUID] = frozenset()
    item_ids: frozenset[UUID] = frozenset()
    areas: frozenset[str] = frozenset()


_FOUND = """
SELECT p.end_to_end_id, o.area, p.refund_id FROM payment p JOIN payout o USING (payout_id)
WHERE p.end_to_end_id = ANY(%(names)s) OR (p.payout_id = ANY(%(payouts)s) AND p.status = 'open')
"""
_PAYMENTS = """
SELECT p.end_to_end_id, p.payout_id, o.area, p.amount_cents, p.status, p.bank_reason, p.statement_id, s.producer_id,
       p.item_id, p.refund_id, r.municipality, p.resident_item_id
FROM payment p JOIN payout o USING (payout_id) LEFT JOIN statement s USING (statement_id)
LEFT JOIN refund_proposal r USING (refund_id)
WHERE p.end_to_end_id = ANY(%s) ORDER BY p.end_to_end_id FOR UPDATE OF p
"""
_ITEMS = f"""
SELECT i.item_id, i.area, i.direction, i.outcome, i.amount_cents, i.end_to_end_id, i.why, i.created_at,
       ({LEFT})::bigint AS left_cents, (SELECT count(*)::int FROM suspense_step s WHERE s.item_id = i.item_id) AS steps,
       EXISTS (SELECT FROM suspense_step s WHERE s.item_id = i.item_id AND s.what = 'closed') AS closed
FROM suspense_item i WHERE i.item_id IN (
    SELECT item_id FROM suspense_item WHERE end_to_end_id = ANY(%(names)s) UNION SELECT unnest(%(items)s::uuid[]))
"""


async def opened(tx: Tx, named: Named, now: datetime) -> Desk:
    """The desk with every payment and item that is named, held to the commit; the caller holds the bank's lock."""
    named_ids = {"names": list(named.end_to_end_ids), "payouts": list(named.payout_ids)}
    found = await rows(tx, _FOUND, named_ids)
    await hold_refunds(tx, [row["refund_id"] for row in found if row["refund_id"]])
    books = await ledger.locked(tx, sorted(named.areas | {row["area"] for row in found}))
    query = "SELECT payout_id FROM payout WHERE payout_id = ANY(%s)"
    payouts = frozenset(row["payout_id"] for row in await rows(tx, query, (named_ids["payouts"],)))
    desk = Desk(now, books=books, payouts=payouts)
    desk.lay_payments(await _payments(tx, [row["end_to_end_id"] for row in found]))
    items = named.item_ids | {payment.item_id for payment in desk.payments.values() if payment.item_id}
    names = named.end_to_end_ids | desk.payments.keys()
    for row in await rows(tx, _ITEMS, {"names": list(names), "items": list(items)}):
        desk.lay(Item(**row))
    return desk


async def _payments(tx: Tx, names: Sequence[str]) -> list[Payment]:
    found = await rows(tx, _PAYMENTS, (list(names),))
    left = await receivables.left(tx, [row["statement_id"] for row in found if row["statement_id"]])
    return [Payment(**row, sums=left.get(row["statement_id"], {})) for row in found]


async def booked(tx: Tx, desk: Desk) -> dict[str, list[UUID]]:
    """Book everything that followed on a desk, once; the ids of the entries by area, in their order."""
    await _add_items(tx, desk)
    entry_ids = {area: await ledger.post_on(tx, desk.books[area], desk.drafts[area], desk.now) for area in _areas(desk)}
    await _add_steps(tx, desk)
    await _move_payments(tx, desk)
    await _move_statements(tx, desk)
    await _note_outcomes(tx, desk)
    assert all(len(entry_ids[area]) == len(drafts) for area, drafts in desk.drafts.items()), "an entry was lost"
    return entry_ids


def _areas(desk: Desk) -> list[str]:
    return sorted(area for area, drafts in desk.drafts.items() if drafts)


_NEW_ITEM = (
    *("item_id", "area", "iban", "reference", "part", "direction", "outcome", "amount_cents", "end_to_end_id"),
    *("why", "sealed_sender", "key_id", "remittance", "booked_on", "created_at"),
)
_ADD_ITEMS = f"""
INSERT INTO suspense_item ({", ".join(_NEW_ITEM)})
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[],
    %s::text[], %s::text[], %s::bytea[], %s::text[], %s::text[], %s::date[], %s::timestamptz[])
"""


async def _add_items(tx: Tx, desk: Desk) -> None:
    if desk.new_items:
        await tx.execute(
            _ADD_ITEMS, columns([[item[name] for name in _NEW_ITEM] for item in desk.new_items], len(_NEW_ITEM))
        )


async def _add_steps(tx: Tx, desk: Desk) -> None:
    if not desk.steps:
        return
    steps = [
        (item_id, number, step.what, step.amount_cents, step.target, step.sealed, step.key_id, step.reason, step.by)
        for item_id, number, step in desk.steps
    ]
    await tx.execute(
        "INSERT INTO suspense_step (item_id, number, what, amount_cents, target, sealed, key_id, reason, by, at)"
        " SELECT s.*, %s FROM unnest(%s::uuid[], %s::int[], %s::text[], %s::bigint[], %s::text[], %s::bytea[],"
        " %s::text[], %s::text[], %s::text[]) s",
        (desk.now, *columns(steps, 9)),
    )


async def _move_payments(tx: Tx, desk: Desk) -> None:
    if not desk.changed:
        return
    moved = [(name, payment.status, payment.bank_reason) for name, payment in desk.changed.items()]
    cursor = await tx.execute(
        "UPDATE payment p SET status = m.status, bank_reason = m.reason"
        " FROM unnest(%s::text[], %s::text[], %s::text[]) AS m (name, status, reason) WHERE p.end_to_end_id = m.name",
        columns(moved, 3),
    )
    assert cursor.rowcount == len(moved), "a payment stays"


async def _move_statements(tx: Tx, desk: Desk) -> None:
    """Statements in their last states; each state on the way is told."""
    if not desk.told:
        return
    ids = list({statement_id: None for statement_id, _ in desk.told})
    query = "SELECT * FROM statement WHERE statement_id = ANY(%s) ORDER BY statement_id FOR UPDATE"
    now = {row["statement_id"]: row for row in await rows(tx, query, (ids,))}
    told = []
    for statement_id, status in desk.told:
        before = now[statement_id]
        now[statement_id] = before | {"status": status, "version": before["version"] + 1}
        told.append(now[statement_id])
    await tx.execute(
        "UPDATE statement s SET status = m.status, version = m.version"
        " FROM unnest(%s::uuid[], %s::text[], %s::int[]) AS m (id, status, version) WHERE s.statement_id = m.id",
        columns([(one_id, row["status"], row["version"]) for one_id, row in now.items()], 3),
    )
    await tell_as(tx, told, desk.now)


async def _note_outcomes(tx: Tx, desk: Desk) -> None:
    """Remember what the bank said of refunds' payments; sent back, a refund is owed again."""
    if desk.outcomes:
        await tx.execute(
            "INSERT INTO refund_outcome (end_to_end_id, outcome, bank_reason, recorded_at)"
            " SELECT o.*, %s FROM unnest(%s::text[], %s::text[], %s::text[]) o",
            (desk.now, *columns(desk.outcomes, 3)),
        )
