"""Every route of every service, with every role, without a token, and with another's object.

The services are real ones on a real database, with tokens of a key of the test; Kafka is not needed.
"""

import asyncio
import importlib
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey

from kanava.common.auth import NATIONAL_ROLES, PUBLIC_PATHS, Role, TokenVerifier, roles_by_route
from kanava.common.contracts import export
from kanava.common.db import Tx, make_pool
from kanava.local.postgres import Postgres
from kanava.payments.scope import national
from tests.contracts.access import TABLE, Access, Own, Sent
from tests.contracts.apps import app_of, openapi_of
from tests.contracts.worlds import OWN_PRODUCERS, WORLDS, Made
from tests.support.databases import service_database

ISSUER, AUDIENCE = "https://issuer.example", "kanava"
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
KEY = ECKey.generate_key("P-256", parameters={"kid": "test"})
SERVICES = export.SERVICES
FOREIGN_RESIDENT = UUID(int=7)


def token(role: Role, *, own: bool, resident: str | None) -> str:
    """A token of a role whose area, municipality, producers and resident are those of the world, or others."""
    claims: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600, "role": role.value}
    claims["sub"] = f"{role.value}-{'own' if own else 'foreign'}"
    if role is Role.RESIDENT:
        claims["resident"] = resident if own and resident else str(FOREIGN_RESIDENT)
    elif role is Role.PRODUCER:
        claims["producers"] = sorted(OWN_PRODUCERS) if own else ["1.2.246.10.1120389.10.0"]
    elif role is Role.MUNICIPALITY:
        claims |= {"municipality": "049" if own else "091", "area": "03" if own else "90"}
    elif role not in NATIONAL_ROLES:
        claims["area"] = "03" if own else "04"
    return jwt.encode({"alg": "ES256", "kid": "test"}, claims, KEY)


@dataclass(frozen=True)
class StoppedClock:
    """Time stands still while the doors are tried."""

    async def now(self, tx: Tx) -> datetime:
        """The instant of the test."""
        return NOW


@dataclass
class Doors:
    """A service that can be called by anybody, and the world that was made in it."""

    app: FastAPI
    client: httpx.AsyncClient
    world: dict[str, str]

    async def send(self, url: str, method: str, sent: Sent, bearer: str | None) -> httpx.Response:
        """A request with a fresh idempotency key."""
        headers = {"idempotency-key": str(uuid4()), **sent.headers}
        if bearer is not None:
            headers["authorization"] = f"Bearer {bearer}"
        return await self.client.request(
            method, url, params=sent.query, json=sent.json, content=sent.content, headers=headers
        )

    async def knock(self, row: Access, role: Role, *, own: bool = True, with_token: bool = True) -> httpx.Response:
        """Call a route of the table as a caller of a role."""
        bearer = token(role, own=own, resident=self.world.get("resident_id")) if with_token else None
        return await self.send(row.url(self.world, role), row.method, row.sends(self.world, role), bearer)

    async def prepare(self, service: str) -> None:
        """Make the world, calling as own callers."""

        async def call(role: Role, method: str, path: str, body: Any = None, **sent: Any) -> httpx.Response:
            return await self.send(path, method, Sent(json=body, **sent), token(role, own=True, resident=None))

        self.world.update(await WORLDS[service](Made(self.app, call)))


def built(service: str, **changes: Any) -> FastAPI:
    """The real app of a service; nothing is connected."""
    create_app = importlib.import_module(f"kanava.{service}.main").create_app
    app: FastAPI = create_app(export.settings_of(service).model_copy(update=changes))
    return app


@pytest.fixture(scope="module", params=SERVICES)
async def doors(request: pytest.FixtureRequest, postgres: Postgres) -> AsyncIterator[Doors]:
    """A service on a migrated database of its own, without relay and consumers."""
    service: str = request.param

    async def keys() -> Any:
        return {"keys": [{**KEY.as_dict(private=False), "kid": "test"}]}

    nowhere = {"kafka": "127.0.0.1:1"} | ({"bus_deadline_seconds": 0.2} if service == "monitoring" else {})
    with service_database(postgres, service) as database:
        app = built(service, database_url=database.app_url, database_pool_size=4, **nowhere)
        app.state.pool = national(make_pool(database.app_url, size=4))
        app.state.clock = StoppedClock()
        app.state.verifier = TokenVerifier(ISSUER, "unused", AUDIENCE, fetch=keys)
        await app.state.pool.open(wait=True)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://kanava") as client:
                ours = Doors(app, client, {})
                await ours.prepare(service)
                yield ours
        finally:
            await app.state.pool.close()


def rows_of(doors: Doors) -> list[Access]:
    """The rows of the service behind the doors."""
    return [row for row in TABLE if row.service == doors.app.state.settings.service]


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_has_a_row_and_every_row_a_route(service: str) -> None:
    """The routes are those of the committed OpenAPI document, without those that need no token."""
    paths = openapi_of(service)["paths"]
    routes = {(method.upper(), path) for path, item in paths.items() if path not in PUBLIC_PATHS for method in item}
    rows = [(row.method, row.path) for row in TABLE if row.service == service]
    assert len(set(rows)) == len(rows), "a route has two rows"
    assert routes - set(rows) == set(), "routes without a row in tests/contracts/access.py"
    assert set(rows) - routes == set(), "rows of tests/contracts/access.py without a route"


@pytest.mark.parametrize("service", SERVICES)
def test_the_app_has_no_route_outside_its_openapi(service: str) -> None:
    """A route that is left out of the document would be left out of this test too."""
    documented = {(method.upper(), path) for path, item in openapi_of(service)["paths"].items() for method in item}
    undocumented = {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}
    assert {key for key in roles_by_route(app_of(service)) if key[1] not in undocumented} - documented == set()


@pytest.mark.parametrize("service", SERVICES)
def test_the_roles_of_the_table_are_those_that_the_routes_declare(service: str) -> None:
    declared = roles_by_route(app_of(service))
    rows = [row for row in TABLE if row.service == service]
    differing = {row.name: declared.get((row.method, row.path)) for row in rows if not _agrees(row, declared)}
    assert differing == {}


def _agrees(row: Access, declared: Any) -> bool:
    return declared.get((row.method, row.path)) == frozenset(row.own)


@pytest.mark.platform
async def test_without_a_token_nobody_gets_in(doors: Doors) -> None:
    answers = {row.name: await doors.knock(row, next(iter(row.own)), with_token=False) for row in rows_of(doors)}
    assert {name: one.status_code for name, one in answers.items() if one.status_code != 401} == {}
    assert all(one.headers["www-authenticate"].startswith("Bearer") for one in answers.values())


@pytest.mark.platform
async def test_a_token_of_another_key_opens_nothing(doors: Doors) -> None:
    forged = jwt.encode(
        {"alg": "ES256", "kid": "test"},
        {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600, "role": "operator", "sub": "forger"},
        ECKey.generate_key("P-256"),
    )
    for row in rows_of(doors):
        role = next(iter(row.own))
        answer = await doors.send(row.url(doors.world, role), row.method, row.sends(doors.world, role), forged)
        assert answer.status_code == 401, row.name


@pytest.mark.platform
async def test_a_role_that_is_not_in_the_row_is_refused(doors: Doors) -> None:
    refused = [(row, role) for row, role in itertools.product(rows_of(doors), Role) if role not in row.own]
    for row, role in refused:
        answer = await doors.knock(row, role)
        assert answer.status_code == 403, f"{row.name} as {role}: {answer.status_code} {answer.text}"
        assert answer.json()["rule"] == "role"


@pytest.mark.platform
async def test_anothers_object_is_refused_or_left_out(doors: Doors) -> None:
    """Runs before the own callers change anything; that the object is really there, they show afterwards."""
    for row in rows_of(doors):
        for role, own in row.own.items():
            answer = await doors.knock(row, role, own=False)
            told = f"{row.name} as a foreign {role}: {answer.status_code} {answer.text[:500]}"
            if own is Own.REFUSED:
                assert answer.status_code in (403, 404), told
            elif own is not Own.ALL:
                assert answer.status_code == 200, told
                assert doors.world[row.marker] not in answer.text, told


@pytest.mark.platform
async def test_the_own_object_is_reached(doors: Doors) -> None:
    """So that a refusal above is one of the caller and not of the request: the same request, by its owner."""
    for row in rows_of(doors):
        for role, own in row.own.items():
            answer = await doors.knock(row, role)
            told = f"{row.name} as an own {role}: {answer.status_code} {answer.text[:500]}"
            closed = (401, 403) if row.asks_kafka else (401, 403, 404, 405, 415, 500, 503)
            assert answer.status_code not in closed, told
            if own is Own.FILTERED:
                assert doors.world[row.marker] in answer.text, told
            elif own is Own.HIDDEN:
                assert doors.world[row.marker] not in answer.text, told
            await asyncio.sleep(0)
