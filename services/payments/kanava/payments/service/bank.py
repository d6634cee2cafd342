"""What the bank answers: every movement of an account is booked once, however often and in whatever order it is told.

A movement that fits a payment or an instalment is booked there; any other waits on the suspense account, until
a later file or a person explains it.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog
from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows
from kanava.common.ids import derived_id
from kanava.common.seal import Seal

from ..bankfiles import BankMessage, Booking, Detail, Report, Status, read_bank_message
from ..commands import TakeBankMessage
from ..domain.banking import Why, match
from ..domain.chart import FUNDING_OF
from ..errors import BadBankMessage
from .accounts import area_of
from .settling import explain, known, payment_of, settle
from .suspended import BY_FILE, Place, Step, give_notice, hold_bank, open_items, rest_of, suspend, take_back

log = structlog.get_logger()

REST = "#rest"
"""The part of a booking of which the bank has not told the details; no end-to-end id may contain `#`."""
REJECTED = "RJCT"


@dataclass(frozen=True)
class TakenIn:
    """What a bank's file changed. `unmatched` records wait on the suspense account; `explained` waited there."""

    message_id: str
    kind: str
    booked: int
    rejected: int
    received: int
    known_before: int
    unmatched: int
    explained: int


async def take_bank_message(tx: Tx, command: TakeBankMessage, now: datetime, *, seal: Seal) -> TakenIn:
    """Take in a file of the bank. A file or a record that was taken in before changes nothing.

    The account of who sent money that matches nothing is kept sealed.
    """
    message = await asyncio.to_thread(read_bank_message, command.content)
    await hold_bank(tx)
    words: Counter[str] = Counter()
    for report in message.reports:
        words.update(await _take_report(tx, report, message.message_id, now, seal=seal))
    for status in message.statuses:
        words.update(await _take_status(tx, status, message.message_id, now))
    await _note(tx, message, words, now)
    return TakenIn(
        message_id=message.message_id,
        kind=message.kind,
        booked=words["booked"],
        rejected=words["rejected"] + words["returned"],
        received=words["received"],
        known_before=words["known"],
        unmatched=words["unmatched"],
        explained=words["explained"],
    )


async def _note(tx: Tx, message: BankMessage, words: Counter[str], now: datetime) -> None:
    told = words.total() - words["explained"]
    await tx.execute(
        "INSERT INTO bank_message (message_id, kind, received_at, entries, matched) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (message.message_id, message.kind, now, told, told - words["unmatched"]),
    )
    if words["unmatched"]:
        log.warning("bank_money_unmatched", message_id=message.message_id, records=words["unmatched"])


# camt.053 and camt.054


async def _take_report(tx: Tx, report: Report, message_id: str, now: datetime, *, seal: Seal) -> list[str]:
    area = await area_of(tx, report.iban)
    if area is None:
        pointer = f"{report.pointer}/Acct/Id/IBAN"
        raise BadBankMessage("The account is no area's.", rule="known_account", pointer=pointer)
    await tx.execute("SELECT 1 FROM book WHERE area = %s FOR UPDATE", (area,))
    await _note_number(tx, report, message_id, now)
    words: list[str] = []
    for booking in report.bookings:
        place = Place(area, report.iban, booking.reference, booking.direction, booking.booked_on, message_id, seal)
        words += await _take_booking(tx, place, booking, now)
    return words


async def _note_number(tx: Tx, report: Report, message_id: str, now: datetime) -> None:
    """Remember the number of a report; the same number with other balances is refused."""
    if report.number is None:
        return
    key = (report.iban, report.kind, report.year, report.number, report.page)
    balances = (report.opening_cents, report.closing_cents)
    cursor = await tx.execute(
        "INSERT INTO bank_report (iban, kind, year, number, page, is_last_page, message_id, received_at,"
        " opening_cents, closing_cents, closes_on) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (*key, report.is_last_page, message_id, now, *balances, report.closes_on),
    )
    if cursor.rowcount == 1:
        return
    before = await one(
        tx,
        "SELECT opening_cents, closing_cents FROM bank_report"
        " WHERE (iban, kind, year, number, page) = (%s, %s, %s, %s, %s)",
        key,
    )
    if before and (before["opening_cents"], before["closing_cents"]) != balances:
        raise BadBankMessage(
            "A statement with this number was taken in with other balances.",
            rule="number_reused",
            pointer=f"{report.pointer}/ElctrncSeqNb",
        )


async def _take_booking(tx: Tx, place: Place, booking: Booking, now: datetime) -> list[str]:
    """Book an entry when it is first told: its details, and the rest without details on the suspense account."""
    is_new = await _is_new(tx, place, booking)
    parts = await _parts(tx, place)
    details = booking.details or await _details_of_batch(tx, place, booking)
    fresh = [one for one in details if one.part not in parts]
    _check_parts(booking, details, fresh, parts)
    words = ["known"] * (len(details) - len(fresh) if is_new or details else 1)
    for detail in fresh:
        words += await (_record if is_new else _record_from_rest)(tx, place, detail, now)
    rest_cents = booking.amount_cents - sum(one.amount_cents for one in fresh)
    if is_new and rest_cents:
        words += await _record(tx, place, Detail(REST, None, "rest", rest_cents), now)
    return words


async def _is_new(tx: Tx, place: Place, booking: Booking) -> bool:
    cursor = await tx.execute(
        "INSERT INTO bank_booking (iban, reference, area, direction, amount_cents, booked_on, message_id)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            *(place.iban, place.reference, place.area, place.direction, booking.amount_cents),
            *(place.booked_on, place.message_id),
        ),
    )
    if cursor.rowcount == 1:
        return True
    query = "SELECT direction, amount_cents FROM bank_booking WHERE iban = %s AND reference = %s"
    before = await one(tx, query, (place.iban, place.reference))
    assert before is not None, "an entry that was told is known"
    if (before["direction"], before["amount_cents"]) != (place.direction, booking.amount_cents):
        raise _changed(booking)
    return False


def _changed(booking: Booking) -> BadBankMessage:
    return BadBankMessage(
        "The bank told this entry before with another sum.", rule="entry_changed", pointer=booking.pointer
    )


async def _parts(tx: Tx, place: Place) -> dict[str, int]:
    query = "SELECT part, amount_cents FROM bank_entry WHERE iban = %s AND reference = %s"
    return {row["part"]: row["amount_cents"] for row in await rows(tx, query, (place.iban, place.reference))}


async def _details_of_batch(tx: Tx, place: Place, booking: Booking) -> tuple[Detail, ...]:
    """The payments of our file that the bank booked as one sum, if they are all open and sum to it."""
    if booking.direction != "debit" or booking.batch is None:
        return ()
    payments = await rows(
        tx,
        "SELECT p.* FROM payment p JOIN payout o USING (payout_id) WHERE o.area = %s"
        " AND replace(o.payout_id::text, '-', '') = %s AND p.status = 'open' ORDER BY p.end_to_end_id",
        (place.area, booking.batch),
    )
    if sum(row["amount_cents"] for row in payments) != booking.amount_cents:
        return ()
    return tuple(Detail(row["end_to_end_id"], row["end_to_end_id"], "booked", row["amount_cents"]) for row in payments)


def _check_parts(booking: Booking, details: Sequence[Detail], fresh: Sequence[Detail], parts: dict[str, int]) -> None:
    """An entry stays what it was: its parts keep their sums and are together no more than the whole."""
    told_cents = sum(cents for part, cents in parts.items() if part != REST)
    if told_cents + sum(one.amount_cents for one in fresh) > booking.amount_cents:
        raise _changed(booking)
    if any(parts.get(one.part, one.amount_cents) != one.amount_cents for one in details):
        raise _changed(booking)


async def _record_from_rest(tx: Tx, place: Place, detail: Detail, now: datetime) -> list[str]:
    """Book a detail that came after its entry: its money waits in the rest, unless a person explained that."""
    rest = await rest_of(tx, place.iban, place.reference, REST)
    if rest is None or rest["left_cents"] < detail.amount_cents:
        await _write(tx, place, detail, matched="explained")
        return ["known"]
    reason = "The bank told the details"
    await take_back(tx, rest, Step("explained_by_file", BY_FILE, reason, detail.amount_cents, detail.part), now)
    return ["explained", *await _record(tx, place, detail, now)]


async def _record(tx: Tx, place: Place, detail: Detail, now: datetime) -> list[str]:
    """Book one transaction of an entry, and let it explain what waited for it."""
    if detail.outcome == "received" and (entry_id := await _instalment(tx, place, detail)):
        await _write(tx, place, detail, matched="funding", entry_id=entry_id)
        return ["received"]
    if detail.outcome == "returned" and (twice := await _paid_twice(tx, place, detail)):
        step = Step("offset", BY_FILE, "The bank gave it back", detail.amount_cents, place.reference)
        await take_back(tx, twice, step, now)
        await _write(tx, place, detail, matched="offset")
        return ["explained"]
    payment = await payment_of(tx, detail.end_to_end_id, place.area)
    follows = match(detail.outcome, detail.amount_cents, known(payment))
    if isinstance(follows, Why) or payment is None:
        assert isinstance(follows, Why), "nothing follows without a payment"
        await suspend(tx, place, detail, now, why=follows)
        await _write(tx, place, detail, matched="suspense")
        return ["unmatched"]
    entry_id = await settle(tx, payment, follows, now, reason=detail.reason)
    await _write(tx, place, detail, matched="payment", entry_id=entry_id)
    return [follows.status, *["explained"] * await explain(tx, payment, now)]


async def _write(tx: Tx, place: Place, detail: Detail, *, matched: str, entry_id: UUID | None = None) -> None:
    await tx.execute(
        "INSERT INTO bank_entry (iban, reference, part, end_to_end_id, outcome, amount_cents, matched, entry_id,"
        " message_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(place.iban, place.reference, detail.part, detail.end_to_end_id, detail.outcome),
            *(detail.amount_cents, matched, entry_id, place.message_id),
        ),
    )


async def _paid_twice(tx: Tx, place: Place, detail: Detail) -> DictRow | None:
    """Money that left a second time for the same payment, which the bank now gives back."""
    items = await open_items(tx, place.area, detail.end_to_end_id or "")
    return next(
        (one for one in items if one["direction"] == "debit" and one["left_cents"] == detail.amount_cents), None
    )


_INSTALMENTS = """
SELECT e.entry_id, e.reference, f.account, f.party FROM entry e
JOIN posting b ON (b.area, b.seq, b.account) = (e.area, e.seq, '1100')
JOIN posting f ON (f.area, f.seq) = (e.area, e.seq) AND f.account <> '1100'
WHERE e.area = %s AND e.kind = 'funding' AND b.amount_cents = %s
  AND NOT EXISTS (SELECT FROM bank_entry t WHERE t.entry_id = e.entry_id)
  AND NOT EXISTS (SELECT FROM suspense_step s WHERE s.target = e.entry_id::text AND s.what = 'matched_to_funding')
ORDER BY e.seq
"""


async def _instalment(tx: Tx, place: Place, detail: Detail) -> UUID | None:
    """The entry of an instalment that was booked by hand with this sum and reference, and not told by the bank yet."""
    payers = {str(account): payer for payer, account in FUNDING_OF.items()}
    for row in await rows(tx, _INSTALMENTS, (place.area, detail.amount_cents)):
        payer = payers.get(row["account"], "")
        if row["reference"] == derived_id("funding", place.area, payer, row["party"], detail.remittance):
            return UUID(str(row["entry_id"]))
    return None


# pain.002


async def _take_status(tx: Tx, status: Status, message_id: str, now: datetime) -> list[str]:
    """Book a rejection; acceptance alone moves no money. A whole file stands for its open payments."""
    if status.end_to_end_id is not None:
        return await _take_status_of(tx, status, message_id, now)
    if status.status != REJECTED:
        return []
    payments = await rows(
        tx,
        "SELECT end_to_end_id FROM payment WHERE replace(payout_id::text, '-', '') = %s AND status = 'open'"
        " ORDER BY end_to_end_id",
        (status.original_message_id,),
    )
    known_file = await one(
        tx, "SELECT 1 FROM payout WHERE replace(payout_id::text, '-', '') = %s", (status.original_message_id,)
    )
    if known_file is None:
        unknown = replace(status, end_to_end_id=status.original_message_id)
        return await _take_status_of(tx, unknown, message_id, now)
    words: list[str] = []
    for row in payments:
        each = replace(status, end_to_end_id=row["end_to_end_id"])
        words += await _take_status_of(tx, each, message_id, now)
    return words


async def _take_status_of(tx: Tx, status: Status, message_id: str, now: datetime) -> list[str]:
    name = status.end_to_end_id or ""
    await tx.execute(
        "INSERT INTO bank_status (end_to_end_id, status, message_id, reason, told_at) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (name, status.status, message_id, status.reason, now),
    )
    if status.status != REJECTED:
        return []
    payment = await payment_of(tx, name)
    if payment and payment["status"] in ("rejected", "returned"):
        return ["known"]
    amount_cents = payment["amount_cents"] if payment and status.amount_cents is None else status.amount_cents
    follows = match("rejected", amount_cents or 1, known(payment))
    if isinstance(follows, Why) or payment is None:
        assert isinstance(follows, Why), "nothing follows without a payment"
        named = {"area": payment["area"] if payment else "", "original": status.original_message_id}
        is_new = await give_notice(tx, **named, end_to_end_id=name, why=follows, now=now)
        return ["unmatched" if is_new else "known"]
    await settle(tx, payment, follows, now, reason=status.reason)
    return ["rejected", *["explained"] * await explain(tx, payment, now)]
