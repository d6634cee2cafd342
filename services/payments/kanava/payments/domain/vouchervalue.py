"""The value of the voucher (palvelusetelin arvo) from the cost level of own production.

Source: seed 000, line 246, "palvelusetelin arvo pohjautuu oman tuotannon kustannustasoon".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from kanava.common.money import half_up, split_by_largest_remainder


@dataclass(frozen=True)
class OwnBand:
    """An age band of own production over a year: its weight against other bands, and days of being listed."""

    sex: str
    age_from: int
    weight: int
    resident_days: int


@dataclass(frozen=True)
class Valued:
    """A band with its part of the own cost, and the proposed rate per resident and year; cents."""

    sex: str
    age_from: int
    weight: int
    resident_days: int
    cost_cents: int
    annual_cents: int


def voucher_values(bands: Sequence[OwnBand], net_cost_cents: int, days_of_year: int) -> list[Valued]:
    """Split a year's net cost of own production over bands by weight × days listed, and say it per resident-year.

    The rate of a band is cost × weight × days of the year ÷ Σ (weight × days listed), one exact fraction, rounded
    half up; so a band without own residents has a rate too, and paying the rates for the same residents costs what
    own production cost. The parts sum to the cost by largest remainder. `ValueError` when nobody was listed.
    """
    assert net_cost_cents >= 0, "own production costs something or nothing"
    weighed = [band.weight * band.resident_days for band in bands]
    if not sum(weighed):
        raise ValueError("nobody was listed with own production, so its cost says nothing of a resident")
    parts = split_by_largest_remainder(net_cost_cents, weighed)
    scale = Fraction(net_cost_cents * days_of_year, sum(weighed))
    assert sum(parts) == net_cost_cents, "a cent of own cost was lost"
    return [
        Valued(**vars(band), cost_cents=part, annual_cents=half_up(band.weight * scale))
        for band, part in zip(bands, parts, strict=True)
    ]
