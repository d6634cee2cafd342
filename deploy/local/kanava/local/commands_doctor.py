"""`./kanava doctor`: what is missing or occupied on this machine, and what to do about it."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import typer
from rich.console import Console

from kanava.local import kafka, ports, postgres
from kanava.local.jars import jar_folder, pinned
from kanava.local.processes import find
from kanava.local.profile import data_root, profiles, project_root

app = typer.Typer(add_completion=False)
OLDEST_PYTHON = (3, 11)
NEEDED_DISK_MIB = 4_000
NEEDED_MEMORY_MIB = 3_000
MEBIBYTE = 1024 * 1024
PORT_SETTINGS = {
    "KANAVA_POSTGRES_PORT": "postgres", "KANAVA_KAFKA_PORT": "kafka-1", "KANAVA_ISSUER_PORT": "issuer",
    "KANAVA_REGISTRY_PORT": "registry-1", "KANAVA_LISTING_PORT": "listing-1",
    "KANAVA_PAYMENTS_PORT": "payments-1", "KANAVA_MONITORING_PORT": "monitoring-1",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is in order, what was seen, and what to do when it is not."""

    good: bool
    seen: str
    remedy: str = ""


def findings() -> Iterator[Finding]:
    """Everything that can be looked at without starting anything."""
    yield _python()
    yield _disk()
    yield _memory()
    yield _jars()
    yield from _ports()
    yield from _existing_servers()
    yield from _profiles()


def _python() -> Finding:
    """The interpreter of the environment."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        sys.version_info >= OLDEST_PYTHON, f"Python {version} in {sys.prefix}",
        "Install Python 3.11 or newer, remove .kanava/venv and run this again.",
    )  # fmt: skip


def _disk() -> Finding:
    """Room and rights where data goes."""
    place = next(path for path in (data_root(), *data_root().parents) if path.exists())
    free = shutil.disk_usage(place).free // MEBIBYTE
    if not os.access(place, os.W_OK):
        return Finding(
            False, f"{place} cannot be written", "Change its owner, or name a folder in KANAVA_DATA."
        )
    return Finding(free >= NEEDED_DISK_MIB, f"{free} MiB free for data in {place}",
                   f"Free some space: the full demo needs about {NEEDED_DISK_MIB} MiB.")  # fmt: skip


def _memory() -> Finding:
    """Memory that is free now."""
    free = psutil.virtual_memory().available // MEBIBYTE
    return Finding(free >= NEEDED_MEMORY_MIB, f"{free} MiB of memory available",
                   f"Close some programs: the full demo needs about {NEEDED_MEMORY_MIB} MiB.")  # fmt: skip


def _jars() -> Finding:
    """Kafka's jars; missing ones are fetched at the first start."""
    folder = jar_folder()
    if not folder.exists():
        return Finding(True, "Kafka's jars are not fetched yet; the first start does it in about 20 s")
    missing = [name for name in pinned() if not (folder / name).exists()]
    seen = f"Kafka's jars in {folder} ({len(pinned()) - len(missing)} of {len(pinned())})"
    return Finding(not missing, seen, f"Remove {folder}; the next start fetches them again.")


def _ports() -> Iterator[Finding]:
    """Configured ports; without configuration free ones are taken."""
    for setting, name in PORT_SETTINGS.items():
        if not (value := os.environ.get(setting)):
            continue
        ours = any(one.remembered_port(name) == int(value) and find(one.pid_file(name)) for one in profiles())
        seen = f"port {value} of {setting}" + (" (ours)" if ours else "")
        remedy = f"Stop what occupies port {value}, or set {setting} to another."
        yield Finding(ours or ports.is_free(int(value)), seen, remedy)
    if not any(os.environ.get(setting) for setting in PORT_SETTINGS):
        yield Finding(True, "no ports are configured; free ones are taken")


def _existing_servers() -> Iterator[Finding]:
    """Servers of somebody else that the environment names."""
    if url := os.environ.get("KANAVA_POSTGRES"):
        server = postgres.existing(url)
        seen = f"PostgreSQL at {server.host}:{server.port} (KANAVA_POSTGRES)"
        yield Finding(postgres.healthy(server), seen, "Start it, correct the URL, or unset KANAVA_POSTGRES.")
    if bootstrap := os.environ.get("KANAVA_KAFKA"):
        yield Finding(kafka.brokers_up(bootstrap) > 0, f"Kafka at {bootstrap} (KANAVA_KAFKA)",
                      "Start it, correct the address, or unset KANAVA_KAFKA.")  # fmt: skip


def _profiles() -> Iterator[Finding]:
    """What runs, and what a killed session left."""
    for one in profiles():
        running = one.running()
        if one.name.startswith("test-") and not one.is_claimed():
            yield Finding(True, f"'{one.name}' was left by a killed test session; the next one removes it")
        else:
            names = ", ".join(process.name for process in running)
            yield Finding(True, f"profile '{one.name}': {names or 'stopped'}")


@app.command()
def doctor() -> None:
    """Look at everything that Kanava needs; exit code 1 when something is wrong."""
    console = Console(soft_wrap=True)
    console.print(f"Kanava in {project_root()}")
    bad = 0
    for finding in findings():
        bad += not finding.good
        mark = "[green]ok [/green]" if finding.good else "[red]bad[/red]"
        console.print(f"{mark} {finding.seen}" + ("" if finding.good else f"\n    {finding.remedy}"))
    console.print("Everything is in order." if not bad else f"{bad} of these need something to be done.")
    raise typer.Exit(1 if bad else 0)
