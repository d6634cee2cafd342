"""Run all benchmarks on a platform of their own, once as the disk is and once with every fsync a millisecond slower."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from kanava.common.app import collect_seldom
from kanava.common.db import Pool, make_pool
from kanava.local import databases, platform, postgres
from kanava.local.platform import Platform
from kanava.local.profile import Profile, data_root, profile
from kanava.payments import scope

from .choices import choices
from .measured import Figure
from .month import month
from .visits import visits

Say = Callable[[str], None]
SOURCE = Path(__file__).with_name("slow_fsync.c")


def run(say: Say, *, slow: bool, residents: int, events: int) -> list[Figure]:
    """All figures, on a fresh profile that is removed afterwards. `slow` preloads the slower fsync."""
    ours = profile("bench")
    with ours.claimed():
        platform.stop(ours)
        ours.wipe()
        ours.prepare()
        try:
            return _on(_started(ours, say, slow=slow), say, residents=residents, events=events)
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


def _on(running: Platform, say: Say, *, residents: int, events: int) -> list[Figure]:
    collect_seldom()  # as in the process of a service
    url = databases.owner_url(running.profile, running.postgres, "payments")
    app_url = databases.app_url(running.profile, running.postgres, "payments")
    return asyncio.run(_measure(running, say, url=url, app_url=app_url, residents=residents, events=events))


async def _measure(running: Platform, say: Say, *, url: str, app_url: str, residents: int, events: int) -> list[Figure]:
    say("Choices through the HTTP API …")
    figures = [await choices(running)]
    async with _open(url) as owner, _open(app_url) as application:
        say(f"A month of {residents:,} residents …")
        figures.append(await month(application, owner, residents))
        say(f"{events:,} visits from Kafka to booked …")
        figures.append(await visits(application, owner, running.kafka, events))
    return figures


@contextlib.asynccontextmanager
async def _open(url: str):  # type: ignore[no-untyped-def]  # an async context manager of a Pool
    pool: Pool = scope.national(make_pool(url, size=8))
    await pool.open(wait=True)
    try:
        yield pool
    finally:
        await pool.close()
