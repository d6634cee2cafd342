"""`./kanava test [pytest arguments]`: all tests, or those that the arguments choose."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import typer

from kanava.local.jars import ensure_jars
from kanava.local.profile import project_root

MOST_WORKERS = 4
WORKER_BYTES = 3 * 1024**3  # PostgreSQL, Kafka or three of it, and services, for each worker
BY_ONE = ("-n", "--numprocesses", "--pdb", "--collect-only", "--co", "-h", "--help")

app = typer.Typer(add_completion=False)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def test(ctx: typer.Context) -> None:
    """Run the tests; arguments go to pytest as they are. Without a path, all cores share the work."""
    ensure_jars(print)
    os.chdir(project_root())
    sys.stdout.flush()
    chosen = workers(ctx.args, cores=len(os.sched_getaffinity(0)), free_bytes=psutil.virtual_memory().available)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *chosen, *ctx.args])


def workers(arguments: Sequence[str], *, cores: int, free_bytes: int) -> list[str]:
    """How many processes pytest is to use: one for chosen paths, else as many as cores and memory allow."""
    named = any(Path(argument.partition("::")[0]).exists() for argument in arguments)
    if named or any(argument.partition("=")[0].startswith(BY_ONE) for argument in arguments):
        return []
    number = min(cores, MOST_WORKERS, free_bytes // WORKER_BYTES)
    return ["-n", str(number)] if number > 1 else []
