"""Services as processes of their own for a test session, with what a fault test does to them: kill, restart, ask.

The processes share a trace file, and every one of them is tied to the test process by the kernel.
"""

import asyncio
import contextlib
import signal
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from kanava.common.db import Pool, make_pool, transaction
from kanava.local import databases, platform, ports, postgres, processes, services
from kanava.local.issuer import Signer
from kanava.local.platform import Options, Platform
from kanava.local.processes import Process
from kanava.local.profile import Profile
from kanava.local.services import Copy
from kanava.payments.scope import national
from tests.support import bus
from tests.support.platform import sweep, temporary_profile

START = datetime.fromisoformat("2026-11-02T09:00:00+00:00")
CONNECTION_LOST = (httpx.TransportError,)


@dataclass(frozen=True)
class Running:
    """A platform whose services can be killed and asked."""

    platform: Platform
    signer: Signer

    @property
    def profile(self) -> Profile:
        """Where it lives."""
        return self.platform.profile

    @property
    def bootstrap(self) -> str:
        """Where its brokers are."""
        return self.platform.kafka

    @property
    def trace_file(self) -> Path:
        """Where its services write their spans."""
        return self.profile.folder / "spans.jsonl"

    def copy(self, service: str, number: int = 1) -> Copy:
        """One copy of a service; a further one than the platform began with gets a port of its own."""
        for known in self.platform.copies:
            if (known.service, known.number) == (service, number):
                return known
        return Copy(service, number, ports.free_port())

    def process(self, name: str) -> Process:
        """A process of the platform that runs."""
        found = processes.find(self.profile.pid_file(name))
        assert found is not None, f"{name} does not run"
        return found

    def start(self, copy: Copy, **told: str) -> None:
        """Start a copy, with further variables, without waiting."""
        traced = {"KANAVA_TRACE_FILE": str(self.trace_file), "KANAVA_TRACE_RATIO": "1"}
        services.start_copy(self.profile, copy, self.platform.told(copy) | traced | told, tie=signal.SIGKILL)

    async def ready(self, copy: Copy) -> None:
        """Wait until a copy is ready."""
        await asyncio.to_thread(services.wait_for, self.profile, copy.name, copy.port)

    async def restart(self, copy: Copy, **told: str) -> None:
        """Kill a copy if it runs, start it with further variables and wait until it is ready."""
        self.kill(copy)
        self.start(copy, **told)
        await self.ready(copy)

    def kill(self, copy: Copy) -> None:
        """End a copy as `kill -9` does."""
        if found := processes.find(self.profile.pid_file(copy.name)):
            found.stop(signal.SIGKILL)

    async def died(self, copy: Copy) -> None:
        """Wait until a copy has died by itself."""

        def gone() -> bool:
            return processes.find(self.profile.pid_file(copy.name)) is None

        await bus.wait_until(gone, what=f"the end of {copy.name}")

    def start_postgres(self) -> None:
        """Start the database server again on its port."""
        postgres.start(self.profile, tie=signal.SIGQUIT)

    def token(self, role: str, **claims: Any) -> dict[str, str]:
        """The authorization header of somebody in a role."""
        return {"authorization": f"Bearer {self.signer.sign({'sub': f'{role}-1', 'role': role} | claims)}"}

    @contextlib.asynccontextmanager
    async def client(self, service: str, role: str, number: int = 1, **claims: Any) -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client of a copy of a service, in a role."""
        async with httpx.AsyncClient(
            base_url=self.copy(service, number).url, headers=self.token(role, **claims), timeout=30
        ) as opened:
            yield opened

    @contextlib.asynccontextmanager
    async def pool(self, service: str) -> AsyncIterator[Pool]:
        """Connections to a service's database with the application's role, to look."""
        url = databases.app_url(self.profile, self.platform.postgres, service)
        opened = national(make_pool(url, size=3))
        await opened.open(wait=True)
        try:
            yield opened
        finally:
            await opened.close()

    async def set_clock(self, service: str, instant: datetime) -> None:
        """Move the sandbox clock of a service."""
        async with self.client(service, "operator") as client:
            answer = await client.put("/v1/sandbox/clock", json={"instant": instant.isoformat()})
            assert answer.status_code == 200, answer.text

    async def published(self, service: str) -> None:
        """Wait until a service has published everything that it said."""
        async with self.pool(service) as pool:

            async def unsent() -> int:
                async with transaction(pool) as tx:
                    return await bus.unsent(tx)

            async def none_left() -> bool:
                return await unsent() == 0

            await bus.wait_until(none_left, progress=unsent, what=f"an empty outbox of {service}")


async def insist(client: httpx.AsyncClient, path: str, body: Mapping[str, Any], key: str) -> httpx.Response:
    """Send a command until it is answered for good, always under the same key, as a careful client does."""
    tries = 0

    async def answered() -> httpx.Response | None:
        nonlocal tries
        tries += 1
        try:
            answer = await client.post(path, json=body, headers={"idempotency-key": key})
        except CONNECTION_LOST:
            return None
        in_progress = answer.status_code == 409 and "key-in-progress" in answer.text
        return None if answer.status_code >= 500 or in_progress else answer

    found: httpx.Response = await bus.wait_until(answered, what=f"an answer of {path} after {tries} tries")
    return found


async def commanded(client: httpx.AsyncClient, path: str, body: Mapping[str, Any], status: int = 201) -> Any:
    """Send a command once that has to succeed; its answer."""
    answer = await client.post(path, json=body, headers={"idempotency-key": uuid.uuid4().hex})
    assert answer.status_code == status, answer.text
    return answer.json()


@contextlib.contextmanager
def started(label: str, options: Options) -> Iterator[Running]:
    """A platform of its own for as long as the block runs."""
    sweep()
    with temporary_profile(label) as profile, pytest.MonkeyPatch.context() as environment:
        environment.setenv("KANAVA_TRACE_FILE", str(profile.folder / "spans.jsonl"))
        environment.setenv("KANAVA_TRACE_RATIO", "1")
        try:
            yield Running(platform.start(profile, options, print), Signer(profile))
        finally:
            platform.kill(profile)


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[Running]:
    """One broker, payments, monitoring, and two copies of listing, for all tests that need no cluster of their own."""
    wanted = Options(copies={"listing": 2}, sandbox=True, tied=True, only=("listing", "payments", "monitoring"))
    with started("cluster", wanted) as running:
        yield running


@pytest.fixture
async def cluster(shared_cluster: Running) -> Running:
    """The shared cluster, everything of it running and at the earliest on the 2nd of November."""
    for copy in shared_cluster.platform.copies:
        shared_cluster.start(copy)
    for copy in shared_cluster.platform.copies:
        await shared_cluster.ready(copy)
        async with shared_cluster.client(copy.service, "operator", copy.number) as client:
            await client.put("/v1/sandbox/clock", json={"instant": START.isoformat()})
    return shared_cluster
