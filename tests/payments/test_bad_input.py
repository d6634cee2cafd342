"""What nobody may send: absurd sums to any route that takes money, and both steps by one person with two tokens."""

from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from kanava.common.auth import Caller, Role
from kanava.common.db import Pool, rows, transaction
from kanava.payments.main import create_app
from kanava.payments.settings import PaymentsSettings
from tests.contracts.access import TABLE, Access
from tests.payments.test_payout import closed_month
from tests.payments.test_statement_api import Stopped
from tests.support import facts as told

ABSURD = (-1, 10**18, 10**40, 12.5, "100", True, None)
"""No field for cents takes these: below nothing, more than a country has, and what is no whole number."""


class AnyWorld(dict[str, str]):
    """Every object by one id: a body is refused before its object is looked for."""

    def __missing__(self, name: str) -> str:
        return str(UUID(int=1))


WORLD = AnyWorld(area="03", municipality="049", iban="FI2112345600000785", node="SOS.1.1", producer_id=told.PRIVATE)


def cents_fields(body: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where in a body sums stand."""
    if isinstance(body, dict | list):
        for step, inner in body.items() if isinstance(body, dict) else enumerate(body):
            if str(step).endswith("_cents") and not isinstance(inner, dict | list):
                yield (*at, step)
            yield from cents_fields(inner, (*at, step))


def sums() -> list[tuple[Access, Role, tuple[str | int, ...]]]:
    """Every sum of every command that payments takes, with a role that may send it."""
    rows_of = [row for row in TABLE if row.service == "payments" and row.method in ("POST", "PUT")]
    found = []
    for row in rows_of:
        role = next(iter(row.own))
        found += [(row, role, place) for place in cents_fields(row.sends(WORLD, role).json)]
    return found


@dataclass(frozen=True)
class Tokens:
    """Verifies a token that names a person and a role; of one person there may be any number."""

    async def verify(self, token: str) -> Caller:
        """The caller that `person:role:anything` stands for."""
        person, role, _ = token.split(":")
        area = None if role == "operator" else "03"
        producers = frozenset({told.PRIVATE}) if role == "producer" else frozenset[str]()
        return Caller(person, Role(role), area=area, producers=producers)


@pytest.fixture
async def client(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    """Payments over HTTP with November closed, without bus."""
    app = create_app(PaymentsSettings())
    app.state.pool, app.state.clock, app.state.verifier = pool, Stopped(), Tokens()
    await closed_month(pool)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://payments") as opened:
        yield opened


async def post(client: httpx.AsyncClient, token: str, path: str, body: Any) -> httpx.Response:
    """Command under a key of its own."""
    headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid4())}
    content = httpx.Request("POST", "http://x", json=body).content
    return await client.post(path, content=content, headers=headers | {"content-type": "application/json"})


async def written(pool: Pool) -> list[Any]:
    """What any command about money writes: entries, facts to tell, and keys."""
    async with transaction(pool) as tx:
        return [
            await rows(tx, f"SELECT count(*) AS n FROM {table}") for table in ("entry", "outbox", "statement", "payout")
        ]


def test_the_table_of_access_shows_many_sums() -> None:
    assert {row.path for row, _, _ in sums()} >= {"/v1/funding", "/v1/transfers", "/v1/benefits"}


async def test_no_route_takes_an_absurd_sum(pool: Pool, client: httpx.AsyncClient) -> None:
    before = await written(pool)
    for row, role, place in sums():
        for absurd in ABSURD:
            body = deepcopy(row.sends(WORLD, role).json)
            holder = body
            for step in place[:-1]:
                holder = holder[step]
            holder[place[-1]] = absurd
            answer = await post(client, f"anna:{role.value}:1", row.url(WORLD, role), body)
            told_of = f"{row.name} with {place} = {absurd!r}: {answer.status_code} {answer.text[:300]}"
            assert answer.status_code == 422, told_of
            pointers = {one["pointer"] for one in answer.json()["errors"]}
            assert "/" + "/".join(map(str, place)) in pointers, told_of
    assert await written(pool) == before


async def test_nobody_approves_and_releases_also_with_two_tokens(pool: Pool, client: httpx.AsyncClient) -> None:
    """A new token, or one of another role, is still the same person."""
    approved = await post(client, "anna:organiser:monday", "/v1/approvals", {"area": "03", "month": "2026-11"})
    assert approved.status_code == 200, approved.text
    before = await written(pool)
    for token in ("anna:operator:tuesday", "anna:operator:wednesday"):
        answer = await post(client, token, "/v1/payouts", {"area": "03"})
        held = answer.json()["held"]
        assert {one["reason"] for one in held} == {"approved_by_the_same"}, answer.text
        assert len(held) == 2
        assert (answer.json()["to_bank"], answer.json()["settled"]) == (0, 0)
    assert (await written(pool))[0] == before[0], "no entry"
    paid = (await post(client, "bertta:operator:tuesday", "/v1/payouts", {"area": "03"})).json()
    assert paid["to_bank"] + paid["settled"] == 2
