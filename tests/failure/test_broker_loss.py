"""One broker of three is killed while records are published with acks=all: no acknowledged one is lost."""

import asyncio
import signal
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from kanava.common.kafka import Publisher, PublishFailed
from kanava.local import kafka as kafka_server
from kanava.local import processes
from kanava.local.kafka import Kafka
from kanava.local.profile import Profile
from tests.support.platform import temporary_profile

TOPIC = "trial.loss.v1"
PARTITIONS = 3
RECORDS = 3_000
KILL_AFTER = 1_000
AT_ONCE = 100
PATIENCE_SECONDS = 60
BATCH_SECONDS = 8.0


@pytest.mark.platform
async def test_no_acknowledged_record_is_lost_when_a_broker_is_killed() -> None:
    with temporary_profile("loss") as profile:
        cluster = kafka_server.start(profile, brokers=3, tie=signal.SIGKILL, say=print)
        await make_topic(cluster)
        acknowledged, longest_seconds = await publish_while_a_broker_dies(profile, cluster)
        assert acknowledged == set(range(RECORDS))
        assert len(profile.running()) == 2
        assert acknowledged <= await read_all(cluster)
        assert longest_seconds < PATIENCE_SECONDS


async def make_topic(cluster: Kafka) -> None:
    """A topic with the replication and the safety that the settings file gives to every topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, PARTITIONS, cluster.replication)])
    finally:
        await admin.close()


async def publish_while_a_broker_dies(profile: Profile, cluster: Kafka) -> tuple[set[int], float]:
    """Publish all records as the relay does, kill one broker on the way.

    Gives the numbers that were acknowledged and the longest time, in seconds, that one batch took.
    """
    acknowledged: set[int] = set()
    longest_seconds = 0.0
    publisher = Publisher(cluster.bootstrap, source="/trial", timeout_seconds=BATCH_SECONDS)
    try:
        for first in range(0, RECORDS, AT_ONCE):
            if first == KILL_AFTER:
                kill(profile, cluster)
            numbers = range(first, first + AT_ONCE)
            began = time.monotonic()
            await publish(publisher, [row(number) for number in numbers])
            longest_seconds = max(longest_seconds, time.monotonic() - began)
            acknowledged |= set(numbers)
    finally:
        await publisher.close()
    return acknowledged, longest_seconds


async def publish(publisher: Publisher, rows: list[dict[str, Any]]) -> None:
    """Publish a batch, again after each failure, as the relay does with rows that stay unsent."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await publisher.publish(rows)
            except PublishFailed:
                await asyncio.sleep(0.2)


def row(number: int) -> dict[str, Any]:
    """An outbox row that carries nothing but its number."""
    return {
        "topic": TOPIC, "key": str(number), "body": str(number), "event_id": uuid.uuid4(), "type": "trial",
        "created_at": datetime.now(UTC), "headers": None, "traceparent": None,
    }  # fmt: skip


def kill(profile: Profile, cluster: Kafka) -> None:
    """Kill the second broker without warning."""
    process = processes.find(profile.pid_file(cluster.nodes[1].name))
    assert process is not None, "the broker runs before it is killed"
    process.send(signal.SIGKILL)
    assert process.wait(5)


async def read_all(cluster: Kafka) -> set[int]:
    """Every record of the topic, from the beginning to where it ends now."""
    partitions = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(bootstrap_servers=cluster.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[int] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(found) < sum(ends.values()):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += [int(record.value or b"-1") for record in records]
        return set(found)
    finally:
        await consumer.stop()
