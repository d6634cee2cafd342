"""A look at the bus with the broker's own figures: the lag of every consumer group, and the dead letters.

Each look has a deadline and bounds. It reads; it commits no offset and joins no consumer group.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pydantic import BaseModel

from kanava.common.contracts import TOPICS, Topic
from kanava.common.deadletter import DeadLetter

from .domain.letters import Buried
from .errors import BusUnavailable, LetterUnknown

OLDEST_UNREAD_SECONDS = 1.0
RETRY_SECONDS = 0.2
FETCH_BYTES = 65_536
_REQUEST_MILLISECONDS = 5_000


class PartitionLag(BaseModel):
    """How far a consumer group is behind on one partition; `committed_offset` None: it never committed.

    `lag_seconds` is the age of the oldest unread record by its own timestamp, None if it was not seen.
    """

    service: str
    group: str
    topic: str
    partition: int
    end_offset: int
    committed_offset: int | None
    lag_messages: int
    lag_seconds: float | None


class BusLag(BaseModel):
    """Every consumer group of the table of topics, and whether all have read everything that there is."""

    caught_up: bool
    missing_topics: list[str]
    groups: list[PartitionLag]


Place = tuple[TopicPartition, int]
"""A partition and an offset in it."""

Partitions = dict[str, list[TopicPartition]]
"""The partitions of each topic."""


async def lag(
    bootstrap: str,
    *,
    deadline_seconds: float,
    topics: Sequence[Topic] = TOPICS,
    wall_clock: Callable[[], float] = time.time,
) -> BusLag:
    """The lag of every consumer group; `BusUnavailable` when the brokers do not answer in time."""
    with _brokers_in_time():
        async with (
            asyncio.timeout(deadline_seconds),
            _admin(bootstrap) as admin,
            _consumer(bootstrap) as consumer,
        ):
            partitions = await _partitions(admin, [topic.name for topic in topics])
            found = await _all_lags(admin, consumer, topics, partitions)
            await _add_ages(consumer, found, wall_clock)
    groups = [one for one, _ in found]
    missing = sorted({topic.name for topic in topics} - partitions.keys())
    caught_up = not missing and all(one.lag_messages == 0 for one in groups)
    return BusLag(caught_up=caught_up, missing_topics=missing, groups=groups)


async def _all_lags(
    admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, topics: Sequence[Topic], partitions: Partitions
) -> list[tuple[PartitionLag, Place]]:
    """Each group's lag, and the place of its oldest unread record."""
    everywhere = [one for of_topic in partitions.values() for one in of_topic]
    starts, ends = await consumer.beginning_offsets(everywhere), await consumer.end_offsets(everywhere)
    readers = [(service, topic) for topic in topics for service in topic.heard_by]
    offsets = await asyncio.gather(*(_committed(admin, service, topic) for service, topic in readers))
    return [
        _partition_lag(
            service, topic, place, start=starts[place], end=ends[place], committed=committed.get(place)
        )
        for (service, topic), committed in zip(readers, offsets, strict=True)
        for place in partitions.get(topic.name, [])
    ]


def _partition_lag(
    service: str, topic: Topic, place: TopicPartition, *, start: int, end: int, committed: int | None
) -> tuple[PartitionLag, Place]:
    """A reader without a committed offset, or with one that is not kept any more, goes on from the start."""
    next_offset = start if committed is None else max(start, committed)
    one = PartitionLag(
        service=service,
        group=_group(service, topic),
        topic=topic.name,
        partition=place.partition,
        end_offset=end,
        committed_offset=committed,
        lag_messages=max(0, end - next_offset),
        lag_seconds=0.0 if next_offset >= end else None,
    )
    return one, (place, next_offset)


def _group(service: str, topic: Topic) -> str:
    return f"{service}.{topic.model.aggregate}"


async def _committed(admin: AIOKafkaAdminClient, service: str, topic: Topic) -> dict[TopicPartition, int]:
    """Where a group goes on; a coordinator that is just being chosen is asked again until the deadline."""
    while True:
        try:
            answer = await admin.list_consumer_group_offsets(_group(service, topic))
        except KafkaError as error:
            if not error.retriable:
                raise
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return {place: at.offset for place, at in answer.items() if at.offset >= 0}


async def _partitions(admin: AIOKafkaAdminClient, names: Iterable[str]) -> Partitions:
    """The partitions of those of the named topics that the broker has."""
    described = await admin.describe_topics(list(names))
    return {
        one["topic"]: sorted(TopicPartition(one["topic"], part["partition"]) for part in one["partitions"])
        for one in described
        if one["error_code"] == 0
    }


async def _add_ages(
    consumer: AIOKafkaConsumer, found: list[tuple[PartitionLag, Place]], wall_clock: Callable[[], float]
) -> None:
    """Fill in how old the oldest unread record of each late group is; each place is looked at once."""
    offsets: dict[TopicPartition, set[int]] = defaultdict(set)
    for one, (partition, offset) in found:
        if one.lag_messages:
            offsets[partition].add(offset)
    written_at: dict[Place, float] = {}
    for partition, wanted in offsets.items():
        for offset in sorted(wanted):
            if (timestamp := await _timestamp(consumer, partition, offset)) is not None:
                written_at[partition, offset] = timestamp
    for one, place in found:
        if place in written_at and one.lag_messages:
            one.lag_seconds = max(0.0, wall_clock() - written_at[place])


async def _timestamp(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> float | None:
    """When the record at an offset was written, in seconds; None when it did not come in time."""
    consumer.assign([partition])
    consumer.seek(partition, offset)
    try:
        async with asyncio.timeout(OLDEST_UNREAD_SECONDS):
            return float((await consumer.getone(partition)).timestamp) / 1000
    except TimeoutError:
        return None


async def dead_letters(bootstrap: str, *, newest: int, deadline_seconds: float) -> list[Buried]:
    """What is known of the newest letters of every topic, without their bodies."""
    buried: list[Buried] = []
    with _brokers_in_time():
        async with (
            asyncio.timeout(deadline_seconds),
            contextlib.aclosing(_letters(bootstrap, newest)) as letters,
        ):
            async for letter, at in letters:
                buried.append(Buried(letter.letter_id, letter.service, letter.topic, letter.reason, at))
    return buried


async def find_letters(
    bootstrap: str, letter_ids: Iterable[UUID], *, newest: int, deadline_seconds: float
) -> list[DeadLetter]:
    """The named letters in the order in which they were buried; `LetterUnknown` when one is not kept."""
    wanted = set(letter_ids)
    found: dict[UUID, tuple[datetime, DeadLetter]] = {}
    with _brokers_in_time():
        async with (
            asyncio.timeout(deadline_seconds),
            contextlib.aclosing(_letters(bootstrap, newest)) as letters,
        ):
            async for letter, at in letters:
                if letter.letter_id in wanted:
                    found[letter.letter_id] = (at, letter)
    if missing := wanted - found.keys():
        raise LetterUnknown(pointer="/letter_ids", letter_ids=sorted(map(str, missing)))
    return [letter for _, letter in sorted(found.values(), key=lambda one: (one[0], one[1].offset))]


async def _letters(bootstrap: str, newest: int) -> AsyncGenerator[tuple[DeadLetter, datetime]]:
    """The `newest` letters of each dead-letter topic, and when each was buried."""
    async with _admin(bootstrap) as admin, _consumer(bootstrap) as consumer:
        of_topic = await _partitions(admin, [topic.dead_letters for topic in TOPICS])
        places = [one for partitions in of_topic.values() for one in partitions]
        starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        starts = {one: max(starts[one], ends[one] - newest) for one in places}
        open_places = {one for one in places if starts[one] < ends[one]}
        consumer.assign(open_places)
        for one in open_places:
            consumer.seek(one, starts[one])
        while open_places:
            for place, records in (await consumer.getmany(*open_places, timeout_ms=200)).items():
                for record in records:
                    if record.offset < ends[place] and (letter := _read(record.value)) is not None:
                        yield letter, datetime.fromtimestamp(record.timestamp / 1000, UTC)
            open_places = {one for one in open_places if await consumer.position(one) < ends[one]}


def _read(body: bytes | None) -> DeadLetter | None:
    """A letter, or None for something that is none: it must not hide the others."""
    try:
        return DeadLetter.read(body or b"")
    except (ValueError, TypeError, KeyError):
        return None


@contextlib.contextmanager
def _brokers_in_time() -> Iterator[None]:
    """Turn silence or an error of the brokers into a problem that may be tried again."""
    try:
        yield
    except (TimeoutError, KafkaError, OSError) as error:
        raise BusUnavailable() from error


@contextlib.asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_REQUEST_MILLISECONDS)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


@contextlib.asynccontextmanager
async def _consumer(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
        request_timeout_ms=_REQUEST_MILLISECONDS,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()
