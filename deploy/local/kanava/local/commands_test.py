"""`./kanava test [pytest arguments]`: all tests, or those that the arguments choose."""

import os
import sys

import typer

from kanava.local.jars import ensure_jars
from kanava.local.profile import project_root

app = typer.Typer(add_completion=False)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def test(ctx: typer.Context) -> None:
    """Run the tests; arguments go to pytest as they are."""
    ensure_jars(print)
    os.chdir(project_root())
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *ctx.args])
