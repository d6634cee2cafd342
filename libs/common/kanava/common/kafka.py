"""Publishing to Kafka: an idempotent producer that is replaced after any error, and batches that wait once."""

import asyncio
import zlib
from collections.abc import Sequence
from datetime import UTC

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder
from psycopg.rows import DictRow

from .telemetry import publish_span
from .topics_admin import DEAD_LETTER_MAX_BYTES


async def _abandon(producer: AIOKafkaProducer) -> None:
    """End a producer that cannot stop: it would try for ever, and say its old batches long after newer ones.

    It has no method for this, hence the look inside.
    """
    sender, waiting = producer._sender, producer._message_accumulator
    task = sender.sender_task if sender is not None else None
    if task is not None:
        task.cancel()
    await producer.client.close()
    waiting.fail_all(KafkaTimeoutError())
    if task is not None:
        await asyncio.wait({task}, timeout=3.0)


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: CRC-32 modulo their number, as librdkafka's `consistent` partitioner has it.

    The Java client's murmur2 is no better and costs Python as much as all else that is done with a record.
    """
    return zlib.crc32(key.encode()) % partitions


async def _by_partition(producer: AIOKafkaProducer, batch: Sequence[DictRow]) -> dict[TopicPartition, list[DictRow]]:
    """Rows by where they go, each list in the order of the batch."""
    counts = {topic: len(await producer.partitions_for(topic)) for topic in {row["topic"] for row in batch}}
    parts: dict[TopicPartition, list[DictRow]] = {}
    for row in batch:
        part = TopicPartition(row["topic"], partition_of(row["key"], counts[row["topic"]]))
        parts.setdefault(part, []).append(row)
    return parts


class PublishFailed(Exception):
    """A batch was not fully acknowledged; its rows stay unsent and will be published again."""


class Publisher:
    """Publishes outbox rows, keyed, with `acks=all`, each batch gathered before it is waited for.

    One failed batch leaves an idempotent producer's partition out of sequence for ever, and its `send` and
    `stop` wait without end while brokers are away: so every wait has a timeout and an error costs the producer.
    """

    def __init__(self, bootstrap: str, *, source: str, timeout_seconds: float = 20.0) -> None:
        self._bootstrap = bootstrap
        self._source = source.encode()
        self._timeout_seconds = timeout_seconds
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, batch: Sequence[DictRow]) -> None:
        """Publish rows in their order; returns when all are acknowledged, else raises `PublishFailed`."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                producer = await self._started()
                parts = await _by_partition(producer, batch)
                await asyncio.gather(*(self._send(producer, part, some) for part, some in parts.items()))
        except (KafkaError, TimeoutError, OSError) as error:
            await self.close()
            raise PublishFailed(type(error).__name__) from error

    async def close(self) -> None:
        """Let go of the producer; a later publish makes a new one."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), 3.0)
        except (KafkaError, TimeoutError, OSError):
            await _abandon(producer)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                enable_idempotence=True,
                acks="all",
                linger_ms=5,
                max_batch_size=262_144,
                max_request_size=DEAD_LETTER_MAX_BYTES,
                request_timeout_ms=15_000,
            )
            self._producer = producer
            await producer.start()
        return self._producer

    async def _send(self, producer: AIOKafkaProducer, part: TopicPartition, some: Sequence[DictRow]) -> None:
        """Send the rows of one partition in their order, in as few batches as they fit in."""
        builder, acks = producer.create_batch(), []
        for row in some:
            while not self._append(builder, row):
                acks.append(await producer.send_batch(builder, part.topic, partition=part.partition))
                builder = producer.create_batch()
        acks.append(await producer.send_batch(builder, part.topic, partition=part.partition))
        await asyncio.gather(*acks)

    def _append(self, builder: BatchBuilder, row: DictRow) -> bool:
        """Put a row into a batch; False when the batch is full. An empty batch takes a row of any size."""
        with publish_span(row["topic"], row["traceparent"]) as traceparent:
            headers = self._headers(row, traceparent)
            key, value = row["key"].encode(), row["body"].encode()
            return builder.append(timestamp=None, key=key, value=value, headers=headers) is not None

    def _headers(self, row: DictRow, traceparent: str | None) -> list[tuple[str, bytes]]:
        """CloudEvents 1.0 in binary mode and the trace; what the row brings of its own wins over these.

        So a record that is driven again keeps its own id, type, source and time.
        """
        headers = {
            "ce_specversion": b"1.0",
            "ce_id": str(row["event_id"]).encode(),
            "ce_type": row["type"].encode(),
            "ce_source": self._source,
            "ce_time": row["created_at"].astimezone(UTC).isoformat().encode(),
            "content-type": b"application/json",
        }
        if traceparent:
            headers["traceparent"] = traceparent.encode()
        own = {name: str(value).encode() for name, value in (row["headers"] or {}).items()}
        return list((headers | own).items())
