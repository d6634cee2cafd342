"""The trial balance (koetase) of an area's book: what stood, what moved in the year, what stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from .chart import Account


class AccountClass(Enum):
    """What an account is, by the first digit of its number."""

    ASSET = "1"
    """What the area has (vastaavaa)."""
    LIABILITY = "2"
    """What the area owes, and what earlier years left (vastattavaa)."""
    INCOME = "3"
    """What came in for the year (tuotot); begins every year at zero."""
    COST = "4"
    """What the year cost (kulut); begins every year at zero."""


YEARLY = frozenset({AccountClass.INCOME, AccountClass.COST})


def class_of(account: str) -> AccountClass:
    """The class of an account; `ValueError` for a number outside the four classes."""
    return AccountClass(account[:1])


@dataclass(frozen=True)
class Movement:
    """An account's postings, in cents: the sum before the year, debits and credits of the year, both positive."""

    account: str
    before_cents: int
    debit_cents: int
    credit_cents: int


@dataclass(frozen=True)
class BalanceLine:
    """A line of the trial balance, in cents; opening and closing are debit positive."""

    account: str
    opening_cents: int
    debit_cents: int
    credit_cents: int
    closing_cents: int


def trial_balance(movements: Sequence[Movement]) -> tuple[BalanceLine, ...]:
    """One line for each account, in order of their numbers.

    Income and cost begin the year at zero; what they left in earlier years is the opening of `EARLIER_YEARS`.
    Postings of an entry sum to zero, so opening and closing sum to zero and debits equal credits.
    """
    earlier = Movement(Account.EARLIER_YEARS, _left(movements), 0, 0)
    found = [_line(one) for one in movements if one.account != Account.EARLIER_YEARS]
    lines = sorted([*found, _line(earlier)], key=lambda line: line.account)
    shown = tuple(line for line in lines if line.opening_cents or line.debit_cents or line.credit_cents)
    assert sum(line.opening_cents for line in shown) == 0, "what stood before the year does not sum to zero"
    assert sum(line.debit_cents - line.credit_cents for line in shown) == 0, "debits are not credits"
    return shown


def _left(movements: Sequence[Movement]) -> int:
    return sum(one.before_cents for one in movements if class_of(one.account) in YEARLY)


def _line(movement: Movement) -> BalanceLine:
    is_yearly = class_of(movement.account) in YEARLY
    opening_cents = 0 if is_yearly else movement.before_cents
    closing_cents = opening_cents + movement.debit_cents - movement.credit_cents
    return BalanceLine(movement.account, opening_cents, movement.debit_cents, movement.credit_cents, closing_cents)


def result_cents(lines: Sequence[BalanceLine]) -> int:
    """The year's surplus (positive) or deficit (tilikauden yli- tai alijäämä), in cents: income less cost."""
    return -sum(line.closing_cents for line in lines if class_of(line.account) in YEARLY)
