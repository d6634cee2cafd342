"""`./kanava up`: the platform with durable data, left running."""

import time
from typing import Annotated

import typer
from rich.console import Console

from kanava.local import platform, services
from kanava.local.commands_status import show
from kanava.local.problems import PlatformProblem
from kanava.local.profile import profile

app = typer.Typer(add_completion=False)


def parse_copies(given: list[str]) -> dict[str, int]:
    """`listing=2` and the like as numbers by service. Raises PlatformProblem."""
    copies = {}
    for part in given:
        service, _, number = part.partition("=")
        if not number.isdigit() or not 1 <= int(number) <= 8:
            raise PlatformProblem(f"'{part}' says no number of copies. Write it as listing=2, from 1 to 8.")
        copies[service] = int(number)
    return copies


@app.command()
def up(
    copies: Annotated[
        list[str], typer.Option(help="Copies of a service, as listing=2; may be repeated.")
    ] = [],  # noqa: B006
    brokers: Annotated[int, typer.Option(help="Kafka brokers: 1 or 3.", min=1, max=3)] = 1,
    sandbox: Annotated[bool, typer.Option(help="Let the operator move the clock.")] = False,
    name: Annotated[str, typer.Option("--profile", help="Another set of data than the usual one.")] = "up",
) -> None:
    """Start the platform and leave it running; what runs already is left as it is."""
    console, ours, began = Console(), profile(name), time.monotonic()
    options = platform.Options(copies=parse_copies(copies), brokers=brokers, sandbox=sandbox)
    with ours.claimed():
        fresh = not ours.running()
        try:
            platform.start(ours, options, console.print)
        except BaseException:
            if fresh:
                platform.stop(ours)
            raise
    show(console, ours)
    for address in services.page_addresses(ours):
        console.print(f"Page for residents, in a browser: {address}", soft_wrap=True)
    console.print(f"Ready after {time.monotonic() - began:.0f} s. `./kanava down` stops it; its data stays.")
