"""What the bank may say of a payment in each of its states, and which of its numbered reports are missing.

A payment is `open` when it was given to the bank, then `booked` or `rejected`, and after `booked` perhaps
`returned`. What fits no state moves no payment: its money waits on the suspense account (selvittelytili).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from kanava.common.errors import RefusalReason

from .chart import EntryKind

Direction = Literal["credit", "debit"]
"""Credit: money came to the area's account. Debit: it left."""

Outcome = Literal["booked", "returned", "received", "withdrawn", "rest", "rejected"]
"""What a bank's record says: a payment left, came back, or was rejected; other money came, or was taken.

`rest` is the part of an entry of which the bank has not yet told the details.
"""


class Why(RefusalReason):
    """Why a record of the bank matches nothing."""

    UNKNOWN_PAYMENT = "unknown_payment", "No payment of this account has this end-to-end id."
    OTHER_AMOUNT = "other_amount", "The payment has another amount."
    ALREADY_PAID = "already_paid", "The payment was booked before; a payment is paid once."
    NOT_OPEN = "not_open", "The payment was rejected or returned before."
    NOT_BOOKED = "not_booked", "The payment that comes back was not booked yet."
    UNEXPECTED_CREDIT = "unexpected_credit", "Money came that no instalment and no payment explains."
    UNEXPECTED_DEBIT = "unexpected_debit", "The bank took money that no payment explains."
    WITHOUT_DETAILS = "without_details", "The bank told the sum of an entry and not yet what it consists of."


@dataclass(frozen=True)
class KnownPayment:
    """A payment as the bank's records are matched with it."""

    status: str
    amount_cents: int


@dataclass(frozen=True)
class Follows:
    """What a fitting record does: the entry that it makes, and the payment's new state."""

    kind: EntryKind
    status: str


_FOLLOWS: Mapping[tuple[str, str], Follows] = {
    ("open", "booked"): Follows(EntryKind.BOOKED, "booked"),
    ("open", "rejected"): Follows(EntryKind.REJECTED, "rejected"),
    ("booked", "returned"): Follows(EntryKind.RETURNED, "returned"),
}
_MISFITS: Mapping[tuple[str, str], Why] = {
    ("open", "returned"): Why.NOT_BOOKED,
    ("booked", "booked"): Why.ALREADY_PAID,
    ("booked", "rejected"): Why.ALREADY_PAID,
}


def match(outcome: str, amount_cents: int, payment: KnownPayment | None) -> Follows | Why:
    """What a record of `amount_cents` does to the payment that it names, or why it does not fit.

    Another amount never fits: partial payments do not exist, so the difference is for a person to explain.
    """
    assert amount_cents > 0, "a record of the bank has a positive amount"
    if outcome == "received":
        return Why.UNEXPECTED_CREDIT
    if outcome == "withdrawn":
        return Why.UNEXPECTED_DEBIT
    if outcome == "rest":
        return Why.WITHOUT_DETAILS
    if payment is None:
        return Why.UNKNOWN_PAYMENT
    if payment.amount_cents != amount_cents:
        return Why.OTHER_AMOUNT
    state = (payment.status, outcome)
    return _FOLLOWS.get(state) or _MISFITS.get(state, Why.NOT_OPEN)


@dataclass(frozen=True)
class Gap:
    """Missing numbers of one year, first and last included."""

    year: int
    first: int
    last: int


def gaps(numbers: Iterable[tuple[int, int]]) -> list[Gap]:
    """The numbers that are missing between (year, number) pairs of one account and kind of report.

    A sequence begins with the first number that was ever heard. In a new year it begins at 1, unless the bank
    counts on: then the year's first number is greater than the last of the year before.
    """
    by_year: dict[int, set[int]] = {}
    for year, number in numbers:
        by_year.setdefault(year, set()).add(number)
    found: list[Gap] = []
    expected: int | None = None
    for year, heard in sorted(by_year.items()):
        first = min(heard)
        if expected is None:
            expected = first
        elif first < expected:
            expected = 1
        for number in sorted(heard):
            if number > expected:
                found.append(Gap(year, expected, number - 1))
            expected = number + 1
    return found
