"""A look at the bus with the broker's own figures: the lag of every consumer group, and the dead letters.

Each look has a deadline and bounds. It reads; it commits no offset and joins no consumer group.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pydantic import BaseModel

from kanava.common.contracts import TOPICS, Topic
from kanava.common.deadletter import DeadLetter
from kanava.common.errors import Invalid

from .domain.letters import Buried
from .errors import BusUnavailable, LetterUnknown

OLDEST_UNREAD_SECONDS = 1.0
RETRY_SECONDS = 0.2
FETCH_BYTES = 65_536
SEARCHED_AT_ONCE = 10_000
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
    _assign_at_rest(consumer, everywhere)
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


def _assign_at_rest(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> None:
    """Let a consumer learn of partitions all at once, without reading: asked for one by one it waits for each topic."""
    consumer.assign(places)
    consumer.pause(*places)


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


@dataclass(frozen=True)
class LetterPage:
    """What is known of the letters of a page, where the page ends, and where an older one does, None at the oldest."""

    buried: list[Buried]
    ends: list[int]
    older: list[int] | None


@dataclass(frozen=True)
class _Stretch:
    """Of each partition of dead letters the offsets from `starts` up to, not including, `ends`."""

    starts: dict[TopicPartition, int]
    ends: dict[TopicPartition, int]
    has_older: bool


async def dead_letters(
    bootstrap: str, *, most: int, deadline_seconds: float, before: Sequence[int] | None = None
) -> LetterPage:
    """What is known of the newest letters without their bodies, or of the newest before the ends of a page.

    A page has at most so many letters of each topic. Raises `Invalid` for ends that are of no page.
    """
    buried: list[Buried] = []
    with _brokers_in_time():
        async with asyncio.timeout(deadline_seconds), _letter_reader(bootstrap) as (consumer, places):
            stretch = await _stretch(consumer, places, most, before)
            async for record in _records(consumer, stretch):
                if (letter := _read(record.value)) is not None:
                    buried.append(Buried(letter.letter_id, letter.service, letter.topic, letter.reason, _at(record)))
    older = list(stretch.starts.values()) if stretch.has_older else None
    return LetterPage(buried, list(stretch.ends.values()), older)


async def find_letters(
    bootstrap: str,
    letter_ids: Iterable[UUID],
    *,
    most: int,
    deadline_seconds: float,
    page: Sequence[int] | None = None,
) -> list[DeadLetter]:
    """The named letters in the order in which they were buried; `LetterUnknown` when one is not kept.

    All letters are searched, from the newest on, a stretch at a time, each with its own deadline; where `page` says
    on which page they are, that one alone. No body is kept but those of the letters that are found.
    """
    wanted = {str(one).encode() for one in letter_ids}
    found: dict[bytes, tuple[datetime, int, DeadLetter]] = {}
    before, at_once = page, SEARCHED_AT_ONCE if page is None else most
    with _brokers_in_time():
        async with _letter_reader(bootstrap) as (consumer, places):
            while True:
                async with asyncio.timeout(deadline_seconds):
                    stretch = await _stretch(consumer, places, at_once, before)
                    async for record in _records(consumer, stretch):
                        if record.key in wanted and (letter := _read(record.value)) is not None:
                            found[record.key] = (_at(record), record.offset, letter)
                if page is not None or not stretch.has_older or len(found) == len(wanted):
                    break
                before = list(stretch.starts.values())
    if missing := wanted - found.keys():
        raise LetterUnknown(pointer="/letter_ids", letter_ids=sorted(one.decode() for one in missing))
    return [letter for *_, letter in sorted(found.values(), key=lambda one: one[:2])]


@contextlib.asynccontextmanager
async def _letter_reader(bootstrap: str) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    """A consumer, and the partitions of all dead letters in an order that stays."""
    async with _admin(bootstrap) as admin, _consumer(bootstrap) as consumer:
        of_topic = await _partitions(admin, [topic.dead_letters for topic in TOPICS])
        places = sorted(one for partitions in of_topic.values() for one in partitions)
        _assign_at_rest(consumer, places)
        yield consumer, places


async def _stretch(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], most: int, before: Sequence[int] | None
) -> _Stretch:
    """The newest letters of each partition, or the newest before these ends."""
    oldest, newest = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    if before is None:
        before = [newest[one] for one in places]
    if len(before) != len(places):
        raise Invalid("the cursor is not one of this list", pointer="/cursor", rule="cursor")
    ends = {one: max(oldest[one], min(end, newest[one])) for one, end in zip(places, before, strict=True)}
    starts = {one: max(oldest[one], ends[one] - most) for one in places}
    return _Stretch(starts, ends, any(oldest[one] < starts[one] for one in places))


async def _records(consumer: AIOKafkaConsumer, stretch: _Stretch) -> AsyncIterator["ConsumerRecord[bytes, bytes]"]:
    """The records of a stretch, a fetch at a time."""
    ends = stretch.ends
    open_places = {one for one, start in stretch.starts.items() if start < ends[one]}
    for one in open_places:
        consumer.seek(one, stretch.starts[one])
    consumer.resume(*open_places)
    while open_places:
        for place, records in (await consumer.getmany(*open_places, timeout_ms=200)).items():
            for record in records:
                if record.offset < ends[place]:
                    yield record
        done = {one for one in open_places if await consumer.position(one) >= ends[one]}
        consumer.pause(*done)
        open_places -= done


def _at(record: "ConsumerRecord[bytes, bytes]") -> datetime:
    """When a letter was buried."""
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)


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
