"""The client-specific correction afterwards (suoritekorvaus): when an organiser may decide on one, and revoke it.

Settled question 5 of the design: at listing the correction is a coefficient from a date, afterwards a dated
performance line with a reason. Amounts are cents: positive raises what a producer gets, negative lowers it.
"""

from dataclasses import dataclass
from datetime import date

from kanava.common.clock import add_months

from ..errors import Reason

MAX_REASON_CHARACTERS = 300
"""How long the reason is at most: it stands on the producer's statement."""


@dataclass(frozen=True)
class Limits:
    """What one decision may be at most in either direction, and how many whole months back its day may lie."""

    valid_from: date
    most_cents: int
    months_back: int


LIMITS = (Limits(date(2023, 1, 1), most_cents=10_000_00, months_back=24),)
"""Dated, oldest first: a new row changes what may be decided from its day on. Kanava's own, not from the source."""


@dataclass(frozen=True)
class Circumstances:
    """What is known of a resident, a unit and a day as somebody decides: listed there, and the scheme in production."""

    is_listed: bool
    is_in_production: bool


def limits_on(day: date) -> Limits:
    """The limits in force on a day; before the first ones, the first."""
    return next((limits for limits in reversed(LIMITS) if limits.valid_from <= day), LIMITS[0])


def decision_refusal(*, day: date, amount_cents: int, today: date, known: Circumstances) -> Reason | None:
    """Why a performance line for a day cannot be decided on today, or None."""
    assert amount_cents, "a line of nothing is no correction"
    limits = limits_on(today)
    this_month = today.replace(day=1)
    if abs(amount_cents) > limits.most_cents:
        return Reason.PERFORMANCE_TOO_LARGE
    if day >= add_months(this_month, 1):
        return Reason.PERFORMANCE_IN_THE_FUTURE
    if day < add_months(this_month, -limits.months_back):
        return Reason.PERFORMANCE_TOO_OLD
    if not known.is_in_production:
        return Reason.SCHEME_NOT_IN_PRODUCTION
    return None if known.is_listed else Reason.NOT_LISTED_THERE


def revocation_refusal(*, is_revoked: bool, is_adjusted: bool, decided_by: str, revoked_by: str) -> Reason | None:
    """Why somebody cannot revoke a decision, or None; a line that a dispute adjusted is corrected once already."""
    if is_revoked:
        return Reason.PERFORMANCE_REVOKED
    if is_adjusted:
        return Reason.PERFORMANCE_ADJUSTED
    return Reason.SAME_PERSON if decided_by == revoked_by else None
