"""A payments database of its own for each test, and facts as the bus would bring them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from kanava.common.db import Pool
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
