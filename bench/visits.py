"""Visits from Kafka to booked fees against a bare consumer that decodes and copies them.

Ours: two copies of payments take them in batches, each deduplicated and merged with its offsets in one transaction;
then the month's run prices them, writes resident lines, indexes, digests and books. Yardstick: one consumer that
decodes the same records with one `TypeAdapter` and `COPY`s them into a bare table. Both have joined their groups before
the clock starts, with their first batches, and end with everything committed.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pydantic import TypeAdapter

from kanava.common.contracts.base import HOT_PARTITIONS
from kanava.common.contracts.monitoring import Production
from kanava.common.db import Pool, one, stage, transaction
from kanava.common.inbox import MAX_RECORDS
from kanava.local import services
from kanava.local.platform import Platform
from kanava.payments.commands import RequestRun
from kanava.payments.facts import MERGE_LOCK
from kanava.payments.service.runs import close_next, request_run

from .measured import Figure
from .population import fill

COPIES = 2
RESIDENTS = 20_000
PUBLISHED_AT_ONCE = 20_000
AIM = 0.35
TOPIC = "kanava.monitoring.production.v1"
MONTH = date(2027, 1, 1)
COLUMNS = (
    "production_id uuid, version int4, recorded_from timestamptz, report_id text, producer_id text, unit_id text,"
    " resident_id uuid, area text, node text, unit_of_measure text, performed_on date, quantity int4,"
    " client_fee_cents int4"
)


async def visits(running: Platform, pool: Pool, owner: Pool, count: int) -> Figure:
    """Visits a second, on an otherwise small database; `running` has no service yet."""
    await fill(owner, RESIDENTS)
    _start_copies(running)
    await _joined(running.kafka, "payments.production", HOT_PARTITIONS)
    async with _held(owner):
        await _publish(running.kafka, count)
        plain = await _bare(owner, running.kafka, count)
    ours = await _ours(pool, count)
    return Figure(f"visits from Kafka to booked, {count:,}", ours, plain, "1/s", AIM, higher_is_better=True)


def _start_copies(running: Platform) -> None:
    copies = [copy for copy in services.plan(running.profile, {"payments": COPIES}) if copy.service == "payments"]
    for copy in copies:
        running.start_copy(copy)
    for copy in copies:
        services.wait_for(running.profile, copy.name, copy.port)


async def _joined(bootstrap: str, group: str, members: int) -> None:
    """Wait until a consumer group is stable with so many members."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        while True:
            with contextlib.suppress(KafkaError):  # the group's coordinator is not known at once
                (answer,) = await admin.describe_consumer_groups([group])
                _, _, state, _, _, joined, *_ = answer.groups[0]
                if state == "Stable" and len(joined) == members:
                    return
            await asyncio.sleep(0.2)
    finally:
        await admin.close()


@contextlib.asynccontextmanager
async def _held(owner: Pool) -> AsyncIterator[None]:
    """Let nothing be merged meanwhile: the copies wait with their first batches."""
    async with transaction(owner) as tx:
        await tx.execute("SELECT pg_advisory_xact_lock(%s)", (MERGE_LOCK,))
        yield


async def _publish(bootstrap: str, count: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=262_144)
    await producer.start()
    for first in range(0, count, PUBLISHED_AT_ONCE):
        acks = [await producer.send(TOPIC, **_record(n)) for n in range(first, min(first + PUBLISHED_AT_ONCE, count))]
        await asyncio.gather(*acks)
    await producer.stop()


def _record(number: int) -> dict[str, object]:
    fact = Production(
        what="accepted",
        version=1,
        recorded_at=datetime(2027, 1, 10, tzinfo=UTC),
        production_id=UUID(int=2 * 10**30 + number),
        report_id=f"R{number}",
        producer_id="p1",
        unit_id="1.2.246.10.32213473.10.1",
        resident_id=UUID(int=10**30 + number % 100_000),
        area="03",
        node="SOS.1.1",
        unit_of_measure="kaynti",
        performed_on=date(2027, 1, 1 + number % 9),
        client_fee_cents=2060 if number % 3 == 0 else 0,
    )
    headers = [("ce_id", str(UUID(int=number)).encode()), ("ce_type", b"fi.kanava.monitoring.production.accepted")]
    return {"key": str(fact.production_id).encode(), "value": fact.model_dump_json().encode(), "headers": headers}


async def _ours(pool: Pool, count: int) -> float:
    """Visits a second, from when the first batches are in; these are not counted."""
    first = await _taken(pool, 1, pause_seconds=0.02)
    begun = time.perf_counter()
    await _taken(pool, count, pause_seconds=0.2)
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun("03", MONTH, "bench"), datetime(2027, 2, 2, tzinfo=UTC))
    while not await _booked(pool, count):
        await close_next(pool)
    return (count - first) / (time.perf_counter() - begun)


async def _booked(pool: Pool, count: int) -> bool:
    """Whether the month is closed; by then every visit has its line."""
    async with transaction(pool) as tx:
        run = await one(tx, "SELECT status, problem FROM run WHERE month = %s", (MONTH,))
        assert run is not None
        assert run["problem"] is None, run
        if run["status"] != "closed":
            return False
        booked = await one(tx, "SELECT count(*) AS n FROM line WHERE component = 'fee'")
    assert booked == {"n": count}, booked
    return True


async def _taken(pool: Pool, count: int, *, pause_seconds: float) -> int:
    """Wait until at least so many visits are merged; returns how many are. Who looks often takes time from both."""
    while True:
        async with transaction(pool) as tx:
            row = await one(tx, "SELECT coalesce(sum(applied), 0) AS n FROM inbox_offset WHERE topic = %s", (TOPIC,))
        if row and row["n"] >= count:
            return int(row["n"])
        await asyncio.sleep(pause_seconds)


async def _bare(pool: Pool, bootstrap: str, count: int) -> float:
    """Visits a second, from when the first batch is in."""
    adapter = TypeAdapter(Production)
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=bootstrap,
        group_id="bench-bare",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    async with transaction(pool) as tx:
        await tx.execute(f"CREATE TABLE bare_visit ({COLUMNS})")
    taken, first, begun = 0, 0, 0.0
    while taken < count:
        batches = await consumer.getmany(timeout_ms=500, max_records=MAX_RECORDS)
        facts = [adapter.validate_json(record.value) for records in batches.values() for record in records]
        if facts:
            await _copy(pool, facts)
            await consumer.commit()
        taken += len(facts)
        if not first:
            first, begun = taken, time.perf_counter()
    seconds = time.perf_counter() - begun
    await consumer.stop()
    return (count - first) / seconds


async def _copy(pool: Pool, facts: Sequence[Production]) -> None:
    names = [column.split()[0] for column in COLUMNS.replace("recorded_from", "recorded_at").split(",")]
    async with transaction(pool) as tx:
        await stage(tx, "arrived", COLUMNS, ([getattr(fact, name) for name in names] for fact in facts))
        await tx.execute("INSERT INTO bare_visit SELECT * FROM arrived")
