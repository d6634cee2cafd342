"""What the bank answers: payments booked, rejected and returned, each counted once however often it is told."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import DictRow

from kanava.common.db import Tx, one

from .. import ledger
from ..commands import TakeBankMessage
from ..domain import chart
from ..domain.chart import EntryKind
from ..iso20022 import BankRecord, read_bank_message
from ..views import receivables
from .statements import tell

_FOLLOWS = {
    ("open", "booked"): (EntryKind.BOOKED, "booked", "booked"),
    ("open", "rejected"): (EntryKind.REJECTED, "rejected", "rejected"),
    ("booked", "returned"): (EntryKind.RETURNED, "rejected", "rejected"),
}
"""Payment status and the bank's outcome: the entry it makes, and the new states of payment and statement."""


@dataclass(frozen=True)
class TakenIn:
    """What a bank's file changed. `unmatched` records fit no payment and wait for a person."""

    message_id: str
    kind: str
    booked: int
    rejected: int
    known_before: int
    unmatched: int


async def take_bank_message(tx: Tx, command: TakeBankMessage, now: datetime) -> TakenIn:
    """Take in a file of the bank. A file or a record that was taken in before changes nothing."""
    message = read_bank_message(command.content)
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('bank'))")
    new = [record for record in message.records if await _is_new(tx, record)]
    outcomes = [await _apply(tx, record, message.message_id, now) for record in new]
    await tx.execute(
        "INSERT INTO bank_message (message_id, kind, received_at, entries, matched) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (message.message_id, message.kind, now, len(message.records), len(outcomes) - outcomes.count(None)),
    )
    return TakenIn(
        message_id=message.message_id,
        kind=message.kind,
        booked=outcomes.count(EntryKind.BOOKED),
        rejected=outcomes.count(EntryKind.REJECTED) + outcomes.count(EntryKind.RETURNED),
        known_before=len(message.records) - len(new),
        unmatched=outcomes.count(None),
    )


async def _is_new(tx: Tx, record: BankRecord) -> bool:
    known = await one(tx, "SELECT 1 FROM bank_entry WHERE bank_reference = %s AND matched", (record.reference,))
    return known is None


async def _apply(tx: Tx, record: BankRecord, message_id: str, now: datetime) -> EntryKind | None:
    """Book what the bank says of one payment; None when it fits no payment in the state that it is in."""
    payment = await one(
        tx,
        "SELECT s.*, p.status AS payment_status, p.amount_cents AS cents"
        " FROM payment p JOIN statement s USING (statement_id)"
        " WHERE p.end_to_end_id = %s FOR UPDATE",
        (record.end_to_end_id,),
    )
    follow = _FOLLOWS.get((payment["payment_status"], record.outcome)) if payment else None
    fits = payment is not None and follow is not None and payment["cents"] == record.amount_cents
    await tx.execute(
        "INSERT INTO bank_entry (bank_reference, message_id, end_to_end_id, outcome, amount_cents, matched)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (record.reference, message_id, record.end_to_end_id, record.outcome, record.amount_cents, fits),
    )
    if not fits or payment is None or follow is None:
        return None
    kind, payment_becomes, statement_becomes = follow
    await _book(tx, payment, kind, now)
    await tx.execute(
        "UPDATE payment SET status = %s, bank_reason = %s WHERE end_to_end_id = %s",
        (payment_becomes, record.reason, record.end_to_end_id),
    )
    await tx.execute(
        "UPDATE statement SET status = %s, version = version + 1 WHERE statement_id = %s",
        (statement_becomes, payment["statement_id"]),
    )
    await tell(tx, [payment["statement_id"]], now)
    return kind


async def _book(tx: Tx, payment: DictRow, kind: EntryKind, now: datetime) -> None:
    left = await receivables.left(tx, [payment["statement_id"]])
    draft = chart.payment(
        kind,
        statement_id=payment["statement_id"],
        producer_id=payment["producer_id"],
        sums=left[payment["statement_id"]],
    )
    await ledger.post(tx, payment["area"], [draft], now)
