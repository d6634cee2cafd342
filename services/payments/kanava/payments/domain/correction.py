"""The correction method (korjaustapa): what each would pay to whom, side by side, from the same client groups.

Source: seed 000, line 242, "Korjaustavan määrittämiseksi testilaskenta Espoon datalla": a client's need is met by a
coefficient on capitation (kapitaation nosto/lasku) or afterwards by a performance line (suoritekorvaus). Compared
are both, and no correction at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from kanava.common.money import half_up, split_by_largest_remainder

from .testcalc import BandCost

PERMILLE = 1000


class Method(StrEnum):
    """How a client's need is met."""

    NONE = "none"
    """By the age band alone (ei korjausta)."""
    COEFFICIENT = "coefficient"
    """By a coefficient of the client group (kerroin)."""
    PERFORMANCE = "performance"
    """By a fee for each performed service (suoritekorvaus)."""


@dataclass(frozen=True)
class Cell:
    """The residents of one client group at one producer, for a year.

    `base_cents` is their capitation by age band alone, `fee_cents` what their services cost at the organiser's
    prices, `coefficient_permille` the group's coefficient.
    """

    producer: str
    group: str
    residents: int
    base_cents: int
    coefficient_permille: int
    fee_cents: int


@dataclass(frozen=True)
class Outcome:
    """What one producer, client group or cell gets by a method, against no correction.

    `per_resident_cents` is the difference over its residents, half-up; 0 where nobody is listed.
    """

    name: str
    residents: int
    amount_cents: int
    difference_cents: int
    per_resident_cents: int


@dataclass(frozen=True)
class Result:
    """A method over all cells: its total, and who wins and loses against no correction."""

    method: Method
    total_cents: int
    producers: tuple[Outcome, ...]
    groups: tuple[Outcome, ...]
    winners: tuple[str, ...]
    losers: tuple[str, ...]


class FeesOverThePot(ValueError):
    """The fees alone cost more than the pot, so capitation cannot give way to them."""


def compare(cells: Sequence[Cell], *, neutral: bool) -> list[Result]:
    """The three methods over the same cells, in the order of `Method`.

    `neutral`: every method shares out the same pot, what no correction costs. The coefficient then weighs each
    cell's share of the pot; the performance line pays the fees in full and capitation shares what is left in
    proportion to the age bands; both by largest remainder, to the cent. Without it the coefficient and the fees
    come on top and the total is what they cost. Raises `FeesOverThePot`.
    """
    amounts = {
        Method.NONE: [cell.base_cents for cell in cells],
        Method.COEFFICIENT: _by_coefficient(cells, neutral=neutral),
        Method.PERFORMANCE: _by_performance(cells, neutral=neutral),
    }
    pot = sum(amounts[Method.NONE])
    assert not neutral or all(sum(parts) == pot for parts in amounts.values()), "a method lost or made a cent"
    assert all(part >= 0 for parts in amounts.values() for part in parts), "a producer would have to pay"
    return [_result(method, cells, parts) for method, parts in amounts.items()]


def _by_coefficient(cells: Sequence[Cell], *, neutral: bool) -> list[int]:
    weights = [cell.base_cents * cell.coefficient_permille for cell in cells]
    if neutral:
        return split_by_largest_remainder(sum(cell.base_cents for cell in cells), weights)
    return [half_up(Fraction(weight, PERMILLE)) for weight in weights]


def _by_performance(cells: Sequence[Cell], *, neutral: bool) -> list[int]:
    if not neutral:
        return [cell.base_cents + cell.fee_cents for cell in cells]
    pot, fees = sum(cell.base_cents for cell in cells), sum(cell.fee_cents for cell in cells)
    if fees > pot:
        raise FeesOverThePot("the fees alone cost more than the pot")
    left = split_by_largest_remainder(pot - fees, [cell.base_cents for cell in cells])
    return [cell.fee_cents + part for cell, part in zip(cells, left, strict=True)]


def together(pots: Sequence[Sequence[Result]]) -> list[Result]:
    """The results of several pots (an area's account each) as one, by the names of producers and groups."""
    return [
        _of_outcomes(
            Method(method),
            _summed([_row(one) for results in pots for one in _of(results, method).producers]),
            _summed([_row(one) for results in pots for one in _of(results, method).groups]),
        )
        for method in Method
    ]


def _of(results: Sequence[Result], method: Method) -> Result:
    return next(result for result in results if result.method is method)


Row = tuple[str, int, int, int]
"""A name, residents, what it gets, and the difference against no correction, in cents."""


def _row(one: Outcome) -> Row:
    return one.name, one.residents, one.amount_cents, one.difference_cents


def _result(method: Method, cells: Sequence[Cell], amounts: Sequence[int]) -> Result:
    paired = list(zip(cells, amounts, strict=True))
    by_producer = [(cell.producer, cell.residents, amount, amount - cell.base_cents) for cell, amount in paired]
    by_group = [(cell.group, cell.residents, amount, amount - cell.base_cents) for cell, amount in paired]
    return _of_outcomes(method, _summed(by_producer), _summed(by_group))


def _of_outcomes(method: Method, producers: tuple[Outcome, ...], groups: tuple[Outcome, ...]) -> Result:
    total_cents = sum(one.amount_cents for one in producers)
    assert total_cents == sum(one.amount_cents for one in groups), "producers and groups share the same money"
    winners = tuple(one.name for one in producers if one.difference_cents > 0)
    losers = tuple(one.name for one in producers if one.difference_cents < 0)
    return Result(method, total_cents, producers, groups, winners, losers)


def _summed(rows: Sequence[Row]) -> tuple[Outcome, ...]:
    sums: dict[str, list[int]] = {}
    for name, *values in rows:
        found = sums.setdefault(name, [0, 0, 0])
        for place, value in enumerate(values):
            found[place] += value
    return tuple(
        Outcome(name, residents, amount, difference, half_up(Fraction(difference, residents)) if residents else 0)
        for name, (residents, amount, difference) in sums.items()
    )


@dataclass(frozen=True)
class ClientGroup:
    """A client group of a test population: shares by age, need, and use of services a year, as data.

    `share_permille` and `services_permille` (services per 1,000 residents and year) are by the age they begin at.
    """

    name: str
    share_permille: Mapping[int, int]
    coefficient_permille: int
    services_permille: Mapping[int, int]
    fee_cents: int


@dataclass(frozen=True)
class SampleProducer:
    """A producer of a test population: its weight among residents of an age, and how it draws client groups."""

    name: str
    weight: Mapping[int, int]
    draws: Mapping[str, int]


def by_age(table: Mapping[int, int], age: int) -> int:
    """The value of the highest age in a table that is not above `age`; 0 below all of them."""
    return table[max(known)] if (known := [begin for begin in table if begin <= age]) else 0


def shared_out(year: BandCost, producers: Sequence[SampleProducer], groups: Sequence[ClientGroup]) -> list[Cell]:
    """Cells of residents of one age: each is in exactly one group and at exactly one producer.

    Residents are split over groups by their shares and each group over producers by weight × draw, both by
    largest remainder, so that no resident and no cent of base capitation is lost.
    """
    cells = []
    shares = split_by_largest_remainder(
        year.residents, [by_age(group.share_permille, year.age_from) for group in groups]
    )
    for group, count in zip(groups, shares, strict=True):
        weights = [by_age(one.weight, year.age_from) * one.draws.get(group.name, 1) for one in producers]
        for one, own in zip(producers, split_by_largest_remainder(count, weights), strict=True):
            services = half_up(Fraction(own * by_age(group.services_permille, year.age_from), PERMILLE))
            fees = services * group.fee_cents
            cells.append(Cell(one.name, group.name, own, own * year.annual_cents, group.coefficient_permille, fees))
    assert sum(cell.residents for cell in cells) == year.residents, "a resident is in two cells or in none"
    return cells


def merged(cells: Sequence[Cell]) -> list[Cell]:
    """Cells of the same producer, group and coefficient put together, in their order."""
    found: dict[tuple[str, str, int], list[int]] = {}
    for cell in cells:
        sums = found.setdefault((cell.producer, cell.group, cell.coefficient_permille), [0, 0, 0])
        for place, value in enumerate((cell.residents, cell.base_cents, cell.fee_cents)):
            sums[place] += value
    return [
        Cell(producer, group, residents, base, permille, fees)
        for (producer, group, permille), (residents, base, fees) in found.items()
    ]
