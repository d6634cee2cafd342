"""A registry on a real database for each test, and the same over HTTP."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey

from kanava.common.auth import Caller, TokenVerifier
from kanava.common.db import Tx
from kanava.common.migrate import metadata_of
from kanava.local.postgres import Postgres
from kanava.registry.main import create_app
from kanava.registry.settings import RegistrySettings
from tests.registry.world import Registry
from tests.support.databases import ServiceDatabase, service_database

ISSUER, AUDIENCE = "https://issuer.example", "kanava"


@pytest.fixture(scope="session")
def database(postgres: Postgres) -> Iterator[ServiceDatabase]:
    """A migrated database of the registry for the session."""
    with service_database(postgres, "registry") as ours:
        yield ours


@pytest.fixture
async def registry(database: ServiceDatabase) -> AsyncIterator[Registry]:
    """The registry's commands on an emptied database, with the application's role."""
    names = ", ".join(f'"{table.name}"' for table in metadata_of("registry").sorted_tables)
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    async with database.pool() as pool:
        yield Registry(pool)


@dataclass(frozen=True)
class TestClock:
    """The clock of the registry under test."""

    __test__ = False
    registry: Registry

    async def now(self, tx: Tx) -> datetime:
        return self.registry.now


@dataclass(frozen=True)
class Api:
    """The registry over HTTP, called by anybody whose token it signs."""

    app: FastAPI
    client: httpx.AsyncClient
    key: ECKey

    def token(self, caller: Caller) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": caller.subject, "exp": now + 600}
        claims |= {"role": caller.role.value, "area": caller.area, "municipality": caller.municipality}
        claims |= {"producers": sorted(caller.producers), "resident": caller.resident and str(caller.resident)}
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": "test"}, said, self.key)

    async def call(self, caller: Caller | None, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token(caller)}"} if caller else {}
        content = None if body is None else json.dumps(body)
        headers |= {"content-type": "application/json"} if content else {}
        return await self.client.request(method, path, content=content, headers=headers)


@pytest.fixture(scope="session")
def signing_key() -> ECKey:
    """The key of the tests' issuer."""
    return ECKey.generate_key("P-256", parameters={"kid": "test"})


@pytest.fixture
async def api(registry: Registry, signing_key: ECKey) -> AsyncIterator[Api]:
    """The registry's HTTP interface on the same database; relay and consumers do not run."""

    async def keys() -> Any:
        return {"keys": [{**signing_key.as_dict(private=False), "kid": "test"}]}

    app = create_app(RegistrySettings(issuer=ISSUER, audience=AUDIENCE))
    app.state.pool, app.state.clock = registry.pool, TestClock(registry)
    app.state.verifier = TokenVerifier(ISSUER, "unused", AUDIENCE, fetch=keys)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
        yield Api(app, client, signing_key)
