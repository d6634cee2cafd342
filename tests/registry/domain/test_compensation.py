"""What a model fixes beside its rate table: one kind of rate, a whole pool, kinds of the class, the fixed share."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kanava.common.contracts.registry import Direction
from kanava.registry.commands import IncentiveInput
from kanava.registry.domain.compensation import (
    Incentive,
    annual_cents,
    broken_by_allowed_kinds,
    broken_by_incentives,
    broken_by_range,
    broken_by_rates,
    broken_by_reasons,
    warnings_of,
)

DAY = date(2026, 11, 1)


@given(st.integers(0, 10**7))
def test_a_monthly_rate_is_exactly_the_twelfth_of_what_is_said(monthly: int) -> None:
    assert annual_cents(None, monthly) == 12 * monthly
    assert annual_cents(monthly, None) == monthly


@pytest.mark.parametrize(
    ("rates", "broken"),
    [
        ([(1, None), (2, None)], []),
        ([(None, 1), (None, 2)], []),
        ([(1, 1)], [("/0/annual_cents", "one_rate")]),
        ([(1, None), (None, None)], [("/1/annual_cents", "one_rate")]),
        ([(1, None), (None, 1)], [("", "rates_of_one_kind")]),
    ],
)
def test_a_table_has_yearly_or_monthly_rates(
    rates: list[tuple[int | None, int | None]], broken: list[tuple[str, str]]
) -> None:
    assert [(one.pointer, one.rule) for one in broken_by_rates(rates)] == broken


@given(st.sampled_from(["higher_is_better", "lower_is_better"]), st.integers(), st.integers())
def test_a_target_is_better_than_its_floor(direction: Direction, floor: int, target: int) -> None:
    better = target > floor if direction == "higher_is_better" else target < floor
    assert (broken_by_range(direction, floor, target) == []) is better


def incentive(indicator: str = "esh_referrals", share: int = 1000) -> Incentive:
    return Incentive(indicator, share, "lower_is_better", 60, 50)


def test_the_shares_of_a_pool_are_the_whole_of_it() -> None:
    assert broken_by_incentives([], 0) == []
    assert broken_by_incentives([incentive(share=400), incentive("t3", share=600)], 5) == []
    parted = broken_by_incentives([incentive(share=400), incentive(share=500)], 0)
    assert [one.rule for one in parted] == ["indicator_once", "shares_of_pool", "pool_to_earn"]


def test_a_reason_of_a_coefficient_stands_once() -> None:
    assert broken_by_reasons(["sairastavuus", "kieli"]) == []
    assert [one.pointer for one in broken_by_reasons(["kieli", "kieli"])] == ["/1/code"]


def test_a_model_pays_a_class_no_more_than_the_class_allows() -> None:
    assert broken_by_allowed_kinds([("basic", ("fee",)), ("partnership", ("effectiveness",))], DAY) == []
    broken = broken_by_allowed_kinds([("basic", ("fee", "base_payment")), ("basic", ("fee",))], DAY)
    assert [(one.pointer, one.rule) for one in broken] == [
        ("/0/kinds/1", "kind_of_class"),
        ("/1/contract_class", "class_once"),
    ]


@given(st.integers(0, 1000))
def test_a_fixed_share_under_two_thirds_is_warned_of(permille: int) -> None:
    assert bool(warnings_of(permille, DAY)) is (3 * permille < 2000)
    assert warnings_of(permille, date(2018, 3, 7)) == warnings_of(None, date(2018, 3, 7)) == ()


def test_a_model_that_declares_no_fixed_share_is_warned_of() -> None:
    assert [one.rule for one in warnings_of(None, DAY)] == ["fixed_share_declared"]


@pytest.mark.parametrize("field", ["floor", "target"])
def test_an_indicator_is_no_larger_than_one_that_can_be_frozen(field: str) -> None:
    known = {"indicator": "t3", "share_permille": 1000, "direction": "higher_is_better", "floor": 0, "target": 10**15}
    assert IncentiveInput.model_validate(known).target == 10**15
    for absurd in (10**15 + 1, -(10**30)):
        with pytest.raises(ValidationError):
            IncentiveInput.model_validate(known | {field: absurd})
