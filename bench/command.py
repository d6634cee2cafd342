"""Run all benchmarks on a platform of their own, once as the disk is and once with every fsync a millisecond slower."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from kanava.common.app import collect_seldom
from kanava.local import databases, platform, postgres
from kanava.local.platform import Platform
from kanava.local.profile import Profile, data_root, profile

from .choices import choices
from .measured import Figure
from .month import month
from .payments import months_and_hot, visits_alone
from .pools import opened
from .visits import visits

Say = Callable[[str], None]
Found = TypeVar("Found")
SOURCE = Path(__file__).with_name("slow_fsync.c")


def run(say: Say, *, slow: bool, residents: int, events: int) -> list[Figure]:
    """All figures, on a fresh profile that is removed afterwards. `slow` preloads the slower fsync."""
    return _fresh(say, lambda running: _measure(running, say, residents=residents, events=events), slow=slow)


def run_payments(say: Say, *, slow: bool, events: int) -> dict[str, Any]:
    """The figures of payments at the scale of the country; each part has a fresh profile."""
    found = _fresh(say, lambda running: visits_alone(running, say, events=events), slow=slow)
    return found | _fresh(say, lambda running: months_and_hot(running, say), slow=slow)


def _fresh(say: Say, measure: Callable[[Platform], Coroutine[Any, Any, Found]], *, slow: bool) -> Found:
    ours = profile("bench")
    with ours.claimed():
        platform.stop(ours)
        ours.wipe()
        ours.prepare()
        try:
            running = _started(ours, say, slow=slow)
            collect_seldom()  # as in the process of a service
            return asyncio.run(measure(running))
        finally:
            platform.kill(ours)
            ours.wipe()


def _started(ours: Profile, say: Say, *, slow: bool) -> Platform:
    with _preloaded(slow_fsync() if slow else None):
        server = postgres.start(ours, tie=signal.SIGQUIT)
    databases.prepare(ours, server, "payments")
    return platform.start(ours, platform.Options(only=("listing",), tied=True), say)


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


async def _measure(running: Platform, say: Say, *, residents: int, events: int) -> list[Figure]:
    url = databases.owner_url(running.profile, running.postgres, "payments")
    app_url = databases.app_url(running.profile, running.postgres, "payments")
    say("Choices through the HTTP API …")
    figures = [await choices(running)]
    async with opened(url) as owner, opened(app_url) as application:
        say(f"A month of {residents:,} residents …")
        figures.append(await month(application, owner, residents))
        say(f"{events:,} visits from Kafka to booked …")
        figures.append(await visits(application, owner, running.kafka, events))
    return figures
