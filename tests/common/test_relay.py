"""The relay over real Kafka and PostgreSQL: nothing lost, order for each key, whoever dies, pauses or is away."""

import asyncio
import contextlib
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from random import Random
from typing import Any

import psycopg
import pytest
from aiokafka import ConsumerRecord
from psycopg.rows import DictRow

from kanava.common.contracts import registry
from kanava.common.db import Pool, one, rows, transaction
from kanava.common.kafka import Publisher, PublishFailed
from kanava.common.outbox import MAX_BODY_BYTES, emit
from kanava.common.relay import Relay, prepare_shards
from kanava.local import ports, processes
from kanava.local.kafka import Kafka
from kanava.local.postgres import Postgres
from kanava.local.profile import Profile
from tests.support import bus
from tests.support import facts as told
from tests.support.databases import ServiceDatabase, service_database

TOPIC = "kanava.registry.producer.v1"
ROWS, KEYS, WRITERS = 2_000, 50, 8
SEED = 20_261_123

pytestmark = pytest.mark.platform


@pytest.fixture
def database(postgres: Postgres) -> Iterator[ServiceDatabase]:
    """A database with an outbox."""
    with service_database(postgres, "registry") as made:
        yield made


@pytest.fixture
async def pool(database: ServiceDatabase, kafka: Kafka) -> AsyncIterator[Pool]:
    """Connections with the application's role, shards, and empty topics."""
    await bus.fresh_topics(kafka.bootstrap, TOPIC)
    async with database.pool(size=16) as opened:
        async with transaction(opened) as tx:
            await prepare_shards(tx)
        yield opened


def fact(key: int, version: int, name: str = "Hyvä Oy") -> registry.Producer:
    """A version of the producer with this number."""
    made = told.producer(private=True, version=version)
    return made.model_copy(update={"producer_id": f"1.2.246.10.{key}", "name": name})


async def said(pool: Pool, *facts: registry.Producer) -> None:
    """Put facts into the outbox."""
    async with transaction(pool) as tx:
        await emit(tx, *facts)


async def waiting(pool: Pool) -> int:
    """How many rows are unsent."""
    async with transaction(pool) as tx:
        return await bus.unsent(tx)


async def all_sent(pool: Pool) -> None:
    """Wait until nothing is unsent."""

    async def none_left() -> bool:
        return await waiting(pool) == 0

    await bus.wait_until(none_left, progress=lambda: waiting(pool), what="an empty outbox")


async def assert_each_stands_in_order(pool: Pool, kafka: Kafka) -> int:
    """Every row of the outbox is on the topic, first occurrences in the order of each key; gives the doubles."""
    stood = await bus.records(kafka.bootstrap, TOPIC)
    async with transaction(pool) as tx:
        expected: dict[str, list[str]] = defaultdict(list)
        for row in await rows(tx, "SELECT key, event_id::text AS event FROM outbox ORDER BY outbox.id"):
            expected[row["key"]].append(row["event"])
    assert first_occurrences(stood) == expected
    return len(stood) - sum(map(len, expected.values()))


def first_occurrences(stood: Sequence["ConsumerRecord[bytes, bytes]"]) -> dict[str, list[str]]:
    """The event ids of each key in the order in which they first stand on the topic."""
    found: dict[str, list[str]] = defaultdict(list)
    for record in stood:
        key, event_id = (record.key or b"").decode(), bus.header(record, "ce_id")
        if event_id not in found[key]:
            found[key].append(event_id)
    return found


async def write(pool: Pool, locks: list[asyncio.Lock], versions: list[int], chance: Random) -> None:
    """One writer: transactions over up to three aggregates, each locked to the commit, of different lengths."""
    while sum(versions) < ROWS:
        keys = sorted(chance.sample(range(KEYS), chance.randint(1, 3)))
        async with contextlib.AsyncExitStack() as stack:
            for key in keys:
                await stack.enter_async_context(locks[key])
            async with transaction(pool) as tx:
                for key in keys:
                    versions[key] += 1
                    await emit(tx, fact(key, versions[key]))
                    await asyncio.sleep(chance.random() / 200)


async def test_order_is_kept_over_two_relays_of_which_one_dies(pool: Pool, kafka: Kafka) -> None:
    chance, versions = Random(SEED), [0] * KEYS
    locks = [asyncio.Lock() for _ in range(KEYS)]
    chosen: dict[str, Any] = {"batch": 70, "lease_seconds": 1.0}
    async with contextlib.AsyncExitStack() as first, bus.relaying(pool, kafka.bootstrap, **chosen) as second:
        relay = await first.enter_async_context(bus.relaying(pool, kafka.bootstrap, **chosen))
        writers = [asyncio.ensure_future(write(pool, locks, versions, chance)) for _ in range(WRITERS)]

        async def half_way() -> bool:
            async with transaction(pool) as tx:
                sent = await one(tx, "SELECT coalesce(sum(published), 0) AS n FROM outbox_sent")
            return sent is not None and sent["n"] >= ROWS // 2

        await bus.wait_until(half_way, progress=lambda: sum(versions), what="half of the rows")
        await first.aclose()  # whoever holds the lease now, the other one goes on
        await asyncio.gather(*writers)
        await all_sent(pool)
        assert relay.token != second.token
    await assert_each_stands_in_order(pool, kafka)


async def test_a_row_that_commits_late_with_a_smaller_id_is_not_passed_over(pool: Pool, kafka: Kafka) -> None:
    publisher = Publisher(kafka.bootstrap, source="/kanava/test")
    relay = Relay(pool, publisher)
    try:
        async with transaction(pool) as early:
            await emit(early, fact(1, 1))
            await said(pool, fact(2, 1))
            assert await relay.publish_once() == 1
        assert await relay.publish_once() == 1
        assert await relay.publish_once() == 0
    finally:
        await publisher.close()
    assert await assert_each_stands_in_order(pool, kafka) == 0


class Paused(Publisher):
    """Loses the lease of its relay while it publishes, as a process that was stopped for a minute does."""

    def __init__(self, bootstrap: str, pool: Pool, other: Relay) -> None:
        super().__init__(bootstrap, source="/kanava/test")
        self.pool, self.other = pool, other

    async def publish(self, batch: Sequence[DictRow]) -> None:
        """Publish, and come back when another relay has taken over."""
        await super().publish(batch)
        async with transaction(self.pool) as tx:
            await tx.execute("UPDATE relay_shard SET leased_until = '-infinity'")
        assert len(await self.other._claim()) == len(batch)


async def test_a_relay_that_lost_its_lease_marks_nothing(pool: Pool, kafka: Kafka) -> None:
    await said(pool, *(fact(n, 1) for n in range(20)))
    fresh = Publisher(kafka.bootstrap, source="/kanava/test")
    second = Relay(pool, fresh)
    paused = Paused(kafka.bootstrap, pool, second)
    try:
        await Relay(pool, paused).publish_once()
        assert await waiting(pool) == 20, "a stale token marks nothing"
        assert await second.publish_once() == 20
    finally:
        await paused.close()
        await fresh.close()
    assert await waiting(pool) == 0
    assert await assert_each_stands_in_order(pool, kafka) == 20, "said twice under the same ids"


async def test_a_relay_without_a_lease_publishes_nothing(pool: Pool, kafka: Kafka) -> None:
    await said(pool, fact(1, 1))
    publisher = Publisher(kafka.bootstrap, source="/kanava/test")
    try:
        holder, other = Relay(pool, publisher), Relay(pool, publisher)
        await holder._claim()
        assert await other.publish_once() == 0
        assert await waiting(pool) == 1
    finally:
        await publisher.close()


async def test_a_fact_that_is_too_large_is_refused_where_it_is_said(pool: Pool, kafka: Kafka) -> None:
    frame = len(fact(1, 1, "").model_dump_json())
    with pytest.raises(ValueError, match="more than 900000 bytes"):
        await said(pool, fact(1, 1, "x" * (MAX_BODY_BYTES - frame + 1)))
    assert await waiting(pool) == 0
    await said(pool, fact(1, 1, "x" * (MAX_BODY_BYTES - frame)), fact(2, 1))
    async with bus.relaying(pool, kafka.bootstrap):
        await all_sent(pool)
    assert await assert_each_stands_in_order(pool, kafka) == 0


class Counting(Publisher):
    """Counts what failed."""

    failed = 0

    async def publish(self, batch: Sequence[DictRow]) -> None:
        """Publish, or count the failure."""
        try:
            await super().publish(batch)
        except PublishFailed:
            self.failed += 1
            raise


@contextlib.asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[None]:
    """A relay that runs beside the test."""
    task = asyncio.ensure_future(relay.run())
    try:
        yield
        assert not task.done(), "a relay ends only by cancellation"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_broker_that_is_away_is_waited_for(pool: Pool, kafka: Kafka) -> None:
    port = ports.free_port()
    publisher = Counting(f"127.0.0.1:{port}", source="/kanava/test")
    async with running(Relay(pool, publisher)):
        await said(pool, *(fact(n, 1) for n in range(100)))
        await bus.wait_until(lambda: publisher.failed >= 2, progress=lambda: publisher.failed, what="two failures")
        assert await waiting(pool) == 100
        async with bus.forwarding(port, kafka.bootstrap):
            await all_sent(pool)
            await publisher.close()
    assert await assert_each_stands_in_order(pool, kafka) == 0


async def test_a_broker_that_stops_answering_costs_no_fact_and_leaves_no_producer_behind(
    pool: Pool, kafka: Kafka, platform_profile: Profile
) -> None:
    """An idempotent producer tries for ever and its `stop` waits for that, so one that failed is ended by force."""
    broker = processes.find(platform_profile.pid_file("kafka-1"))
    assert broker is not None
    publisher = Counting(kafka.bootstrap, source="/kanava/test", timeout_seconds=1.0)
    await said(pool, fact(0, 1))
    async with running(Relay(pool, publisher)):
        await all_sent(pool)
        before = len(asyncio.all_tasks())
        broker.send(signal.SIGSTOP)
        try:
            await said(pool, *(fact(n, 1) for n in range(1, 100)))
            await bus.wait_until(lambda: publisher.failed >= 2, progress=lambda: publisher.failed, what="two failures")
        finally:
            broker.send(signal.SIGCONT)
        await all_sent(pool)
        await bus.wait_until(lambda: len(asyncio.all_tasks()) <= before, what="the end of the old producers' tasks")
    await publisher.close()
    await assert_each_stands_in_order(pool, kafka)


async def test_a_producer_is_replaced_after_an_error(pool: Pool, kafka: Kafka) -> None:
    publisher = Publisher(kafka.bootstrap, source="/kanava/test")
    too_large = bus.row_of(fact(1, 1)) | {"body": "x" * 2_000_000}
    try:
        await publisher.publish([bus.row_of(fact(1, 1))])
        with pytest.raises(PublishFailed):
            await publisher.publish([bus.row_of(fact(2, 1)), too_large, bus.row_of(fact(3, 1))])
        await publisher.publish([bus.row_of(fact(4, n)) for n in range(1, 50)])
    finally:
        await publisher.close()
    stood = [record for record in await bus.records(kafka.bootstrap, TOPIC) if record.key == b"1.2.246.10.4"]
    assert len(stood) == 49


class Stumbling(Publisher):
    """Fails once in a way that nobody thought of."""

    stumbled = False

    async def publish(self, batch: Sequence[DictRow]) -> None:
        """Publish, except the first time."""
        if not self.stumbled:
            self.stumbled = True
            raise RuntimeError("nobody thought of this")
        await super().publish(batch)


async def test_a_relay_outlives_an_error_that_nobody_thought_of(pool: Pool, kafka: Kafka) -> None:
    publisher = Stumbling(kafka.bootstrap, source="/kanava/test")
    await said(pool, fact(1, 1))
    async with running(Relay(pool, publisher)):
        await all_sent(pool)
    await publisher.close()


async def test_a_database_that_loses_its_connections_is_waited_for(
    pool: Pool, database: ServiceDatabase, kafka: Kafka
) -> None:
    await said(pool, *(fact(n, 1) for n in range(50)))
    async with bus.relaying(pool, kafka.bootstrap, batch=10):
        for _ in range(3):
            with psycopg.connect(database.admin_url, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            await asyncio.sleep(0.05)
        await all_sent(pool)
    await assert_each_stands_in_order(pool, kafka)
