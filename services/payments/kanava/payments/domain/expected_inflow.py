"""What payers are expected to pay into an area's account: by their plans, and by what they paid a year ago without one.

Source: the single channel of the source: all money comes by instalments of the state, municipalities and insurance.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from kanava.common.clock import add_months, first_of_month

HORIZON = 12
Payer = tuple[str, str]
"""The kind of the payer, and the municipality, if one pays."""


@dataclass(frozen=True)
class Due:
    """What is still missing of an instalment of a plan, in cents, and when it is due."""

    payer: Payer
    due_on: date
    missing_cents: int


@dataclass(frozen=True)
class Came:
    """What a payer paid in a month (its first day), in cents."""

    payer: Payer
    month: date
    amount_cents: int


def expected_inflow(
    first: date, planned: Collection[tuple[Payer, int]], due: Sequence[Due], came: Sequence[Came]
) -> dict[date, int]:
    """Cents by month for the twelve months from `first` on whose fiscal year has a plan of any payer.

    `planned` says which payers have a plan of which year. Of a plan counts what is still missing; what is overdue is
    expected in the first month. A payer without a plan of a year pays as in the same month a year before.
    """
    years = {year for _, year in planned}
    months = [add_months(first, ahead) for ahead in range(HORIZON)]
    expected = {month: 0 for month in months if month.year in years}
    for one in due:
        assert one.missing_cents >= 0, "what is missing is not negative"
        month = max(first_of_month(one.due_on), first)
        if month in expected:
            expected[month] += one.missing_cents
    for month, cents in guessed_inflow(first, planned, came).items():
        expected[month] += cents
    assert all(cents >= 0 for cents in expected.values()), "nobody is expected to take back"
    return expected


def guessed_inflow(first: date, planned: Collection[tuple[Payer, int]], came: Sequence[Came]) -> dict[date, int]:
    """What of `expected_inflow` is what payers without a plan paid a year before; cents by month."""
    years = {year for _, year in planned}
    guessed: dict[date, int] = {}
    for paid in came:
        month = add_months(paid.month, HORIZON)
        if (
            first <= month < add_months(first, HORIZON)
            and month.year in years
            and (paid.payer, month.year) not in planned
        ):
            guessed[month] = guessed.get(month, 0) + paid.amount_cents
    return guessed
