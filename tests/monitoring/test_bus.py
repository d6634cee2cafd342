"""The bus on a real broker: lag of every group, dead letters, and driving one again exactly as it was."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, ClassVar, Literal
from uuid import UUID, uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from kanava.common.contracts import TOPICS, Fact, Topic
from kanava.common.db import Pool, transaction
from kanava.common.deadletter import REDRIVE_HEADER, DeadLetter, bury
from kanava.common.kafka import Publisher
from kanava.common.relay import Relay, prepare_shards
from kanava.common.topics_admin import ensure_topics
from kanava.local.kafka import Kafka
from kanava.monitoring import bus
from tests.monitoring.test_api import make_app
from tests.monitoring.tokens import bearer

TOPIC = "kanava.registry.contract.v1"
ORIGINAL = {
    "ce_id": str(UUID(int=41)),
    "ce_type": "fi.kanava.registry.contract.signed",
    "ce_source": "/kanava/registry",
}
REDRIVE = "/v1/bus/deadletters/redrive"
pytestmark = pytest.mark.platform


@pytest.fixture
async def bootstrap(kafka: Kafka) -> str:
    await ensure_topics(kafka.bootstrap)
    return kafka.bootstrap


@pytest.fixture
async def client(pool: Pool, bootstrap: str) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(pool, kafka=bootstrap)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://monitoring"
    ) as ours:
        yield ours


def letter(service: str, body: bytes = b'{"a": 1}', reason: str = "/a: missing") -> DeadLetter:
    return DeadLetter(
        letter_id=uuid4(), service=service, topic=TOPIC, partition=0, offset=3, reason=reason,
        key_base64=base64.b64encode(b"c1").decode(), value_base64=base64.b64encode(body).decode(),
        headers=ORIGINAL,
    )  # fmt: skip


async def relayed(pool: Pool, bootstrap: str, *letters: DeadLetter) -> None:
    """Bury letters if there are any, and publish what stands in the outbox."""
    publisher = Publisher(bootstrap, source="/kanava/monitoring")
    async with transaction(pool) as tx:
        await prepare_shards(tx)
        for one in letters:
            await bury(tx, one)
    # A relay is a lease of ten seconds, so each call waits for none but its own.
    async with transaction(pool) as tx:
        await tx.execute("UPDATE relay_shard SET leased_until = '-infinity'")
    await Relay(pool, publisher).publish_once()
    await publisher.close()


async def read_end(bootstrap: str, topic: str, count: int) -> list[Any]:
    """The last records of a topic."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        records: list[Any] = []
        async with asyncio.timeout(10):
            ends = sum((await consumer.end_offsets(consumer.assignment())).values())
            while len(records) < ends:
                for part in (await consumer.getmany(timeout_ms=500)).values():
                    records.extend(part)
    return sorted(records, key=lambda record: record.timestamp)[-count:]


async def drive(
    client: httpx.AsyncClient, *ids: UUID, key: str | None = None, **changes: Any
) -> httpx.Response:
    body = {"letter_ids": [str(one) for one in ids], "reason": "the reader was mended"} | changes
    headers = bearer("operator") | {"idempotency-key": key or str(uuid4())}
    return await client.post(REDRIVE, json=body, headers=headers)


async def test_letters_are_grouped_and_driven_again_once(
    client: httpx.AsyncClient, pool: Pool, bootstrap: str
) -> None:
    first, second, other = letter("payments"), letter("payments"), letter("monitoring", reason="another")
    await relayed(pool, bootstrap, first, second, other)
    seen = (await client.get("/v1/bus/deadletters", headers=bearer("operator"))).json()
    ours = {(group["service"], group["reason"]): group for group in seen["groups"] if group["topic"] == TOPIC}
    assert set(ours["payments", first.reason]["letter_ids"]) == {str(first.letter_id), str(second.letter_id)}
    assert ours["monitoring", "another"]["letters"] == 1

    driven = await drive(client, first.letter_id, key="once")
    assert (driven.status_code, driven.json()) == (200, {"letter_ids": [str(first.letter_id)]})
    assert (await drive(client, first.letter_id, key="once")).headers["idempotent-replay"] == "true"
    await relayed(pool, bootstrap)
    (record,) = await read_end(bootstrap, TOPIC, 1)
    headers = [(name, value.decode()) for name, value in record.headers]
    assert (record.key, record.value) == (b"c1", first.value)
    assert len(dict(headers)) == len(headers), "no header stands twice"
    assert dict(headers).items() >= (ORIGINAL | {REDRIVE_HEADER: "payments"}).items()

    refused = await drive(client, second.letter_id, first.letter_id)
    problem = refused.json()
    assert (refused.status_code, problem["reason"]) == (409, "already_driven")
    assert problem["letter_ids"] == [str(first.letter_id)]
    assert (await drive(client, first.letter_id, force=True)).status_code == 200
    async with transaction(pool) as tx:
        kept = await (
            await tx.execute("SELECT attempt, forced, reason, driven_by FROM redrive ORDER BY attempt")
        ).fetchall()
    assert [(row["attempt"], row["forced"], row["driven_by"]) for row in kept] == [
        (1, False, "operator-1"),
        (2, True, "operator-1"),
    ]


async def test_what_cannot_be_driven_is_named_and_nothing_is_driven(
    client: httpx.AsyncClient, pool: Pool, bootstrap: str
) -> None:
    good, bad = letter("monitoring"), letter("monitoring", body=b"\xff")
    await relayed(pool, bootstrap, good, bad)
    refused = await drive(client, good.letter_id, bad.letter_id)
    assert (refused.status_code, refused.json()["reason"]) == (409, "not_text")
    unknown = await drive(client, good.letter_id, UUID(int=404))
    assert (unknown.status_code, unknown.json()["letter_ids"]) == (404, [str(UUID(int=404))])
    assert (await drive(client, good.letter_id, reason="")).status_code == 422
    assert (await drive(client, good.letter_id)).status_code == 200


async def test_something_that_is_no_letter_hides_no_letter(pool: Pool, bootstrap: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait(f"{TOPIC}.dlq", b"no letter")
    mine = letter("monitoring")
    await relayed(pool, bootstrap, mine)
    page = await bus.dead_letters(bootstrap, most=1000, deadline_seconds=10)
    assert mine.letter_id in {one.letter_id for one in page.buried}
    newest = await bus.dead_letters(bootstrap, most=1, deadline_seconds=10)
    assert [one.letter_id for one in newest.buried if one.topic == TOPIC] == [mine.letter_id]


class Note(Fact):
    """A fact that no service says, so that a test has a topic of its own."""

    aggregate: ClassVar[str] = f"note{uuid4().hex[:8]}"
    what: Literal["written"]


NOTES = Topic("registry", Note, "note_id", ("payments", "listing", "monitoring"), partitions=1)


async def commit(bootstrap: str, group: str, offset: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    place = TopicPartition(NOTES.name, 0)
    await consumer.start()
    consumer.assign([place])
    await consumer.commit({place: offset})
    await consumer.stop()


async def test_a_group_is_behind_by_messages_and_by_the_age_of_the_oldest_unread(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(NOTES.name, 1, 1)])
    await admin.close()
    written_at = int(time.time()) - 100
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for n in range(5):
            await producer.send_and_wait(NOTES.name, b"{}", partition=0, timestamp_ms=1000 * (written_at + n))
    await commit(bootstrap, f"payments.{Note.aggregate}", 5)
    await commit(bootstrap, f"listing.{Note.aggregate}", 3)
    found = await bus.lag(
        bootstrap, deadline_seconds=10, topics=[NOTES], wall_clock=lambda: written_at + 10.0
    )
    assert [(g.service, g.committed_offset, g.lag_messages, g.lag_seconds) for g in found.groups] == [
        ("payments", 5, 0, 0.0),
        ("listing", 3, 2, 7.0),
        ("monitoring", None, 5, 10.0),
    ]
    assert (found.caught_up, found.missing_topics) == (False, [])


async def test_every_group_of_the_table_is_looked_at(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/bus/lag", headers=bearer("operator"))).json()
    found = {(one["group"], one["topic"], one["partition"]) for one in answer["groups"]}
    assert found == {
        (f"{service}.{one.model.aggregate}", one.name, partition)
        for one in TOPICS
        for service in one.heard_by
        for partition in range(one.partitions)
    }
    assert answer["missing_topics"] == []


async def test_a_topic_that_is_missing_is_not_caught_up(bootstrap: str) -> None:
    missing = Topic("registry", Note, "note_id", ("payments",), partitions=1)
    never_made = replace(missing, service="nobody")
    found = await bus.lag(bootstrap, deadline_seconds=10, topics=[never_made])
    assert (found.caught_up, found.missing_topics) == (False, [never_made.name])
