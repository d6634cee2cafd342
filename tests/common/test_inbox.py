"""The inbox over real Kafka and PostgreSQL: effects once, in order, whatever comes, and nothing waits behind poison.

The function under test is one that has no protection of its own, so what the inbox lets through twice shows.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest
from faststream.kafka import KafkaRouter

from kanava.common.app import create_service
from kanava.common.contracts import BY_NAME, registry
from kanava.common.db import Pool, Tx, rows, transaction
from kanava.common.inbox import Inbox
from kanava.common.settings import ServiceSettings
from kanava.local import ports
from kanava.local.kafka import Kafka
from kanava.local.postgres import Postgres
from kanava.payments.consumers import SUBSCRIPTIONS
from tests.support import bus
from tests.support import facts as told
from tests.support.databases import APP, ServiceDatabase, service_database

TOPIC, HOT = "kanava.registry.producer.v1", "kanava.listing.listing.v1"
APPROVED = "fi.kanava.registry.producer.approved"
BAD = "Kelvoton Oy"
SECRET = "Salainen Nimi 010190-900A"

pytestmark = pytest.mark.platform


@pytest.fixture
def database(postgres: Postgres) -> Iterator[ServiceDatabase]:
    """A database of payments with a table that takes every effect except that of a bad name."""
    with service_database(postgres, "payments") as made:
        with psycopg.connect(made.owner_url, autocommit=True) as owner:
            owner.execute(
                "CREATE TABLE effect (number bigint GENERATED ALWAYS AS IDENTITY, key text, version int, name text,"
                f" CONSTRAINT effect_no_bad CHECK (name <> '{BAD}'))"
            )
            owner.execute(f"GRANT SELECT, INSERT ON effect TO {APP}")
        yield made


@pytest.fixture
async def pool(database: ServiceDatabase, kafka: Kafka) -> AsyncIterator[Pool]:
    """Connections with the application's role, and empty topics."""
    await bus.fresh_topics(kafka.bootstrap, TOPIC)
    async with database.pool() as opened:
        yield opened


async def enter(tx: Tx, heard: Sequence[registry.Producer]) -> int:
    """An effect for each fact, however often it is called."""
    for fact in heard:
        columns = (fact.producer_id, fact.version, fact.name)
        await tx.execute("INSERT INTO effect (key, version, name) VALUES (%s, %s, %s)", columns)
    return len(heard)


async def effects(pool: Pool) -> list[tuple[str, int]]:
    """Key and version of every effect, in the order in which they came about."""
    async with transaction(pool) as tx:
        return [(row["key"], row["version"]) for row in await rows(tx, "SELECT * FROM effect ORDER BY number")]


def named(number: int, version: int = 1, name: str = "Hyvä Oy") -> registry.Producer:
    """The n-th producer."""
    return told.producer(private=True, version=version).model_copy(
        update={"producer_id": f"1.2.246.10.{number}", "name": name}
    )


def body(**changed: Any) -> bytes:
    """The body of a fact with fields changed to what the contract may not allow."""
    return orjson.dumps(named(1, name=SECRET).model_dump(mode="json") | changed)


GOOD_HEADERS = {"ce_id": str(UUID(int=77)), "ce_type": APPROVED}
NO_ID = "the header ce_id is missing or no UUID"
POISON: dict[str, tuple[bytes | None, bytes, dict[str, str], str]] = {
    "not JSON": (b"\xff" + SECRET.encode(), b"k", GOOD_HEADERS, f"not a valid {APPROVED}: /: json"),
    "no body": (None, b"k", GOOD_HEADERS, "not a valid"),
    "no headers": (body(), b"k", {}, NO_ID),
    "no type": (body(), b"k", {"ce_id": str(UUID(int=78))}, "the header ce_type is missing"),
    "an id that is none": (body(), b"k", {"ce_id": SECRET, "ce_type": APPROVED}, NO_ID),
    "another key": (body(), b"k", GOOD_HEADERS, "the body does not match the headers or the key"),
    "another type": (
        body(),
        b"1.2.246.10.1",
        GOOD_HEADERS | {"ce_type": "fi.kanava.registry.producer.left"},
        "the body does not match the headers or the key",
    ),
    "an unknown value": (body(kind=SECRET), b"k", GOOD_HEADERS, "/kind: literal_error"),
    "a wrong type": (body(version=SECRET), b"k", GOOD_HEADERS, "/version: int_parsing"),
    "deep JSON": (b"[" * 5000 + b"]" * 5000, b"k", GOOD_HEADERS, "not a valid"),
}  # fmt: skip


async def test_poison_is_buried_with_its_reason_and_everything_behind_it_applies(
    pool: Pool, kafka: Kafka, capfd: pytest.CaptureFixture[str]
) -> None:
    async with bus.hearing(kafka.bootstrap, "payments", pool, {TOPIC: enter}):
        for value, key, headers, _ in POISON.values():
            await bus.say_bytes(kafka.bootstrap, TOPIC, value, key=key, headers=headers)
        await bus.say(kafka.bootstrap, *(named(n) for n in range(20)))
        counted = await bus.taken(pool, TOPIC, len(POISON) + 20)
        buried = await drained(pool, kafka)
    assert counted == {"received": len(POISON) + 20, "applied": 20, "dead": len(POISON)}
    assert sorted(await effects(pool)) == sorted((f"1.2.246.10.{n}", 1) for n in range(20))
    for (name, (value, _, _, reason)), letter in zip(POISON.items(), by_offset(buried), strict=True):
        assert reason in letter.reason, name
        assert SECRET not in letter.reason, name
        assert (letter.service, letter.topic, letter.value) == ("payments", TOPIC, value or b""), name
    said = capfd.readouterr()
    assert SECRET not in said.out + said.err


def by_offset(buried: Sequence[Any]) -> list[Any]:
    """Letters in the order in which their records were sent: poison is told apart by its body and headers."""
    sent = [(value or b"", headers) for value, _, headers, _ in POISON.values()]
    return sorted(buried, key=lambda letter: sent.index((letter.value, letter.headers)))


async def drained(pool: Pool, kafka: Kafka, topic: str = TOPIC) -> list[Any]:
    """The dead letters, once the relay has published all of them."""

    async def empty() -> bool:
        async with transaction(pool) as tx:
            return await bus.unsent(tx) == 0

    await bus.wait_until(empty, what="an empty outbox")
    return await bus.letters(kafka.bootstrap, topic)


async def test_an_unknown_type_is_counted_and_passed(pool: Pool, kafka: Kafka) -> None:
    newer = {"ce_id": str(uuid4()), "ce_type": "fi.kanava.registry.producer.merged"}
    async with bus.hearing(kafka.bootstrap, "payments", pool, {TOPIC: enter}):
        await bus.say_bytes(kafka.bootstrap, TOPIC, b"{}", headers=newer)
        await bus.say(kafka.bootstrap, named(1))
        assert await bus.taken(pool, TOPIC, 2) == {"received": 2, "applied": 1, "unknown": 1}
        assert await drained(pool, kafka) == []


async def test_one_bad_record_in_a_batch_over_all_partitions_stops_none_of_the_others(pool: Pool, kafka: Kafka) -> None:
    """The batch lies ready before the consumer starts, so it comes in one piece."""
    facts = [named(n, version) for version in (1, 2, 3) for n in range(40)]
    await bus.say(kafka.bootstrap, *facts[:60], named(7, 4, BAD), *facts[60:])
    stood = await bus.records(kafka.bootstrap, TOPIC)
    assert {record.partition for record in stood} == set(range(BY_NAME[TOPIC].partitions))
    async with bus.hearing(kafka.bootstrap, "payments", pool, {TOPIC: enter}):
        counted = await bus.taken(pool, TOPIC, 121)
        (letter,) = await drained(pool, kafka)
    assert counted == {"received": 121, "applied": 120, "dead": 1}
    assert letter.reason == "CheckViolation effect_no_bad"
    done = await effects(pool)
    assert sorted(done) == sorted((fact.producer_id, fact.version) for fact in facts)
    for n in range(40):
        assert [version for key, version in done if key == named(n).producer_id] == [1, 2, 3], "order of each key"


async def test_what_was_buried_is_driven_again_once(pool: Pool, database: ServiceDatabase, kafka: Kafka) -> None:
    async with bus.hearing(kafka.bootstrap, "payments", pool, {TOPIC: enter}):
        await bus.say(kafka.bootstrap, named(1), named(2, name=BAD), named(3))
        await bus.taken(pool, TOPIC, 3)
        (letter,) = await drained(pool, kafka)
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            owner.execute("ALTER TABLE effect DROP CONSTRAINT effect_no_bad")
        await bus.say_rows(kafka.bootstrap, [bus.redriven(letter)])
        await bus.taken(pool, TOPIC, 4)
        assert sorted(await effects(pool)) == [(named(n).producer_id, 1) for n in (1, 2, 3)]
        await bus.say_rows(kafka.bootstrap, [bus.redriven(letter), bus.redriven(letter)])
        counted = await bus.taken(pool, TOPIC, 6)
    assert counted == {"received": 6, "applied": 3, "dead": 1, "duplicates": 2}
    assert len(await effects(pool)) == 3


async def test_a_record_that_is_driven_again_for_another_service_is_left_alone(pool: Pool, kafka: Kafka) -> None:
    row = bus.row_of(named(1)) | {"headers": {"kanava_redrive": "monitoring"}}
    async with bus.hearing(kafka.bootstrap, "payments", pool, {TOPIC: enter}):
        await bus.say_rows(kafka.bootstrap, [row, bus.row_of(named(2))])
        assert await bus.taken(pool, TOPIC, 2) == {"received": 2, "applied": 1, "unknown": 1}
    assert await effects(pool) == [(named(2).producer_id, 1)]


async def test_an_event_that_comes_again_has_no_second_effect(pool: Pool, kafka: Kafka) -> None:
    said = [bus.row_of(named(n)) for n in range(50)]
    await bus.say_rows(kafka.bootstrap, [row for row in said for _ in range(2)])
    async with bus.hearing(kafka.bootstrap, "payments", pool, {TOPIC: enter}):
        await bus.taken(pool, TOPIC, 100)
        await bus.say_rows(kafka.bootstrap, said)
        counted = await bus.taken(pool, TOPIC, 150)
    assert counted == {"received": 150, "applied": 50, "duplicates": 100}
    assert len(await effects(pool)) == len(set(await effects(pool))) == 50


async def test_a_restarted_reader_goes_on_where_it_was(pool: Pool, kafka: Kafka) -> None:
    for first in (0, 10):
        async with bus.hearing(kafka.bootstrap, "payments", pool, {TOPIC: enter}):
            await bus.say(kafka.bootstrap, *(named(n) for n in range(first, first + 10)))
            counted = await bus.taken(pool, TOPIC, first + 10)
    assert counted == {"received": 20, "applied": 20}
    assert len(await effects(pool)) == 20


async def test_a_bug_that_raises_for_one_record_buries_it_without_its_values(pool: Pool, kafka: Kafka) -> None:
    async def stumble(tx: Tx, heard: Sequence[registry.Producer]) -> int:
        for fact in heard:
            if fact.name == SECRET:
                raise ValueError(f"cannot digest {fact.name}")
        return await enter(tx, heard)

    async with bus.hearing(kafka.bootstrap, "payments", pool, {TOPIC: stumble}):
        await bus.say(kafka.bootstrap, named(1), named(2, name=SECRET), named(3))
        counted = await bus.taken(pool, TOPIC, 3)
        (letter,) = await drained(pool, kafka)
    assert counted == {"received": 3, "applied": 2, "dead": 1}
    assert letter.reason.startswith("ValueError")
    assert SECRET not in letter.reason


async def test_one_bad_record_among_thousands_costs_a_few_attempts(pool: Pool, kafka: Kafka) -> None:
    attempts = 0

    async def counted(tx: Tx, heard: Sequence[registry.Producer]) -> int:
        nonlocal attempts
        attempts += 1
        return await enter(tx, heard)

    await bus.say(kafka.bootstrap, *(named(n, name=BAD if n == 700 else "Hyvä Oy") for n in range(1024)))
    records = await bus.records(kafka.bootstrap, TOPIC)
    await Inbox("payments", pool).take(BY_NAME[TOPIC], records, counted)
    assert attempts <= 2 * 10 + 1
    assert await bus.counters(pool, TOPIC) == {"received": 1024, "applied": 1023, "dead": 1}


UNSTORABLE: dict[str, tuple[dict[str, Any], str]] = {
    "too long for an index": ({"producer_id": "".join(f"{n * n}" for n in range(2000))}, "ProgramLimitExceeded"),
    "with a NUL": ({"name": "Yhtiö \0 Oy"}, "DataError"),
    "too large a number": ({"version": 2**40}, "NumericValueOutOfRange"),
}


@pytest.mark.parametrize("broken", UNSTORABLE)
async def test_a_value_that_no_database_takes_is_buried_and_not_waited_for(
    pool: Pool, kafka: Kafka, broken: str
) -> None:
    changed, reason = UNSTORABLE[broken]
    facts = [named(1), named(2).model_copy(update=changed), named(3)]
    async with bus.hearing(kafka.bootstrap, "payments", pool, {TOPIC: SUBSCRIPTIONS[TOPIC]}):
        await bus.say(kafka.bootstrap, *facts)
        assert await bus.taken(pool, TOPIC, 3) == {"received": 3, "applied": 2, "dead": 1}
        (letter,) = await drained(pool, kafka)
    assert letter.reason.startswith(reason)


async def test_a_bad_record_of_a_hot_topic_stops_none_of_the_others(pool: Pool, kafka: Kafka) -> None:
    """A batch that is merged set-based: one span ends before it begins."""
    await bus.fresh_topics(kafka.bootstrap, HOT)
    bad = told.span(date(2026, 10, 1), date(2026, 9, 1))
    good = [told.listed(n, told.span(date(2026, 9, 1))) for n in range(1000)]
    async with bus.hearing(kafka.bootstrap, "payments", pool, {HOT: SUBSCRIPTIONS[HOT]}):
        await bus.say(kafka.bootstrap, *good[:500], told.listed(5000, bad), *good[500:], *good)
        counted = await bus.taken(pool, HOT, 2001)
    assert counted == {"received": 2001, "applied": 1000, "duplicates": 1000, "dead": 1}


async def test_a_hot_record_that_is_not_what_it_says_is_buried_and_one_by_another_hand_is_taken(
    pool: Pool, kafka: Kafka
) -> None:
    await bus.fresh_topics(kafka.bootstrap, HOT)
    headers = {"ce_id": str(UUID(int=1)), "ce_type": "fi.kanava.listing.listing.chosen"}
    fact = told.listed(1, told.span(date(2026, 9, 1))).model_copy(update={"what": "chosen"})
    compact, key = fact.model_dump_json().encode(), str(fact.resident_id).encode()
    spaced = orjson.dumps(fact.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
    await bus.say_bytes(kafka.bootstrap, HOT, compact, key=str(told.resident_id(2)).encode(), headers=headers)
    await bus.say_bytes(kafka.bootstrap, HOT, compact, key=key, headers=headers | {"ce_id": "1"})
    await bus.say_bytes(kafka.bootstrap, HOT, spaced, key=key, headers=headers)
    async with bus.hearing(kafka.bootstrap, "payments", pool, {HOT: SUBSCRIPTIONS[HOT]}):
        assert await bus.taken(pool, HOT, 3) == {"received": 3, "applied": 1, "dead": 2}
        reasons = {letter.reason for letter in await drained(pool, kafka, HOT)}
    assert reasons == {"the body does not match the headers or the key", NO_ID}


class Away:
    """A pool whose database cannot be reached as long as `left` looks are to fail."""

    def __init__(self, pool: Pool, looks: int) -> None:
        self._pool, self.left = pool, looks

    def connection(self) -> Any:
        """A connection, or what psycopg raises when the server is away."""
        if self.left > 0:
            self.left -= 1
            raise psycopg.OperationalError("the connection is lost")
        return self._pool.connection()


@pytest.mark.parametrize("looks", [1, 3])
async def test_a_database_that_is_away_for_a_while_is_waited_for(pool: Pool, kafka: Kafka, looks: int) -> None:
    await bus.say(kafka.bootstrap, *(named(n) for n in range(30)))
    away = Away(pool, looks)
    records = await bus.records(kafka.bootstrap, TOPIC)
    await Inbox("payments", away).take(BY_NAME[TOPIC], records, enter)  # type: ignore[arg-type]  # it has what the inbox uses
    assert away.left == 0
    assert len(await effects(pool)) == 30


async def test_a_batch_that_had_to_be_given_up_comes_again_from_every_partition(
    pool: Pool, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patience ends at once here, so Kafka has to deliver the batch again; nothing of it may be skipped."""
    monkeypatch.setattr("kanava.common.inbox.TRANSIENT_ATTEMPTS", 1)
    failures = [psycopg.OperationalError("away")] * 3

    async def away_at_first(tx: Tx, heard: Sequence[registry.Producer]) -> int:
        if failures:
            raise failures.pop()
        return await enter(tx, heard)

    await bus.say(kafka.bootstrap, *(named(n) for n in range(40)))
    async with bus.hearing(kafka.bootstrap, "payments", pool, {TOPIC: away_at_first}):
        counted = await bus.taken(pool, TOPIC, 40)
    assert failures == []
    assert counted == {"received": 40, "applied": 40}
    assert sorted(await effects(pool)) == sorted((named(n).producer_id, 1) for n in range(40))


async def test_a_service_whose_brokers_are_away_at_its_start_serves_and_hears_later(
    pool: Pool, database: ServiceDatabase, kafka: Kafka
) -> None:
    port = ports.free_port()
    settings = ServiceSettings(service="payments", database_url=database.app_url, kafka=f"127.0.0.1:{port}")
    app = create_service(settings, routers=[], subscriptions={TOPIC: enter})
    await bus.say(kafka.bootstrap, *(named(n) for n in range(10)))
    async with app.router.lifespan_context(app):
        assert await bus.counters(pool, TOPIC) == {}
        async with bus.forwarding(port, kafka.bootstrap):
            assert await bus.taken(pool, TOPIC, 10) == {"received": 10, "applied": 10}


async def test_a_topic_of_others_cannot_be_subscribed(pool: Pool) -> None:
    with pytest.raises(ValueError, match="not a reader"):
        Inbox("registry", pool).subscribe(KafkaRouter(), TOPIC, enter)
