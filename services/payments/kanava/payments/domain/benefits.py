"""Benefits to residents (etuudet): what a decision changes of what is owed.

The national operator pays benefits to citizens (source, line 276); a decision is never changed, a later one on the
same matter says what holds now.
"""

from collections.abc import Sequence
from enum import StrEnum


class BenefitKind(StrEnum):
    """What a benefit is for."""

    MEDICINES = "medicines"
    """Medicines (lääkkeet)."""
    TRAVEL = "travel"
    """Travel to care (matkat)."""
    OTHER = "other"
    """Other benefits (muut etuudet)."""


def change_cents(decided_cents: Sequence[int], holds_cents: int) -> int:
    """By how much a decision changes what is owed: what holds now less what the decisions before it added up to.

    `decided_cents` are the changes of the earlier decisions on the matter. Decided again, it changes nothing.
    """
    assert holds_cents >= 0, "a resident is granted nothing or more"
    change = holds_cents - sum(decided_cents)
    assert sum(decided_cents) + change == holds_cents, "after a decision that holds which was decided"
    return change
