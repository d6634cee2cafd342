"""Items of the suspense account: made when the bank's record matches nothing, followed step by step."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows
from kanava.common.ids import derived_id
from kanava.common.seal import Seal

from .. import ledger
from ..bankfiles import Detail
from ..domain import chart
from ..domain.banking import Direction, Why
from ..errors import UnknownItem
from ..views.suspense import ITEMS, LEFT, OPEN

BY_FILE = "bank"
"""Who explains an item when a later file of the bank does."""


@dataclass(frozen=True)
class Place:
    """Where the bank told something: on which account of which area, under which reference, on which day.

    `seal` is what the account of a sender is sealed with.
    """

    area: str
    iban: str
    reference: str
    direction: Direction
    booked_on: date
    message_id: str
    seal: Seal


@dataclass(frozen=True)
class Step:
    """A step with an item; `amount_cents` is what it explains of the item's money.

    `sealed` is to whom it is to go back, under the key of `key_id`.
    """

    what: str
    by: str
    reason: str
    amount_cents: int = 0
    target: str = ""
    sealed: bytes | None = None
    key_id: str | None = None


def signed(direction: str, amount_cents: int) -> int:
    """Cents as they moved the account: in positive, out negative."""
    assert direction in ("credit", "debit"), "only money has a sign"
    return amount_cents if direction == "credit" else -amount_cents


async def suspend(tx: Tx, place: Place, detail: Detail, now: datetime, *, why: Why) -> UUID:
    """Book money that matches nothing on the suspense account and put it into the work queue.

    Where it names a payment to a resident, the account that it came from is the resident's and is not kept.
    """
    item_id = derived_id("suspense", place.iban, place.reference, detail.part)
    sender = place.seal.seal(item_id, detail.sender_iban.encode()) if detail.sender_iban else None
    await tx.execute(
        "INSERT INTO suspense_item (item_id, area, iban, reference, part, direction, outcome, amount_cents,"
        " end_to_end_id, why, sealed_sender, key_id, remittance, booked_on, created_at)"
        " SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, kept.sender, CASE WHEN kept.sender IS NOT NULL THEN %s END,"
        " %s, %s, %s FROM (SELECT CASE WHEN NOT EXISTS (SELECT FROM payment WHERE end_to_end_id = %s"
        " AND resident_item_id IS NOT NULL) THEN %s::bytea END AS sender) kept",
        (
            *(item_id, place.area, place.iban, place.reference, detail.part, place.direction, detail.outcome),
            *(detail.amount_cents, detail.end_to_end_id, why, place.seal.key_id, detail.remittance, place.booked_on),
            *(now, detail.end_to_end_id, sender),
        ),
    )
    draft = chart.suspended(item_id=item_id, signed_cents=signed(place.direction, detail.amount_cents))
    await ledger.post(tx, place.area, [draft], now)
    return item_id


async def give_notice(tx: Tx, *, area: str, original: str, end_to_end_id: str, why: Why, now: datetime) -> bool:
    """Put something that the bank said, and that is about no money of the account, into the queue; False if known."""
    item_id = derived_id("notice", original, end_to_end_id)
    cursor = await tx.execute(
        "INSERT INTO suspense_item (item_id, area, iban, reference, part, direction, outcome, amount_cents,"
        " end_to_end_id, why, remittance, booked_on, created_at)"
        " VALUES (%s, %s, '', %s, %s, 'notice', 'rejected', 0, %s, %s, '', %s, %s) ON CONFLICT DO NOTHING",
        (item_id, area, original, end_to_end_id, end_to_end_id, why, now.date(), now),
    )
    return cursor.rowcount == 1


async def hold_bank(tx: Tx) -> None:
    """One at a time explains what the bank told: its files, and people, who could explain the same money."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('bank'))")


async def item_row(tx: Tx, item_id: UUID) -> DictRow:
    """An item with what is left of it, held to the commit; `UnknownItem` when there is none."""
    await hold_bank(tx)
    row = await one(tx, f"{ITEMS} WHERE i.item_id = %s", (item_id,))
    if row is None:
        raise UnknownItem(f"There is no item {item_id} on the suspense account.")
    return row


async def rest_of(tx: Tx, iban: str, reference: str, part: str) -> DictRow | None:
    """The item of a place, open or not."""
    query = f"{ITEMS} WHERE i.iban = %s AND i.reference = %s AND i.part = %s"
    return await one(tx, query, (iban, reference, part))


async def open_items(tx: Tx, area: str, end_to_end_id: str) -> list[DictRow]:
    """Open items of an area, or of none, that name an end-to-end id, oldest first."""
    query = f"{ITEMS} WHERE i.end_to_end_id = %s AND i.area IN (%s, '') AND {OPEN} ORDER BY i.created_at, i.item_id"
    return await rows(tx, query, (end_to_end_id, area))


async def add_step(tx: Tx, item_id: UUID, step: Step, now: datetime) -> None:
    """Write a step behind the others; the caller holds the bank's lock."""
    await tx.execute(
        "INSERT INTO suspense_step (item_id, number, what, amount_cents, target, sealed, key_id, reason, by, at)"
        " SELECT %(item)s, count(*) + 1, %(what)s, %(cents)s, %(target)s, %(sealed)s, %(key_id)s, %(reason)s, %(by)s,"
        " %(now)s"
        " FROM suspense_step WHERE item_id = %(item)s",
        {
            "item": item_id, "what": step.what, "cents": step.amount_cents, "target": step.target,
            "sealed": step.sealed, "key_id": step.key_id, "reason": step.reason, "by": step.by, "now": now,
        },
    )  # fmt: skip


async def take_back(tx: Tx, item: DictRow, step: Step, now: datetime) -> None:
    """Take an item's money, or a part of it, off the suspense account, so that the right entry can follow."""
    assert 0 < step.amount_cents <= item["left_cents"], "an item explains no more than its own money"
    draft = chart.explained(item_id=item["item_id"], signed_cents=signed(item["direction"], step.amount_cents))
    await ledger.post(tx, item["area"], [draft], now)
    await add_step(tx, item["item_id"], step, now)


async def unexplained_debits_cents(tx: Tx, area: str) -> int:
    """What left an area's account and is not explained: it cannot be spent a second time."""
    row = await one(
        tx,
        f"SELECT coalesce(sum({LEFT}), 0)::bigint AS cents FROM suspense_item i"
        " WHERE area = %s AND direction = 'debit'",
        (area,),
    )
    assert row is not None, "a sum has one row"
    return int(row["cents"])
