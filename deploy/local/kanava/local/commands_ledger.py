"""`./kanava ledger verify`: recompute the books and name the first of an area that does not hold."""

from typing import Annotated, Any
from uuid import UUID

import typer

from kanava.common.ids import AREA_CODES
from kanava.local.asking import ask

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """Look after the books."""


@app.command()
def verify(
    area: Annotated[str | None, typer.Option(help="The area whose books are verified; all of them if none.")] = None,
    name: Annotated[str, typer.Option("--profile", help="Whose platform: up or demo.")] = "up",
) -> None:
    """Recompute the hash chain, the digests of all resident lines and runs, and the sums of statements; compare the
    limit in force with the one set last.

    Exit code 1 when one of them does not hold.
    """
    found = [ask(name, "payments", "GET", f"/v1/accounts/{one}/verification") for one in _areas(area)]
    for one in found:
        if area is not None or one["entries"] or one["broken"]:
            typer.echo(_told(one))
    if not any(one["entries"] or one["broken"] for one in found):
        typer.echo("There are no entries yet.")
    if any(one["broken"] for one in found):
        raise typer.Exit(1)


def _areas(area: str | None) -> list[str]:
    return sorted(AREA_CODES) if area is None else [area]


def _told(found: dict[str, Any]) -> str:
    area, broken = found["area"], found["broken"]
    if broken is None:
        return f"The books of area {area} hold: {found['entries']:,} entries, head {found['head'][:16]}…"
    if UUID(broken["entry_id"]).int == 0:
        where = f"The books of area {area} are broken: {broken['reason']}. All {found['entries']:,} entries hold."
    else:
        where = (
            f"The books of area {area} are broken at entry {broken['seq']} ({broken['entry_id']}): "
            f"{broken['reason']}. {found['entries']:,} entries before it hold."
        )
    return f"{where} Keep the database and compare it with a copy."
