"""The servers of a test session answer, survive a kill -9 and leave nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from kanava.local import kafka as kafka_server
from kanava.local import ports, postgres
from kanava.local.kafka import Kafka
from kanava.local.profile import Profile
from tests.support.platform import temporary_profile


def test_postgres_recovers_what_was_committed_before_a_kill() -> None:
    with temporary_profile("recovery") as profile:
        server = postgres.start(profile, tie=signal.SIGQUIT)
        with psycopg.connect(server.url()) as connection:
            connection.execute("CREATE TABLE kept (value int)")
            connection.execute("INSERT INTO kept VALUES (42)")
        (process,) = profile.running()
        process.send(signal.SIGKILL)
        again = postgres.start(profile, tie=signal.SIGQUIT)
        with psycopg.connect(again.url()) as connection:
            assert connection.execute("SELECT value FROM kept").fetchall() == [(42,)]
        assert again.port == server.port
    assert not ports.is_open(server.port)
    assert not profile.folder.exists()


def test_postgres_asks_for_its_password(postgres: postgres.Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(password="guessed"), connect_timeout=3).close()


def test_postgres_runs_with_the_settings_of_the_file(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        (limit,) = connection.execute("SHOW max_connections").fetchone() or ("",)
    assert limit == "200"


def test_the_session_broker_answers(kafka: Kafka) -> None:
    assert kafka_server.brokers_up(kafka.bootstrap) == 1
    assert kafka.replication == 1


SESSION = """
import signal, time
from kanava.local import postgres
from kanava.local.profile import profile
print(postgres.start(profile("trial"), tie=signal.SIGQUIT, fast=True).port, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("mode", [0o755, 0o700], ids=["open folder", "closed folder"])
def test_a_killed_session_takes_its_server_along(tmp_path: Path, mode: int) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=mode)
    session = subprocess.Popen(
        [sys.executable, "-c", SESSION], stdout=subprocess.PIPE, env={**os.environ, "KANAVA_DATA": str(data)}
    )
    assert session.stdout is not None
    port = int(session.stdout.readline())
    assert ports.is_open(port)
    session.kill()
    session.communicate()
    until = time.monotonic() + 10
    while ports.is_open(port) and time.monotonic() < until:
        time.sleep(0.05)
    assert not ports.is_open(port)
    assert Profile("trial", data / "trial").running() == []
