"""The servers of a test session answer, survive a kill -9 and leave nothing behind."""

import signal

import psycopg
import pytest

from kanava.local import kafka as kafka_server
from kanava.local import ports, postgres
from kanava.local.kafka import Kafka
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
