"""Test calculation (testilaskenta): a population by single year of age and sex times a rate table.

Source: seed 000, line 242, "Korjaustavan määrittämiseksi testilaskenta Espoon datalla".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from kanava.common.contracts.registry import RateBand
from kanava.common.money import cents_of, half_up

Population = Mapping[tuple[int, str], int]
"""Residents by (age in whole years, sex)."""


@dataclass(frozen=True)
class BandCost:
    """One band of a test calculation: residents, euros per resident and year in cents, and their product."""

    sex: str
    age_from: int
    residents: int
    annual_cents: int
    total_cents: int


def age_bands(table: Mapping[str, str], sex: str = "any") -> list[RateBand]:
    """The bands of a rate table written as `{"0-5": "9713.30", "6": …, "85+": …}`, in euros per year."""
    bands = [
        RateBand(sex=_sex(sex), age_from=int(ages.rstrip("+").split("-")[0]), annual_cents=cents_of(euros))
        for ages, euros in table.items()
    ]
    return sorted(bands, key=lambda band: band.age_from)


def _sex(sex: str) -> str:
    assert sex in ("male", "female", "any"), "a band is for a sex or for any"
    return sex


def cost(population: Population, bands: Sequence[RateBand]) -> list[BandCost]:
    """What a rate table costs a year for a population, band by band; every resident is in exactly one band."""
    costs = []
    for band in bands:
        ends = min((b.age_from for b in bands if b.sex == band.sex and b.age_from > band.age_from), default=10**3)
        residents = sum(
            count
            for (age, sex), count in population.items()
            if band.age_from <= age < ends and band.sex in (sex, "any")
        )
        costs.append(BandCost(band.sex, band.age_from, residents, band.annual_cents, residents * band.annual_cents))
    assert sum(one.residents for one in costs) == sum(population.values()), "a resident fell between two bands"
    return costs


def cost_by_year(population: Population, bands: Sequence[RateBand]) -> list[BandCost]:
    """The same cost year of age by year of age, for each sex in the order of age; the sums are those of `cost`."""
    costs = []
    for (age, sex), residents in sorted(population.items()):
        own = [band for band in bands if band.sex in (sex, "any") and band.age_from <= age]
        annual_cents = max(own, key=lambda band: band.age_from).annual_cents
        costs.append(BandCost(sex, age, residents, annual_cents, residents * annual_cents))
    assert sum(one.residents for one in costs) == sum(population.values()), "a resident fell between two bands"
    return costs


def scaled_bands(
    weights: Mapping[str, Mapping[str, str]], population: Population, mean_annual_cents: int
) -> list[RateBand]:
    """Turn relative weights by sex and age into annual rates whose mean over the population is as given.

    Each rate is rounded to the cent once, so the mean is met within half a cent.
    """
    relative = [
        (sex, int(ages.rstrip("+").split("-")[0]), Fraction(Decimal(weight)))
        for sex in ("male", "female")
        for ages, weight in weights[sex].items()
    ]
    unit = [RateBand(sex=_sex(sex), age_from=age, annual_cents=1) for sex, age, _ in relative]
    residents = {(one.sex, one.age_from): one.residents for one in cost(population, unit)}
    weighed = sum((weight * residents[sex, age] for sex, age, weight in relative), Fraction(0))
    scale = mean_annual_cents * sum(population.values()) / weighed
    bands = [RateBand(sex=_sex(s), age_from=age, annual_cents=half_up(weight * scale)) for s, age, weight in relative]
    return sorted(bands, key=lambda band: (band.sex, band.age_from))
