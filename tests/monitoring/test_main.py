"""The whole service on a real broker: a fact from the bus is in the read models, a report is on the bus."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from kanava.common.contracts import TOPIC_OF
from kanava.common.contracts.registry import Producer
from kanava.common.db import one, transaction
from kanava.common.outbox import emit
from kanava.common.topics_admin import ensure_topics
from kanava.local.kafka import Kafka
from kanava.monitoring.main import create_app
from kanava.monitoring.settings import MonitoringSettings
from tests.monitoring import tokens, world
from tests.monitoring.tokens import bearer
from tests.support.databases import ServiceDatabase

pytestmark = pytest.mark.platform


async def test_a_producer_said_on_the_bus_is_known_and_counted(
    database: ServiceDatabase, kafka: Kafka
) -> None:
    await ensure_topics(kafka.bootstrap)
    app = create_app(MonitoringSettings(database_url=database.app_url, kafka=kafka.bootstrap))
    app.state.verifier = tokens.verifier()
    said = world.producer(f"{world.PRIVATE}{uuid4().int % 1000}", "private")
    known = "SELECT name FROM producer WHERE producer_id = %s"
    async with app.router.lifespan_context(app), asyncio.timeout(60):
        async with transaction(app.state.pool) as tx:
            await emit(tx, said)
        while True:
            async with transaction(app.state.pool) as tx:
                if await one(tx, known, (said.producer_id,)):
                    break
            await asyncio.sleep(0.2)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://monitoring") as client:
            heard = (await client.get("/v1/bus", headers=bearer("operator"))).json()["heard"]
    by_topic = {row["topic"]: row for row in heard}
    assert by_topic[TOPIC_OF[Producer].name]["applied"] >= 1
