"""Items of the suspense account, followed step by step; `clearing` makes them when a bank's record matches nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from .. import ledger
from ..domain import chart
from ..errors import UnknownItem
from ..views.suspense import ITEMS, LEFT

BY_FILE = "bank"
"""Who explains an item when a later file of the bank does."""


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
    return (await unexplained_debits(tx, [area]))[area]


async def unexplained_debits(tx: Tx, areas: Sequence[str]) -> dict[str, int]:
    """What left each area's account and is not explained, in cents; the caller holds the areas' books."""
    found = await rows(
        tx,
        f"SELECT i.area, sum({LEFT})::bigint AS cents FROM suspense_item i"
        " WHERE i.area = ANY(%s) AND i.direction = 'debit' GROUP BY i.area",
        (list(areas),),
    )
    return dict.fromkeys(areas, 0) | {row["area"]: row["cents"] for row in found}
