"""Idempotency keys: one effect and equal answers, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from kanava.common import web
from kanava.common.auth import Caller, Role, allow
from kanava.common.clock import SystemClock
from kanava.common.db import Pool, Tx, make_pool, one, transaction
from kanava.common.errors import KeyInProgress, KeyReused, RefusalReason, Refused
from kanava.common.idempotency import Claim, Key, Replay, claim, idempotency_table, once, settle
from kanava.common.settings import ServiceSettings

CLAIM = Claim("me", "k1", "POST /v1/money?", b"1" * 32)


class Reason(RefusalReason):
    """Why this test refuses."""

    TOO_MUCH = "too_much", "The account does not hold so much."


class Payment(BaseModel):
    """A command with an effect that can be counted."""

    amount_cents: int


@dataclass(frozen=True)
class Receipt:
    """What a payment answers."""

    id: int
    amount_cents: int
    at: datetime


async def pay(tx: Tx, command: Payment, now: datetime) -> Receipt:
    """Book a payment; refuse large ones after having booked, so that the rollback shows."""
    row = await one(
        tx, "INSERT INTO payment (amount_cents) VALUES (%s) RETURNING id", (command.amount_cents,)
    )
    assert row is not None
    if command.amount_cents > 1_000:
        raise Refused(Reason.TOO_MUCH)
    await asyncio.sleep(0.01)
    return Receipt(row["id"], command.amount_cents, now)


@pytest.fixture
async def pool(empty_database: str) -> AsyncIterator[Pool]:
    """A database with idempotency keys and payments."""
    metadata = sa.MetaData()
    idempotency_table(metadata)
    sa.Table(
        "payment",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("amount_cents", sa.Integer),
    )
    engine = sa.create_engine(empty_database.replace("postgresql://", "postgresql+psycopg://"))
    metadata.create_all(engine)
    engine.dispose()
    pool = make_pool(empty_database, size=20)
    await pool.open(wait=True)
    yield pool
    await pool.close()


class FixedVerifier:
    """Takes the token itself for the subject."""

    async def verify(self, token: str) -> Caller:
        return Caller(token, Role.OPERATOR)


@pytest.fixture
async def client(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    web.install(app, ServiceSettings(service="test"))
    app.state.verifier, app.state.clock = FixedVerifier(), SystemClock()
    operator = allow(Role.OPERATOR)

    @app.post("/v1/money", status_code=201)
    async def money(
        request: Request, command: Payment, key: Key, caller: Annotated[Caller, operator]
    ) -> Response:
        return await once(request, pool, caller, key, lambda tx, now: pay(tx, command, now), status=201)

    @app.post("/v1/money/{name}")
    async def named(
        name: str, request: Request, command: Payment, key: Key, caller: Annotated[Caller, operator]
    ) -> Response:
        return await once(request, pool, caller, key, lambda tx, now: pay(tx, command, now))

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        client.headers["authorization"] = "Bearer me"
        yield client


async def booked(pool: Pool) -> int:
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT count(*) AS booked FROM payment")
    assert row is not None
    return int(row["booked"])


async def send(
    client: httpx.AsyncClient, key: str | None, cents: int = 5, path: str = "/v1/money"
) -> httpx.Response:
    headers = {} if key is None else {b"idempotency-key": key.encode()}
    return await client.post(path, json={"amount_cents": cents}, headers=headers)


async def test_a_repeat_has_no_effect_and_the_same_answer(client: httpx.AsyncClient, pool: Pool) -> None:
    first, second = await send(client, "k"), await send(client, "k")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["content-type"] == second.headers["content-type"] == "application/json"
    assert "idempotent-replay" not in first.headers
    assert second.headers["idempotent-replay"] == "true"
    assert await booked(pool) == 1


async def test_another_key_is_another_command(client: httpx.AsyncClient, pool: Pool) -> None:
    assert (await send(client, "k1")).content != (await send(client, "k2")).content
    assert await booked(pool) == 2


async def test_the_same_key_with_another_body_is_a_conflict(client: httpx.AsyncClient, pool: Pool) -> None:
    await send(client, "k", 5)
    answer = await send(client, "k", 6)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/key-reused")
    assert await booked(pool) == 1


async def test_the_same_key_at_another_address_is_a_conflict(client: httpx.AsyncClient) -> None:
    await send(client, "k", path="/v1/money/a")
    for path in ("/v1/money/b", "/v1/money/a?fast=true", "/v1/money"):
        assert (await send(client, "k", path=path)).json()["type"] == "/problems/key-reused"


async def test_keys_of_different_callers_do_not_meet(client: httpx.AsyncClient, pool: Pool) -> None:
    await send(client, "k")
    client.headers["authorization"] = "Bearer another"
    assert "idempotent-replay" not in (await send(client, "k")).headers
    assert await booked(pool) == 2


@pytest.mark.parametrize("key", [None, "", "x" * 256, "tab\there", "ä"])
async def test_without_a_usable_key_nothing_is_done(
    client: httpx.AsyncClient, pool: Pool, key: str | None
) -> None:
    answer = await send(client, key)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/missing-idempotency-key")
    assert await booked(pool) == 0


async def test_a_refusal_rolls_back_and_leaves_the_key_free(client: httpx.AsyncClient, pool: Pool) -> None:
    assert (await send(client, "k", 5_000)).json()["reason"] == "too_much"
    assert await booked(pool) == 0
    assert (await send(client, "k", 5)).status_code == 201


async def test_a_hundred_at_once_have_one_effect(client: httpx.AsyncClient, pool: Pool) -> None:
    answers = await asyncio.gather(*(send(client, "k") for _ in range(100)))
    assert await booked(pool) == 1
    done = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in done}) == 1
    others = [answer.json() for answer in answers if answer.status_code != 201]
    assert all(other["type"] == "/problems/key-in-progress" and other["retryable"] for other in others)


async def test_a_key_that_another_transaction_holds_is_in_progress(pool: Pool) -> None:
    async with transaction(pool) as tx:
        assert await claim(tx, [CLAIM]) == [None]
        async with transaction(pool) as other:
            [held] = await claim(other, [CLAIM])
            assert isinstance(held, KeyInProgress)
    async with transaction(pool) as tx:
        assert await claim(tx, [CLAIM]) == [None], "who held it stored nothing, so it is free again"


async def test_who_stores_second_is_told_that_the_first_is_in_progress(pool: Pool) -> None:
    async with transaction(pool) as tx:
        await settle(tx, [(CLAIM, Replay(200, b"{}"))])
    with pytest.raises(KeyInProgress):
        async with transaction(pool) as tx:
            await settle(tx, [(CLAIM, Replay(200, b"{}"))])


async def test_a_stored_answer_is_given_even_while_the_key_is_held(pool: Pool) -> None:
    answer = Replay(201, b'{"a":1}')
    async with transaction(pool) as tx:
        await settle(tx, [(CLAIM, answer)])
    async with transaction(pool) as tx, transaction(pool) as other:
        assert await claim(tx, [CLAIM]) == await claim(other, [CLAIM]) == [answer]


async def test_many_keys_are_claimed_at_once_each_with_its_own_outcome(pool: Pool) -> None:
    answer, fresh = Replay(200, b"{}"), replace(CLAIM, key="k2")
    async with transaction(pool) as tx:
        await settle(tx, [(CLAIM, answer), (replace(CLAIM, key="k3"), answer)])
    async with transaction(pool) as tx:
        found = await claim(tx, [fresh, CLAIM, replace(CLAIM, key="k3", body_hash=b"2" * 32)])
    assert found[:2] == [None, answer]
    assert isinstance(found[2], KeyReused)
