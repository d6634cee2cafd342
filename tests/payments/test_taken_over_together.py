"""Two members of a group may hold the same records for a moment, after a rebalance: each effect is there once."""

import asyncio
from datetime import date

import pytest

from kanava.common.contracts import Fact
from kanava.common.db import Pool, one, rows, transaction
from kanava.payments.consumers import SUBSCRIPTIONS
from tests.payments.story import hear
from tests.support.facts import at, resident, visit

BORN, DAY = date(1990, 5, 5), date(2026, 11, 5)
FIRST_VERSIONS: dict[str, tuple[str, list[Fact]]] = {
    "monitoring.production": ("visit", [visit(number, 1, DAY, recorded_at=at(11, 6)) for number in range(1, 41)]),
    "listing.resident": ("resident", [resident(number, BORN) for number in range(1, 41)]),
}


async def until_one_waits(pool: Pool) -> None:
    """Return when a statement waits for what another transaction holds."""
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while True:
            async with transaction(pool) as tx:
                if await one(tx, waiting) is not None:
                    return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("topic", FIRST_VERSIONS)
async def test_who_takes_over_what_another_takes_over_meanwhile_takes_the_others_alone(pool: Pool, topic: str) -> None:
    table, facts = FIRST_VERSIONS[topic]
    async with transaction(pool) as tx:
        assert await SUBSCRIPTIONS[f"kanava.{topic}.v1"](tx, facts[:30]) == 30
        second = asyncio.create_task(hear(pool, topic, *facts[10:]))
        await until_one_waits(pool)
    assert await second == 10
    async with transaction(pool) as tx:
        known = await rows(tx, f"SELECT version, recorded_until = 'infinity' AS is_newest FROM {table}")
    assert known == [{"version": 1, "is_newest": True}] * len(facts)
