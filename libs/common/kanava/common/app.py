"""How a service is put together: the one wiring that all four share.

A service's `main.py` names its routes, what it hears and its workers; here they get a pool, a clock, a relay,
consumers and the edge. Nothing else builds a resource.
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial

import structlog
from fastapi import APIRouter, FastAPI
from faststream.kafka import KafkaBroker, KafkaRouter

from . import bus, sandbox, telemetry, web
from .auth import TokenVerifier
from .clock import choose_clock
from .db import Pool, make_pool, one, transaction
from .inbox import Apply, Inbox
from .kafka import Publisher
from .relay import Relay, prepare_shards
from .settings import ServiceSettings

log = structlog.get_logger()

CONSUMERS_WAIT_SECONDS = 1.0
YOUNG_OBJECTS = 20_000
"""Python looks for garbage after so many new objects instead of 700: a batch of facts has tens of thousands."""

Worker = Callable[[Pool], Awaitable[None]]
"""Runs beside the service until it is cancelled."""


def create_service(
    settings: ServiceSettings,
    *,
    routers: Sequence[APIRouter],
    subscriptions: Mapping[str, Apply],
    workers: Sequence[Worker] = (),
) -> FastAPI:
    """Build a service from its routes, its subscriptions (topic to function) and its workers."""
    traces = telemetry.setup(settings)
    app = FastAPI(
        title=f"Kanava {settings.service}",
        version="1",
        redoc_url=None,
        lifespan=_lifespan(settings, subscriptions, workers),
    )
    app.state.settings = settings
    app.state.traces = traces
    app.state.pool = make_pool(settings.database_url, size=settings.database_pool_size)
    app.state.verifier = TokenVerifier(
        settings.issuer, settings.jwks_url, settings.audience, cache_size=settings.token_cache_size
    )
    web.install(app, settings)
    for router in [*routers, bus.router]:
        app.include_router(router)
    if settings.sandbox:
        app.include_router(sandbox.router)
    return app


def collect_seldom() -> None:
    """Let Python's collector leave alone what was imported, and look for garbage less often; for a whole process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


def _lifespan(
    settings: ServiceSettings, subscriptions: Mapping[str, Apply], workers: Sequence[Worker]
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool: Pool = app.state.pool
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(app.state.traces.shutdown)
            await pool.open(wait=True)
            stack.push_async_callback(pool.close)
            async with transaction(pool) as tx:
                app.state.clock = await choose_clock(tx, sandbox=settings.sandbox)
                await prepare_shards(tx)
            publisher = Publisher(settings.kafka, source=f"/kanava/{settings.service}")
            stack.push_async_callback(publisher.close)
            relay = Relay(pool, publisher, batch=settings.relay_batch, idle_seconds=settings.relay_poll_seconds)
            broker = consuming_broker(settings, Inbox(settings.service, pool), subscriptions)
            await stack.enter_async_context(beside([relay.run(), *(worker(pool) for worker in workers)]))
            web.add_check(app, "database", partial(_database_answers, pool))
            if subscriptions:
                web.add_check(app, "kafka", partial(broker.ping, 1.5))
                stack.push_async_callback(broker.stop)
                await stack.enter_async_context(beside([_start_consuming(broker)]))
            yield

    return lifespan


def consuming_broker(settings: ServiceSettings, inbox: Inbox, subscriptions: Mapping[str, Apply]) -> KafkaBroker:
    """A broker with one subscriber for each topic that the service hears; each with its own consumer group."""
    broker = KafkaBroker(settings.kafka.split(","), client_id=f"{settings.service}-{settings.instance}", logger=None)
    router = KafkaRouter()
    for topic_name, apply in subscriptions.items():
        inbox.subscribe(router, topic_name, apply)
    broker.include_router(router)
    return broker


async def _start_consuming(broker: KafkaBroker) -> None:
    """Join the consumer groups beside the service, which serves meanwhile; brokers that are away are waited for.

    A group that lost a member by `kill -9` takes in a new one only when it gives up the old one.
    """
    while True:
        try:
            return await broker.start()
        except Exception as error:  # aiokafka raises many kinds; none of them is a reason to stop serving
            log.warning("consumers_wait", error=type(error).__name__)
            await broker.stop()
            await asyncio.sleep(CONSUMERS_WAIT_SECONDS)


async def _database_answers(pool: Pool) -> bool:
    async with transaction(pool) as tx:
        return await one(tx, "SELECT 1") is not None


@contextlib.asynccontextmanager
async def beside(running: Sequence[Awaitable[None]]) -> AsyncIterator[None]:
    """Run coroutines beside the service; they are cancelled when it stops."""
    tasks = [asyncio.ensure_future(one) for one in running]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
