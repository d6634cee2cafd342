"""`./kanava demo`: start a platform with data of its own, play the demo month, and say what happened."""

import json
import os
import time
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from kanava.local import platform
from kanava.local.demo.desk import Desk, lines_to
from kanava.local.demo.memory import Gauge
from kanava.local.demo.outcome import Table, flaws
from kanava.local.demo.play import play
from kanava.local.demo.report import show
from kanava.local.demo.scale import ESPOO_RESIDENTS, FEWEST_RESIDENTS, scale_of
from kanava.local.demo.story import Story
from kanava.local.demo.tokens import Mint
from kanava.local.problems import PlatformProblem
from kanava.local.profile import Profile, profile

app = typer.Typer(add_completion=False)
OPTIONS = platform.Options(copies={"listing": 2}, sandbox=True, tied=True)
NOT_FOR_THE_DEMO = ("KANAVA_POSTGRES", "KANAVA_KAFKA", "KANAVA_ISSUER")
STAYING = platform.Options(copies={"listing": 2}, sandbox=True)


@app.command()
def demo(
    residents: Annotated[
        int,
        typer.Option(
            min=FEWEST_RESIDENTS, max=ESPOO_RESIDENTS, help="How many residents; all else in proportion."
        ),
    ] = ESPOO_RESIDENTS,
    seed: Annotated[int, typer.Option(help="Another seed, another month.")] = 1,
    result_file: Annotated[
        Path | None, typer.Option("--json", help="Write the result for machines there.")
    ] = None,
    stay: Annotated[
        bool, typer.Option("--stay", help="Leave the platform running and print its addresses.")
    ] = False,
    name: Annotated[str, typer.Option("--profile", help="The data that the demo begins anew with.")] = "demo",
) -> None:
    """Play the demo month of Espoo, October–November 2026, and print what happened."""
    console, ours = Console(), profile(name)
    _refuse_early(result_file, name)
    with ours.claimed():
        platform.stop(ours)
        ours.wipe()
        try:
            result = _play(console, ours, residents=residents, seed=seed, stay=stay)
        except BaseException:
            platform.stop(ours)
            raise
        if not stay:
            platform.stop(ours)
    if result_file is not None:
        result_file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if wrong := flaws(result, scale_of(residents)):
        console.print("\n".join(["[bold red]The month does not add up:[/]", *wrong]))
        raise typer.Exit(1)


def _refuse_early(result_file: Path | None, name: str) -> None:
    """Say before anything is started what would only fail at the end, or harm. Raises PlatformProblem."""
    if name == "up":
        raise PlatformProblem(
            "The demo begins anew with its data each time, so it never takes those of 'up'."
        )
    if named := [setting for setting in NOT_FOR_THE_DEMO if os.environ.get(setting)]:
        raise PlatformProblem(
            f"The demo begins anew each time, so it uses servers of its own only. Unset {' and '.join(named)}."
        )
    if result_file is not None and (
        result_file.is_dir() or not os.access(result_file.absolute().parent, os.W_OK)
    ):
        raise PlatformProblem(
            f"The result cannot be written to {result_file}. Name a file in a folder that exists."
        )


def _play(console: Console, ours: Profile, *, residents: int, seed: int, stay: bool) -> Table:
    """Start, play, report; the platform runs on."""
    began, seconds = time.monotonic(), dict[str, float]()
    running = platform.start(ours, STAYING if stay else OPTIONS, console.print)
    seconds["start"] = time.monotonic() - began
    with Gauge(ours) as gauge:
        result = uvloop.run(_month(console, running, residents, seed, seconds))
    seconds["total"] = time.monotonic() - began
    result["seconds"] = {step: round(value, 1) for step, value in seconds.items()}
    result["peak_mib"] = gauge.python_mib
    show(console, result, scale_of(residents), all_mib=gauge.all_mib)
    if stay:
        _show_addresses(console, running)
    return result


async def _month(
    console: Console, running: platform.Platform, residents: int, seed: int, seconds: dict[str, float]
) -> Table:
    urls: dict[str, list[str]] = {}
    for copy in running.copies:
        urls.setdefault(copy.service, []).append(copy.url)
    desk = Desk(lines_to(urls), Mint(running.profile), seed)
    story = Story(desk, scale_of(residents), seed, console.print)
    story.introduce()
    try:
        return await play(story, seconds)
    finally:
        await desk.close()


def _show_addresses(console: Console, running: platform.Platform) -> None:
    """Where the API pages are, and how to stop."""
    for copy in running.copies:
        console.print(f"{copy.name}: {copy.url}/docs")
    console.print(
        f"A token: `./kanava token --as operator --profile {running.profile.name}`. "
        f"`./kanava down --profile {running.profile.name}` stops it."
    )
