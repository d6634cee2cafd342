"""`./kanava status`: what runs, where, and how much memory it has."""

from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from kanava.local import services
from kanava.local.databases import SERVICES
from kanava.local.processes import Process
from kanava.local.profile import Profile, profile, profiles

app = typer.Typer(add_completion=False)
MEBIBYTE = 1024 * 1024


def memory_mib(process: Process) -> float:
    """Memory of a process and its children that no other process shares, in MiB; 0 when it has gone."""
    try:
        root = psutil.Process(process.pid)
        return sum(each.memory_full_info().uss for each in [root, *root.children(recursive=True)]) / MEBIBYTE
    except psutil.Error:
        return 0.0


def state(profile: Profile, process: Process) -> str:
    """What a process says of itself, in a word."""
    if process.name.split("-")[0] not in (*SERVICES, "issuer"):
        return "running"
    return "ready" if services.answers(profile.remembered_port(process.name) or 0, "/readyz") else "not ready"


def show(console: Console, of: Profile) -> None:
    """Print a table of the profile's processes."""
    table = Table(title=f"'{of.name}'", title_justify="left")
    for column in ("process", "state", "address", "pid", "MiB"):
        table.add_column(column, justify="right" if column in ("pid", "MiB") else "left")
    for process in of.running():
        port = of.remembered_port(process.name)
        web = process.name.split("-")[0] in (*SERVICES, "issuer")
        address = f"http://127.0.0.1:{port}" if web else f"127.0.0.1:{port}"
        table.add_row(
            process.name, state(of, process), address, str(process.pid), f"{memory_mib(process):.0f}"
        )
    console.print(table)


@app.command()
def status(
    name: Annotated[str | None, typer.Option("--profile", help="Show this one only.")] = None,
) -> None:
    """Show what runs; exit code 1 when nothing does or something is not ready."""
    console = Console()
    running = [one for one in ([profile(name)] if name else profiles()) if one.running()]
    if not running:
        console.print("Nothing runs. `./kanava up` starts the platform.")
        raise typer.Exit(1)
    for one in running:
        show(console, one)
    if any(state(one, process) == "not ready" for one in running for process in one.running()):
        console.print("Something is not ready; `./kanava logs NAME` says why.")
        raise typer.Exit(1)
