"""`./kanava logs NAME`: the end of a process's log, or all that comes."""

import time
from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from kanava.local.problems import PlatformProblem
from kanava.local.profile import profile

app = typer.Typer(add_completion=False)
PAUSE_SECONDS = 0.3


def find_logs(folder: Path, name: str) -> list[Path]:
    """The logs of a process, or of all copies of a service. Raises PlatformProblem when there are none."""
    found = sorted(
        path for path in folder.glob("*.log") if path.stem == name or path.stem.rpartition("-")[0] == name
    )
    if not found:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.log"))) or "none yet"
        raise PlatformProblem(f"There is no log of '{name}'. Logs here: {known}.")
    return found


def follow(paths: list[Path]) -> None:
    """Print what is added to the logs until somebody interrupts."""
    open_files = [(path, path.open(errors="replace")) for path in paths]
    for _, file in open_files:
        file.seek(0, 2)
    while True:
        lines = [(path, line) for path, file in open_files for line in file]
        for path, line in lines:
            print(f"{path.stem}: {line.rstrip()}", flush=True)
        time.sleep(0 if lines else PAUSE_SECONDS)


@app.command()
def logs(
    service: Annotated[
        str, typer.Argument(help="A service, or postgres, kafka, issuer, or one copy as listing-2.")
    ],
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many lines of the end.", min=1)] = 40,
    follow_it: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    name: Annotated[str, typer.Option("--profile", help="Whose log.")] = "up",
) -> None:
    """Print the end of a log."""
    found = find_logs(profile(name).logs, service)
    for path in found:
        with path.open(errors="replace") as file:
            for line in deque(file, maxlen=lines):
                print(f"{path.stem}: {line.rstrip()}" if len(found) > 1 else line.rstrip())
    if follow_it:
        follow(found)
