"""Incentives (kannustinkorvaus): what is reserved when a month closes, and what a frozen indicator earns of it.

Settled question 6: 5 % of a producer's own capitation is reserved, its frozen indicators earn linearly between floor
and target, and the rest is released to the area. What corrects the capitation of a month corrects its incentive.
Everything is exact; each sum is rounded once, half up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from kanava.common.contracts.registry import Direction, EffectivenessTerm, IncentiveTerm
from kanava.common.money import half_up, split_by_largest_remainder


@dataclass(frozen=True)
class Measured:
    """A frozen indicator: `value`, and a floor and a target of its own where it has them, in 10^-`scale`."""

    value: int
    scale: int
    floor: int | None = None
    target: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a part of a reserve, in cents: earned by the producer, released to the area."""

    earned_cents: int
    released_cents: int


@dataclass(frozen=True)
class Stands:
    """What stands of the incentive of one month of capitation, in cents: its base, its reserve, what was settled.

    `outcomes` are by indicator; what is not settled is still held in reserve.
    """

    capitation_cents: int = 0
    reserved_cents: int = 0
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)

    @property
    def settled_cents(self) -> int:
        """What left the reserve: earned by the producer or released to the area."""
        return sum(one.earned_cents + one.released_cents for one in self.outcomes.values())

    def earned_cents(self, indicator: str) -> int:
        """What an indicator earned."""
        return self.outcomes.get(indicator, Outcome(0, 0)).earned_cents


def holds(
    capitation_cents: int, incentive_percent: int, terms: Sequence[IncentiveTerm], frozen: Mapping[str, Measured]
) -> Stands:
    """What holds of a month's incentive: a function of its capitation as it is known now and of frozen indicators.

    A correction of the capitation thereby moves the reserve and what of it was earned, by the difference to what
    stood; it does not matter in how many steps it came, nor whether before or after an indicator was frozen.
    """
    reserved = reserve_cents(capitation_cents, incentive_percent)
    outcomes = {
        term.indicator: outcome(part, frozen[term.indicator], term)
        for term, part in zip(terms, parts(reserved, terms), strict=True)
        if term.indicator in frozen
    }
    now = Stands(capitation_cents, reserved, outcomes)
    assert 0 <= now.settled_cents <= reserved, "what is settled is within what was reserved"
    return now


def reserve_cents(capitation_cents: int, incentive_percent: int) -> int:
    """The cents that a month's capitation reserves; nothing where corrections took back more than the month gave."""
    assert 0 <= incentive_percent <= 100, "a share is at most the whole"
    reserved = half_up(Fraction(max(capitation_cents, 0) * incentive_percent, 100))
    assert reserved <= max(capitation_cents, 0), "a reserve is at most its capitation"
    return reserved


def parts(reserved_cents: int, terms: Sequence[IncentiveTerm]) -> list[int]:
    """What of a reserve each term can earn, by its share and largest remainder: nothing is lost."""
    return split_by_largest_remainder(reserved_cents, [term.share_permille for term in terms])


def earned_share(measured: Measured, term: IncentiveTerm | EffectivenessTerm) -> Fraction:
    """The share 0–1 that a frozen indicator earns: linear from nothing at the floor to all at the target.

    A snapshot that names a floor and a target of its own is read by those.
    """
    if measured.floor is not None and measured.target is not None:
        floor, target = _exact(measured.floor, measured.scale), _exact(measured.target, measured.scale)
    else:
        floor, target = _exact(term.floor, term.scale), _exact(term.target, term.scale)
    sign = _sign(term.direction)
    reached, needed = sign * (_exact(measured.value, measured.scale) - floor), sign * (target - floor)
    if needed <= 0:
        return Fraction(int(reached >= needed))
    return min(max(reached / needed, Fraction(0)), Fraction(1))


def outcome(part_cents: int, measured: Measured, term: IncentiveTerm) -> Outcome:
    """What a frozen indicator earns of a part of a reserve, in cents, and what is released."""
    assert part_cents >= 0, "a reserve is not negative"
    earned = half_up(part_cents * earned_share(measured, term))
    assert 0 <= earned <= part_cents, "what is earned is within what was reserved"
    return Outcome(earned, part_cents - earned)


def _exact(number: int, scale: int) -> Fraction:
    return Fraction(number, 10**scale)


def _sign(direction: Direction) -> int:
    return -1 if direction == "lower_is_better" else 1
