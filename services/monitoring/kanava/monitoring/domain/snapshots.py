"""Frozen indicators (jäädytetyt mittarit): what one must hold before it may decide about money.

Source: the model for steering producers, line 242 (incentives rest on specialised-care referrals relative to
population and visits). A producer does not report its own incentive: referrals are confirmed by who receives them.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from kanava.common.contracts.registry import Direction
from kanava.common.errors import RefusalReason

Subject = Literal["producer", "unit", "municipality", "area"]

LONGEST_PERIOD_DAYS = 4 * 366
"""The longest period of a snapshot: the four years of the municipal refund."""

CONFIRMED_INDICATORS = frozenset({"esh_referrals_per_1000", "esh_referrals_per_100_visits"})
"""Indicators that count what another side receives: specialised-care (ESH) referrals."""


class SnapshotRefusal(RefusalReason):
    """Why an indicator is not frozen."""

    FROZEN_ALREADY = (
        "frozen_already",
        "The indicator is frozen for this subject and period with other content; what is frozen never changes.",
    )
    CONFIRMED_BY_ITSELF = "confirmed_by_itself", "A producer does not confirm its own indicator."


@dataclass(frozen=True)
class Flaw:
    """A broken rule of the input: a JSON pointer, the rule's name, and a sentence."""

    pointer: str
    rule: str
    detail: str


@dataclass(frozen=True)
class Frozen:
    """An indicator of one subject for a period; numbers are whole ones of 10^-`scale`, `period_until` not included."""

    indicator: str
    subject: Subject
    area: str
    producer_id: str | None
    unit_id: str | None
    municipality: str | None
    period_from: date
    period_until: date
    direction: Direction
    value: int
    scale: int
    numerator: int | None
    denominator: int | None
    floor: int | None
    target: int | None
    confirmed_by: str | None

    def subject_id(self) -> str:
        """Whose indicator it is: the OID of a producer or a unit, or the code of a municipality or an area."""
        named = {"producer": self.producer_id, "unit": self.unit_id, "municipality": self.municipality}
        return named.get(self.subject, self.area) or ""


def broken_by_subject(frozen: Frozen) -> list[Flaw]:
    """A producer, unit or municipality is named by its own id; a unit names its producer too, others nothing more."""
    needs = {"producer": {"producer_id"}, "unit": {"unit_id", "producer_id"}, "municipality": {"municipality"}}
    wanted = needs.get(frozen.subject, set())
    return [
        Flaw(f"/{name}", "id_of_subject", f"an indicator of a {frozen.subject} {verb} {name}")
        for name in ("producer_id", "unit_id", "municipality")
        for verb in ["has" if name in wanted else "has no"]
        if (getattr(frozen, name) is not None) != (name in wanted)
    ]


def broken_by_period(frozen: Frozen, today: date) -> list[Flaw]:
    """A period has days, is over by `today`, and is no longer than four years."""
    if frozen.period_until > today:
        return [Flaw("/period_until", "period_is_over", "an indicator is frozen when its period is over")]
    if not 1 <= (frozen.period_until - frozen.period_from).days <= LONGEST_PERIOD_DAYS:
        return [Flaw("/period_until", "period_in_range", f"a period has 1 to {LONGEST_PERIOD_DAYS} days")]
    return []


def broken_by_range(frozen: Frozen) -> list[Flaw]:
    """Floor and target stand together, the target on the better side; a numerator has a denominator above 0."""
    broken = []
    if (frozen.floor is None) != (frozen.target is None):
        broken.append(Flaw("/target", "range_whole", "a floor and a target stand together"))
    elif frozen.floor is not None and frozen.target is not None:
        better = frozen.target > frozen.floor
        if frozen.target == frozen.floor or better != (frozen.direction == "higher_is_better"):
            broken.append(Flaw("/target", "target_is_better", "the target is better than the floor"))
    if (frozen.numerator is None) != (frozen.denominator is None):
        broken.append(Flaw("/denominator", "ratio_whole", "a numerator and a denominator stand together"))
    return broken


def broken_by_confirmation(frozen: Frozen) -> list[Flaw]:
    """What another side receives is confirmed by it."""
    if frozen.confirmed_by is None and frozen.indicator in CONFIRMED_INDICATORS:
        return [Flaw("/confirmed_by", "confirmation_required", "the receiving side confirms referrals")]
    return []


def refusal_to_freeze(frozen: Frozen, known: Frozen | None) -> SnapshotRefusal | None:
    """Why the snapshot is not taken; `known` is what is frozen for the subject and period already, None for nothing."""
    if frozen.confirmed_by is not None and frozen.confirmed_by == frozen.producer_id:
        return SnapshotRefusal.CONFIRMED_BY_ITSELF
    if known is not None and known != frozen:
        return SnapshotRefusal.FROZEN_ALREADY
    return None
