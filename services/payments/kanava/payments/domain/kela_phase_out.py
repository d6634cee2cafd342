"""Occupational and student health (työterveyshuolto, opiskelijaterveydenhuolto): what Kela still reimburses.

Reimbursements of class II (Kela II: care by general practitioners) are phased out stepwise, those of class I (Kela I:
statutory prevention) stay; the area answers for the costs (source, lines 257-260). So what of the collected insurance
contributions is no longer reimbursed to employers goes to the areas.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from kanava.common.money import half_up

from .contributions import allocate

WHOLE_PERCENT = 100


@dataclass(frozen=True)
class Reimbursed:
    """Claims of a collected sum, in cents: class I, class II, the percent of class II that is still reimbursed."""

    class_1_cents: int = 0
    class_2_cents: int = 0
    class_2_percent: int = WHOLE_PERCENT

    @property
    def freed_cents(self) -> int:
        """What of class II is no longer reimbursed, and so is the areas'."""
        return self.class_2_cents - half_up(Fraction(self.class_2_cents * self.class_2_percent, WHOLE_PERCENT))

    @property
    def kept_cents(self) -> int:
        """What is reimbursed by Kela: all of class I, and what is left of class II."""
        return self.class_1_cents + self.class_2_cents - self.freed_cents


@dataclass(frozen=True)
class AreaPart:
    """What an area gets of a collected sum, in cents; `gained_cents` of it come from the phase-out."""

    amount_cents: int
    gained_cents: int


def percent_of(year: int, steps: Mapping[int, int]) -> int:
    """The percent of class II that is reimbursed in a year: that of the newest step, all of it before the first."""
    begun = [step for step in steps if step <= year]
    return steps[max(begun)] if begun else WHOLE_PERCENT


def share_out(total_cents: int, measures: Mapping[str, int], reimbursed: Reimbursed) -> dict[str, AreaPart]:
    """Each area's part of a collected sum after Kela's reimbursements; areas without a cent are left out.

    What was never reimbursed and what the phase-out frees are each split by the areas' measures and largest
    remainder, so the parts and what Kela keeps sum to the total. Raises `ValueError` when the claims are more than
    the total or no area has a measure.
    """
    claimed_cents = reimbursed.class_1_cents + reimbursed.class_2_cents
    if claimed_cents > total_cents:
        raise ValueError("the reimbursements are more than what was collected")
    base, gained = (
        allocate(cents, measures) if cents else {} for cents in (total_cents - claimed_cents, reimbursed.freed_cents)
    )
    parts = {
        area: AreaPart(base.get(area, 0) + gained.get(area, 0), gained.get(area, 0))
        for area in sorted(base.keys() | gained.keys())
    }
    shared_cents = sum(part.amount_cents for part in parts.values())
    assert shared_cents + reimbursed.kept_cents == total_cents, "a collected cent was lost"
    assert all(0 <= part.gained_cents <= part.amount_cents for part in parts.values()), "a gain is part of a part"
    return parts
