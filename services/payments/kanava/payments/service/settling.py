"""What becomes of a payment when the bank says so: its entry, its new state, its statement, and what that explains."""

from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one

from .. import ledger
from ..domain import chart
from ..domain.banking import Follows, KnownPayment, Why, match
from ..domain.chart import EntryKind
from ..views import receivables
from .refunds import note_outcome, refund_entry
from .statements import tell
from .suspended import BY_FILE, Step, add_step, open_items, take_back

_PAYMENT = """
SELECT p.*, o.area, s.producer_id
FROM payment p JOIN payout o USING (payout_id) LEFT JOIN statement s USING (statement_id)
WHERE p.end_to_end_id = %(id)s AND (%(area)s::text IS NULL OR o.area = %(area)s) FOR UPDATE OF p
"""
_STATEMENT_BECOMES = {EntryKind.BOOKED: "booked", EntryKind.REJECTED: "rejected", EntryKind.RETURNED: "rejected"}
_REFUND_HAPPENED = {EntryKind.BOOKED: "booked", EntryKind.REJECTED: "rejected", EntryKind.RETURNED: "returned"}
_FAILED = (EntryKind.REJECTED, EntryKind.RETURNED)


async def payment_of(tx: Tx, end_to_end_id: str | None, area: str | None = None) -> DictRow | None:
    """The payment of an end-to-end id, locked; of an area's account, if one is named."""
    return await one(tx, _PAYMENT, {"id": end_to_end_id, "area": area}) if end_to_end_id else None


def known(payment: DictRow | None) -> KnownPayment | None:
    """A payment as records are matched with it."""
    return None if payment is None else KnownPayment(payment["status"], payment["amount_cents"])


async def settle(tx: Tx, payment: DictRow, follows: Follows, now: datetime, *, reason: str | None) -> UUID:
    """Book what the bank says of a payment that fits it; the id of the entry."""
    draft = await _draft(tx, payment, follows.kind)
    (entry_id,) = await ledger.post(tx, payment["area"], [draft], now)
    await tx.execute(
        "UPDATE payment SET status = %s, bank_reason = %s WHERE end_to_end_id = %s",
        (follows.status, reason, payment["end_to_end_id"]),
    )
    if payment["statement_id"]:
        await tx.execute(
            "UPDATE statement SET status = %s, version = version + 1 WHERE statement_id = %s",
            (_STATEMENT_BECOMES[follows.kind], payment["statement_id"]),
        )
        await tell(tx, [payment["statement_id"]], now)
    elif payment["refund_id"]:
        await note_outcome(tx, payment, follows.status, reason, now=now)
    elif payment["item_id"] and follows.kind in _FAILED:
        failed = Step("return_failed", BY_FILE, reason or "no reason told", -payment["amount_cents"])
        await add_step(tx, payment["item_id"], failed, now)
    return entry_id


async def _draft(tx: Tx, payment: DictRow, kind: EntryKind) -> chart.Draft:
    if payment["refund_id"]:
        return await refund_entry(tx, payment["refund_id"], _REFUND_HAPPENED[kind])
    if payment["resident_item_id"]:
        return chart.resident_payment(kind, item_id=payment["resident_item_id"], amount_cents=payment["amount_cents"])
    if payment["item_id"]:
        return chart.send_back(kind, item_id=payment["item_id"], amount_cents=payment["amount_cents"])
    parts = (await receivables.left(tx, [payment["statement_id"]]))[payment["statement_id"]]
    assert sum(parts.values()) == payment["amount_cents"], "a payment pays its statement"
    return chart.payment(kind, statement_id=payment["statement_id"], producer_id=payment["producer_id"], sums=parts)


async def explain(tx: Tx, payment: DictRow, now: datetime) -> int:
    """Let a payment's new state explain what waits under its end-to-end id; how many items it explained."""
    explained, seen = 0, True
    while seen:
        seen = False
        for item in await open_items(tx, payment["area"], payment["end_to_end_id"]):
            current = await payment_of(tx, payment["end_to_end_id"])
            assert current is not None, "a payment stays"
            if await _explains(tx, current, item, now):
                explained, seen = explained + 1, True
                break
    return explained


async def _explains(tx: Tx, payment: DictRow, item: DictRow, now: datetime) -> bool:
    step = Step("explained_by_file", BY_FILE, "A later file explains it", item["left_cents"], payment["end_to_end_id"])
    if item["direction"] == "notice":
        if payment["status"] not in ("rejected", "returned"):
            return False
        await add_step(tx, item["item_id"], Step("closed", BY_FILE, step.reason), now)
        return True
    follows = match(item["outcome"], item["left_cents"], known(payment))
    if isinstance(follows, Why) or item["left_cents"] != item["amount_cents"]:
        return False
    await take_back(tx, item, step, now)
    await settle(tx, payment, follows, now, reason=item["why"])
    return True
