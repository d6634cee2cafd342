"""Forecasts: an area's account from its book, and a producer's income from its statements."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import dropwhile
from typing import Literal

from kanava.common.clock import add_months, first_of_month, helsinki_date, month_text
from kanava.common.db import Tx, one
from kanava.common.errors import Invalid, Refused

from ..domain.forecast import CALIBRATED_MONTHS, HORIZON, LEAST_MONTHS, Expected, forecast, outflow_path
from ..errors import Reason
from ..views.forecasts import flows, income, planned_inflow

InflowFrom = Literal["asked", "plan", "last_year"]
"""Where the inflow of a month is from: the question, the funding plans, or the same month a year before."""


@dataclass(frozen=True)
class ExpectedMonth:
    """A month to come, `2027-01`: flows, balance at its end, and the edges of the 80 % band; cents."""

    month: str
    inflow_cents: int
    outflow_cents: int
    balance_cents: int
    low_cents: int
    high_cents: int
    inflow_from: InflowFrom


@dataclass(frozen=True)
class Forecast:
    """Twelve months of an area's account; `below_limit_in` is the first month whose band reaches the limit."""

    area: str
    months_of_history: int
    calibrated: bool
    balance_cents: int
    limit_cents: int
    below_limit_in: str | None
    months: list[ExpectedMonth]


@dataclass(frozen=True)
class IncomeMonth:
    """A month of a producer's income to come, and the sum since the forecast began with its 80 % band; cents."""

    month: str
    income_cents: int
    sum_cents: int
    low_cents: int
    high_cents: int


@dataclass(frozen=True)
class IncomeForecast:
    """Twelve months of a producer's income from an area, from its statements."""

    area: str
    producer_id: str
    months_of_history: int
    calibrated: bool
    months: list[IncomeMonth]


async def forecast_account(tx: Tx, area: str, asked: Mapping[date, int], now: datetime) -> Forecast:
    """Twelve months ahead, with the area's funding plans. Refused without twelve months of history.

    `asked` are other inflows than planned, by month: what if they came. `Invalid` for a month out of the forecast.
    """
    first = first_of_month(helsinki_date(now))
    last = add_months(first, HORIZON - 1)
    if any(not first <= month <= last for month in asked):
        told = f"The forecast goes from {month_text(first)} to {month_text(last)}."
        raise Invalid(told, pointer="/planned", rule="month_ahead")
    whole = await flows(tx, area, first)
    # Before its first payout an area is not yet at work; those months would look like a season of nothing.
    history = list(dropwhile(lambda flow: flow.outflow_cents == 0, whole))
    if len(history) < LEAST_MONTHS:
        raise Refused(Reason.TOO_LITTLE_HISTORY, months=len(history))
    book = await one(tx, "SELECT limit_cents FROM book WHERE area = %s", (area,))
    limit_cents = book["limit_cents"] if book else 0
    balance_cents = sum(flow.inflow_cents - flow.outflow_cents for flow in whole)
    planned, guessed = await planned_inflow(tx, area, first)
    guessed = {month: cents for month, cents in guessed.items() if month not in asked}
    months = forecast(history, balance_cents, planned | dict(asked), guessed)
    return Forecast(
        area=area,
        months_of_history=len(history),
        calibrated=len(history) >= CALIBRATED_MONTHS,
        balance_cents=balance_cents,
        limit_cents=limit_cents,
        below_limit_in=next((month_text(one.month) for one in months if one.low_cents < limit_cents), None),
        months=[_told(one, _inflow_from(one.month, asked, planned)) for one in months],
    )


async def forecast_income(tx: Tx, area: str, producer_id: str) -> IncomeForecast:
    """Twelve months after the last statement. Refused without twelve months of statements."""
    history = await income(tx, area, producer_id)
    if len(history) < LEAST_MONTHS:
        raise Refused(Reason.TOO_LITTLE_HISTORY, months=len(history))
    path, widths = outflow_path([cents for _, cents in history])
    months, total_cents = [], 0
    for ahead, (cents, width) in enumerate(zip(path, widths, strict=True), 1):
        total_cents += cents
        month = month_text(add_months(history[-1][0], ahead))
        months.append(IncomeMonth(month, cents, total_cents, total_cents - width, total_cents + width))
    assert total_cents == sum(path), "the sum is that of its months"
    return IncomeForecast(area, producer_id, len(history), len(history) >= CALIBRATED_MONTHS, months)


def _told(expected: Expected, inflow_from: InflowFrom) -> ExpectedMonth:
    return ExpectedMonth(**vars(expected) | {"month": month_text(expected.month), "inflow_from": inflow_from})


def _inflow_from(month: date, asked: Mapping[date, int], planned: Mapping[date, int]) -> InflowFrom:
    if month in asked:
        return "asked"
    return "plan" if month in planned else "last_year"
