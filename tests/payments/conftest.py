"""A payments database of its own for each test, and facts as the bus would bring them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from kanava.common.db import Pool, make_pool
from kanava.local.postgres import Postgres
from tests.support.databases import ServiceDatabase, service_database


@pytest.fixture
def database(postgres: Postgres) -> Iterator[ServiceDatabase]:
    """A migrated database of payments."""
    with service_database(postgres, "payments") as made:
        yield made


@pytest.fixture
async def pool(database: ServiceDatabase) -> AsyncIterator[Pool]:
    """Connections with the application's role."""
    async with database.pool() as opened:
        yield opened


@pytest.fixture
async def plain(database: ServiceDatabase) -> AsyncIterator[Pool]:
    """One connection with the application's role and nothing set, not even an area, used again and again."""
    opened = make_pool(database.app_url, size=1)
    await opened.open(wait=True)
    yield opened
    await opened.close()
