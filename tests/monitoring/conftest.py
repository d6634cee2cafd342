"""Fixtures of monitoring's tests: a migrated database for each test, settled with a small area."""

from collections.abc import AsyncIterator, Iterator

import pytest

from kanava.common.db import Pool, transaction
from kanava.local.postgres import Postgres
from tests.monitoring import world
from tests.support.databases import ServiceDatabase, service_database


@pytest.fixture
def database(postgres: Postgres) -> Iterator[ServiceDatabase]:
    """A migrated database of monitoring."""
    with service_database(postgres, "monitoring") as ours:
        yield ours


@pytest.fixture
async def pool(database: ServiceDatabase) -> AsyncIterator[Pool]:
    """A pool with the application's role on an empty database."""
    async with database.pool() as ours:
        yield ours


@pytest.fixture
async def settled(pool: Pool) -> Pool:
    """The same pool, the read models filled."""
    async with transaction(pool) as tx:
        await world.settle(tx)
    return pool
