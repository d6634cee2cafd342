"""Listing on a real database for each test, and the same over HTTP."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey

from kanava.common.auth import Caller, TokenVerifier
from kanava.common.migrate import metadata_of
from kanava.listing.main import create_app
from kanava.listing.settings import ListingSettings
from kanava.local.postgres import Postgres
from tests.listing.world import World
from tests.support.databases import ServiceDatabase, service_database

ISSUER, AUDIENCE = "https://issuer.example", "kanava"


@pytest.fixture(scope="session")
def database(postgres: Postgres) -> Iterator[ServiceDatabase]:
    """A migrated database of listing for the session."""
    with service_database(postgres, "listing") as ours:
        yield ours


@pytest.fixture
async def bare(database: ServiceDatabase) -> AsyncIterator[World]:
    """Listing on an emptied database, with the application's role."""
    names = ", ".join(f'"{table.name}"' for table in metadata_of("listing").sorted_tables)
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    async with database.pool(16) as pool:
        yield World(pool, ListingSettings().vault())


@pytest.fixture
async def world(bare: World) -> World:
    """Listing after the registry has said what a small area needs."""
    await bare.settle()
    return bare


@dataclass(frozen=True)
class Api:
    """Listing over HTTP, called by anybody whose token it signs."""

    app: FastAPI
    client: httpx.AsyncClient
    key: ECKey

    def token(self, caller: Caller) -> str:
        """A token of the tests' issuer."""
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": caller.subject,
            "exp": int(time.time()) + 600,
        }
        claims |= {"role": caller.role.value, "area": caller.area, "municipality": caller.municipality}
        claims |= {
            "producers": sorted(caller.producers),
            "resident": caller.resident and str(caller.resident),
        }
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": "test"}, said, self.key)

    async def call(
        self,
        caller: Caller,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        **headers: str,
    ) -> httpx.Response:
        """Call as somebody; header names are written with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"authorization": f"Bearer {self.token(caller)}"}
        if body is not None:
            content, sent["content-type"] = json.dumps(body).encode(), "application/json"
        return await self.client.request(method, path, content=content, headers=sent)


@pytest.fixture(scope="session")
def signing_key() -> ECKey:
    """The key of the tests' issuer."""
    return ECKey.generate_key("P-256", parameters={"kid": "test"})


@pytest.fixture
async def api(world: World, signing_key: ECKey) -> AsyncIterator[Api]:
    """Listing's HTTP interface on the same database; relay and consumers do not run."""

    async def keys() -> Any:
        return {"keys": [{**signing_key.as_dict(private=False), "kid": "test"}]}

    app = create_app(ListingSettings(issuer=ISSUER, audience=AUDIENCE))
    app.state.pool, app.state.clock = world.pool, world
    app.state.verifier = TokenVerifier(ISSUER, "unused", AUDIENCE, fetch=keys)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://listing") as client:
        yield Api(app, client, signing_key)
