"""Visits from Kafka to booked fees against a bare consumer that decodes and copies them.

Ours: consumed in batches, deduplicated and merged with the offsets in the same transaction, then priced, written as
resident lines, indexed, digested and booked by the month's run. Yardstick: one consumer that decodes the same
records with one `TypeAdapter` and `COPY`s them into a bare table. Both end with everything committed.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pydantic import TypeAdapter

from kanava.common.app import consuming_broker
from kanava.common.contracts.monitoring import Production
from kanava.common.db import Pool, one, stage, transaction
from kanava.common.inbox import MAX_RECORDS, Inbox
from kanava.payments.commands import RequestRun
from kanava.payments.consumers import SUBSCRIPTIONS
from kanava.payments.service.runs import close_next, request_run
from kanava.payments.settings import PaymentsSettings

from .measured import Figure, seconds_of

AIM = 0.35
TOPIC = "kanava.monitoring.production.v1"
MONTH = date(2027, 1, 1)
COLUMNS = (
    "production_id uuid, version int4, recorded_from timestamptz, report_id text, producer_id text, unit_id text,"
    " resident_id uuid, area text, node text, unit_of_measure text, performed_on date, quantity int4,"
    " client_fee_cents int4"
)


async def visits(pool: Pool, owner: Pool, bootstrap: str, count: int) -> Figure:
    """Visits a second. The month's other facts are those that the month's benchmark left in the database."""
    await _publish(bootstrap, count)
    plain = count / await seconds_of(lambda: _bare(owner, bootstrap, count))
    ours = count / await seconds_of(lambda: _ours(pool, bootstrap, count))
    return Figure(f"visits from Kafka to booked, {count:,}", ours, plain, "1/s", AIM, higher_is_better=True)


async def _publish(bootstrap: str, count: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=262_144)
    await producer.start()
    acks = [await producer.send(TOPIC, **_record(number)) for number in range(count)]
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


async def _ours(pool: Pool, bootstrap: str, count: int) -> None:
    settings = PaymentsSettings(kafka=bootstrap)
    broker = consuming_broker(settings, Inbox("payments", pool), {TOPIC: SUBSCRIPTIONS[TOPIC]})
    await broker.start()
    while await _applied(pool) < count:  # noqa: ASYNC110  # what is awaited is in the database, not in this process
        await asyncio.sleep(0.05)
    await broker.stop()
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun("03", MONTH, "bench"), datetime(2027, 2, 2, tzinfo=UTC))
    while await close_next(pool):
        pass
    async with transaction(pool) as tx:
        booked = await one(tx, "SELECT count(*) AS n FROM line WHERE component = 'fee'")
    assert booked == {"n": count}, booked


async def _applied(pool: Pool) -> int:
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT coalesce(sum(applied), 0) AS n FROM inbox_offset WHERE topic = %s", (TOPIC,))
    return int(row["n"]) if row else 0


async def _bare(pool: Pool, bootstrap: str, count: int) -> None:
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
    taken = 0
    while taken < count:
        batches = await consumer.getmany(timeout_ms=500, max_records=MAX_RECORDS)
        facts = [adapter.validate_json(record.value) for records in batches.values() for record in records]
        if facts:
            await _copy(pool, facts)
            await consumer.commit()
        taken += len(facts)
    await consumer.stop()


async def _copy(pool: Pool, facts: Sequence[Production]) -> None:
    names = [column.split()[0] for column in COLUMNS.replace("recorded_from", "recorded_at").split(",")]
    async with transaction(pool) as tx:
        await stage(tx, "arrived", COLUMNS, ([getattr(fact, name) for name in names] for fact in facts))
        await tx.execute("INSERT INTO bare_visit SELECT * FROM arrived")
