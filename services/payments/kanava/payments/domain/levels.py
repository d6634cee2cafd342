"""Level review (tasotarkistus): what observed cost says about a rate table, band by band.

Source: seed 000, line 240, phase 6, "Kapitaatiokorvauksen tason seuranta ja tarvittaessa uudelleen määritys". The
outcome is a proposal; the organiser decides by publishing a version of the compensation model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from kanava.common.money import half_up

PERMILLE = 1000


class Verdict(StrEnum):
    """What the review does with the rate of a band."""

    KEPT = "kept"
    """Cost and capitation differ by no more than the tolerance."""
    FOLLOWED = "followed"
    """The rate follows the cost."""
    BOUNDED = "bounded"
    """The rate goes as far towards the cost as one review may."""
    NO_BASIS = "no_basis"
    """No capitation was paid in the band, so there is nothing to compare with."""


@dataclass(frozen=True)
class Observed:
    """A band of the table in force: its rate, capitation paid in the period, and cost of the same residents."""

    sex: str
    age_from: int
    annual_cents: int
    paid_cents: int
    cost_cents: int


@dataclass(frozen=True)
class Bounds:
    """Differences up to the tolerance are left alone; a rate changes by at most the other; permille of the rate."""

    tolerance_permille: int
    most_permille: int


@dataclass(frozen=True)
class Reviewed:
    """A band with its proposed rate.

    `difference_permille` is cost against capitation, rounded for the reader; `effect_cents` is by how much the
    period's capitation would have been more, or less, at the proposed rate.
    """

    sex: str
    age_from: int
    annual_cents: int
    paid_cents: int
    cost_cents: int
    difference_permille: int
    verdict: Verdict
    proposed_cents: int
    effect_cents: int


def review(bands: Sequence[Observed], bounds: Bounds) -> list[Reviewed]:
    """The proposed rate of each band: the rate × cost ÷ capitation paid, exact, within the bounds, rounded once."""
    reviewed = [_reviewed(band, bounds) for band in bands]
    assert all(one.proposed_cents >= 0 for one in reviewed), "a rate is not negative"
    assert all(one.verdict is not Verdict.KEPT or one.proposed_cents == one.annual_cents for one in reviewed)
    return reviewed


def _reviewed(band: Observed, bounds: Bounds) -> Reviewed:
    factor, verdict = _factor(band, bounds)
    return Reviewed(
        **vars(band),
        difference_permille=half_up(_difference(band) * PERMILLE),
        verdict=verdict,
        proposed_cents=half_up(band.annual_cents * factor),
        effect_cents=half_up(band.paid_cents * (factor - 1)),
    )


def _difference(band: Observed) -> Fraction:
    return Fraction(band.cost_cents - band.paid_cents, band.paid_cents) if band.paid_cents > 0 else Fraction(0)


def _factor(band: Observed, bounds: Bounds) -> tuple[Fraction, Verdict]:
    if band.paid_cents <= 0:
        return Fraction(1), Verdict.NO_BASIS
    difference = _difference(band)
    if abs(difference) <= Fraction(bounds.tolerance_permille, PERMILLE):
        return Fraction(1), Verdict.KEPT
    most = Fraction(bounds.most_permille, PERMILLE)
    if abs(difference) > most:
        return 1 + (most if difference > 0 else -most), Verdict.BOUNDED
    return 1 + difference, Verdict.FOLLOWED
