"""The inbox: how a service takes facts from the bus, so that effects happen exactly once.

Records come in batches. In one transaction the offsets are moved forward, doubles are dropped, the service's
own function applies the rest, and what cannot be digested leaves for the dead letters; only then is the batch
acknowledged to Kafka. A batch that fails is tried again by halves, so one bad record stops nothing.

A fact of an ordinary topic is known by its event id (table `inbox`). Hot topics carry versions or business
keys, and their merge is idempotent by these, which spares a row for each of millions of events.
"""

import asyncio
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import structlog
from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaMessage, KafkaRouter
from psycopg_pool import PoolTimeout
from pydantic import ValidationError

from .contracts import BY_NAME, Fact, Topic
from .db import Pool, Tx, rows, transaction
from .deadletter import REDRIVE_HEADER, DeadLetter, bury
from .telemetry import count_taken, receive_spans

log = structlog.get_logger()

MAX_RECORDS = 5000
FETCHED_BYTES = 4 * 1024**2
"""From a partition at once, so that a full batch of reports fits in; the client's own megabyte holds some 2,000."""
HOT_MEMBERS = 2
DECODED_AT_ONCE = 200
UUID_CHARACTERS = 36
IDLE_MILLISECONDS = 2_000
"""How long a look at a quiet topic waits; records that come end it at once."""
TRANSIENT_ATTEMPTS = 6
SESSION_MILLISECONDS = 12_000
"""A reader that was killed holds its partitions for so long; one that merely stalls longer takes records twice."""
HEARTBEAT_MILLISECONDS = 1_000
"""Also how long a member needs to notice that another one joins its group."""
_TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError)

Apply = Callable[[Tx, Sequence[Any]], Awaitable[int]]
"""Applies facts of one topic in their order and returns how many had an effect; the rest were known already."""

Received = tuple[UUID | None, Fact, str | None]
"""A decoded record: the id of its event unless its topic is hot, the fact, and the trace that it goes on in."""


class Undecodable(ValueError):
    """A record that is not the fact that its headers promise."""


@dataclass(frozen=True)
class Inbox:
    """The inbox of one service. It digests batches of any topic with the function that was subscribed for it."""

    service: str
    pool: Pool

    def subscribe(self, router: KafkaRouter, topic_name: str, apply: Apply) -> None:
        """Consume a topic with `apply`, in batches, with a consumer group of its own.

        A hot topic has two members in each process: one decodes while the database merges for the other.
        """
        topic = BY_NAME[topic_name]
        if self.service not in topic.heard_by:
            raise ValueError(f"{self.service} is not a reader of {topic.name} in the table of topics")

        async def handle(message: KafkaMessage) -> None:
            await self.take(topic, message.raw_message, apply)

        for _ in range(HOT_MEMBERS if topic.is_hot else 1):
            _subscriber(router, topic, f"{self.service}.{topic.model.aggregate}")(handle)

    async def take(self, topic: Topic, records: Sequence[ConsumerRecord[bytes, bytes]], apply: Apply) -> None:
        """Digest a batch. Raises only when the database stayed away: then Kafka delivers it again."""
        waiting = [records]
        while waiting:
            part = waiting.pop()
            try:
                await self._with_patience(partial(self._digest, topic, part, apply))
            except Exception as error:
                if is_transient(error):
                    raise
                if len(part) == 1:
                    await self._with_patience(partial(self._bury_alone, topic, part[0], error))
                else:
                    log.warning("batch_taken_apart", topic=topic.name, records=len(part), error=type(error).__name__)
                    waiting += [part[len(part) // 2 :], part[: len(part) // 2]]

    async def _with_patience(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Try again with a growing pause while the database is away; anything else is not a matter of time."""
        for number in range(1, TRANSIENT_ATTEMPTS + 1):
            try:
                await attempt()
            except _TRANSIENT as error:
                if number == TRANSIENT_ATTEMPTS or not is_transient(error):
                    raise
                log.warning("inbox_waits", error=type(error).__name__, attempt=number)
                await asyncio.sleep(min(0.2 * 2**number, 10.0))
            else:
                return

    async def _digest(self, topic: Topic, records: Sequence[ConsumerRecord[bytes, bytes]], apply: Apply) -> None:
        received, buried, skipped = await _sorted_out(self.service, topic, records)
        async with transaction(self.pool) as tx:
            fresh = received if topic.is_hot else await _not_seen(tx, topic, received)
            with receive_spans(topic.name, self.service, [trace for _, _, trace in fresh]):
                applied = await apply(tx, [fact for _, fact, _ in fresh]) if fresh else 0
                for letter in buried:
                    await bury(tx, letter)
            counts = Counter(applied=applied, duplicates=len(received) - applied, dead=len(buried), unknown=skipped)
            await _move_offsets(tx, topic, records, counts)
        count_taken(topic.name, self.service, len(records), counts)

    async def _bury_alone(self, topic: Topic, record: ConsumerRecord[bytes, bytes], error: Exception) -> None:
        log.error("record_buried", topic=topic.name, offset=record.offset, error=type(error).__name__)
        counts = Counter(dead=1)
        async with transaction(self.pool) as tx:
            await bury(tx, DeadLetter.of(self.service, record, _reason(error)))
            await _move_offsets(tx, topic, [record], counts)
        count_taken(topic.name, self.service, 1, counts)


def is_transient(error: Exception) -> bool:
    """Whether trying again may help. A value that PostgreSQL will never take (too long for an index) is not."""
    return isinstance(error, _TRANSIENT) and not isinstance(error, psycopg.errors.ProgramLimitExceeded)


def _subscriber(router: KafkaRouter, topic: Topic, group_id: str) -> Callable[[Any], Any]:
    return router.subscriber(
        topic.name,
        group_id=group_id,
        batch=True,
        max_records=MAX_RECORDS,
        batch_timeout_ms=IDLE_MILLISECONDS,
        fetch_max_wait_ms=IDLE_MILLISECONDS,
        max_partition_fetch_bytes=FETCHED_BYTES,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        session_timeout_ms=SESSION_MILLISECONDS,
        heartbeat_interval_ms=HEARTBEAT_MILLISECONDS,
        parser=_leave_unparsed,
        decoder=_leave_undecoded,
    )


async def _leave_unparsed(
    records: Sequence[ConsumerRecord[bytes, bytes]], parse: Callable[[Any], Awaitable[KafkaMessage]]
) -> KafkaMessage:
    """A message around a batch; FastStream would read the headers of each record, which happens here anyway."""
    message = await parse(records[:1])
    message.raw_message = tuple(records)
    return message


async def _leave_undecoded(message: KafkaMessage) -> Sequence[bytes]:
    """Decoding happens inside the transaction, where a bad record can be buried; FastStream passes bytes on."""
    return message.body  # type: ignore[return-value]  # a batch has a list of bodies


def _reason(error: Exception) -> str:
    """Why a record was buried: the kind of the error and its place. Values stay out: a message would quote them."""
    if isinstance(error, psycopg.Error):
        return f"{type(error).__name__} {error.diag.constraint_name or ''}".strip()
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


async def _sorted_out(
    service: str, topic: Topic, records: Sequence[ConsumerRecord[bytes, bytes]]
) -> tuple[list[Received], list[DeadLetter], int]:
    """Decode records; returns the facts, the letters to bury, and how many are of a type not known here.

    Others get a turn in between: a batch takes a tenth of a second, in which their databases would wait for them.
    """
    received, buried, skipped = [], [], 0
    for number, record in enumerate(records):
        if number % DECODED_AT_ONCE == 0:
            await asyncio.sleep(0)
        headers = dict(record.headers)
        kind = headers.get("ce_type")
        what = topic.whats.get(kind) if kind is not None else None
        if (bound_for := headers.get(REDRIVE_HEADER)) is not None and bound_for.decode("ascii", "replace") != service:
            skipped += 1
        elif what is None and kind is not None:
            log.info("unknown_type", topic=topic.name, type=kind.decode("ascii", "replace"))
            skipped += 1
        else:
            try:
                received.append(_decoded(topic, record, what, headers))
            except Undecodable as error:
                buried.append(DeadLetter.of(service, record, str(error)))
    return received, buried, skipped


def _decoded(
    topic: Topic, record: ConsumerRecord[bytes, bytes], what: str | None, headers: Mapping[str, bytes]
) -> Received:
    """The fact of a record; `Undecodable` names the fields and rules that it breaks, never their values."""
    event_id = _event_id(headers.get("ce_id", b""), is_hot=topic.is_hot)
    if what is None:
        raise Undecodable("the header ce_type is missing")
    try:
        fact = topic.decode(record.value or b"")
    except ValidationError as error:
        broken = "; ".join(f"/{'/'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors()[:5])
        raise Undecodable(f"not a valid {topic.type_of(what)}: {broken}") from error
    if fact.what != what or not _has_key(topic, fact, record):
        raise Undecodable("the body does not match the headers or the key")
    trace = headers.get("traceparent")
    return event_id, fact, None if trace is None else trace.decode("ascii", "replace")


def _event_id(value: bytes, *, is_hot: bool) -> UUID | None:
    """The id of an event; on a hot topic nothing is known by it, so that its form alone is looked at."""
    if is_hot and len(value) == UUID_CHARACTERS:
        return None
    try:
        return UUID(value.decode("ascii", "replace"))
    except ValueError as error:
        raise Undecodable("the header ce_id is missing or no UUID") from error


def _has_key(topic: Topic, fact: Fact, record: ConsumerRecord[bytes, bytes]) -> bool:
    """Whether a record stands under the key of its fact; as relays write it, that is seen without taking it apart."""
    key, value = record.key or b"", record.value or b""
    return value.find(topic.key_in_json + key + b'"') >= 0 or key == str(getattr(fact, topic.key)).encode()


async def _not_seen(tx: Tx, topic: Topic, received: Sequence[Received]) -> list[Received]:
    """Enter events in the inbox and keep those that were not there, each once."""
    entered = await rows(
        tx,
        "INSERT INTO inbox (event_id, topic) SELECT DISTINCT unnest(%s::uuid[]), %s"
        " ON CONFLICT DO NOTHING RETURNING event_id",
        ([event_id for event_id, _, _ in received], topic.name),
    )
    new = {row["event_id"] for row in entered}
    fresh = []
    for one in received:
        event_id = one[0]
        if event_id in new:
            new.discard(event_id)
            fresh.append(one)
    return fresh


_MOVE = """
INSERT INTO inbox_offset AS o (topic, partition, next_offset, received, applied, duplicates, dead, unknown)
VALUES (%(topic)s, %(partition)s, %(next)s, %(received)s, %(applied)s, %(duplicates)s, %(dead)s, %(unknown)s)
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = greatest(o.next_offset, excluded.next_offset),
    received = o.received + excluded.received, applied = o.applied + excluded.applied,
    duplicates = o.duplicates + excluded.duplicates, dead = o.dead + excluded.dead,
    unknown = o.unknown + excluded.unknown, updated_at = clock_timestamp()
"""


async def _move_offsets(
    tx: Tx, topic: Topic, records: Sequence[ConsumerRecord[bytes, bytes]], counts: Mapping[str, int]
) -> None:
    """Move the offsets forward and add to the counters; a batch's effects are counted on its first partition."""
    by_partition: dict[int, list[int]] = {}
    for record in records:
        by_partition.setdefault(record.partition, []).append(record.offset)
    effects = {name: counts.get(name, 0) for name in ("applied", "duplicates", "dead", "unknown")}
    for partition in sorted(by_partition):
        offsets = by_partition[partition]
        row = {
            "topic": topic.name,
            "partition": partition,
            "next": max(offsets) + 1,
            "received": len(offsets),
        }
        await tx.execute(_MOVE, row | effects)
        effects = dict.fromkeys(effects, 0)
