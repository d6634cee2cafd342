"""Cash forecast (kassaennuste) of an area's account: twelve months ahead with an 80 % band, and its back-test.

What comes in is taken from the instalment plan, and without one from the same month a year before. What goes out
follows an additive exponential smoothing with a damped trend and a season of twelve months (Gardner and McKenzie
1985). The band is empirical: the forecast is made anew at every earlier month, and the widths are quantiles of how
far the balance was from it. What came in counts as missed as far as it would have been guessed from the year before;
a plan is taken at its word. Statistics are computed in floating point; cents go in and come out as integers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import accumulate
from types import MappingProxyType

from kanava.common.clock import add_months
from kanava.common.money import half_up

SEASON = 12
HORIZON = 12
LEAST_MONTHS = SEASON
"""A season has to be seen once before anything can be said."""
CALIBRATED_MONTHS = 36
"""From here on the band rests on forecasts of months that the start of the smoothing did not see."""
LEAST_ERRORS = 8
COVERAGE = 0.8
LEVEL_GAIN, TREND_GAIN, SEASON_GAIN, DAMPING = 0.2, 0.05, 0.15, 0.95


@dataclass(frozen=True)
class Flow:
    """What came into and what left an area's account in a month (its first day), in cents."""

    month: date
    inflow_cents: int
    outflow_cents: int


@dataclass(frozen=True)
class Expected:
    """A month to come: flows, and the balance at its end with the edges of the 80 % band, in cents."""

    month: date
    inflow_cents: int
    outflow_cents: int
    balance_cents: int
    low_cents: int
    high_cents: int


@dataclass(frozen=True)
class Score:
    """What a back-test found over `pairs` of origin and horizon; errors are sums of absolute cents."""

    pairs: int
    forecast_cents: int
    naive_cents: int
    inside: int

    def __add__(self, other: "Score") -> "Score":
        """The score of both together."""
        return Score(
            self.pairs + other.pairs,
            self.forecast_cents + other.forecast_cents,
            self.naive_cents + other.naive_cents,
            self.inside + other.inside,
        )

    @property
    def covered_permille(self) -> int:
        """Of 1,000 balances how many fell into the band."""
        return half_up(Fraction(1000 * self.inside, self.pairs))


@dataclass(frozen=True)
class _State:
    """The smoothing after a month: level, monthly trend and the twelve seasonal differences."""

    level: float
    trend: float
    season: tuple[float, ...]


def forecast(
    history: Sequence[Flow],
    balance_cents: int,
    planned: Mapping[date, int],
    guessed: Mapping[date, int] = MappingProxyType({}),
) -> list[Expected]:
    """The next twelve months after `history`, whose months follow each other; `planned` are instalments by month.

    Of a planned month `guessed` cents are from payers without a plan. `balance_cents` is what the area can spend at
    the end of the history. `ValueError` for less than twelve months.
    """
    ahead_of = [add_months(history[-1].month, ahead + 1) for ahead in range(HORIZON)] if history else []
    shares = [guessed.get(month, 0) / max(planned[month], 1) if month in planned else 1.0 for month in ahead_of]
    outflows, widths = _path_and_widths(history, shares)
    expected, balance = [], balance_cents
    for ahead, (outflow, width) in enumerate(zip(outflows, widths, strict=True)):
        month = add_months(history[-1].month, ahead + 1)
        inflow = planned.get(month, history[ahead - SEASON].inflow_cents)
        balance += inflow - outflow
        expected.append(Expected(month, inflow, outflow, balance, balance - width, balance + width))
    assert len(expected) == HORIZON, "a forecast is a year"
    assert balance == balance_cents + sum(one.inflow_cents - one.outflow_cents for one in expected)
    return expected


def outflow_path(outflows: Sequence[int]) -> tuple[list[int], list[int]]:
    """What goes out in each of the next twelve months, and the half-width of the band of its running sum; cents."""
    flows = [Flow(date.min, 0, value) for value in outflows]
    return _path_and_widths(flows, [0.0] * HORIZON)


def _path_and_widths(history: Sequence[Flow], guessed: Sequence[float]) -> tuple[list[int], list[int]]:
    """What goes out, and the half-widths of the balance; `guessed` is the share of each month's inflow that is."""
    if len(history) < LEAST_MONTHS:
        raise ValueError(f"a forecast needs {LEAST_MONTHS} months of history, there are {len(history)}")
    outflows = [flow.outflow_cents for flow in history]
    states = _smoothed([float(value) for value in outflows])
    path = _path(states[-1], len(history))
    return [_whole(value) for value in path], [_whole(value) for value in _widths(history, states, guessed)]


def _whole(value: float) -> int:
    return half_up(Fraction(value))


def _smoothed(values: Sequence[float]) -> list[_State]:
    """The state after each month; the first year, or the first two, give the start."""
    state, states = _start(values), []
    for number, value in enumerate(values):
        level = state.level + DAMPING * state.trend
        season = list(state.season)
        missed = value - (level + season[number % SEASON])
        season[number % SEASON] += SEASON_GAIN * (1 - LEVEL_GAIN) * missed
        trend = DAMPING * state.trend + LEVEL_GAIN * TREND_GAIN * missed
        state = _State(level + LEVEL_GAIN * missed, trend, tuple(season))
        states.append(state)
    return states


def _start(values: Sequence[float]) -> _State:
    years = min(len(values) // SEASON, 2)
    means = [sum(values[year * SEASON : (year + 1) * SEASON]) / SEASON for year in range(years)]
    slope = (means[1] - means[0]) / SEASON if years > 1 else 0.0
    middle = (SEASON - 1) / 2
    raw = [
        sum(values[n + year * SEASON] - means[0] - slope * (n + year * SEASON - middle) for year in range(years))
        / years
        for n in range(SEASON)
    ]
    centre = sum(raw) / SEASON
    return _State(means[0] - slope * (middle + 1), slope / 2, tuple(value - centre for value in raw))


def _path(state: _State, known: int) -> list[float]:
    """The twelve months after `known` months, from the state after the last of them."""
    path, damped, power = [], 0.0, 1.0
    for ahead in range(HORIZON):
        power *= DAMPING
        damped += power
        path.append(state.level + damped * state.trend + state.season[(known + ahead) % SEASON])
    return path


def _widths(history: Sequence[Flow], states: Sequence[_State], guessed: Sequence[float]) -> list[float]:
    """Half-widths by horizon: quantiles of past misses of the balance, never narrower further ahead.

    A horizon with few misses of its own borrows those of all horizons, in proportion to its length.
    """
    misses: list[list[float]] = [[] for _ in range(HORIZON)]
    begin = 2 * SEASON if len(history) >= CALIBRATED_MONTHS else SEASON
    for known in range(begin, len(history)):
        path, missed = _path(states[known - 1], known), 0.0
        for ahead, flow in enumerate(history[known : known + HORIZON]):
            surprise = flow.inflow_cents - history[known + ahead - SEASON].inflow_cents
            missed += guessed[ahead] * surprise - (flow.outflow_cents - path[ahead])
            misses[ahead].append(abs(missed))
    each_month = [miss / (ahead + 1) for ahead, found in enumerate(misses) for miss in found]
    widths, widest = [], 0.0
    for ahead, found in enumerate(misses):
        own = len(found) >= LEAST_ERRORS
        width = _quantile(found, len(found)) if own else (ahead + 1) * _quantile(each_month, len(each_month))
        widest = max(widest, width)
        widths.append(widest)
    return widths


def _quantile(values: Sequence[float], count: int) -> float:
    """The value below which 80 % of a new draw falls (the conformal correction), interpolated; 0 without values."""
    if not count:
        return 0.0
    place = min(1.0, COVERAGE * (count + 1) / count) * (count - 1)
    ordered, below = sorted(values), int(place)
    above = min(below + 1, count - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def backtest(history: Sequence[Flow], tested_months: int, plans: Mapping[date, int] = MappingProxyType({})) -> Score:
    """Forecast the last months from every month before them, knowing only what was known then.

    Of `plans`, inflows by month, an origin knows those of the year that begins with its first month, or has begun. The
    error is that of each month's outflow, against the seasonal-naive forecast (the same month of the year before);
    inside is counted for the balance, inflow too.
    """
    assert len(history) - tested_months >= LEAST_MONTHS, "a back-test needs a year before its first month"
    score = Score(0, 0, 0, 0)
    for known in range(len(history) - tested_months, len(history)):
        year = history[known].month.year
        planned = {month: cents for month, cents in plans.items() if month.year == year}
        score += _score(history[:known], history[known : known + HORIZON], planned)
    return score


def _score(history: Sequence[Flow], truth: Sequence[Flow], planned: Mapping[date, int]) -> Score:
    expected = forecast(history, 0, planned)[: len(truth)]
    moved = accumulate(flow.inflow_cents - flow.outflow_cents for flow in truth)
    return Score(
        pairs=len(truth),
        forecast_cents=sum(abs(f.outflow_cents - e.outflow_cents) for f, e in zip(truth, expected, strict=True)),
        naive_cents=sum(
            abs(flow.outflow_cents - before.outflow_cents)
            for flow, before in zip(truth, history[-SEASON:], strict=False)
        ),
        inside=sum(one.low_cents <= balance <= one.high_cents for one, balance in zip(expected, moved, strict=True)),
    )
