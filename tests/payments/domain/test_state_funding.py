"""The state's funding and insurance contributions: split to the cent by measures that are data."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.contributions import allocate
from kanava.payments.domain.state_funding import (
    Determinant,
    by_area,
    shares_in_thousandths,
    split_state_funding,
)
from kanava.payments.figures import residents_by_area, state_shares

AREAS = ("03", "04", "05", "90")
measures = st.fixed_dictionaries(
    {one: st.fixed_dictionaries({area: st.integers(1, 10**9) for area in AREAS}) for one in Determinant}
)
totals = st.integers(0, 10**13)


@given(totals, measures)
def test_every_cent_of_the_state_reaches_an_area(total: int, given_measures: dict[Determinant, dict[str, int]]) -> None:
    _, shares = state_shares(2022)
    parts = split_state_funding(total, shares, given_measures)
    assert sum(part.amount_cents for part in parts) == sum(by_area(parts).values()) == total
    for determinant in Determinant:
        pot = sum(part.amount_cents for part in parts if part.determinant is determinant)
        assert abs(pot * sum(shares.values()) - total * shares[determinant]) < sum(shares.values())


@given(totals, measures)
def test_the_order_of_areas_plays_no_part(total: int, given_measures: dict[Determinant, dict[str, int]]) -> None:
    _, shares = state_shares(2026)
    turned = {one: dict(reversed(of.items())) for one, of in reversed(given_measures.items())}
    assert by_area(split_state_funding(total, shares, turned)) == by_area(
        split_state_funding(total, shares, given_measures)
    )


@given(totals, st.integers(1, 10**6))
def test_equal_areas_get_equal_parts_but_for_the_cents_of_rounding(total: int, measure: int) -> None:
    _, shares = state_shares(2026)
    same = {one: dict.fromkeys(AREAS, measure) for one in Determinant}
    amounts = by_area(split_state_funding(total, shares, same)).values()
    assert max(amounts) - min(amounts) <= len(Determinant)


def test_the_shares_are_those_of_the_act() -> None:
    year, shares = state_shares(2022)
    assert (year, shares[Determinant.SERVICE_NEED], shares[Determinant.PROMOTION_OF_WELLBEING]) == (2022, 79_156, 972)
    assert sum(shares.values()) == 97_728, "the parts of 2022 add up to this by rounding"
    later, shares = state_shares(2026)
    assert (later, shares[Determinant.POPULATION]) == (2025, 12_790)
    assert sum(shares.values()) == 97_794, "the share that 2025 does not state is the rest of its total"


def test_by_population_alone_each_resident_gets_the_same() -> None:
    residents = residents_by_area()
    assert len(residents) == 22
    assert sum(residents.values()) == 5_503_664
    parts = split_state_funding(5_503_664_00, {Determinant.POPULATION: 1}, {Determinant.POPULATION: residents})
    assert by_area(parts) == {area: count * 100 for area, count in sorted(residents.items())}


def test_a_table_that_cannot_be_completed_is_refused() -> None:
    percents = {one.value: "1.000" for one in Determinant} | {"social_and_health_total": "9.000"}
    assert shares_in_thousandths(percents) == dict.fromkeys(Determinant, 1000)
    del percents["population"], percents["service_need"]
    with pytest.raises(ValueError, match="states no share for"):
        shares_in_thousandths(percents)
    with pytest.raises(ValueError, match="three decimals"):
        shares_in_thousandths({one.value: "1.0001" for one in Determinant})


def test_shares_above_their_total_are_refused() -> None:
    percents = {one.value: "1.000" for one in Determinant if one is not Determinant.POPULATION}
    assert shares_in_thousandths(percents | {"social_and_health_total": "8.000"})[Determinant.POPULATION] == 0
    with pytest.raises(ValueError, match="more than their total"):
        shares_in_thousandths(percents | {"social_and_health_total": "7.999"})


def test_a_cent_that_cannot_be_split_goes_to_the_earlier_determinant_and_the_lower_code() -> None:
    same = {one: dict.fromkeys(reversed(AREAS), 1) for one in Determinant}
    parts = split_state_funding(3, dict.fromkeys(Determinant, 1), same)
    assert [(part.determinant, part.area) for part in parts if part.amount_cents] == [
        (determinant, "03") for determinant in list(Determinant)[:3]
    ]


def test_a_determinant_without_a_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="no area has a measure of population"):
        split_state_funding(100, {Determinant.POPULATION: 1}, {Determinant.POPULATION: {"03": 0}})


@given(st.integers(1, 10**13), st.dictionaries(st.sampled_from(AREAS), st.integers(0, 10**7), min_size=1))
def test_contributions_reach_the_areas_to_the_cent(total: int, given_measures: dict[str, int]) -> None:
    if not any(given_measures.values()):
        with pytest.raises(ValueError, match="nothing to split"):
            allocate(total, given_measures)
        return
    found = allocate(total, given_measures)
    assert sum(found.values()) == total
    assert all(given_measures[area] and cents > 0 for area, cents in found.items())


@given(totals, measures, st.sampled_from(list(Determinant)), st.sampled_from(AREAS), st.integers(0, 10**9))
def test_a_larger_measure_never_gives_an_area_less(
    total: int, given_measures: dict[Determinant, dict[str, int]], grown: Determinant, area: str, more: int
) -> None:
    _, shares = state_shares(2026)
    larger = given_measures | {grown: given_measures[grown] | {area: given_measures[grown][area] + more}}
    before, after = (by_area(split_state_funding(total, shares, each)) for each in (given_measures, larger))
    assert after[area] >= before[area]
    assert sum(after.values()) == sum(before.values())


@given(totals, measures, st.integers(0, 10**9))
def test_more_funding_gives_an_area_less_by_the_cents_of_rounding_at_most(
    total: int, given_measures: dict[Determinant, dict[str, int]], more: int
) -> None:
    """Largest remainders may move a cent between areas; no more than one in each of the two splits."""
    _, shares = state_shares(2026)
    before, after = (by_area(split_state_funding(each, shares, given_measures)) for each in (total, total + more))
    assert all(after[area] >= before[area] - 2 * len(Determinant) for area in AREAS)


CONTRIBUTIONS = st.dictionaries(st.sampled_from(AREAS), st.integers(1, 10**7), min_size=1)


@given(st.integers(1, 10**13), CONTRIBUTIONS, st.sampled_from(AREAS), st.integers(0, 10**7))
def test_contributions_know_no_order_and_a_larger_measure_never_gets_less(
    total: int, given_measures: dict[str, int], area: str, more: int
) -> None:
    found = allocate(total, given_measures)
    assert allocate(total, dict(reversed(given_measures.items()))) == found
    larger = given_measures | {area: given_measures.get(area, 0) + more}
    assert allocate(total, larger).get(area, 0) >= found.get(area, 0)
    for one, cents in found.items():
        exact = Fraction(total * given_measures[one], sum(given_measures.values()))
        assert abs(cents - exact) < 1, "within a cent of the exact share"


def test_a_year_without_money_asks_for_no_measures() -> None:
    """Where a determinant has no cent to share out, nobody has to have been measured."""
    shares = {Determinant.POPULATION: 60_000, Determinant.SERVICE_NEED: 40_000}
    assert split_state_funding(0, shares, {}) == ()
    with pytest.raises(ValueError, match=r"no area has a measure"):
        split_state_funding(1, shares, {})
