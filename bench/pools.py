"""Pools of payments' databases as the service has them: they see the whole country."""

import contextlib
from collections.abc import AsyncIterator

from kanava.common.db import Pool, make_pool
from kanava.payments import scope


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Pool]:
    """An open pool, closed at the end."""
    pool: Pool = scope.national(make_pool(url, size=40))
    await pool.open(wait=True)
    try:
        yield pool
    finally:
        await pool.close()
