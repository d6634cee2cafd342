"""The rate table partitions a life for each sex, or it is refused with the place and the rule."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.registry.domain.rate_tables import Band, broken_by_bands, broken_by_coefficients, rate_bands


def partition(sex: str, starts: list[int]) -> list[Band]:
    ends = [following - 1 for _, following in pairwise(starts)] + [None]
    return [Band(sex, start, end, 1000 + start) for start, end in zip(starts, ends, strict=True)]


starts = st.lists(st.integers(1, 110), max_size=12, unique=True).map(lambda ages: [0, *sorted(ages)])


@st.composite
def tables(draw: st.DrawFn) -> list[Band]:
    sexes = draw(st.sampled_from([["any"], ["male", "female"]]))
    bands = [band for sex in sexes for band in partition(sex, draw(starts))]
    random.Random(draw(st.integers())).shuffle(bands)
    return bands


def rules(bands: list[Band]) -> set[str]:
    return {one.rule for one in broken_by_bands(bands)}


@given(tables())
def test_every_partition_is_accepted_in_any_order(bands: list[Band]) -> None:
    assert broken_by_bands(bands) == []


@given(tables(), st.data())
def test_every_age_has_exactly_one_rate(bands: list[Band], data: st.DataObject) -> None:
    age = data.draw(st.integers(0, 120))
    sex = data.draw(st.sampled_from(sorted({band.sex for band in bands})))
    covering = [b for b in bands if b.sex == sex and b.age_from <= age and (b.age_to is None or age <= b.age_to)]
    said = rate_bands(bands)
    heard = max((b for b in said if b.sex == sex and b.age_from <= age), key=lambda b: b.age_from)
    assert [b.annual_cents for b in covering] == [heard.annual_cents]


@given(tables(), st.data())
def test_a_band_that_starts_later_leaves_a_gap(bands: list[Band], data: st.DataObject) -> None:
    inner = [i for i, band in enumerate(bands) if band.age_from > 0 and band.age_to is None]
    if inner:
        place = data.draw(st.sampled_from(inner))
        bands[place] = replace(bands[place], age_from=bands[place].age_from + 1)
        assert rules(bands) == {"ages_gap"}
        assert broken_by_bands(bands)[0].pointer == f"/{place}/age_from"


@given(tables(), st.data())
def test_a_band_that_starts_earlier_overlaps(bands: list[Band], data: st.DataObject) -> None:
    inner = [i for i, band in enumerate(bands) if band.age_from > 0 and band.age_to is None]
    if inner:
        place = data.draw(st.sampled_from(inner))
        bands[place] = replace(bands[place], age_from=bands[place].age_from - 1)
        assert "ages_overlap" in rules(bands)


@given(tables())
def test_removing_a_band_is_always_noticed(bands: list[Band]) -> None:
    for place in range(len(bands)):
        assert broken_by_bands(bands[:place] + bands[place + 1 :])


@pytest.mark.parametrize(
    ("bands", "pointer", "rule"),
    [
        ([], "", "sex_missing"),
        (partition("male", [0]), "", "sex_missing"),
        (partition("any", [0]) + partition("male", [0]), "", "sexes_overlap"),
        (partition("any", [1, 5]), "/0/age_from", "starts_at_zero"),
        ([Band("any", 0, 4, 1), Band("any", 5, 80, 1)], "/1/age_to", "last_band_open"),
        ([Band("any", 0, None, 1), Band("any", 5, None, 1)], "/1/age_from", "ages_overlap"),
        ([Band("any", 0, 4, 1), Band("any", 4, None, 1)], "/1/age_from", "ages_overlap"),
        ([Band("any", 0, 4, 1), Band("any", 6, None, 1)], "/1/age_from", "ages_gap"),
        ([Band("any", 0, None, -1)], "/0/annual_cents", "rate_in_range"),
        ([Band("any", 0, 200, 1), Band("any", 201, None, 1)], "/0/age_to", "ends_after_start"),
    ],
)
def test_what_is_wrong_is_named(bands: list[Band], pointer: str, rule: str) -> None:
    assert (pointer, rule) in {(one.pointer, one.rule) for one in broken_by_bands(bands)}


@given(st.integers(-10, 3000), st.integers(-10, 3000))
def test_a_coefficient_range_contains_a_thousand(low: int, high: int) -> None:
    allowed = 0 <= low <= 1000 <= high
    assert (broken_by_coefficients(low, high) == []) is allowed
