"""The rule of the municipal refund: monotone in its grounds, within its cap, nothing for nothing."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.refund import (
    Component,
    ComponentStep,
    Figure,
    FiguresMissing,
    Measure,
    Rule,
    Steps,
    compared_components,
    refund,
    window,
)

BEGINS, ENDS = window(2025)
permille = st.integers(0, 1000)
values = st.lists(st.integers(1, 5000), min_size=4, max_size=4)
payments = st.integers(0, 10**14)
measures = st.lists(st.integers(1, 400), max_size=4)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any weights that sum to the whole, any share and any cap."""
    cuts = sorted(draw(st.lists(permille, min_size=3, max_size=3)))
    weights = [high - low for low, high in zip([0, *cuts], [*cuts, 1000], strict=True)]
    return Rule(BEGINS, dict(zip(Component, weights, strict=True)), draw(permille), draw(permille))


def steps(rule: Rule, then: list[int], now: list[int], done: list[int], paid: int) -> Steps:
    """A refund of figures in the order of the components."""
    compared = [
        ComponentStep(component, rule.weights[component], BEGINS, old, ENDS, new)
        for component, old, new in zip(Component, then, now, strict=True)
    ]
    return refund(rule, compared, [Measure("m", date(2024, 1, 1), share) for share in done], paid)


@given(rules(), values, values, measures, payments)
def test_a_refund_stays_within_its_cap_and_its_steps_make_it(
    rule: Rule, then: list[int], now: list[int], done: list[int], paid: int
) -> None:
    found = steps(rule, then, now, done, paid)
    assert 0 <= found.amount_cents <= found.cap_cents <= paid
    assert found.amount_cents == min(found.uncapped_cents, found.cap_cents)
    assert abs(found.need_cents + found.measures_cents - found.uncapped_cents) <= 1
    if found.index_now >= found.index_then:
        assert found.need_cents == 0


@given(rules(), values, values, measures, payments, st.integers(0, 3), st.integers(1, 5000))
def test_less_need_never_gives_less(
    rule: Rule, then: list[int], now: list[int], done: list[int], paid: int, which: int, lower: int
) -> None:
    fallen = [min(value, lower) if n == which else value for n, value in enumerate(now)]
    assert steps(rule, then, fallen, done, paid).amount_cents >= steps(rule, then, now, done, paid).amount_cents


@given(rules(), values, values, measures, payments, st.integers(1, 400))
def test_another_measure_never_gives_less(
    rule: Rule, then: list[int], now: list[int], done: list[int], paid: int, more: int
) -> None:
    with_it = steps(rule, then, now, [*done, more], paid)
    assert with_it.amount_cents >= steps(rule, then, now, done, paid).amount_cents
    assert with_it.measures_cents >= 0


@given(rules(), values, values, measures)
def test_who_paid_nothing_gets_nothing(rule: Rule, then: list[int], now: list[int], done: list[int]) -> None:
    assert steps(rule, then, now, done, 0).amount_cents == 0


@given(rules(), values, values, measures, payments, payments)
def test_who_paid_more_never_gets_less(
    rule: Rule, then: list[int], now: list[int], done: list[int], paid: int, more: int
) -> None:
    less, greater = (steps(rule, then, now, done, cents).amount_cents for cents in (paid, paid + more))
    assert less <= greater


RULE = Rule(BEGINS, dict(zip(Component, (400, 200, 300, 100), strict=True)), 500, 60)


def figures(day: date, value: int) -> list[Figure]:
    """The same value for every component."""
    return [Figure(component, day, value) for component in Component]


def test_the_newest_figure_before_a_day_speaks_for_it_and_a_correction_replaces_it() -> None:
    known = [
        *figures(date(2020, 6, 1), 900),
        *figures(date(2021, 12, 31), 1000),
        *figures(date(2022, 1, 2), 1),
        *figures(date(2025, 12, 31), 800),
        Figure(Component.HOUSING, date(2025, 12, 31), 700),
        *figures(date(2026, 1, 2), 1),
    ]
    found = compared_components(RULE, known, BEGINS, ENDS)
    assert [(one.then_permille, one.now_permille) for one in found] == [(1000, 800)] * 3 + [(1000, 700)]


def test_a_figure_speaks_from_its_own_day_until_two_years_later() -> None:
    at_the_ends = [*figures(date(2020, 1, 1), 900), *figures(date(2026, 1, 1), 800)]
    found = compared_components(RULE, at_the_ends, BEGINS, ENDS)
    assert [(one.then_permille, one.now_permille) for one in found] == [(900, 800)] * 4
    with pytest.raises(FiguresMissing):
        compared_components(RULE, [*figures(date(2019, 12, 31), 900), *at_the_ends[4:]], BEGINS, ENDS)


@given(rules(), values, values, measures, payments)
def test_the_sum_is_rounded_once_and_the_cap_never_up(
    rule: Rule, then: list[int], now: list[int], done: list[int], paid: int
) -> None:
    found = steps(rule, then, now, done, paid)
    fell = Fraction(max(found.index_then - found.index_now, 0), found.index_then)
    exact = paid * (fell * rule.need_share_permille + sum(done)) / 1000
    assert abs(found.uncapped_cents - exact) <= Fraction(1, 2)
    assert found.cap_cents <= Fraction(paid * rule.cap_permille, 1000) < found.cap_cents + 1


def test_two_halves_of_a_cent_are_one_cent() -> None:
    """Half a cent for the need and half a cent for a measure: rounded one by one they would be two."""
    rule = Rule(BEGINS, dict(zip(Component, (1000, 0, 0, 0), strict=True)), 1000, 1000)
    found = steps(rule, [1000] * 4, [995] * 4, [5], 100)
    assert (found.need_cents, found.measures_cents, found.amount_cents) == (1, 1, 1)


def test_a_decrease_of_half_a_permille_is_told_as_one_and_paid_exactly() -> None:
    rule = Rule(BEGINS, dict(zip(Component, (500, 500, 0, 0), strict=True)), 1000, 1000)
    found = steps(rule, [1000] * 4, [999, 1000, 1000, 1000], [], 1_000_000)
    assert (found.need_decrease_permille, found.amount_cents) == (1, 500)


def test_a_figure_that_is_too_old_or_missing_is_named() -> None:
    stale = [*figures(date(2019, 12, 31), 1000), *figures(date(2025, 12, 31), 800)]
    with pytest.raises(FiguresMissing) as missing:
        compared_components(RULE, stale, BEGINS, ENDS)
    assert missing.value.components == tuple(Component)
    fresh = [*figures(date(2021, 12, 31), 1000), *figures(date(2025, 12, 31), 800)[1:]]
    with pytest.raises(FiguresMissing) as one:
        compared_components(RULE, fresh, BEGINS, ENDS)
    assert one.value.components == (Component.MORBIDITY,)


def test_weights_that_are_no_whole_are_no_rule() -> None:
    with pytest.raises(AssertionError, match="sum to the whole"):
        Rule(BEGINS, dict.fromkeys(Component, 100), 500, 60)
