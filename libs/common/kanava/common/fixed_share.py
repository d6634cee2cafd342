"""The least share of fixed compensation (kiinteä osuus): a guard that registry and payments warn by."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction


@dataclass(frozen=True)
class FixedShareGuard:
    """The least share of capitation and base payment in all compensation, from a day on; less is warned of."""

    valid_from: date
    least: Fraction
    source: str


FIXED_SHARE: tuple[FixedShareGuard, ...] = (
    FixedShareGuard(date(2018, 3, 8), Fraction(2, 3), "HE 16/2018: kiinteä korvaus vähintään kaksi kolmasosaa"),
)
"""The guard as a dated table."""


def guard_on(day: date) -> FixedShareGuard | None:
    """The guard in force on a day; None before the first."""
    dated = (row for row in FIXED_SHARE if row.valid_from <= day)
    return max(dated, key=lambda row: row.valid_from, default=None)
