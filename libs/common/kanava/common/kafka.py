"""Publishing to Kafka: an idempotent producer that is replaced after any error, and batches that wait once."""

import asyncio
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
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
                acks = [await self._send(producer, row) for row in batch]
                await asyncio.gather(*acks)
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

    async def _send(self, producer: AIOKafkaProducer, row: DictRow) -> asyncio.Future[Any]:
        with publish_span(row["topic"], row["traceparent"]) as traceparent:
            acknowledged: asyncio.Future[Any] = await producer.send(
                row["topic"],
                value=row["body"].encode(),
                key=row["key"].encode(),
                headers=self._headers(row, traceparent),
            )
        return acknowledged

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
