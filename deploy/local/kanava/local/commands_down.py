"""`./kanava down`: stop what runs; data stays."""

from typing import Annotated

import typer
from rich.console import Console

from kanava.local import platform
from kanava.local.profile import profile, profiles

app = typer.Typer(add_completion=False)


@app.command()
def down(
    name: Annotated[str | None, typer.Option("--profile", help="Stop this one only.")] = None,
) -> None:
    """Stop the platform, and a demo that was left running; what they stored stays."""
    console = Console()
    chosen = [profile(name)] if name else [one for one in profiles() if not one.name.startswith("test-")]
    running = [one for one in chosen if one.running()]
    if not running:
        console.print("Nothing runs. `./kanava up` starts the platform.")
    for one in running:
        if name is None and one.is_claimed():
            console.print(
                f"'{one.name}' belongs to a command that still runs. It ends with that command; "
                f"`./kanava down --profile {one.name}` ends it now."
            )
            continue
        console.print(f"'{one.name}':")
        platform.stop(one, console.print)
        console.print(f"'{one.name}' is stopped; its data stays in {one.folder}.")
