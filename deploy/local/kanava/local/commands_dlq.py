"""`./kanava dlq`: what consumers could not digest, why, and driving it again.

Dead letters come a page at a time, from the newest to the oldest, and only sums are kept of the pages that were read:
so every letter is reached, however many there are.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.console import Console
from rich.table import Table

from kanava.local.asking import ask
from kanava.local.problems import PlatformProblem

LETTERS_AT_ONCE = 500
"""How many letters monitoring drives with one command."""

app = typer.Typer(add_completion=False, no_args_is_help=True)
Named = Annotated[str, typer.Option("--profile", help="Whose platform: up or demo.")]
Key = tuple[str, str, str]
"""Service, topic and reason of a group."""


@app.callback()
def dlq() -> None:
    """Look after the dead letters."""


@app.command("list")
def list_letters(name: Named = "up") -> None:
    """Show the dead letters by service, topic and reason, the newest first."""
    groups: dict[Key, dict[str, Any]] = {}
    for page in _pages(name):
        _add_up(groups, page)
    if not groups:
        typer.echo("There are no dead letters.")
        return
    letters = sum(group["letters"] for group in groups.values())
    table = Table(title=f"{letters:,} dead letters", title_justify="left")
    for column in ("service", "topic", "reason", "letters", "newest", "newest letter"):
        table.add_column(column, overflow="fold", justify="right" if column == "letters" else "left")
    for group in sorted(groups.values(), key=lambda one: str(one["newest_at"]), reverse=True):
        table.add_row(*_key(group), f"{group['letters']:,}", group["newest_at"], group["newest"])
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
    groups: dict[Key, dict[str, Any]] = {}
    [(_, key)], cursors = _find(name, [letter], groups)
    for field in ("service", "topic", "reason", "letters", "oldest_at", "newest_at"):
        typer.echo(f"{field}: {groups[key][field]}")
    typer.echo("letter_ids:")
    for cursor in cursors:
        typer.echo("".join(f"  {one}\n" for one in _ids_of(_page(name, cursor), {key})), nl=False)


@app.command()
def redrive(
    letters: Annotated[list[str], typer.Argument(help="Ids of letters, or how they begin.")],
    reason: Annotated[str, typer.Option(help="Why it will go better now; it is kept.")],
    force: Annotated[bool, typer.Option("--force", help="Also letters that were driven before.")] = False,
    group: Annotated[bool, typer.Option("--group", help="All letters of the groups of those named.")] = False,
    name: Named = "up",
) -> None:
    """Publish the originals again for the service that buried them; all of them or none.

    A group goes page by page, the oldest letters first, without those that were driven before, so that a group that
    was left half driven can be driven again.
    """
    found, cursors = _find(name, letters, {})
    told = {"reason": reason, "force": force}
    if group:
        driven, passed = _drive_groups(name, cursors, {key for _, key in found}, told)
    else:
        ids = list(dict.fromkeys(one for one, _ in found))
        driven, passed = _drive(name, told | {"letter_ids": ids}), 0
    typer.echo(f"{driven:,} letters are on their way again. `./kanava dlq list` shows who comes back.")
    if passed:
        typer.echo(f"{passed:,} were driven before; --force drives them once more.")


def _drive_groups(
    name: str, cursors: Sequence[str], keys: set[Key], told: dict[str, Any]
) -> tuple[int, int]:
    """Drive groups from the oldest page on; how many letters went, and how many had gone before."""
    driven = passed = 0
    for cursor in reversed(cursors):
        ids = _ids_of(_page(name, cursor), keys)[::-1]
        for first in range(0, len(ids), LETTERS_AT_ONCE):
            part = ids[first : first + LETTERS_AT_ONCE]
            went = _drive(name, told | {"letter_ids": part, "skip_driven": True, "cursor": cursor})
            driven, passed = driven + went, passed + len(part) - went
    return driven, passed


def _drive(name: str, told: dict[str, Any]) -> int:
    return len(ask(name, "monitoring", "POST", "/v1/bus/deadletters/redrive", told=told)["letter_ids"])


def _page(name: str, cursor: str | None) -> dict[str, Any]:
    query = "" if cursor is None else f"?{urlencode({'cursor': cursor})}"
    page: dict[str, Any] = ask(name, "monitoring", "GET", f"/v1/bus/deadletters{query}")
    return page


def _pages(name: str) -> Iterator[dict[str, Any]]:
    """All pages, from the newest letters to the oldest."""
    page = _page(name, None)
    yield page
    while page["next_cursor"] is not None:
        page = _page(name, page["next_cursor"])
        yield page


def _key(group: dict[str, Any]) -> Key:
    return group["service"], group["topic"], group["reason"]


def _ids_of(page: dict[str, Any], keys: set[Key]) -> list[str]:
    """The letters of groups on a page, newest first."""
    return [one for group in page["groups"] if _key(group) in keys for one in group["letter_ids"]]


def _add_up(groups: dict[Key, dict[str, Any]], page: dict[str, Any]) -> None:
    """Add the groups of a page to those of newer pages."""
    for group in page["groups"]:
        fields = {name: group[name] for name in ("service", "topic", "reason", "newest_at")}
        sums = groups.setdefault(_key(group), fields | {"letters": 0, "newest": group["letter_ids"][0]})
        sums |= {"letters": sums["letters"] + group["letters"], "oldest_at": group["oldest_at"]}


def _find(
    name: str, letters: Sequence[str], groups: dict[Key, dict[str, Any]]
) -> tuple[list[tuple[str, Key]], list[str]]:
    """The whole id and the group of each named letter, and the cursors of all pages; fills `groups` with their sums.

    Raises PlatformProblem when no letter or several begin like one that is named.
    """
    found: dict[str, list[tuple[str, Key]]] = {letter: [] for letter in letters}
    cursors = []
    for page in _pages(name):
        cursors.append(page["cursor"])
        _add_up(groups, page)
        for group in page["groups"]:
            for letter, those in found.items():
                those += [(one, _key(group)) for one in group["letter_ids"] if one.startswith(letter)]
    for letter, those in found.items():
        if len(those) != 1:
            how = "No dead letter begins" if not those else f"{len(those)} dead letters begin"
            raise PlatformProblem(f"{how} with '{letter}'. `./kanava dlq list` shows which there are.")
    return [those[0] for those in found.values()], cursors
