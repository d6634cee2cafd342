"""The walk through a file of the bank, record by record: what each does, by what is known. Reads and writes nothing.

A movement that fits a payment or an instalment is booked there; any other waits on the suspense account, until
a later file or a person explains it.
"""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from kanava.common.seal import Seal

from ..bankfiles import BankMessage, Booking, Detail, Report, Status
from ..domain.banking import Why, match
from ..errors import BadBankMessage
from . import clearing
from .clearing import Desk, Item, Place, Posted, known
from .suspended import BY_FILE, Step

REST = "#rest"
"""The part of a booking of which the bank has not told the details; no end-to-end id may contain `#`."""
REJECTED = "RJCT"

ReportKey = tuple[str, str, int, int, int]
"""Account, kind, year, number and page of a report."""
Reference = tuple[str, str]
"""Account and the bank's reference of an entry."""


@dataclass(frozen=True)
class Entered:
    """A transaction of an entry as it is remembered, with what it was matched with when it came."""

    place: Place
    detail: Detail
    matched: str
    entry: UUID | Posted | None = None


@dataclass
class Told:
    """What the bank told before of what a file speaks of, and what the file adds to it.

    `areas` are by account, `bookings` hold direction and cents, `parts` the cents of the parts of a booking;
    `instalments` are entries that were booked by hand and not told yet, by area, cents and reference.
    """

    areas: Mapping[str, str]
    reports: dict[ReportKey, tuple[int | None, int | None]] = field(default_factory=dict)
    bookings: dict[Reference, tuple[str, int]] = field(default_factory=dict)
    parts: dict[Reference, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    instalments: dict[tuple[str, int, str], deque[UUID]] = field(default_factory=dict)
    new_reports: dict[ReportKey, Report] = field(default_factory=dict)
    new_bookings: list[tuple[Place, Booking]] = field(default_factory=list)
    entered: list[Entered] = field(default_factory=list)


def walk(desk: Desk, told: Told, message: BankMessage, seal: Seal) -> Counter[str]:
    """Take a file's records in, in order; what became of how many. What was taken in before changes nothing."""
    words: Counter[str] = Counter()
    for report in message.reports:
        _note_number(told, report)
        for booking in report.bookings:
            named = (booking.reference, booking.direction, booking.booked_on, message.message_id)
            place = Place(told.areas[report.iban], report.iban, *named, seal)
            words.update(_take_booking(desk, told, place, booking))
    for status in message.statuses:
        words.update(_take_status(desk, status))
    return words


# camt.053 and camt.054


def report_key(report: Report) -> ReportKey | None:
    """How a report is known; one without a number is not."""
    return None if report.number is None else (report.iban, report.kind, report.year, report.number, report.page)


def _note_number(told: Told, report: Report) -> None:
    """Remember the number of a report; the same number with other balances is refused."""
    key = report_key(report)
    if key is None:
        return
    balances = (report.opening_cents, report.closing_cents)
    if key not in told.reports:
        told.reports[key], told.new_reports[key] = balances, report
    elif told.reports[key] != balances:
        raise BadBankMessage(
            "A statement with this number was taken in with other balances.",
            rule="number_reused",
            pointer=f"{report.pointer}/ElctrncSeqNb",
        )


def _take_booking(desk: Desk, told: Told, place: Place, booking: Booking) -> list[str]:
    """Book an entry when it is first told: its details, and the rest without details on the suspense account."""
    is_new = _is_new(told, place, booking)
    parts = told.parts[place.iban, place.reference]
    details = booking.details or _details_of_batch(desk, place, booking)
    fresh = [one for one in details if one.part not in parts]
    _check_parts(booking, details, fresh, parts)
    words = ["known"] * (len(details) - len(fresh) if is_new or details else 1)
    for detail in fresh:
        words += (_record if is_new else _record_from_rest)(desk, told, place, detail)
    rest_cents = booking.amount_cents - sum(one.amount_cents for one in fresh)
    if is_new and rest_cents:
        words += _record(desk, told, place, Detail(REST, None, "rest", rest_cents))
    return words


def _is_new(told: Told, place: Place, booking: Booking) -> bool:
    key, whole = (place.iban, place.reference), (booking.direction, booking.amount_cents)
    if key not in told.bookings:
        told.bookings[key] = whole
        told.new_bookings.append((place, booking))
        return True
    if told.bookings[key] != whole:
        raise _changed(booking)
    return False


def _changed(booking: Booking) -> BadBankMessage:
    return BadBankMessage(
        "The bank told this entry before with another sum.", rule="entry_changed", pointer=booking.pointer
    )


def file_id(hexadecimal: str | None) -> UUID | None:
    """The payout whose file has this id; None for an id that is not of ours."""
    is_ours = hexadecimal is not None and re.fullmatch("[0-9a-f]{32}", hexadecimal)
    return UUID(hexadecimal) if is_ours else None


def _details_of_batch(desk: Desk, place: Place, booking: Booking) -> tuple[Detail, ...]:
    """The payments of our file that the bank booked as one sum, if they are all open and sum to it."""
    if booking.direction != "debit" or booking.batch is None:
        return ()
    payments = [one for one in desk.open_payments(file_id(booking.batch)) if one.area == place.area]
    if sum(one.amount_cents for one in payments) != booking.amount_cents:
        return ()
    return tuple(Detail(one.end_to_end_id, one.end_to_end_id, "booked", one.amount_cents) for one in payments)


def _check_parts(
    booking: Booking, details: Sequence[Detail], fresh: Sequence[Detail], parts: Mapping[str, int]
) -> None:
    """An entry stays what it was: its parts keep their sums and are together no more than the whole."""
    told_cents = sum(cents for part, cents in parts.items() if part != REST)
    if told_cents + sum(one.amount_cents for one in fresh) > booking.amount_cents:
        raise _changed(booking)
    if any(parts.get(one.part, one.amount_cents) != one.amount_cents for one in details):
        raise _changed(booking)


def rest_id(iban: str, reference: str) -> UUID:
    """The item in which the money of an entry waits of which the bank has not told the details."""
    return clearing.item_id(iban, reference, REST)


def _record_from_rest(desk: Desk, told: Told, place: Place, detail: Detail) -> list[str]:
    """Book a detail that came after its entry: its money waits in the rest, unless a person explained that."""
    rest = desk.items.get(rest_id(place.iban, place.reference))
    if rest is None or rest.left_cents < detail.amount_cents:
        _enter(told, Entered(place, detail, "explained"))
        return ["known"]
    reason = "The bank told the details"
    clearing.take_back(desk, rest, Step("explained_by_file", BY_FILE, reason, detail.amount_cents, detail.part))
    return ["explained", *_record(desk, told, place, detail)]


def _record(desk: Desk, told: Told, place: Place, detail: Detail) -> list[str]:
    """Book one transaction of an entry, and let it explain what waited for it."""
    if detail.outcome == "received" and (entry_id := _instalment(told, place, detail)):
        _enter(told, Entered(place, detail, "funding", entry_id))
        return ["received"]
    if detail.outcome == "returned" and (twice := _paid_twice(desk, place, detail)):
        step = Step("offset", BY_FILE, "The bank gave it back", detail.amount_cents, place.reference)
        clearing.take_back(desk, twice, step)
        _enter(told, Entered(place, detail, "offset"))
        return ["explained"]
    payment = desk.payment(detail.end_to_end_id, place.area)
    follows = match(detail.outcome, detail.amount_cents, known(payment))
    if isinstance(follows, Why) or payment is None:
        assert isinstance(follows, Why), "nothing follows without a payment"
        clearing.suspend(desk, place, detail, why=follows)
        _enter(told, Entered(place, detail, "suspense"))
        return ["unmatched"]
    posted = clearing.settle(desk, payment, follows, reason=detail.reason)
    _enter(told, Entered(place, detail, "payment", posted))
    return [follows.status, *["explained"] * clearing.explain(desk, payment)]


def _enter(told: Told, entered: Entered) -> None:
    parts = told.parts[entered.place.iban, entered.place.reference]
    assert entered.detail.part not in parts, "a part of an entry is told once"
    parts[entered.detail.part] = entered.detail.amount_cents
    told.entered.append(entered)


def _paid_twice(desk: Desk, place: Place, detail: Detail) -> Item | None:
    """Money that left a second time for the same payment, which the bank now gives back."""
    items = desk.open_items(place.area, detail.end_to_end_id)
    return next((one for one in items if one.direction == "debit" and one.left_cents == detail.amount_cents), None)


def _instalment(told: Told, place: Place, detail: Detail) -> UUID | None:
    """The entry of an instalment that was booked by hand with this sum and reference, and not told by the bank yet."""
    waiting = told.instalments.get((place.area, detail.amount_cents, detail.remittance))
    return waiting.popleft() if waiting else None


# pain.002


def _take_status(desk: Desk, status: Status) -> list[str]:
    """Book a rejection; acceptance alone moves no money. A whole file stands for its open payments."""
    if status.status != REJECTED:
        return []
    if status.end_to_end_id is not None:
        return _reject(desk, status, status.end_to_end_id)
    ours = file_id(status.original_message_id)
    if ours not in desk.payouts:
        return _reject(desk, status, status.original_message_id)
    named = [payment.end_to_end_id for payment in desk.open_payments(ours)]
    return [word for name in named for word in _reject(desk, status, name)]


def told_of(desk: Desk, statuses: Sequence[Status]) -> list[Status]:
    """What is remembered of statuses, each of one payment; the acceptance of a whole file is of none."""
    found: list[Status] = []
    for status in statuses:
        if status.end_to_end_id is not None:
            found.append(status)
        elif status.status == REJECTED:
            ours = file_id(status.original_message_id)
            of_file = [payment.end_to_end_id for payment in desk.open_payments(ours)]
            names = of_file if ours in desk.payouts else [status.original_message_id]
            found += [replace(status, end_to_end_id=name) for name in names]
    return found


def _reject(desk: Desk, status: Status, name: str) -> list[str]:
    payment = desk.payment(name)
    if payment and payment.status in ("rejected", "returned"):
        return ["known"]
    amount_cents = payment.amount_cents if payment and status.amount_cents is None else status.amount_cents
    follows = match("rejected", amount_cents or 1, known(payment))
    if isinstance(follows, Why) or payment is None:
        assert isinstance(follows, Why), "nothing follows without a payment"
        named = {"area": payment.area if payment else "", "original": status.original_message_id}
        is_new = clearing.give_notice(desk, **named, end_to_end_id=name, why=follows)
        return ["unmatched" if is_new else "known"]
    clearing.settle(desk, payment, follows, reason=status.reason)
    return ["rejected", *["explained"] * clearing.explain(desk, payment)]
