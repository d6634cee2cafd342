"""Instalments (rahoituserät): when they are due, what was received of them, and the year that they belong to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from kanava.common.clock import add_months
from kanava.common.money import split_by_largest_remainder

MONTHS = 12


@dataclass(frozen=True)
class FundingRule:
    """From a day on: the day of the month on which monthly instalments are due, and until which month and day
    of the next year what is still missing of a year may arrive and belong to it, while that year is open."""

    valid_from: date
    due_day: int
    late_until: tuple[int, int]


FUNDING_RULES = (FundingRule(valid_from=date(2023, 1, 1), due_day=2, late_until=(1, 31)),)
"""Kanava's own settings, newest last; no act is quoted for them."""


def rule_on(day: date, rules: Sequence[FundingRule] = FUNDING_RULES) -> FundingRule:
    """The rule in force on a day; before the first one, the first."""
    in_force = [rule for rule in rules if rule.valid_from <= day]
    return in_force[-1] if in_force else rules[0]


@dataclass(frozen=True)
class Planned:
    """An instalment of a plan, in cents."""

    number: int
    due_on: date
    amount_cents: int


@dataclass(frozen=True)
class Received:
    """Money of a payer that belongs to the plan's year, in cents."""

    received_on: date
    amount_cents: int


class InstalmentState(Enum):
    """How far an instalment has come on a day."""

    EXPECTED = "expected"
    """It is not yet due."""
    RECEIVED = "received"
    """All of it arrived by its due date."""
    LATE = "late"
    """All of it arrived, the last cent after its due date."""
    SHORT = "short"
    """It is due, and a part of it is missing."""
    MISSING = "missing"
    """It is due, and nothing of it arrived."""


@dataclass(frozen=True)
class Matched:
    """An instalment of a plan with what arrived of it; `days_late` counts to the last cent, or to today."""

    number: int
    due_on: date
    amount_cents: int
    received_cents: int
    completed_on: date | None
    days_late: int
    state: InstalmentState

    @property
    def missing_cents(self) -> int:
        """What has not arrived, in cents."""
        return self.amount_cents - self.received_cents


@dataclass(frozen=True)
class Matching:
    """A plan against what was received for its year; `surplus_cents` is what no instalment asks for."""

    instalments: tuple[Matched, ...]
    surplus_cents: int


def monthly_plan(total_cents: int, year: int, due_day: int) -> tuple[Planned, ...]:
    """Twelve instalments that sum to the total (largest remainder), each due on a day of its month.

    Raises `ValueError` for a total of less than a cent a month.
    """
    if total_cents < MONTHS:
        raise ValueError("a plan of twelve instalments has at least a cent in each")
    parts = split_by_largest_remainder(total_cents, [1] * MONTHS)
    first = date(year, 1, due_day)
    plan = tuple(Planned(n + 1, add_months(first, n), cents) for n, cents in enumerate(parts))
    assert sum(one.amount_cents for one in plan) == total_cents, "a plan lost a cent"
    assert all(one.due_on.year == year for one in plan), "a plan left its year"
    return plan


def match(planned: Sequence[Planned], received: Sequence[Received], on: date) -> Matching:
    """Fill instalments in the order in which they are due with what was received, in the order of its arrival.

    `on` is the day that is looked from: what came after it is left out. The order of the input plays no part.
    """
    known = [one for one in received if one.received_on <= on]
    waiting = sorted(known, key=lambda one: one.received_on)
    found = [_filled(one, waiting, on) for one in sorted(planned, key=lambda one: (one.due_on, one.number))]
    surplus_cents = sum(one.amount_cents for one in waiting)
    total_cents = sum(one.amount_cents for one in known)
    assert sum(one.received_cents for one in found) + surplus_cents == total_cents, "a matching lost a cent"
    assert all(0 <= one.received_cents <= one.amount_cents for one in found), "an instalment was overfilled"
    return Matching(tuple(found), surplus_cents)


def _filled(planned: Planned, waiting: list[Received], on: date) -> Matched:
    """Take from the front of what waits until the instalment is full or nothing is left."""
    left_cents, last = planned.amount_cents, None
    while left_cents and waiting:
        first = waiting.pop(0)
        taken_cents = min(left_cents, first.amount_cents)
        left_cents, last = left_cents - taken_cents, first.received_on
        if first.amount_cents > taken_cents:
            waiting.insert(0, Received(first.received_on, first.amount_cents - taken_cents))
    received_cents = planned.amount_cents - left_cents
    completed_on = last if left_cents == 0 else None
    days_late = max(((completed_on or on) - planned.due_on).days, 0)
    state = _state(received_cents, completed=completed_on is not None, is_late=days_late > 0)
    return Matched(
        *(planned.number, planned.due_on, planned.amount_cents),
        received_cents,
        completed_on,
        days_late,
        state,
    )


def _state(received_cents: int, *, completed: bool, is_late: bool) -> InstalmentState:
    if completed:
        return InstalmentState.LATE if is_late else InstalmentState.RECEIVED
    if not is_late:
        return InstalmentState.EXPECTED
    return InstalmentState.SHORT if received_cents else InstalmentState.MISSING


@dataclass(frozen=True)
class YearShare:
    """The part of an instalment that belongs to a fiscal year, in cents."""

    fiscal_year: int
    amount_cents: int


def year_shares(
    amount_cents: int, received_on: date, *, booked_on: date, closed: frozenset[int], missing_cents: Mapping[int, int]
) -> tuple[YearShare, ...]:
    """The years that an instalment belongs to, in cents that sum to it.

    `missing_cents` is what the payer's plan of a year still misses. What arrives until the rule's day in January
    first fills what the old year misses, while that year is open; the rest belongs to the year of its arrival,
    or, when that one is closed, to the year in which it is booked.
    """
    assert amount_cents > 0, "an instalment is positive"
    own = received_on.year if received_on.year not in closed else booked_on.year
    old = received_on.year - 1
    in_time = received_on <= date(received_on.year, *rule_on(received_on).late_until)
    old_cents = min(amount_cents, missing_cents.get(old, 0)) if in_time and old not in closed else 0
    shares = (YearShare(old, old_cents), YearShare(own, amount_cents - old_cents))
    kept = tuple(share for share in shares if share.amount_cents)
    assert sum(share.amount_cents for share in kept) == amount_cents, "an instalment lost a cent between years"
    return kept
