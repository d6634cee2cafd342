"""`./kanava testcalc`: the test calculation (testilaskenta), a rate table over a real population of 2020."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from kanava.common.ids import AREA_CODES
from kanava.common.money import euros
from kanava.local import comparing
from kanava.payments.domain.testcalc import BandCost, Population, cost, cost_by_year
from kanava.payments.figures import populations, rate_table

app = typer.Typer(add_completion=False)
AREA_OF_NAMES = {"uusimaa": ("01", "02", "03", "04", "90"), "finland": tuple(sorted(AREA_CODES))}
"""Areas that a name stands for: Uusimaa is four wellbeing services counties and Helsinki, Finland all 22."""
NOT_IN_THE_ACT = "91"
"""Åland, which is outside the financing act."""
RATES = ("vos_2022", "demo")
UNKNOWN = 2


def population_of(municipality: str | None, area: str | None) -> Population:
    """The residents of a municipality or of an area by age and sex; `ValueError` names what can be asked."""
    if (municipality is None) == (area is None):
        raise ValueError(
            "Name either a municipality (--municipality 049) or an area (--area 03, --area uusimaa)."
        )
    if municipality is not None:
        return _one("municipality", municipality)
    parts = [_one("area", code) for code in codes_of(str(area))]
    return {who: sum(part.get(who, 0) for part in parts) for who in parts[0]}


def codes_of(area: str) -> tuple[str, ...]:
    """The codes of the areas that a code or a name stands for."""
    return AREA_OF_NAMES.get(area.lower(), (area,))


def _one(kind: str, code: str) -> Population:
    codes = sorted(known for of, known in populations() if of == kind and known != NOT_IN_THE_ACT)
    if code not in codes:
        extra = f", {', '.join(AREA_OF_NAMES)}" if kind == "area" else ""
        raise ValueError(
            f"There is no {kind} '{code}' in the figures. Choose one of: {', '.join(codes)}{extra}."
        )
    return populations()[kind, code]


def calculated(rates: str, *, municipality: str | None, area: str | None) -> list[BandCost]:
    """The cost of each band of a rate table for a population; `ValueError` says what is not known."""
    population = population_of(municipality, area)
    if rates not in RATES:
        raise ValueError(f"There is no rate table '{rates}'. Choose one of: {', '.join(RATES)}.")
    return cost(population, rate_table(rates))


def by_pot(rates: str, *, municipality: str | None, area: str | None) -> dict[str, list[BandCost]]:
    """Costs by year of age of a municipality, or of each area by itself, since each area has its own account."""
    whole = population_of(municipality, area)
    if rates not in RATES:
        raise ValueError(f"There is no rate table '{rates}'. Choose one of: {', '.join(RATES)}.")
    if area is None:
        return {str(municipality): cost_by_year(whole, rate_table(rates))}
    return {code: cost_by_year(_one("area", code), rate_table(rates)) for code in codes_of(area)}


def as_result(rates: str, bands: Sequence[BandCost], **asked: str | None) -> dict[str, Any]:
    """The result for machines: `total_cents` and every band."""
    return {
        "rates": rates,
        **asked,
        "residents": sum(band.residents for band in bands),
        "total_cents": sum(band.total_cents for band in bands),
        "bands": [vars(band) for band in bands],
    }


@app.command()
def testcalc(
    rates: Annotated[
        str, typer.Option(help="The rate table: vos_2022 (Decree 691/2022) or demo.")
    ] = "vos_2022",
    municipality: Annotated[
        str | None, typer.Option(help="A municipality of Uusimaa by its code, as 049.")
    ] = None,
    area: Annotated[
        str | None, typer.Option(help="A sote area, 01 to 21 or 90, or uusimaa, or finland.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare the correction methods side by side.")
    ] = False,
    on_top: Annotated[
        bool, typer.Option("--on-top", help="Coefficient and fees on top instead of the same money shared.")
    ] = False,
    groups: Annotated[
        Path | None, typer.Option(help="Client groups and producers of your own instead of the illustrative.")
    ] = None,
    result_file: Annotated[
        Path | None, typer.Option("--json", help="Write the result for machines there.")
    ] = None,
) -> None:
    """Cost of a year: the residents of 31.12.2020 by age band times the rate table, to the cent."""
    try:
        if compare:
            costs = by_pot(rates, municipality=municipality, area=area)
            comparison = comparing.compared(costs, neutral=not on_top, file=groups)
            if result_file is not None:
                comparing.write(result_file, comparison, rates=rates, municipality=municipality, area=area)
            comparing.show(comparison, f"Rate table {rates}, {municipality or area}")
            return
        bands = calculated(rates, municipality=municipality, area=area)
    except (ValueError, OSError) as unknown:
        typer.echo(f"kanava: {unknown}", err=True)
        raise typer.Exit(UNKNOWN) from None
    if result_file is not None:
        result = as_result(rates, bands, municipality=municipality, area=area)
        result_file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    _show(rates, bands)


def _show(rates: str, bands: Sequence[BandCost]) -> None:
    console = Console()
    table = Table(title=f"Rate table {rates}, residents of 31.12.2020", title_justify="left")
    for column in ("sex", "from age", "residents", "a year each", "together"):
        table.add_column(column, justify="left" if column == "sex" else "right")
    for band in bands:
        sums = (f"{band.residents:,}", euros(band.annual_cents), euros(band.total_cents))
        table.add_row(band.sex, str(band.age_from), *sums)
    console.print(table)
    if rates == "demo":
        console.print(
            "Illustrative: English workload weights scaled to 127 € per resident of Espoo and year."
        )
    residents = sum(band.residents for band in bands)
    console.print(
        f"{residents:,} residents: {euros(sum(band.total_cents for band in bands))}", highlight=False
    )
