"""The month's run is killed again and again: at named points, at random moments, with two copies at work.

In the end stand the same bytes as after a run that nobody disturbed.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from random import Random
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from kanava.common.db import Pool, one, transaction
from tests.failure import month
from tests.failure.month import NOVEMBER, NOVEMBER_CLOSES, OCTOBER, OCTOBER_CLOSES
from tests.payments import story
from tests.support import bus
from tests.support.cluster import Running
from tests.support.databases import service_database

RESIDENTS, SEED = 20_000, 11
MOMENT_SECONDS = 0.3

pytestmark = pytest.mark.platform


@pytest.fixture
async def undisturbed(cluster: Running) -> AsyncIterator[Pool]:
    """A database of payments in which nothing goes wrong."""
    with service_database(cluster.platform.postgres, "payments") as made:
        async with made.pool() as opened:
            yield opened


async def test_a_run_that_is_killed_ends_with_the_same_bytes(cluster: Running, undisturbed: Pool) -> None:
    first, late = month.before_october_closed(RESIDENTS, SEED), month.known_in_november(RESIDENTS, SEED)
    async with cluster.pool("payments") as books:
        await heard(cluster, books, first)
        await closed(books, await requested(cluster, OCTOBER))
        await heard(cluster, books, late)
        await cluster.set_clock("payments", NOVEMBER_CLOSES)
        await kill_in_every_way(cluster)
        await cluster.restart(cluster.copy("payments"))
        await closed(books, await requested(cluster, NOVEMBER))
        found = await month.outcome(books)
        await month.assert_sound(books)
    await month.hear(undisturbed, first)
    await story.close(undisturbed, OCTOBER, OCTOBER_CLOSES)
    await month.hear(undisturbed, late)
    await story.close(undisturbed, NOVEMBER, NOVEMBER_CLOSES)
    expected = await month.outcome(undisturbed)
    assert {name: found[name] == expected[name] for name in expected} == dict.fromkeys(expected, True)
    assert expected["lines"].count("\n") > RESIDENTS


async def heard(cluster: Running, books: Pool, facts: list[Any]) -> None:
    """Tell facts on the bus and wait until payments has taken all of them."""
    await bus.say(cluster.bootstrap, *facts)
    for topic in month.by_topic(facts):
        await bus.heard(books, cluster.bootstrap, topic)


async def requested(cluster: Running, of: date) -> str:
    """Ask for a month's run; the id of it, also where it has closed meanwhile."""
    async with cluster.client("payments", "operator") as client:
        body, key = {"area": "03", "month": f"{of:%Y-%m}"}, {"idempotency-key": uuid4().hex}
        answer = await client.post("/v1/runs", json=body, headers=key)
    told = answer.json()
    assert answer.status_code == 202 or told["rule"] == "month_closed", answer.text
    return str(told["run_id"])


async def closed(books: Pool, run_id: str) -> None:
    """Wait until a run is closed."""

    async def status() -> str:
        async with transaction(books) as tx:
            row = await one(tx, "SELECT status, problem FROM run WHERE run_id = %s", (run_id,))
        assert row is not None
        assert row["status"] != "failed", row
        return str(row["status"])

    async def is_closed() -> bool:
        return await status() == "closed"

    await bus.wait_until(is_closed, what="the closed run")


async def kill_in_every_way(cluster: Running) -> None:
    """Two named points, then three random moments, the last with two copies of the service."""
    chance, payments, second = Random(SEED), cluster.copy("payments"), cluster.copy("payments", 2)
    await cluster.restart(payments, KANAVA_CRASH_AT="run_after_lines")
    await requested(cluster, NOVEMBER)
    await cluster.died(payments)
    cluster.start(payments, KANAVA_CRASH_AT="run_after_booking")
    await cluster.died(payments)
    for copies in ([payments], [payments], [payments, second]):
        for copy in copies:
            cluster.start(copy)
        await bus.wait_until(lambda: running_statements(cluster), what="a run at work")
        await asyncio.sleep(chance.random() * MOMENT_SECONDS)
        for copy in copies:
            cluster.kill(copy)


def running_statements(cluster: Running) -> int:
    """How many connections of payments write the lines of a run now, or whether it has been closed meanwhile."""
    with psycopg.connect(cluster.platform.postgres.url("kanava_payments"), autocommit=True) as admin:
        found = admin.execute(
            "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND state <> 'idle' AND query ILIKE '%%insert into%%line%%' AND pid <> pg_backend_pid())"
            " + (SELECT count(*) FROM run WHERE status = 'closed' AND month = '2026-11-01')"
        ).fetchone()
    assert found is not None
    return int(found[0])
