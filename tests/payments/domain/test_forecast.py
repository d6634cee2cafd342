"""The cash forecast: better than seasonal-naive on months that it was not made for, and exact where it can be."""

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.common.clock import add_months
from kanava.payments.domain.forecast import HORIZON, Expected, Flow, Score, backtest, forecast, outflow_path

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


def rising(months: int = 48) -> list[Flow]:
    """The same goes out each month; what comes in is 30 € a month more each year."""
    return [Flow(add_months(JANUARY, n), 100_00 + n // 12 * 30_00, 90_00) for n in range(months)]


def widths(expected: list[Expected]) -> list[int]:
    """How wide the band is, month by month."""
    return [one.high_cents - one.low_cents for one in expected]


def test_inflow_that_is_guessed_from_last_year_makes_the_band_wider_and_a_plan_does_not() -> None:
    past = rising()
    plan = {add_months(past[-1].month, ahead): 100_00 for ahead in range(1, HORIZON + 1)}
    assert max(widths(forecast(past, 0, plan))) == 0
    guessed = widths(forecast(past, 0, {}))
    assert guessed == [2 * 30_00 * ahead for ahead in range(1, HORIZON + 1)], "every guess missed by 30 €"
    half = widths(forecast(past, 0, {month: plan[month] for month in list(plan)[:6]}))
    assert half == [0] * 6 + [2 * 30_00 * ahead for ahead in range(1, 7)]


def test_of_a_planned_month_only_the_payers_without_a_plan_are_guessed() -> None:
    past = rising()
    plan = {add_months(past[-1].month, ahead): 100_00 for ahead in range(1, HORIZON + 1)}
    part = widths(forecast(past, 0, plan, dict.fromkeys(plan, 25_00)))
    assert part == [2 * 7_50 * ahead for ahead in range(1, HORIZON + 1)], "a quarter of the guess"


@given(st.lists(CENTS, min_size=24, max_size=48), st.randoms())
def test_the_band_of_an_account_without_guesses_is_that_of_what_goes_out(outflows: list[int], random: Random) -> None:
    past = [Flow(one.month, random.randrange(10**12), one.outflow_cents) for one in history(outflows)]
    plan = {add_months(past[-1].month, ahead): 1 for ahead in range(1, HORIZON + 1)}
    path, half_widths = outflow_path(outflows)
    found = forecast(past, 0, plan)
    assert [one.outflow_cents for one in found] == path
    assert widths(found) == [2 * width for width in half_widths]


def test_a_back_test_knows_only_what_was_known() -> None:
    """Whatever the last month brings, the scores of the origins before it are made of the same forecasts."""
    calm = [100_00] * 48
    surprised = [*calm[:-1], 900_00]
    assert backtest(history(calm), 12).forecast_cents == 0
    score = backtest(history(surprised), 12)
    assert score.forecast_cents == 12 * 800_00, "each of the twelve origins misses that one month"
    assert score == score + Score(0, 0, 0, 0)


def test_a_back_test_is_of_the_balance_and_knows_the_plan_of_the_year_that_has_begun() -> None:
    past = rising(60)
    late = [*past[:-1], Flow(past[-1].month, 0, past[-1].outflow_cents)]
    plan = {flow.month: flow.inflow_cents for flow in past}
    assert backtest(past, 12, plan).inside == 78
    assert backtest(late, 12, plan).inside == 78 - 12, "an instalment that was planned and did not come"
    assert backtest(past, 12).inside == 78, "every guess missed by as much as those before"
    surprised = [*past[:-12], *(Flow(flow.month, 9_000_00, flow.outflow_cents) for flow in past[-12:])]
    assert backtest(surprised, 12).inside < 12, "nobody had guessed the year"
    assert backtest(surprised, 12, {flow.month: 9_000_00 for flow in surprised[-12:]}).inside == 78


def test_a_back_test_knows_no_plan_of_a_year_that_has_not_begun() -> None:
    """The last year brings far more than any before: planned, and yet no origin of the year before knew of it."""
    past = [Flow(one.month, 9_000_00 if one.month.year == 2026 else 90_00, 100_00) for one in rising(60)]
    flat = [Flow(one.month, one.inflow_cents, 100_00) for one in past]
    plan = {flow.month: flow.inflow_cents for flow in flat[-12:]}
    score = backtest(flat, 24, plan)
    assert score.pairs == 12 * 12 + 78
    assert score.inside == 78 + 78, "the months of each origin's own year"
