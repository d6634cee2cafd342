"""`./kanava ledger verify`: recompute the books of an area and name the first entry that does not hold."""

from typing import Annotated

import typer

from kanava.local.asking import ask

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """Look after the books."""


@app.command()
def verify(
    area: Annotated[str, typer.Option(help="The area whose books are verified.")] = "03",
    name: Annotated[str, typer.Option("--profile", help="Whose platform: up or demo.")] = "up",
) -> None:
    """Recompute the hash chain and the digests of all resident lines; exit code 1 when an entry is broken."""
    found = ask(name, "payments", "GET", f"/v1/accounts/{area}/verification")
    broken = found["broken"]
    if broken is None:
        typer.echo(f"The books of area {area} hold: {found['entries']:,} entries, head {found['head'][:16]}…")
        return
    typer.echo(
        f"The books of area {area} are broken at entry {broken['seq']} ({broken['entry_id']}): {broken['reason']}. "
        f"{found['entries']:,} entries before it hold. Keep the database and compare it with a copy."
    )
    raise typer.Exit(1)
