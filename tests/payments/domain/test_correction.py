"""The correction methods: the same money, every cent and resident accounted for, and gains that follow need."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kanava.payments.domain.correction import (
    Cell,
    ClientGroup,
    FeesOverThePot,
    Method,
    SampleProducer,
    by_age,
    compare,
    merged,
    shared_out,
    together,
)
from kanava.payments.domain.testcalc import BandCost

cells = st.lists(
    st.builds(
        Cell,
        producer=st.sampled_from(["own", "private", "third"]),
        group=st.sampled_from(["800", "1000", "1500"]),
        residents=st.integers(0, 100_000),
        base_cents=st.integers(1, 10**12),
        coefficient_permille=st.sampled_from([800, 1000, 1500]),
        fee_cents=st.integers(0, 10**9),
    ),
    min_size=1,
    max_size=12,
)


def cell(producer: str, group: str, **changed: int) -> Cell:
    """A hundred residents at 100 € each."""
    fields = {"residents": 100, "base_cents": 10_000_00, "coefficient_permille": 1000, "fee_cents": 0}
    return Cell(producer, group, **fields | changed)


@given(cells)
def test_every_neutral_method_shares_out_the_same_money(found: list[Cell]) -> None:
    pot = sum(one.base_cents for one in found)
    assume(sum(one.fee_cents for one in found) <= pot)
    for result in compare(found, neutral=True):
        assert result.total_cents == pot
        assert sum(one.amount_cents for one in result.producers) == pot
        assert sum(one.difference_cents for one in result.producers) == 0
        assert sum(one.residents for one in result.groups) == sum(one.residents for one in found)
        assert bool(result.winners) == bool(result.losers), "what one wins another loses"


@given(cells)
def test_on_top_each_method_costs_what_it_gives(found: list[Cell]) -> None:
    none, coefficient, performance = compare(found, neutral=False)
    assert performance.total_cents - none.total_cents == sum(one.fee_cents for one in found)
    assert performance.losers == ()
    assert coefficient.total_cents == sum((one.base_cents * one.coefficient_permille + 500) // 1000 for one in found), (
        "each cell half up"
    )
    for one in (*coefficient.producers, *performance.groups):
        assert 2 * abs(one.per_resident_cents * one.residents - one.difference_cents) <= one.residents or (
            not one.residents and not one.per_resident_cents
        )
    raised = [one for one in found if one.coefficient_permille > 1000]
    lowered = [one for one in found if one.coefficient_permille < 1000]
    if not lowered:
        assert coefficient.total_cents >= none.total_cents
    if not raised:
        assert coefficient.total_cents <= none.total_cents


@given(cells)
def test_neither_the_order_of_cells_nor_how_they_are_cut_matters_to_a_sum(found: list[Cell]) -> None:
    whole, cut = compare(found, neutral=False), compare(merged(found[::-1]), neutral=False)
    for place in (0, 2):
        assert set(whole[place].producers) == set(cut[place].producers)
        assert set(whole[place].groups) == set(cut[place].groups)


def _fits(found: list[Cell]) -> bool:
    return sum(one.fee_cents for one in found) <= sum(one.base_cents for one in found)


@given(cells, st.integers(0, 11), st.integers(1, 2000))
def test_more_need_at_a_producer_never_costs_it_anything(found: list[Cell], place: int, more: int) -> None:
    """Raise one cell's coefficient: what the neutral method gives that cell's producer does not fall."""
    place %= len(found)
    assume(_fits(found))
    old = found[place]
    fields = vars(old) | {"coefficient_permille": old.coefficient_permille + more}
    raised = [*found[:place], Cell(**fields), *found[place + 1 :]]
    before, after = (
        {one.name: one.amount_cents for one in compare(each, neutral=True)[1].producers} for each in (found, raised)
    )
    rounding = len(found)
    assert after[old.producer] >= before[old.producer] - rounding


def test_the_three_methods_told_in_euros() -> None:
    found = [
        cell("own", "needy", coefficient_permille=1500, fee_cents=1_000_00),
        cell("private", "healthy", coefficient_permille=500),
    ]
    none, coefficient, performance = compare(found, neutral=True)
    assert [one.amount_cents for one in none.producers] == [10_000_00, 10_000_00]
    assert [one.amount_cents for one in coefficient.producers] == [15_000_00, 5_000_00]
    assert [one.per_resident_cents for one in coefficient.producers] == [50_00, -50_00]
    assert [one.amount_cents for one in performance.producers] == [10_500_00, 9_500_00]
    assert (performance.winners, performance.losers) == (("own",), ("private",))


def test_fees_that_no_capitation_can_pay_are_refused() -> None:
    with pytest.raises(FeesOverThePot):
        compare([cell("own", "needy", fee_cents=10_000_01)], neutral=True)
    assert compare([cell("own", "needy", fee_cents=10_000_01)], neutral=False)[2].total_cents == 20_000_01


def test_pots_stay_apart_and_add_up() -> None:
    west = compare([cell("a", "x", coefficient_permille=1200), cell("b", "x")], neutral=True)
    east = compare([cell("c", "x"), cell("b", "y", coefficient_permille=700)], neutral=True)
    whole = together([west, east])
    assert [one.method for one in whole] == list(Method)
    assert [one.total_cents for one in whole] == [40_000_00] * 3
    gained = {one.name: one.difference_cents for one in whole[1].producers}
    parts = [one for results in (west, east) for one in results[1].producers]
    assert gained == {n: sum(one.difference_cents for one in parts if one.name == n) for n in ("a", "b", "c")}


GROUPS = [
    ClientGroup("few", {0: 900, 65: 400}, 900, {0: 100}, 45_00),
    ClientGroup("many", {0: 100, 65: 600}, 1600, {0: 1000, 65: 2500}, 45_00),
]
PRODUCERS = [
    SampleProducer("own", {0: 2}, {"few": 1, "many": 3}),
    SampleProducer("private", {0: 1}, {"few": 3, "many": 1}),
]


def of_age(age: int, residents: int, annual_cents: int) -> BandCost:
    """Residents of one age and their rate."""
    return BandCost("female", age, residents, annual_cents, residents * annual_cents)


@given(st.integers(0, 10**7), st.integers(0, 110), st.integers(0, 10**7))
def test_sharing_out_loses_no_resident_and_no_cent(residents: int, age: int, annual_cents: int) -> None:
    found = shared_out(of_age(age, residents, annual_cents), PRODUCERS, GROUPS)
    assert sum(one.residents for one in found) == residents
    assert sum(one.base_cents for one in merged(found)) == residents * annual_cents


def test_shares_follow_the_age_at_which_they_begin() -> None:
    assert [by_age({18: 5, 65: 7}, age) for age in (17, 18, 64, 65, 100)] == [0, 5, 5, 7, 7]
    young, old = (shared_out(of_age(age, 100, 1), PRODUCERS, GROUPS) for age in (20, 80))
    assert [one.residents for one in young] == [36, 54, 9, 1]
    assert [one.residents for one in old] == [16, 24, 51, 9]
    assert [one.fee_cents for one in old] == [2 * 45_00, 2 * 45_00, 128 * 45_00, 23 * 45_00]
