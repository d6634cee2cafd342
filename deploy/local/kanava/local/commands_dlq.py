"""`./kanava dlq`: what consumers could not digest, why, and driving it again."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from kanava.local.asking import ask
from kanava.local.problems import PlatformProblem

app = typer.Typer(add_completion=False, no_args_is_help=True)
Named = Annotated[str, typer.Option("--profile", help="Whose platform: up or demo.")]


@app.callback()
def dlq() -> None:
    """Look after the dead letters."""


@app.command("list")
def list_letters(name: Named = "up") -> None:
    """Show the dead letters by service, topic and reason, the newest first."""
    letters = ask(name, "monitoring", "GET", "/v1/bus/deadletters")
    if not letters["groups"]:
        typer.echo("There are no dead letters.")
        return
    table = Table(title=f"{letters['letters']:,} dead letters", title_justify="left")
    for column in ("service", "topic", "reason", "letters", "newest", "newest letter"):
        table.add_column(column, overflow="fold", justify="right" if column == "letters" else "left")
    for group in letters["groups"]:
        told = (
            group["service"],
            group["topic"],
            group["reason"],
            f"{group['letters']:,}",
            group["newest_at"],
        )
        table.add_row(*told, group["letter_ids"][0])
    console = Console()
    console.print(table)
    console.print(
        "`./kanava dlq show LETTER` names the letters of a group; `./kanava dlq redrive` drives them again."
    )


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="Id of a letter, or how it begins.")], name: Named = "up"
) -> None:
    """Show the group of a letter: who buried it, from which topic, why, and the ids beside it."""
    group = _group_of(ask(name, "monitoring", "GET", "/v1/bus/deadletters")["groups"], letter)
    for key in ("service", "topic", "reason", "letters", "oldest_at", "newest_at"):
        typer.echo(f"{key}: {group[key]}")
    typer.echo("\n".join(["letter_ids:", *(f"  {one}" for one in group["letter_ids"])]))


@app.command()
def redrive(
    letters: Annotated[list[str], typer.Argument(help="Ids of letters, or how they begin.")],
    reason: Annotated[str, typer.Option(help="Why it will go better now; it is kept.")],
    force: Annotated[bool, typer.Option("--force", help="Also letters that were driven before.")] = False,
    group: Annotated[bool, typer.Option("--group", help="All letters of the groups of those named.")] = False,
    name: Named = "up",
) -> None:
    """Publish the originals again for the service that buried them; all of them or none."""
    groups = ask(name, "monitoring", "GET", "/v1/bus/deadletters")["groups"]
    found = [_group_of(groups, letter) for letter in letters]
    ids = [
        one for of in found for one in of["letter_ids"] if group or any(one.startswith(x) for x in letters)
    ]
    told: dict[str, Any] = {"letter_ids": list(dict.fromkeys(ids)), "reason": reason, "force": force}
    driven = ask(name, "monitoring", "POST", "/v1/bus/deadletters/redrive", told=told)
    typer.echo(
        f"{len(driven['letter_ids']):,} letters are on their way again. `./kanava dlq list` shows who comes back."
    )


def _group_of(groups: list[dict[str, Any]], letter: str) -> dict[str, Any]:
    """The group that has the letter. Raises PlatformProblem when none or several letters begin like that."""
    found = [(group, one) for group in groups for one in group["letter_ids"] if one.startswith(letter)]
    if len(found) != 1:
        how = "No dead letter begins" if not found else f"{len(found)} dead letters begin"
        raise PlatformProblem(f"{how} with '{letter}'. `./kanava dlq list` shows which there are.")
    return found[0][0]
