"""PostgreSQL and Kafka for a test session: started once at the first use, stopped at its end.

They live in a profile of their own and are tied to the test process by the kernel, so they are gone also
when the session is killed; what a killed session left on disk is removed by the next one.
"""

import contextlib
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from kanava.local import kafka as kafka_server
from kanava.local import postgres as postgres_server
from kanava.local.kafka import Kafka
from kanava.local.postgres import Postgres
from kanava.local.problems import PlatformProblem
from kanava.local.profile import Profile, profile, profiles


def sweep() -> None:
    """Remove the profiles of test sessions that have died; those of workers beside us are left alone."""
    for old in profiles():
        if old.name.startswith("test-") and not _maker_lives(old) and not old.is_claimed():
            with contextlib.suppress(PlatformProblem):
                old.wipe()
            old.folder.with_name(f".{old.name}.lock").unlink(missing_ok=True)


def _maker_lives(old: Profile) -> bool:
    """Whether the process runs whose id a profile has in its name."""
    pids = [part for part in old.name.split("-") if part.isdigit()]
    return bool(pids) and Path("/proc", pids[0]).exists()


@contextlib.contextmanager
def temporary_profile(label: str = "session") -> Iterator[Profile]:
    """A profile for as long as the block runs; whatever it started is stopped at the end."""
    ours = profile(f"test-{label}-{os.getpid()}-{uuid.uuid4().hex[:6]}")
    with ours.claimed():
        ours.prepare()
        try:
            yield ours
        finally:
            for process in ours.running():
                process.stop(signal.SIGKILL)
            ours.wipe()
            ours.folder.with_name(f".{ours.name}.lock").unlink(missing_ok=True)


@pytest.fixture(scope="session")
def platform_profile() -> Iterator[Profile]:
    """The profile of this test session."""
    sweep()
    with temporary_profile() as ours:
        yield ours


@pytest.fixture(scope="session")
def postgres(platform_profile: Profile) -> Iterator[Postgres]:
    """A PostgreSQL server for the session; `postgres.url("name")` is the superuser's URL of a database."""
    yield postgres_server.start(platform_profile, tie=signal.SIGQUIT, fast=True)
    postgres_server.stop(platform_profile)


@pytest.fixture(scope="session")
def kafka(platform_profile: Profile) -> Iterator[Kafka]:
    """A Kafka broker for the session: `kafka.bootstrap`."""
    yield kafka_server.start(platform_profile, tie=signal.SIGKILL, say=print)
    kafka_server.stop(platform_profile)


@contextlib.contextmanager
def fresh_database(server: Postgres, label: str = "test") -> Iterator[str]:
    """The superuser's URL of a new empty database, dropped at the end with its connections."""
    name = f"{label}_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield server.url(name)
    finally:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def empty_database(postgres: Postgres) -> Iterator[str]:
    """The superuser's URL of an empty database for one test."""
    with fresh_database(postgres) as url:
        yield url
