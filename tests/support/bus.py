"""The bus for tests: facts said as their owner's relay would say them, and what stands on a topic afterwards.

Nothing here waits for a time: `wait_until` gives up only after a minute in which nothing moved at all.
"""

import asyncio
import base64
import contextlib
import inspect
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError

from kanava.common.app import consuming_broker
from kanava.common.contracts import BY_NAME, TOPIC_OF, Fact
from kanava.common.db import Pool, Tx, rows, transaction
from kanava.common.deadletter import DeadLetter
from kanava.common.inbox import Apply, Inbox
from kanava.common.kafka import Publisher
from kanava.common.relay import Relay, prepare_shards
from kanava.common.settings import ServiceSettings
from kanava.common.topics_admin import ensure_topics, wanted_topics

STALL_SECONDS = 60.0
LOOK_SECONDS = 0.1
NO_ERROR = 0
AT_ONCE = 5000
WRITTEN = datetime(2026, 9, 1, 9, tzinfo=UTC)

Row = dict[str, Any]


def row_of(fact: Fact, event_id: UUID | None = None) -> Row:
    """The outbox row of a fact, as the relay reads it."""
    topic = TOPIC_OF[type(fact)]
    return {
        "event_id": event_id or uuid4(),
        "topic": topic.name,
        "key": str(getattr(fact, topic.key)),
        "type": topic.type_of(fact.what),
        "body": fact.model_dump_json(),
        "headers": None,
        "traceparent": None,
        "created_at": WRITTEN,
    }


def redriven(letter: DeadLetter) -> Row:
    """The outbox row that drives a letter again, with its original headers."""
    return {
        "event_id": uuid4(),
        "topic": letter.topic,
        "key": base64.b64decode(letter.key_base64).decode(),
        "type": letter.headers["ce_type"],
        "body": letter.value.decode(),
        "headers": {name: value.decode() for name, value in letter.redrive_headers},
        "traceparent": None,
        "created_at": WRITTEN,
    }


async def say_rows(bootstrap: str, said: Sequence[Row]) -> None:
    """Publish outbox rows in their order."""
    publisher = Publisher(bootstrap, source="/kanava/test", timeout_seconds=STALL_SECONDS)
    try:
        for first in range(0, len(said), AT_ONCE):
            await publisher.publish(said[first : first + AT_ONCE])
    finally:
        await publisher.close()


async def say(bootstrap: str, *facts: Fact, event_ids: Sequence[UUID] | None = None) -> list[Row]:
    """Publish facts in their order, each under an event id of its own or the chosen one; gives their rows."""
    ids = event_ids or [uuid4() for _ in facts]
    said = [row_of(fact, event_id) for fact, event_id in zip(facts, ids, strict=True)]
    await say_rows(bootstrap, said)
    return said


def twice_and_shuffled(said: Sequence[Row], chance: Random) -> list[Row]:
    """Every row twice, keys mixed at random; of one key the order is kept, as a redelivery from any point keeps it."""
    of_key: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in said:
        of_key[row["topic"], row["key"]].append(row)
    queues = []
    for own in of_key.values():
        again = own + own if chance.random() < 0.5 else [row for row in own for _ in range(2)]
        queues.append(iter(again))
    turns = [queue for queue, own in zip(queues, of_key.values(), strict=True) for _ in range(2 * len(own))]
    chance.shuffle(turns)
    return [next(queue) for queue in turns]


async def say_bytes(
    bootstrap: str, topic: str, value: bytes | None, *, key: bytes = b"k", headers: Mapping[str, str] | None = None
) -> None:
    """Put a record of any bytes on a topic, as no relay would."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        own = [(name, text.encode()) for name, text in (headers or {}).items()]
        await producer.send_and_wait(topic, value, key=key, headers=own)
    finally:
        await producer.stop()


async def records(bootstrap: str, topic: str) -> list["ConsumerRecord[bytes, bytes]"]:
    """Every record of a topic up to where it ends now, by partition and offset."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in await _partitions(consumer, topic)]
        ends = await consumer.end_offsets(partitions)
        starts = await consumer.beginning_offsets(partitions)
        left = {one for one in partitions if starts[one] < ends[one]}
        consumer.assign(partitions)
        found: list[ConsumerRecord[bytes, bytes]] = []
        async with asyncio.timeout(STALL_SECONDS):
            while left:
                for batch in (await consumer.getmany(*left, timeout_ms=200)).values():
                    found += batch
                left = {one for one in left if await consumer.position(one) < ends[one]}
        return sorted(found, key=lambda one: (one.partition, one.offset))
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    known = BY_NAME.get(topic.removesuffix(".dlq"))
    if known is not None:
        return list(range(1 if topic.endswith(".dlq") else known.partitions))
    return sorted(consumer.partitions_for_topic(topic) or ())


async def letters(bootstrap: str, topic: str) -> list[DeadLetter]:
    """The dead letters of a topic, oldest first."""
    return [DeadLetter.read(record.value or b"") for record in await records(bootstrap, f"{topic}.dlq")]


def header(record: "ConsumerRecord[bytes, bytes]", name: str) -> str:
    """A header of a record."""
    return next(bytes(value).decode() for key, value in record.headers if key == name)


async def wait_until(
    condition: Callable[[], Any], *, progress: Callable[[], Any] | None = None, what: str = "it"
) -> Any:
    """Wait until `condition` (may be async) gives something true, and give that.

    Fails when neither it nor `progress` (may be async) has changed for a minute.
    """
    loop, last = asyncio.get_running_loop(), None
    moved_at = loop.time()
    while not (found := await _answer(condition)):
        now = (found, await _answer(progress) if progress else None)
        if now != last:
            last, moved_at = now, loop.time()
        assert loop.time() - moved_at < STALL_SECONDS, f"{what} did not come about; last seen: {last}"
        await asyncio.sleep(LOOK_SECONDS)
    return found


async def _answer(asked: Callable[[], Any]) -> Any:
    said = asked()
    return await said if inspect.isawaitable(said) else said


async def fresh_topics(bootstrap: str, *names: str) -> None:
    """Empty topics and their dead letters: they are deleted and made again, so no group has read anything."""
    await ensure_topics(bootstrap)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    both = [name for topic in names for name in (topic, f"{topic}.dlq")]
    try:
        await admin.delete_topics(both)
        # The broker hears of it later than the controller: until then it would take records for the old topic.
        await wait_until(lambda: _all_are(admin, both, UnknownTopicOrPartitionError.errno), what="deleted topics")
        await admin.create_topics([topic for topic in wanted_topics(replication=1) if topic.name in both])
        await wait_until(lambda: _all_are(admin, both, NO_ERROR), what="the fresh topics")
    finally:
        await admin.close()


async def _all_are(admin: AIOKafkaAdminClient, names: Sequence[str], code: int) -> bool:
    described = await admin.describe_topics(list(names))
    partitions = [part for one in described for part in one["partitions"]]
    return all(one["error_code"] == code for one in described) and all(part["leader"] >= 0 for part in partitions)


@contextlib.asynccontextmanager
async def hearing(bootstrap: str, service: str, pool: Pool, subscriptions: Mapping[str, Apply]) -> AsyncIterator[None]:
    """A service's consumers and relay in this process, as its own lifespan would run them."""
    settings = ServiceSettings(service=service, kafka=bootstrap, instance="test")
    broker = consuming_broker(settings, Inbox(service, pool), subscriptions)
    async with transaction(pool) as tx:
        await prepare_shards(tx)
    async with relaying(pool, bootstrap, service):
        await broker.start()
        try:
            yield
        finally:
            await broker.stop()


@contextlib.asynccontextmanager
async def relaying(pool: Pool, bootstrap: str, service: str = "test", **chosen: Any) -> AsyncIterator[Relay]:
    """A relay that runs in this process; `chosen` are fields of `Relay`."""
    publisher = Publisher(bootstrap, source=f"/kanava/{service}")
    relay = Relay(pool, publisher, **chosen)
    running = asyncio.ensure_future(relay.run())
    try:
        yield relay
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await publisher.close()


@contextlib.asynccontextmanager
async def forwarding(port: int, bootstrap: str) -> AsyncIterator[None]:
    """Answer on a port that nobody answered on, by passing bytes on to the broker."""
    host, _, at = bootstrap.rpartition(":")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(at))
        with contextlib.suppress(OSError):
            await asyncio.gather(_pump(reader, back), _pump(there, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


COUNTERS = ("received", "applied", "duplicates", "dead", "unknown")


async def counters(pool: Pool, topic: str) -> dict[str, int]:
    """What a service's inbox counted for a topic: received, applied, duplicates, dead, unknown; no zeros."""
    totals = ", ".join(f"coalesce(sum({name}), 0)::int AS {name}" for name in COUNTERS)
    async with transaction(pool) as tx:
        found = await rows(tx, f"SELECT {totals} FROM inbox_offset WHERE topic = %s", (topic,))
    return {name: count for name, count in found[0].items() if count}


async def taken(pool: Pool, topic: str, received: int) -> dict[str, int]:
    """Wait until an inbox has taken so many records of a topic; its counters."""

    async def enough() -> dict[str, int] | None:
        seen = await counters(pool, topic)
        return seen if seen.get("received", 0) >= received else None

    await wait_until(enough, progress=lambda: counters(pool, topic), what=f"{received} records of {topic}")
    return await counters(pool, topic)


async def heard(pool: Pool, bootstrap: str, topic: str) -> None:
    """Wait until an inbox is past every record that stands on a topic now.

    Unlike `taken` it is not misled by records that came twice, as they do where services were killed before.
    """
    ends = {record.partition: record.offset + 1 for record in await records(bootstrap, topic)}

    async def missing() -> int:
        async with transaction(pool) as tx:
            found = await rows(tx, "SELECT partition, next_offset FROM inbox_offset WHERE topic = %s", (topic,))
        reached = {row["partition"]: row["next_offset"] for row in found}
        return sum(max(0, end - reached.get(partition, 0)) for partition, end in ends.items())

    async def all_in() -> bool:
        return await missing() == 0

    await wait_until(all_in, progress=missing, what=f"the end of {topic}")


async def unsent(tx: Tx) -> int:
    """How many outbox rows wait."""
    return int((await rows(tx, "SELECT count(*) AS n FROM outbox_unsent"))[0]["n"])
