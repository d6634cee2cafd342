"""The test calculation from what payments knows: the correction methods side by side, without effect on money."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from psycopg.rows import DictRow

from kanava.common.contracts.registry import CompensationTerms, RateBand
from kanava.common.db import Tx
from kanava.common.errors import Refused

from ..domain.correction import Cell, FeesOverThePot, Result, compare, merged, together
from ..domain.testcalc import cost
from ..errors import Reason, UnknownModel
from ..views import testcalcs as views


@dataclass(frozen=True)
class Asked:
    """What is compared: the residents of a day, of a municipality, an area or the country.

    `model` prices them by another version of the area's compensation model than the one in force.
    """

    day: date
    area: str | None
    municipality: str | None
    model: str | None
    neutral: bool


@dataclass(frozen=True)
class MethodComparison:
    """The methods by area, each within its own account, and together; `today_cents` is by the rates in force.

    `without_model` are municipalities whose residents are left out, since their scheme adopted no model.
    """

    residents: int
    today_cents: int
    neutral: bool
    methods: list[Result]
    areas: dict[str, list[Result]]
    without_model: list[str]


async def compare_methods(tx: Tx, asked: Asked) -> MethodComparison:
    """Capitation of a year for those listed on the day, against fees of the twelve months before it.

    A client group is the residents of one coefficient. `UnknownModel` when the area has no such version.
    """
    in_force = await views.adopted(tx, asked.day)
    listed = await views.listed(tx, asked.day, asked.area, asked.municipality)
    fees = await views.fees(tx, asked.day, asked.area, asked.municipality)
    proposed = await _proposed(tx, asked)
    bands = {code: (proposed or terms).bands for code, terms in in_force.items()}
    cells = _cells(listed, fees, bands)
    areas = {area: _compared(merged(own), neutral=asked.neutral) for area, own in sorted(cells.items())}
    return MethodComparison(
        residents=sum(cell.residents for own in cells.values() for cell in own),
        today_cents=sum(_base(listed, {code: terms.bands for code, terms in in_force.items()})),
        neutral=asked.neutral,
        methods=together(list(areas.values())),
        areas=areas,
        without_model=sorted({row["municipality"] for row in listed} - in_force.keys()),
    )


async def _proposed(tx: Tx, asked: Asked) -> CompensationTerms | None:
    if asked.model is None:
        return None
    terms = await views.model(tx, asked.area or "", asked.model)
    if terms is None:
        raise UnknownModel(f"Area {asked.area} has no compensation model {asked.model}.")
    return terms


Bands = Mapping[str, Sequence[RateBand]]
"""The rate table of each municipality."""


def _base(listed: Sequence[DictRow], bands: Bands) -> list[int]:
    """The base capitation of each row, cents; 0 where there is no table."""
    return [
        sum(one.total_cents for one in cost({(row["age"], row["sex"]): row["residents"]}, bands[row["municipality"]]))
        if row["municipality"] in bands
        else 0
        for row in listed
    ]


def _cells(listed: Sequence[DictRow], fees: Sequence[DictRow], bands: Bands) -> dict[str, list[Cell]]:
    cells: dict[str, list[Cell]] = defaultdict(list)
    for row, base_cents in zip(listed, _base(listed, bands), strict=True):
        if row["municipality"] in bands:
            cells[row["area"]].append(_cell(row, residents=row["residents"], base_cents=base_cents))
    for row in fees:
        if row["municipality"] in bands:
            cells[row["area"]].append(_cell(row, fee_cents=row["fee_cents"]))
    return cells


def _cell(row: DictRow, *, residents: int = 0, base_cents: int = 0, fee_cents: int = 0) -> Cell:
    permille = row["coefficient_permille"]
    return Cell(row["producer_id"], f"{permille}", residents, base_cents, permille, fee_cents)


def _compared(cells: Sequence[Cell], *, neutral: bool) -> list[Result]:
    try:
        return compare(cells, neutral=neutral)
    except FeesOverThePot as error:
        raise Refused(Reason.FEES_OVER_THE_POT) from error
