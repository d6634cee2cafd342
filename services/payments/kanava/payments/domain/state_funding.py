"""The state's yearly funding of the areas by determinants (valtion rahoitus, laki 617/2021, 3 §)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from kanava.common.money import split_by_largest_remainder

HEALTH_AND_SOCIAL = "social_and_health_total"


class Determinant(StrEnum):
    """What the state's funding of health and social services is determined by."""

    SERVICE_NEED = "service_need"
    """Need of services (palvelutarve)."""
    POPULATION = "population"
    """Number of residents (asukasmäärä)."""
    POPULATION_DENSITY = "population_density"
    """Density of population (asukastiheys)."""
    FOREIGN_LANGUAGE = "foreign_language"
    """Residents with a foreign first language (vieraskielisyys)."""
    BILINGUAL = "bilingual"
    """Bilingual areas (kaksikielisyys)."""
    SAMI_LANGUAGE = "sami_language"
    """Speakers of Sámi (saamenkielisyys)."""
    ARCHIPELAGO = "archipelago"
    """Residents of archipelago municipalities (saaristoisuus)."""
    UNIVERSITY_HOSPITAL = "university_hospital_supplement"
    """Areas that keep a university hospital (yliopistosairaalalisä)."""
    PROMOTION_OF_WELLBEING = "promotion_of_wellbeing"
    """Promotion of health and wellbeing (hyvinvoinnin ja terveyden edistäminen)."""


Measures = Mapping[Determinant, Mapping[str, int]]
"""For each determinant each area's measure: a count or an index in whole numbers, of any unit."""


@dataclass(frozen=True)
class Part:
    """What one determinant gives one area; the share is in thousandths of a percent of the whole financing."""

    area: str
    determinant: Determinant
    share_thousandths: int
    measure: int
    amount_cents: int


def shares_in_thousandths(percents: Mapping[str, str]) -> dict[Determinant, int]:
    """The determinants' shares in thousandths of a percent, from a year of the table of Act 617/2021.

    Where a year states all shares but one, the missing one is the rest of the total of health and social
    services. Raises `ValueError` when more is missing or a share has more than three decimals.
    """
    stated = {one: _thousandths(percents[one]) for one in Determinant if one in percents}
    missing = [one for one in Determinant if one not in stated]
    if len(missing) > 1:
        raise ValueError(f"the table states no share for {', '.join(missing)}")
    for one in missing:
        stated[one] = _thousandths(percents[HEALTH_AND_SOCIAL]) - sum(stated.values())
    if min(stated.values()) < 0:
        raise ValueError("the shares are more than their total")
    return {one: stated[one] for one in Determinant}


def _thousandths(percent: str) -> int:
    scaled = Decimal(percent) * 1000
    if scaled != scaled.to_integral_value():
        raise ValueError(f"not a percentage of three decimals: {percent}")
    return int(scaled)


def split_state_funding(total_cents: int, shares: Mapping[Determinant, int], measures: Measures) -> tuple[Part, ...]:
    """Split a year's funding of health and social services over determinants, and each over the areas.

    Both splits are by largest remainder, so the parts sum to the total to the cent; ties go to the earlier
    determinant and the lower area code. Raises `ValueError` when a determinant with a share has no measure.
    """
    determinants = [one for one in Determinant if shares.get(one, 0)]
    pots = split_by_largest_remainder(total_cents, [shares[one] for one in determinants])
    parts = [
        part
        for determinant, pot in zip(determinants, pots, strict=True)
        for part in _split_pot(determinant, shares[determinant], pot, measures.get(determinant, {}))
    ]
    assert sum(part.amount_cents for part in parts) == total_cents, "the state's funding lost a cent"
    assert all(part.amount_cents >= 0 for part in parts), "an area would pay the state"
    return tuple(parts)


def _split_pot(determinant: Determinant, share: int, pot_cents: int, measures: Mapping[str, int]) -> list[Part]:
    areas = sorted(measures)
    if pot_cents and not any(measures.values()):
        raise ValueError(f"no area has a measure of {determinant}")
    cents = split_by_largest_remainder(pot_cents, [measures[area] for area in areas])
    return [Part(area, determinant, share, measures[area], amount) for area, amount in zip(areas, cents, strict=True)]


def by_area(parts: tuple[Part, ...]) -> dict[str, int]:
    """The sum of each area's parts, in cents."""
    found: dict[str, int] = {}
    for part in parts:
        found[part.area] = found.get(part.area, 0) + part.amount_cents
    return dict(sorted(found.items()))
