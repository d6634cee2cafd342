"""`./kanava bench`: each figure as a ratio against a yardstick of the same run, in two columns."""

import importlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from kanava.local.profile import project_root

app = typer.Typer(add_completion=False)
EVENTS, NATIONAL_EVENTS = 200_000, 1_000_000
NO_COMPILER = "There is no C compiler (cc, gcc or clang) here, so what a slow fsync costs is left out."


@app.command()
def bench(
    what: Annotated[str, typer.Argument(help="`all`, or `payments` at the scale of the country.")] = "all",
    *,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures for machines.")] = None,
    residents: Annotated[int, typer.Option(help="Residents of the month.", min=1000)] = 292_796,
    events: Annotated[
        int | None, typer.Option(help="Visits from Kafka; 200,000, and 1,000,000 for payments.", min=1000)
    ] = None,
    slow: Annotated[bool, typer.Option(help="Measure the second column, every fsync 1 ms slower.")] = True,
) -> None:
    """Measure choices, a month and visits, each against its yardstick; nothing fails by the clock."""
    sys.path.insert(0, str(project_root()))
    command = importlib.import_module("bench.command")
    console = Console()
    if what == "payments":
        _payments(console, command, json_file=json_file, events=events or NATIONAL_EVENTS, slow=slow)
        return
    columns: dict[str, list[Any]] = {}
    columns["as the disk is"] = command.run(console.print, slow=False, residents=residents, events=events or EVENTS)
    if slow and command.slow_fsync() is None:
        console.print(NO_COMPILER)
    elif slow:
        columns["fsync + 1 ms"] = command.run(console.print, slow=True, residents=residents, events=events or EVENTS)
    console.print(_table(columns))
    if json_file:
        found = {name: [figure.as_json() for figure in figures] for name, figures in columns.items()}
        json_file.write_text(json.dumps(found, indent=2) + "\n")


def _table(columns: dict[str, list[Any]]) -> Table:
    table = Table(title="Kanava against its yardsticks")
    for heading in ("figure", "disk", "ours", "yardstick", "ratio", "aim"):
        table.add_column(heading, justify="left" if heading in ("figure", "disk") else "right")
    for disk, figures in columns.items():
        for figure in figures:
            aim = f"{'≥' if figure.higher_is_better else '≤'} {figure.aim}{'' if figure.met else ' missed'}"
            shown = [f"{value:,.2f} {figure.unit}" for value in (figure.ours, figure.yardstick)]
            table.add_row(figure.name, disk, *shown, f"{figure.ratio:.2f}", aim)
    return table


def _payments(console: Console, command: Any, *, json_file: Path | None, events: int, slow: bool) -> None:
    """The figures of payments: each key twice, as the disk is and with slow fsync."""
    found: dict[str, Any] = command.run_payments(console.print, slow=False, events=events)
    if slow and command.slow_fsync() is None:
        console.print(NO_COMPILER)
    elif slow:
        found["slow_fsync"] = command.run_payments(console.print, slow=True, events=events)
    console.print_json(data=found)
    if json_file:
        json_file.write_text(json.dumps(found, indent=2) + "\n")
