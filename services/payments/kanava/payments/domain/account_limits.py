"""The limit of an area's account (saldoraja, limiitti): how low and how high it may be set, and when it is refused.

No payout, transfer, refund or batch takes an account below its limit. Above zero it is money that stays; below zero
it is an overdraft (tilinylitysoikeus) that was agreed. Amounts are cents.
"""

from dataclasses import dataclass
from datetime import date

from ..errors import Reason


@dataclass(frozen=True)
class Bounds:
    """How low and how high a limit may be set from a day on, in cents."""

    valid_from: date
    least_cents: int
    most_cents: int


BOUNDS = (Bounds(date(2023, 1, 1), least_cents=-1_000_000_000_00, most_cents=10_000_000_000_00),)
"""Dated, oldest first: a new row changes what may be set from its day on. Kanava's own, not from the source."""

LEAST_EVER_CENTS = min(bounds.least_cents for bounds in BOUNDS)
MOST_EVER_CENTS = max(bounds.most_cents for bounds in BOUNDS)


@dataclass(frozen=True)
class Standing:
    """How an account stands: the limit in force, and what could be spent without one, in cents."""

    limit_cents: int
    spendable_cents: int


def bounds_on(day: date) -> Bounds:
    """The bounds in force on a day; before the first ones, the first."""
    return next((bounds for bounds in reversed(BOUNDS) if bounds.valid_from <= day), BOUNDS[0])


def limit_refusal(limit_cents: int, *, standing: Standing, today: date) -> Reason | None:
    """Why the limit of an account cannot be set today, or None.

    A limit is raised at most to what is there, so that the account is not below it from the first moment. Lowered it
    may always be, also where money that left unexplained has taken the account below the limit in force.
    """
    bounds = bounds_on(today)
    if not bounds.least_cents <= limit_cents <= bounds.most_cents:
        return Reason.LIMIT_OUT_OF_BOUNDS
    is_raised = limit_cents > standing.limit_cents
    return Reason.LIMIT_ABOVE_BALANCE if is_raised and limit_cents > standing.spendable_cents else None
