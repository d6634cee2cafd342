"""Cash forecast (kassaennuste) of an area's account: twelve months ahead with an 80 % band, and its back-test.

What comes in is taken from the instalment plan, and without one from the same month a year before. What goes out
follows an additive exponential smoothing with a damped trend and a season of twelve months (Gardner and McKenzie
1985). The band is empirical: the forecast is made anew at every earlier month, and the widths are quantiles of how
far the sums of what went out were from it. Statistics are computed in floating point; cents go in and come out as
integers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

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


def forecast(history: Sequence[Flow], balance_cents: int, planned: Mapping[date, int]) -> list[Expected]:
    """The next twelve months after `history`, whose months follow each other; `planned` are instalments by month.

    `balance_cents` is what the area can spend at the end of the history. `ValueError` for less than twelve months.
    """
    outflows, widths = outflow_path([flow.outflow_cents for flow in history])
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
    if len(outflows) < LEAST_MONTHS:
        raise ValueError(f"a forecast needs {LEAST_MONTHS} months of history, there are {len(outflows)}")
    states = _smoothed([float(value) for value in outflows])
    path = _path(states[-1], len(outflows))
    return [_whole(value) for value in path], [_whole(value) for value in _widths(outflows, states)]


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


def _widths(outflows: Sequence[int], states: Sequence[_State]) -> list[float]:
    """Half-widths by horizon: quantiles of past misses of the running sum, never narrower further ahead.

    A horizon with few misses of its own borrows those of all horizons, in proportion to its length.
    """
    misses: list[list[float]] = [[] for _ in range(HORIZON)]
    begin = 2 * SEASON if len(outflows) >= CALIBRATED_MONTHS else SEASON
    for known in range(begin, len(outflows)):
        path, missed = _path(states[known - 1], known), 0.0
        for ahead, value in enumerate(outflows[known : known + HORIZON]):
            missed += value - path[ahead]
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


def backtest(outflows: Sequence[int], tested_months: int) -> Score:
    """Forecast the last months from every month before them, knowing only what was known then.

    The error is that of each month's outflow, against the seasonal-naive forecast (the same month of the year
    before); inside is counted for the running sum, which is what the balance depends on.
    """
    assert len(outflows) - tested_months >= LEAST_MONTHS, "a back-test needs a year before its first month"
    score = Score(0, 0, 0, 0)
    for known in range(len(outflows) - tested_months, len(outflows)):
        score += _score(outflows[:known], outflows[known : known + HORIZON])
    return score


def _score(history: Sequence[int], truth: Sequence[int]) -> Score:
    path, widths = outflow_path(history)
    naive = history[-SEASON:]
    missed = [actual - told for actual, told in zip(truth, path, strict=False)]
    return Score(
        pairs=len(truth),
        forecast_cents=sum(map(abs, missed)),
        naive_cents=sum(abs(actual - told) for actual, told in zip(truth, naive, strict=False)),
        inside=sum(abs(sum(missed[: n + 1])) <= widths[n] for n in range(len(truth))),
    )
