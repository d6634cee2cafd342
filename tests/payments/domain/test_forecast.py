"""The cash forecast: better than seasonal-naive on months that it was not made for, and exact where it can be."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.common.clock import add_months
from kanava.payments.domain.forecast import HORIZON, Flow, Score, backtest, forecast, outflow_path

CENTS = st.integers(0, 10**12)
JANUARY = date(2022, 1, 1)


def history(outflows: list[int], inflow_cents: int = 0) -> list[Flow]:
    """Months that follow each other."""
    return [Flow(add_months(JANUARY, n), inflow_cents, cents) for n, cents in enumerate(outflows)]


@given(st.lists(CENTS, min_size=12, max_size=60), CENTS, st.integers(-(10**12), 10**12))
def test_balances_follow_from_the_flows_to_the_cent(outflows: list[int], inflow: int, balance: int) -> None:
    expected = forecast(history(outflows, inflow), balance, {})
    running = balance
    for number, one in enumerate(expected):
        running += one.inflow_cents - one.outflow_cents
        assert one.balance_cents == running
        assert one.low_cents <= one.balance_cents <= one.high_cents
        assert one.month == add_months(JANUARY, len(outflows) + number)
    widths = [one.high_cents - one.low_cents for one in expected]
    assert widths == sorted(widths), "further ahead is never surer"


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**9), min_size=12, max_size=12))
def test_a_season_that_repeats_is_foreseen(level: int, season: list[int]) -> None:
    path, widths = outflow_path([level + value for value in season] * 4)
    assert all(abs(told - level - value) <= 1 for told, value in zip(path, season, strict=True))
    assert max(widths) <= HORIZON


def test_the_plan_comes_before_last_year() -> None:
    expected = forecast(history([100_00] * 24, 90_00), 0, {date(2024, 2, 1): 500_00})
    assert [one.inflow_cents for one in expected[:3]] == [90_00, 500_00, 90_00]


def test_without_a_plan_each_month_brings_what_it_brought_a_year_before() -> None:
    months = [Flow(add_months(JANUARY, n), 1_000 + n, 0) for n in range(24)]
    expected = forecast(months, 0, {})
    assert [one.inflow_cents for one in expected] == [1_012 + n for n in range(12)]


def test_a_year_is_needed() -> None:
    with pytest.raises(ValueError, match="12 months of history, there are 11"):
        outflow_path([1] * 11)


def test_a_back_test_knows_only_what_was_known() -> None:
    """Whatever the last month brings, the scores of the origins before it are made of the same forecasts."""
    calm = [100_00] * 48
    surprised = [*calm[:-1], 900_00]
    assert backtest(calm, 12).forecast_cents == 0
    score = backtest(surprised, 12)
    assert score.forecast_cents == 12 * 800_00, "each of the twelve origins misses that one month"
    assert score == score + Score(0, 0, 0, 0)
