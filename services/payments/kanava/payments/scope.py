"""Whose rows a transaction sees: row-level security by area, by a setting that ends with the transaction.

Policies on the books compare a row's area with the setting `kanava.area`. Without it nothing is visible and
nothing can be written; `*` is the whole country. The service's own connections begin as `*`, for its workers,
for what it hears and for national roles. Whatever runs within a request of a caller who belongs to an area is
narrowed to that area as its transaction begins, so that no query can forget it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from psycopg import AsyncConnection, AsyncTransaction
from psycopg.rows import DictRow
from starlette.types import ASGIApp, Receive, Scope, Send

from kanava.common.auth import NATIONAL_ROLES, Caller, Role
from kanava.common.db import Pool, Tx, transaction

COUNTRY = "*"
"""The setting under which rows of every area are visible."""

AREA_ROLES = NATIONAL_ROLES | {Role.ORGANISER, Role.MUNICIPALITY}
"""Roles that see their token's area only. A producer and a resident are held by whose rows they ask for."""

_request: ContextVar[Scope | None] = ContextVar("request", default=None)


async def narrow(tx: Tx, area: str) -> None:
    """From here to the end of the transaction only rows of an area (or of the `COUNTRY`) are visible."""
    await tx.execute("SELECT set_config('kanava.area', %s, true)", (area,))


@asynccontextmanager
async def within(pool: Pool, area: str) -> AsyncIterator[Tx]:
    """A transaction that sees one area."""
    async with transaction(pool) as tx:
        await narrow(tx, area)
        yield tx


class ScopedConnection(AsyncConnection[DictRow]):
    """A connection whose transactions are narrowed to the area of the request's caller, if they have one."""

    @asynccontextmanager
    async def transaction(  # type: ignore[override]  # psycopg lets the second be given by position
        self, savepoint_name: str | None = None, *, force_rollback: bool = False
    ) -> AsyncIterator[AsyncTransaction]:
        """Open a transaction as psycopg does, then narrow it."""
        async with super().transaction(savepoint_name, force_rollback) as opened:
            area = _area_of_the_caller()
            if area is not None:
                await narrow(self, area)
            yield opened


def national(pool: Pool) -> Pool:
    """Make a pool, not yet open, the service's own: its connections begin as the `COUNTRY`."""
    pool.connection_class = ScopedConnection
    pool.kwargs = {**(pool.kwargs or {}), "options": f"-c kanava.area={COUNTRY}"}  # type: ignore[dict-item]  # ours
    return pool


def _area_of_the_caller() -> str | None:
    request = _request.get()
    caller = request.get("state", {}).get("caller") if request else None
    return caller.area if isinstance(caller, Caller) and caller.role in AREA_ROLES else None


class RequestScope:
    """Middleware that lets a transaction know the request within which it runs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Remember the request for all that runs within it."""
        token = _request.set(scope if scope["type"] == "http" else None)
        try:
            await self._app(scope, receive, send)
        finally:
            _request.reset(token)
