"""What the bank answers: every movement of an account is booked once, however often and in whatever order it is told.

A file is taken in as one set: what it may concern is read, `bank_records` walks through it, what followed is written.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from kanava.common.db import Tx, rows
from kanava.common.seal import Seal

from ..bankfiles import BankMessage, Booking, Report, Status, read_bank_message
from ..commands import TakeBankMessage
from ..errors import BadBankMessage
from ..sets import columns
from .bank_records import Entered, Told, file_id, report_key, rest_id, told_of, walk
from .clearing import Place, Posted, notice_id
from .settling import Named, booked, opened
from .suspended import hold_bank

log = structlog.get_logger()


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
    told = await _told_before(tx, message.reports)
    desk = await opened(tx, _named(message, told), now)
    statuses = told_of(desk, message.statuses)
    words = await asyncio.to_thread(walk, desk, told, message, seal)
    entry_ids = await booked(tx, desk)
    await _remember(tx, message, told, entry_ids, now=now)
    await _remember_statuses(tx, message, statuses, now)
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


# What is known


def _named(message: BankMessage, told: Told) -> Named:
    """Everything that a file's records name."""
    bookings = [(report.iban, booking) for report in message.reports for booking in report.bookings]
    details = {detail.end_to_end_id for _, booking in bookings for detail in booking.details}
    statuses = [(one.original_message_id, one.end_to_end_id or one.original_message_id) for one in message.statuses]
    batches = {booking.batch for _, booking in bookings if not booking.details}
    whole = {one.original_message_id for one in message.statuses if one.end_to_end_id is None}
    return Named(
        end_to_end_ids=frozenset({name for name in details if name} | {name for _, name in statuses}),
        payout_ids=frozenset(ours for name in batches | whole if (ours := file_id(name))),
        item_ids=frozenset(
            [rest_id(iban, booking.reference) for iban, booking in bookings]
            + [notice_id(original, name) for original, name in statuses]
        ),
        areas=frozenset(told.areas.values()),
    )


async def _told_before(tx: Tx, reports: Sequence[Report]) -> Told:
    told = Told(await _areas(tx, reports))
    keys = [key for report in reports if (key := report_key(report))]
    query = (
        "SELECT iban, kind, year, number, page, opening_cents, closing_cents FROM bank_report"
        " WHERE (iban, kind, year, number, page) IN"
        " (SELECT * FROM unnest(%s::text[], %s::text[], %s::int[], %s::int[], %s::int[]))"
    )
    for row in await rows(tx, query, columns(keys, 5)):
        key = (row["iban"], row["kind"], row["year"], row["number"], row["page"])
        told.reports[key] = (row["opening_cents"], row["closing_cents"])
    await _add_bookings(tx, told, {(report.iban, one.reference) for report in reports for one in report.bookings})
    await _add_instalments(tx, told, reports)
    return told


async def _areas(tx: Tx, reports: Sequence[Report]) -> dict[str, str]:
    """The area of each account that a file speaks of."""
    query = "SELECT iban, area FROM area_account WHERE iban = ANY(%s)"
    found = {row["iban"]: row["area"] for row in await rows(tx, query, ([report.iban for report in reports],))}
    unknown = next((report for report in reports if report.iban not in found), None)
    if unknown is not None:
        pointer = f"{unknown.pointer}/Acct/Id/IBAN"
        raise BadBankMessage("The account is no area's.", rule="known_account", pointer=pointer)
    return found


async def _add_bookings(tx: Tx, told: Told, references: Iterable[tuple[str, str]]) -> None:
    places = columns(references, 2)
    among = "WHERE (iban, reference) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
    query = f"SELECT iban, reference, direction, amount_cents FROM bank_booking {among}"
    for row in await rows(tx, query, places):
        told.bookings[row["iban"], row["reference"]] = (row["direction"], row["amount_cents"])
    for row in await rows(tx, f"SELECT iban, reference, part, amount_cents FROM bank_entry {among}", places):
        told.parts[row["iban"], row["reference"]][row["part"]] = row["amount_cents"]


_INSTALMENTS = """
SELECT i.instalment_id, i.area, i.amount_cents, i.reference
FROM instalment i JOIN unnest(%s::text[], %s::bigint[], %s::text[]) AS r (area, cents, reference)
    ON (i.area, i.amount_cents, i.reference) = (r.area, r.cents, r.reference)
JOIN entry e ON e.entry_id = i.instalment_id
WHERE NOT EXISTS (SELECT FROM bank_entry t WHERE t.entry_id = i.instalment_id AND t.matched = 'funding')
  AND NOT EXISTS (SELECT FROM suspense_step s WHERE s.target = i.instalment_id::text AND s.what = 'matched_to_funding')
ORDER BY e.area, e.seq
"""


async def _add_instalments(tx: Tx, told: Told, reports: Sequence[Report]) -> None:
    received = {
        (told.areas[report.iban], detail.amount_cents, detail.remittance)
        for report in reports
        for booking in report.bookings
        for detail in booking.details
        if detail.outcome == "received"
    }
    for row in await rows(tx, _INSTALMENTS, columns(received, 3)) if received else []:
        key = (row["area"], row["amount_cents"], row["reference"])
        told.instalments.setdefault(key, deque()).append(row["instalment_id"])


# What followed


async def _remember(
    tx: Tx, message: BankMessage, told: Told, entry_ids: dict[str, list[UUID]], *, now: datetime
) -> None:
    """Reports, entries and their transactions, as the bank told them."""
    await _insert_reports(tx, told.new_reports.values(), message.message_id, now)
    await tx.execute(
        "INSERT INTO bank_booking (iban, reference, area, direction, amount_cents, booked_on, message_id) SELECT *"
        " FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::date[], %s::text[])",
        columns([_booking_row(*told_of) for told_of in told.new_bookings], 7),
    )
    await tx.execute(
        "INSERT INTO bank_entry (iban, reference, part, end_to_end_id, outcome, amount_cents, matched, entry_id,"
        " message_id) SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[],"
        " %s::text[], %s::uuid[], %s::text[])",
        columns([_entry_row(entered, entry_ids) for entered in told.entered], 9),
    )


def _booking_row(place: Place, booking: Booking) -> tuple[object, ...]:
    whole = (place.direction, booking.amount_cents, place.booked_on, place.message_id)
    return (place.iban, place.reference, place.area, *whole)


def _entry_row(entered: Entered, entry_ids: dict[str, list[UUID]]) -> tuple[object, ...]:
    place, detail, entry = entered.place, entered.detail, entered.entry
    entry_id = entry_ids[entry.area][entry.place] if isinstance(entry, Posted) else entry
    known = (detail.end_to_end_id, detail.outcome, detail.amount_cents, entered.matched, entry_id)
    return (place.iban, place.reference, detail.part, *known, place.message_id)


async def _insert_reports(tx: Tx, reports: Iterable[Report], message_id: str, now: datetime) -> None:
    known = [
        (
            *(one.iban, one.kind, one.year, one.number, one.page, one.is_last_page),
            *(one.opening_cents, one.closing_cents, one.closes_on),
        )
        for one in reports
    ]
    await tx.execute(
        "INSERT INTO bank_report (message_id, received_at, iban, kind, year, number, page, is_last_page,"
        " opening_cents, closing_cents, closes_on) SELECT %s, %s, r.* FROM unnest(%s::text[], %s::text[], %s::int[],"
        " %s::int[], %s::int[], %s::bool[], %s::bigint[], %s::bigint[], %s::date[]) r",
        (message_id, now, *columns(known, 9)),
    )


async def _remember_statuses(tx: Tx, message: BankMessage, statuses: Sequence[Status], now: datetime) -> None:
    await tx.execute(
        "INSERT INTO bank_status (message_id, told_at, end_to_end_id, status, reason)"
        " SELECT %s, %s, s.* FROM unnest(%s::text[], %s::text[], %s::text[]) s ON CONFLICT DO NOTHING",
        (message.message_id, now, *columns([(one.end_to_end_id, one.status, one.reason) for one in statuses], 3)),
    )
