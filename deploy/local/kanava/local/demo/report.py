"""The demo's report on the screen."""

from rich.console import Console
from rich.table import Table as Grid

from kanava.common.money import euros
from kanava.local.demo.outcome import Table


def show(console: Console, result: Table, *, all_mib: int) -> None:
    """Print what happened."""
    console.print_json(data=result)
    console.print(all_mib)
