"""The correction methods side by side over real populations: what `./kanava testcalc --compare` shows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from kanava.common.money import euros
from kanava.payments.domain.correction import (
    Cell,
    FeesOverThePot,
    Method,
    Result,
    compare,
    merged,
    shared_out,
    together,
)
from kanava.payments.domain.testcalc import BandCost
from kanava.payments.figures import sample_population

WORDS = {
    Method.NONE: "no correction (ei korjausta)",
    Method.COEFFICIENT: "coefficient (kerroin)",
    Method.PERFORMANCE: "performance line (suoritekorvaus)",
}
NEUTRAL = "Every method shares out the same money, in each area its own."
ON_TOP = "Coefficient and fees come on top; the totals differ."


@dataclass(frozen=True)
class Comparison:
    """The results of each pot (a municipality's or an area's money) and of all together."""

    source: str
    neutral: bool
    pots: Mapping[str, list[Result]]
    whole: list[Result]


def compared(costs: Mapping[str, Sequence[BandCost]], *, neutral: bool, file: Path | None) -> Comparison:
    """Compare over populations by pot; `ValueError` says what is wrong with the client groups."""
    source, groups, producers = sample_population(file)
    pots = {}
    for name, years in costs.items():
        cells: list[Cell] = []
        for year in years:
            cells += shared_out(year, producers, groups)
        try:
            pots[name] = compare(merged(cells), neutral=neutral)
        except FeesOverThePot as error:
            raise ValueError(f"In '{name}' {error}; compare with --on-top, or with lower fees.") from error
    return Comparison(source, neutral, pots, together(list(pots.values())))


def as_result(comparison: Comparison, **asked: str | None) -> dict[str, Any]:
    """The result for machines: the three methods together and for each pot; cents."""
    return {
        **asked,
        "source": comparison.source,
        "neutral": comparison.neutral,
        "methods": _methods(comparison.whole),
        "pots": {name: _methods(results) for name, results in comparison.pots.items()},
    }


def _methods(results: Sequence[Result]) -> dict[str, Any]:
    return {
        result.method.value: {
            "total_cents": result.total_cents,
            "winners": list(result.winners),
            "losers": list(result.losers),
            "producers": [vars(one) for one in result.producers],
            "groups": [vars(one) for one in result.groups],
        }
        for result in results
    }


def write(file: Path, comparison: Comparison, **asked: str | None) -> None:
    """Write the result for machines."""
    text = json.dumps(as_result(comparison, **asked), indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")


def show(comparison: Comparison, title: str) -> None:
    """Print the methods side by side, per producer and per client group, and the pots where there are several."""
    console = Console()
    for part in ("producers", "groups"):
        table = Table(title=f"{title}: {part}", title_justify="left")
        for column in (part, "residents", *WORDS.values()):
            table.add_column(column, justify="left" if column == part else "right")
        for row in zip(*(getattr(result, part) for result in comparison.whole), strict=True):
            table.add_row(row[0].name, f"{row[0].residents:,}", *(_told(one) for one in row))
        table.add_row("together", "", *(euros(result.total_cents) for result in comparison.whole), end_section=True)
        console.print(table)
    if len(comparison.pots) > 1:
        _show_pots(console, comparison)
    console.print(NEUTRAL if comparison.neutral else ON_TOP)
    console.print(comparison.source)


def _told(one: Any) -> str:
    if not one.difference_cents:
        return euros(one.amount_cents)
    sign = "+" if one.difference_cents > 0 else ""
    return f"{euros(one.amount_cents)}\n{sign}{euros(one.per_resident_cents)} a resident"


def _show_pots(console: Console, comparison: Comparison) -> None:
    table = Table(title="By area: total, and most won and lost per resident by a producer", title_justify="left")
    for column in ("area", *WORDS.values()):
        table.add_column(column, justify="left" if column == "area" else "right")
    for name, results in comparison.pots.items():
        table.add_row(name, *(_extremes(result) for result in results))
    console.print(table)


def _extremes(result: Result) -> str:
    each = [one.per_resident_cents for one in result.producers]
    if not any(each):
        return euros(result.total_cents)
    return f"{euros(result.total_cents)}\n{euros(max(each))} / {euros(min(each))}"
