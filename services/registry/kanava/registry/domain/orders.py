"""Annual orders (vuotuiset tilaukset) and the years for which an area orders and budgets.

Source: Sitra's model, lines 58-59 (the package is the means of the annual order, the organiser sets the price), and
the model for steering producers, line 226 (service wholes are ordered).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kanava.common.errors import RefusalReason

from .violations import Violation

YEARS_AHEAD = 2
"""How many years ahead an area may order or budget."""

Priced = Mapping[tuple[str, str], int]
"""The organiser's price in cents by node and unit of measure."""


class OrderRefusal(RefusalReason):
    """Why an order or a budget is not changed."""

    WITHDRAWN_ALREADY = "withdrawn_already", "The order or the budget has been withdrawn already."


@dataclass(frozen=True)
class OrderedLine:
    """What an order asks for: a volume of a node in a unit of measure, and the budget line that it encumbers."""

    node: str
    unit_of_measure: str
    quantity: int
    budget_line: str | None


def broken_by_year(year: int, valid_from: date, today: date) -> list[Violation]:
    """A year is this one or one of the next, and the first day lies in it; `today` is the day in Helsinki."""
    if not today.year <= year <= today.year + YEARS_AHEAD:
        detail = f"a year is {today.year} to {today.year + YEARS_AHEAD}"
        return [Violation("/year", "year_in_range", detail)]
    if valid_from.year != year:
        return [Violation("/valid_from", "day_of_year", f"the first day lies in {year}")]
    return []


def broken_by_lines(lines: Sequence[OrderedLine], prices: Priced, budget_lines: Collection[str]) -> list[Violation]:
    """A line stands once, has a price of the organiser, and encumbers a line that the area's budget has.

    `budget_lines` are the lines of the budget of the order's year; pointers as `/lines/2/node`.
    """
    broken, seen = [], set[tuple[str, str]]()
    for place, line in enumerate(lines):
        asked = (line.node, line.unit_of_measure)
        if asked in seen:
            broken.append(Violation(f"/lines/{place}/node", "line_once", f"{line.node} is ordered once in a unit"))
        elif asked not in prices:
            detail = f"the organiser has no price for {line.node} by {line.unit_of_measure} on the first day"
            broken.append(Violation(f"/lines/{place}/node", "priced_by_organiser", detail))
        if line.budget_line is not None and line.budget_line not in budget_lines:
            detail = f"the budget of the year has no line {line.budget_line}"
            broken.append(Violation(f"/lines/{place}/budget_line", "line_of_budget", detail))
        seen.add(asked)
    return broken


def total_cents(lines: Sequence[OrderedLine], prices: Priced) -> int:
    """What an unbroken order costs at the organiser's prices, in cents."""
    return sum(line.quantity * prices[line.node, line.unit_of_measure] for line in lines)
