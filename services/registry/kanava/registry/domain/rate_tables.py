"""The rate table of a compensation model (korvausmalli): its age bands partition a life, for each sex."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from kanava.common.contracts.registry import RateBand

from .violations import Violation

Sex = Literal["male", "female", "any"]

NEUTRAL_PERMILLE = 1000
"""A coefficient of 1,000 permille leaves the capitation as it is, so every range must contain it."""

MOST_YEARS = 130
MOST_ANNUAL_CENTS = 10_000_000


@dataclass(frozen=True)
class Band:
    """An age band as published: whole years `age_from` to `age_to`, both included; None is open upwards."""

    sex: Sex
    age_from: int
    age_to: int | None
    annual_cents: int


def broken_by_bands(bands: Sequence[Band]) -> list[Violation]:
    """The rules that a rate table breaks; pointers are relative to the table, as `/3/age_from`.

    For each sex the bands start at 0, follow one another without gap or overlap, and the last one is open.
    The sexes are either `any` alone, or `male` and `female`.
    """
    sexes = {band.sex for band in bands}
    broken = _broken_by_sexes(sexes)
    for number, band in enumerate(bands):
        broken += _broken_by_band(number, band)
    for sex in get_args(Sex):
        ordered = sorted(
            ((number, band) for number, band in enumerate(bands) if band.sex == sex),
            key=lambda one: (one[1].age_from, one[0]),
        )
        if ordered:
            broken += _broken_by_order(ordered)
    return broken


def _broken_by_sexes(sexes: set[Sex]) -> list[Violation]:
    if sexes in ({"any"}, {"male", "female"}):
        return []
    if "any" in sexes:
        return [Violation("", "sexes_overlap", "bands for any sex stand beside bands for one sex")]
    missing = ", ".join(sorted({"male", "female"} - sexes))
    return [Violation("", "sex_missing", f"the table has no bands for: {missing}")]


def _broken_by_band(number: int, band: Band) -> list[Violation]:
    broken = []
    if not 0 <= band.age_from <= MOST_YEARS:
        broken.append(Violation(f"/{number}/age_from", "age_in_range", f"an age is 0 to {MOST_YEARS} years"))
    if band.age_to is not None and not band.age_from <= band.age_to <= MOST_YEARS:
        broken.append(Violation(f"/{number}/age_to", "ends_after_start", "a band ends no earlier than it starts"))
    if not 0 <= band.annual_cents <= MOST_ANNUAL_CENTS:
        detail = f"a yearly rate is 0 to {MOST_ANNUAL_CENTS} cents"
        broken.append(Violation(f"/{number}/annual_cents", "rate_in_range", detail))
    return broken


def _broken_by_order(ordered: Sequence[tuple[int, Band]]) -> list[Violation]:
    """What is wrong with the bands of one sex, in the order of their ages, with their place in the table."""
    broken = []
    first, first_band = ordered[0]
    if first_band.age_from != 0:
        detail = f"the bands of {first_band.sex} start at {first_band.age_from}"
        broken.append(Violation(f"/{first}/age_from", "starts_at_zero", detail))
    for (_, band), (number, following) in pairwise(ordered):
        expected = None if band.age_to is None else band.age_to + 1
        if expected is None or following.age_from < expected:
            detail = f"the bands of {band.sex} overlap at age {following.age_from}"
            broken.append(Violation(f"/{number}/age_from", "ages_overlap", detail))
        elif following.age_from > expected:
            detail = f"no band of {band.sex} covers ages {expected} to {following.age_from - 1}"
            broken.append(Violation(f"/{number}/age_from", "ages_gap", detail))
    last, last_band = ordered[-1]
    if last_band.age_to is not None:
        detail = f"no band of {last_band.sex} covers ages from {last_band.age_to + 1}"
        broken.append(Violation(f"/{last}/age_to", "last_band_open", detail))
    return broken


def broken_by_coefficients(min_permille: int, max_permille: int) -> list[Violation]:
    """The rules that the bounds of the client-specific coefficient break."""
    if min_permille < 0:
        return [Violation("/coefficient_min_permille", "not_negative", "a coefficient is not negative")]
    if not min_permille <= NEUTRAL_PERMILLE <= max_permille:
        detail = f"{min_permille} to {max_permille} permille does not contain {NEUTRAL_PERMILLE}"
        return [Violation("/coefficient_min_permille", "range_contains_1000", detail)]
    return []


def rate_bands(bands: Sequence[Band]) -> tuple[RateBand, ...]:
    """The bands as others hear them: the end of a band is the start of the next, so only starts are said."""
    assert not broken_by_bands(bands), "terms of a rate table that is no partition"
    said = sorted(bands, key=lambda band: (band.sex, band.age_from))
    return tuple(RateBand(sex=b.sex, age_from=b.age_from, annual_cents=b.annual_cents) for b in said)
