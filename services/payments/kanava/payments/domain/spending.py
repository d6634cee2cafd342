"""What was spent for a resident, as the resident reads it: by month and matter, with corrections explained.

Closed months stay (settled question 1), so what a month says of a resident is what all runs booked for it: originals,
and pairs of a refund of what stood and a correction with what holds. Here the pairs become sentences' facts: what it
was, what it is, and what changed. Amounts are integer cents; nothing is rounded.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from kanava.common.clock import add_months, first_of_month
from kanava.common.money import half_up

MONTHS_AT_ONCE = 12
"""How many months one page shows."""

COMPONENTS = (
    "capitation",
    "performance",
    "fee",
    "voucher",
    "incentive",
    "adjustment",
    "benefit",
    "client_fee",
)
"""Kinds of cost that fall on residents, in the order in which they are shown; what the resident paid comes last."""

Key = tuple[date, str, str, str, str]


class Change(StrEnum):
    """What changed between what stood and what holds."""

    REMOVED = "removed"
    """What stood holds no longer, and nothing came in its place."""
    ADDED = "added"
    """It became known after its month was closed."""
    DAYS = "days"
    """The days of being listed."""
    RATE = "rate"
    """The yearly rate of the age band."""
    COEFFICIENT = "coefficient"
    """The client-specific coefficient."""
    PRICE = "price"
    """The price of the service."""
    REPORT = "report"
    """The producer's report of the service."""
    DECISION = "decision"
    """A decision of the organiser or the operator."""
    SHARE = "share"
    """The resident's share of what the producer earned for all."""


@dataclass(frozen=True)
class Booked:
    """What one run booked on a resident for one month and matter: the sum of its lines of one kind.

    `rate_cents` is the one rate or price of these lines, None where they have several; `reason` is that of a
    decision, `decision` the number of one on a benefit (0 for lines). A refund has negative days and cents.
    """

    for_month: date
    paid_month: date
    component: str
    kind: str
    producer_id: str
    unit_id: str
    node: str
    amount_cents: int
    days: int = 0
    permille_days: int = 0
    rate_cents: int | None = None
    producer: str | None = None
    unit: str | None = None
    product: str | None = None
    reason: str | None = None
    decision: int = 0

    @property
    def key(self) -> Key:
        """What it is about."""
        return (self.for_month, self.component, self.producer_id, self.unit_id, self.node)

    @property
    def coefficient_permille(self) -> int:
        """The mean coefficient of the days, in thousandths, rounded half up for showing it; 0 without days."""
        return half_up(Fraction(self.permille_days, self.days)) if self.days else 0


@dataclass(frozen=True)
class Correction:
    """What a later run changed: the refund of what stood, and what it booked in its place; one of them may lack."""

    paid_month: date
    before: Booked | None
    after: Booked | None

    @property
    def before_cents(self) -> int:
        """What stood."""
        return -self.before.amount_cents if self.before else 0

    @property
    def after_cents(self) -> int:
        """What was booked in its place."""
        return self.after.amount_cents if self.after else 0

    @property
    def reason(self) -> str | None:
        """The reason of the decision behind it, if it was one."""
        told = [one.reason for one in (self.before, self.after) if one and one.reason]
        return told[0] if told else None


@dataclass(frozen=True)
class Matter:
    """What a month cost for one kind of thing at one unit, and how that came to be."""

    of: Booked
    amount_cents: int
    corrections: tuple[Correction, ...]
    reasons: tuple[str, ...]

    @property
    def holds(self) -> Booked | None:
        """What was booked last and not taken back."""
        if not self.corrections:
            return self.of
        return self.corrections[-1].after


@dataclass(frozen=True)
class Month:
    """A month with its matters; `amount_cents` is their sum."""

    first: date
    matters: tuple[Matter, ...]
    amount_cents: int


def shown_months(since: date | None, until: date | None, today: date) -> tuple[date, date]:
    """The first and last month that a page shows: the newest twelve of those that were asked for, by default of all."""
    wanted = [first_of_month(one) for one in (since, until or today) if one is not None]
    first, last = min(wanted), max(wanted)
    earliest = add_months(last, 1 - MONTHS_AT_ONCE)
    return (earliest if since is None else max(first, earliest)), last


def whole_months(booked: Sequence[Booked], first: date, limit: int) -> tuple[tuple[Booked, ...], date]:
    """What of at most `limit` rows from `first` on, the newest month first, is of whole months; and the first of these.

    Where there may be more rows, the month of the last one is left out; a single month of so many stays, cut.
    """
    if len(booked) < limit:
        return tuple(booked), first
    cut = booked[-1].for_month
    whole = tuple(one for one in booked if one.for_month != cut)
    return (whole, whole[-1].for_month) if whole else (tuple(booked), cut)


def months_of(booked: Iterable[Booked]) -> list[Month]:
    """Months, the newest first, with their matters in the order of `COMPONENTS`; every cent is in exactly one."""
    by_key: dict[Key, list[Booked]] = defaultdict(list)
    for one in booked:
        by_key[one.key].append(one)
    matters = [_matter(found) for _, found in sorted(by_key.items(), key=lambda item: _place(item[0]))]
    by_month: dict[date, list[Matter]] = defaultdict(list)
    for matter in matters:
        by_month[matter.of.for_month].append(matter)
    months = [
        Month(first, tuple(found), sum(one.amount_cents for one in found))
        for first, found in sorted(by_month.items(), reverse=True)
    ]
    booked_cents = sum(one.amount_cents for found in by_key.values() for one in found)
    assert sum(month.amount_cents for month in months) == booked_cents, "a cent was lost or counted twice"
    return months


def _place(key: Key) -> tuple[date, int, str, str, str]:
    first, component, *rest = key
    known = COMPONENTS.index(component) if component in COMPONENTS else len(COMPONENTS)
    return (first, known, rest[0], rest[2], rest[1])


def _matter(booked: Sequence[Booked]) -> Matter:
    ordered = sorted(booked, key=lambda one: (*_when(one), one.kind != "original", one.kind != "refund"))
    corrected: dict[tuple[date, int], dict[str, Booked]] = defaultdict(dict)
    for one in ordered:
        if one.kind != "original":
            corrected[_when(one)][one.kind] = one
    corrections = [
        Correction(month, pair.get("refund"), pair.get("correction")) for (month, _), pair in sorted(corrected.items())
    ]
    reasons = dict.fromkeys(one.reason for one in ordered if one.reason and one.kind == "original")
    return Matter(ordered[0], sum(one.amount_cents for one in ordered), tuple(corrections), tuple(reasons))


def _when(booked: Booked) -> tuple[date, int]:
    """What tells one correction of a matter from another: its run, or its decision, of which a day may have several."""
    return booked.paid_month, booked.decision


_OF_DECISIONS = frozenset({"performance", "benefit", "adjustment"})


def changes(correction: Correction) -> tuple[Change, ...]:
    """What a correction changed, as far as the lines tell; never nothing."""
    before, after = correction.before, correction.after
    known = after or before
    assert known is not None, "a correction corrects something"
    if known.component in _OF_DECISIONS:
        return (Change.DECISION,)
    if before is None or after is None:
        return (Change.ADDED,) if before is None else (Change.REMOVED,)
    if known.component == "incentive":
        return (Change.SHARE,)
    is_other_rate = None not in (before.rate_cents, after.rate_cents) and before.rate_cents != after.rate_cents
    if known.component != "capitation":
        return (Change.PRICE,) if is_other_rate else (Change.REPORT,)
    found = {
        Change.DAYS: -before.days != after.days,
        Change.RATE: is_other_rate,
        Change.COEFFICIENT: before.coefficient_permille != after.coefficient_permille,
    }
    return tuple(change for change, is_so in found.items() if is_so) or (Change.REPORT,)


def by_component(months: Iterable[Month]) -> dict[str, int]:
    """Cents by kind of cost, in the order of `COMPONENTS`."""
    found: dict[str, int] = defaultdict(int)
    for month in months:
        for matter in month.matters:
            found[matter.of.component] += matter.amount_cents
    known = [name for name in COMPONENTS if name in found]
    return {name: found[name] for name in [*known, *sorted(found.keys() - set(known))]}
