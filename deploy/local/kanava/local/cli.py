"""The command line behind ./kanava: a fixed list of commands, each imported only when it is asked for."""

import importlib
import importlib.util
import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from kanava.local.problems import DiskFull, PlatformProblem, is_disk_full

# Command, and the module whose `app` is it. A module that does not exist is no command.
COMMANDS = {
    "demo": "kanava.local.demo.command",
    "test": "kanava.local.commands_test",
    "up": "kanava.local.commands_up",
    "down": "kanava.local.commands_down",
    "status": "kanava.local.commands_status",
    "logs": "kanava.local.commands_logs",
    "doctor": "kanava.local.commands_doctor",
    "token": "kanava.local.commands_token",
    "testcalc": "kanava.local.commands_testcalc",
    "forecast": "kanava.local.commands_forecast",
    "dlq": "kanava.local.commands_dlq",
    "ledger": "kanava.local.commands_ledger",
    "bench": "kanava.local.commands_bench",
}


class LazyGroup(TyperGroup):
    """Imports a command's module when the command is named, so that the command line starts at once."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands whose modules exist, in the order of the table."""
        return [name for name, module in COMMANDS.items() if _exists(module)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, imported now; None when there is none."""
        module = COMMANDS.get(cmd_name)
        if module is None or not _exists(module):
            return None
        command = typer.main.get_command(importlib.import_module(module).app)
        command.name = cmd_name
        return command


def _exists(module: str) -> bool:
    """Whether a module can be found."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


app = typer.Typer(
    cls=LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Kanava on one machine. Begin with `./kanava demo`; `./kanava doctor` says what is missing.",
)  # fmt: skip


@app.callback()
def _kanava() -> None:
    """Kanava on one machine. Begin with `./kanava demo`; `./kanava doctor` says what is missing."""


def main() -> None:
    """Run the command line; what stands in the way is told in one sentence, with exit code 1."""
    if not sys.stdout.isatty():
        os.environ.setdefault("COLUMNS", "110")
    try:
        app(prog_name="./kanava")
    except PlatformProblem as problem:
        raise SystemExit(_tell(str(problem))) from None
    except KeyboardInterrupt:
        raise SystemExit(_tell("Interrupted. Run the command again to continue.", code=130)) from None
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise SystemExit(_tell(str(DiskFull("The command")))) from None


def _tell(sentence: str, *, code: int = 1) -> int:
    """Print a sentence for a person to standard error and give the exit code."""
    print(f"kanava: {sentence}", file=sys.stderr)
    return code
