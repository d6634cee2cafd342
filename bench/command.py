"""Run all benchmarks on a platform of their own, once as the disk is and once with every fsync a millisecond slower."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from kanava.common.app import collect_seldom
from kanava.common.db import Pool
from kanava.local import databases, platform, postgres
from kanava.local.platform import Platform
from kanava.local.profile import Profile, data_root, profile

from .choices import choices
from .history import twelve_months
from .measured import Figure
from .month import month
from .payments import months_and_hot
from .pools import opened
from .visits import visits

Say = Callable[[str], None]
Found = TypeVar("Found")
SOURCE = Path(__file__).with_name("slow_fsync.c")


def run(say: Say, *, slow: bool, residents: int, events: int) -> list[Figure]:
    """All figures, on fresh profiles that are removed afterwards. `slow` preloads the slower fsync."""
    figures = _fresh(say, lambda running: _measure(running, say, residents=residents), slow=slow, only=("listing",))
    return [*figures, _fresh(say, lambda running: _visits(running, say, events=events), slow=slow)]


def run_payments(say: Say, *, slow: bool, events: int) -> dict[str, Any]:
    """The figures of payments at the scale of the country; each part has a fresh profile."""
    figure = _fresh(say, lambda running: _visits(running, say, events=events), slow=slow)
    found: dict[str, Any] = {"events_per_second": figure.ours, "bare_per_second": figure.yardstick}
    found["ratio_to_bare"] = figure.ratio
    found["months"] = _fresh(say, lambda running: _history(running, say), slow=slow)
    return {"visits": found} | _fresh(say, lambda running: months_and_hot(running, say), slow=slow)


def _fresh(
    say: Say,
    measure: Callable[[Platform], Coroutine[Any, Any, Found]],
    *,
    slow: bool,
    only: Sequence[str] = (),
) -> Found:
    """Measure on a platform of its own, with the database of payments and the services in `only`."""
    ours = profile("bench")
    with ours.claimed():
        platform.stop(ours)
        ours.wipe()
        ours.prepare()
        try:
            running = _started(ours, say, slow=slow, only=only)
            collect_seldom()  # as in the process of a service
            return asyncio.run(measure(running))
        finally:
            platform.kill(ours)
            ours.wipe()


def _started(ours: Profile, say: Say, *, slow: bool, only: Sequence[str]) -> Platform:
    with _preloaded(slow_fsync() if slow else None):
        server = postgres.start(ours, tie=signal.SIGQUIT)
    databases.prepare(ours, server, "payments")
    return platform.start(ours, platform.Options(only=only, tied=True), say)


@contextlib.contextmanager
def _preloaded(library: Path | None) -> Iterator[None]:
    if library is not None:
        os.environ["LD_PRELOAD"] = str(library)
    try:
        yield
    finally:
        os.environ.pop("LD_PRELOAD", None)


def slow_fsync() -> Path | None:
    """The library that slows fsync, compiled now; None where there is no C compiler."""
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        return None
    library = data_root() / "slow_fsync.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"], check=True)
    return library


async def _measure(running: Platform, say: Say, *, residents: int) -> list[Figure]:
    say("Choices through the HTTP API …")
    figures = [await choices(running)]
    async with _opened(running) as (owner, application):
        say(f"A month of {residents:,} residents …")
        return [*figures, await month(application, owner, residents)]


async def _visits(running: Platform, say: Say, *, events: int) -> Figure:
    say(f"{events:,} visits from Kafka to booked …")
    async with _opened(running) as (owner, application):
        return await visits(running, application, owner, events)


async def _history(running: Platform, say: Say) -> dict[str, object]:
    say("Twelve months of visits …")
    async with _opened(running) as (owner, application):
        return await twelve_months(application, owner)


@contextlib.asynccontextmanager
async def _opened(running: Platform) -> AsyncIterator[tuple[Pool, Pool]]:
    """Pools of payments' database, as its owner and as the service."""
    url = databases.owner_url(running.profile, running.postgres, "payments")
    app_url = databases.app_url(running.profile, running.postgres, "payments")
    async with opened(url) as owner, opened(app_url) as application:
        yield owner, application
