"""A site to look at: payments after an autumn, and the local issuer, served on ports of this machine from a thread."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from kanava.common.db import Tx
from kanava.local import issuer
from kanava.local.ports import free_port
from kanava.local.postgres import Postgres
from kanava.local.profile import Profile
from kanava.payments.main import create_app
from kanava.payments.settings import PaymentsSettings
from tests.payments import page_story
from tests.support.databases import ServiceDatabase, service_database
from tests.support.facts import at

START_SECONDS = 60.0


@dataclass(frozen=True)
class Site:
    """Where the service and the issuer are."""

    url: str
    issuer: str


@dataclass(frozen=True)
class StoppedClock:
    """Time stands still while somebody looks."""

    async def now(self, tx: Tx) -> datetime:
        """The twentieth of December."""
        return at(12, 20)


class Served:
    """Both apps on an event loop of their own, until it is told to stop."""

    def __init__(self, database: ServiceDatabase, folder: Path) -> None:
        self._database = database
        profile = Profile("browser", folder).prepare()
        ports = free_port(), free_port()
        profile.remember("issuer", ports[1])
        here = issuer.issuer_url(profile)
        self.site = Site(f"http://127.0.0.1:{ports[0]}", here)
        settings = PaymentsSettings(port=ports[0], issuer=here, jwks_url=f"{here}/jwks.json")
        self._app = create_app(settings)
        self._servers = [server(self._app, ports[0]), server(issuer.create_app(profile), ports[1])]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._failed: BaseException | None = None

    async def _serve(self) -> None:
        try:
            async with self._database.pool() as pool:
                await page_story.autumn(pool)
                self._app.state.pool, self._app.state.clock = pool, StoppedClock()
                await asyncio.gather(*(one.serve() for one in self._servers))
        except BaseException as error:
            self._failed = error
            raise

    def start(self) -> None:
        """Start, and wait until both answer."""
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(START_SECONDS * 10)):
            if all(one.started for one in self._servers):
                return
            assert self._failed is None, self._failed
            waited.wait(0.1)
        raise AssertionError("the site did not start")

    def stop(self) -> None:
        """Stop both and wait for the end."""
        for one in self._servers:
            one.should_exit = True
        self._thread.join(START_SECONDS)


def server(app: FastAPI, port: int) -> uvicorn.Server:
    """A server of an app that needs no bus, so its own start is left out."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, lifespan="off", log_level="warning", ws="none")
    return uvicorn.Server(config)


@contextmanager
def served(postgres: Postgres, folder: Path) -> Iterator[Site]:
    """The site for as long as the block runs."""
    with service_database(postgres, "payments") as database:
        running = Served(database, folder)
        running.start()
        try:
            yield running.site
        finally:
            running.stop()
