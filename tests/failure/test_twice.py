"""Every message delivered twice and mixed across keys, a month's worth again when it is long known: the same cents."""

from collections.abc import AsyncIterator
from random import Random

import pytest

from kanava.common.contracts import Fact
from kanava.common.db import Pool
from kanava.local.kafka import Kafka
from kanava.local.postgres import Postgres
from kanava.payments.consumers import SUBSCRIPTIONS
from tests.failure import month
from tests.failure.month import NOVEMBER, NOVEMBER_CLOSES, OCTOBER, OCTOBER_CLOSES
from tests.payments import story
from tests.support import bus
from tests.support.databases import service_database

RESIDENTS, SEED = 1_500, 5

pytestmark = pytest.mark.platform


@pytest.fixture
async def peaceful(postgres: Postgres) -> AsyncIterator[Pool]:
    """A database in which nothing goes wrong."""
    with service_database(postgres, "payments") as made:
        async with made.pool() as opened:
            yield opened


@pytest.fixture
async def troubled(postgres: Postgres) -> AsyncIterator[Pool]:
    """A database that hears everything twice."""
    with service_database(postgres, "payments") as made:
        async with made.pool() as opened:
            yield opened


async def test_everything_twice_and_mixed_comes_to_the_same_cents(peaceful: Pool, troubled: Pool, kafka: Kafka) -> None:
    first, late = month.before_october_closed(RESIDENTS, SEED), month.known_in_november(RESIDENTS, SEED)
    await month.hear(peaceful, first)
    await story.close(peaceful, OCTOBER, OCTOBER_CLOSES)
    await month.hear(peaceful, late)
    await story.close(peaceful, NOVEMBER, NOVEMBER_CLOSES)

    await bus.fresh_topics(kafka.bootstrap, *SUBSCRIPTIONS)
    chance, counts = Random(SEED), dict[str, list[int]]()
    known, news = [bus.row_of(fact) for fact in first], [bus.row_of(fact) for fact in late]
    async with bus.hearing(kafka.bootstrap, "payments", troubled, SUBSCRIPTIONS):
        await deliver(kafka, troubled, bus.twice_and_shuffled(known, chance), counts)
        await story.close(troubled, OCTOBER, OCTOBER_CLOSES)
        await deliver(kafka, troubled, bus.twice_and_shuffled(known + news, chance), counts)
        await story.close(troubled, NOVEMBER, NOVEMBER_CLOSES)

    assert await month.outcome(troubled) == await month.outcome(peaceful)
    await month.assert_sound(troubled)
    await assert_each_counted_once(troubled, first + late, counts)


async def deliver(kafka: Kafka, pool: Pool, said: list[bus.Row], counts: dict[str, list[int]]) -> None:
    """Put rows on the bus and wait until all are taken; `counts` adds up how many of each topic were sent."""
    await bus.say_rows(kafka.bootstrap, said)
    for row in said:
        counts.setdefault(row["topic"], [0])[0] += 1
    for topic, (sent,) in counts.items():
        await bus.taken(pool, topic, sent)


async def assert_each_counted_once(pool: Pool, facts: list[Fact], counts: dict[str, list[int]]) -> None:
    """Received = sent, and as many effects as there are facts, for each topic."""
    for topic, own in month.by_topic(facts).items():
        counted = await bus.counters(pool, topic)
        assert counted == {
            "received": counts[topic][0],
            "applied": len(own),
            "duplicates": counts[topic][0] - len(own),
        }, topic
