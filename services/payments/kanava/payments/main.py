"""The composition root of payments."""

import asyncio

import structlog
from fastapi import FastAPI

from kanava.common import login
from kanava.common import pages as rendering
from kanava.common.app import create_service
from kanava.common.db import Pool
from kanava.common.groupcommit import GroupCommit

from . import api, consumers, pages, scope
from .service.runs import close_next
from .service.transfers import place_transfers
from .settings import PaymentsSettings

log = structlog.get_logger()

IDLE_SECONDS = 0.5
PAPERS_AT_ONCE = 2
"""How many statements are written as XLSX or PDF at the same time by one process."""


def create_app(settings: PaymentsSettings) -> FastAPI:
    """Build the service: its routes, what it hears, and the worker that closes months."""
    app = create_service(
        settings,
        routers=[*api.ROUTERS, pages.router],
        subscriptions=consumers.SUBSCRIPTIONS,
        workers=[close_requested_months] * settings.run_workers,
    )
    app.state.transfers = GroupCommit(place_transfers, apart=lambda one: one.reference)
    app.add_middleware(scope.RequestScope)
    scope.national(app.state.pool)
    rendering.install(app, settings, "kanava.payments")
    login.install(app, settings, start=pages.START)
    app.state.payee_seal = settings.payee_seal()
    app.state.paper_slots = asyncio.Semaphore(PAPERS_AT_ONCE)
    return app


async def close_requested_months(pool: Pool) -> None:
    """Close requested months for ever; trouble with the database is waited out."""
    while True:
        try:
            worked = await close_next(pool)
        except Exception as error:  # the worker outlives whatever happens to one look
            log.warning("run_worker_waits", error=type(error).__name__)
            worked = False
        if not worked:
            await asyncio.sleep(IDLE_SECONDS)
