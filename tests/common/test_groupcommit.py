"""Group commit: commands share a transaction, and none notices it; on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from kanava.common import web
from kanava.common.auth import Caller, Role, allow
from kanava.common.clock import SystemClock
from kanava.common.db import Pool, Tx, make_pool, one, rows, transaction
from kanava.common.errors import RefusalReason, Refused
from kanava.common.groupcommit import Asked, GroupCommit
from kanava.common.idempotency import Key, idempotency_table
from kanava.common.settings import ServiceSettings

POISON, TOO_MUCH = 13, 1_000
LOCK = 99


class Reason(RefusalReason):
    """Why this test refuses."""

    TOO_MUCH = "too_much", "The account does not hold so much."


class Payment(BaseModel):
    """A command with an effect that can be counted; a `slow` one waits for a lock that the test holds."""

    account: int
    amount_cents: int
    slow: bool = False


@dataclass(frozen=True)
class Receipt:
    """What a payment answers, with the transaction that booked it."""

    account: int
    amount_cents: int
    transaction: int


async def pay(tx: Tx, asked: Sequence[Asked[Payment]], now: datetime) -> list[Receipt | Refused]:
    """Book payments together; a refusal books nothing, a poisonous one breaks the transaction."""
    if any(each.command.slow for each in asked):
        await tx.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    number = await one(tx, "SELECT pg_current_xact_id()::text::bigint AS id")
    assert number is not None
    return [await _paid(tx, each.command, number["id"]) for each in asked]


async def _paid(tx: Tx, command: Payment, number: int) -> Receipt | Refused:
    if command.amount_cents > TOO_MUCH:
        return Refused(Reason.TOO_MUCH)
    if command.amount_cents == POISON:
        await tx.execute("SELECT 1 / 0")
    await tx.execute(
        "INSERT INTO payment (account, amount_cents) VALUES (%s, %s)", (command.account, command.amount_cents)
    )
    return Receipt(command.account, command.amount_cents, number)


@pytest.fixture
async def pool(empty_database: str) -> AsyncIterator[Pool]:
    """A database with idempotency keys and payments."""
    metadata = sa.MetaData()
    idempotency_table(metadata)
    columns = [sa.Column("account", sa.Integer), sa.Column("amount_cents", sa.Integer)]
    sa.Table("payment", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    engine = sa.create_engine(empty_database.replace("postgresql://", "postgresql+psycopg://"))
    metadata.create_all(engine)
    engine.dispose()
    pool = make_pool(empty_database, size=8)
    await pool.open(wait=True)
    yield pool
    await pool.close()


class FixedVerifier:
    """Takes the token itself for the subject."""

    async def verify(self, token: str) -> Caller:
        """Everybody is an operator."""
        return Caller(token, Role.OPERATOR)


@pytest.fixture
async def client(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    """A route that gathers payments; two of one account never share a transaction."""
    app = FastAPI()
    web.install(app, ServiceSettings(service="bank"))
    app.state.verifier, app.state.clock, app.state.pool = FixedVerifier(), SystemClock(), pool
    together = GroupCommit(pay, apart=lambda payment: payment.account)

    @app.post("/v1/payments", status_code=201)
    async def post_payment(
        request: Request, body: Payment, caller: Annotated[Caller, allow(Role.OPERATOR)], key: Key
    ) -> Response:
        return await together.once(request, caller, key, body, status=201)

    transport = httpx.ASGITransport(app=app)
    headers = {"authorization": "Bearer me"}
    async with httpx.AsyncClient(transport=transport, base_url="http://bank", headers=headers) as opened:
        yield opened


async def send(client: httpx.AsyncClient, account: int, cents: int = 5, key: str = "", **more: Any) -> httpx.Response:
    """A payment; its key is the account's unless one is given."""
    body = {"account": account, "amount_cents": cents} | more
    return await client.post("/v1/payments", json=body, headers={"idempotency-key": key or f"k{account}"})


async def booked(pool: Pool) -> list[int]:
    """The accounts of what was booked, in order."""
    async with transaction(pool) as tx:
        return [row["account"] for row in await rows(tx, "SELECT account FROM payment ORDER BY account")]


async def test_commands_at_once_share_transactions_and_each_has_its_own_answer(
    client: httpx.AsyncClient, pool: Pool
) -> None:
    answers = await asyncio.gather(*(send(client, number) for number in range(100)))
    assert {answer.status_code for answer in answers} == {201}
    assert [answer.json()["account"] for answer in answers] == list(range(100))
    assert await booked(pool) == list(range(100))
    assert len({answer.json()["transaction"] for answer in answers}) < 10


async def test_a_refusal_leaves_nothing_and_the_others_alone(client: httpx.AsyncClient, pool: Pool) -> None:
    cents = {3: TOO_MUCH + 1, 7: TOO_MUCH + 1}
    answers = await asyncio.gather(*(send(client, number, cents.get(number, 5)) for number in range(10)))
    refused = [number for number, answer in enumerate(answers) if answer.status_code == 409]
    assert refused == [3, 7]
    assert await booked(pool) == [0, 1, 2, 4, 5, 6, 8, 9]
    assert (await send(client, 3, 5)).status_code == 201, "a refusal leaves the key free"


async def test_one_that_breaks_the_transaction_fails_alone(client: httpx.AsyncClient, pool: Pool) -> None:
    answers = await asyncio.gather(*(send(client, number, POISON if number == 4 else 5) for number in range(10)))
    assert [answer.status_code for answer in answers] == [201] * 4 + [422] + [201] * 5
    assert await booked(pool) == [0, 1, 2, 3, 5, 6, 7, 8, 9]


async def test_one_command_a_hundred_times_at_once_has_one_effect(client: httpx.AsyncClient, pool: Pool) -> None:
    answers = await asyncio.gather(*(send(client, 1) for _ in range(100)))
    done = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in done}) == 1
    assert sum("idempotent-replay" not in answer.headers for answer in done) == 1
    others = [answer.json()["type"] for answer in answers if answer.status_code != 201]
    assert set(others) <= {"/problems/key-in-progress"}
    assert await booked(pool) == [1]


async def test_two_that_belong_apart_never_share_a_transaction(client: httpx.AsyncClient, pool: Pool) -> None:
    answers = await asyncio.gather(*(send(client, 1, key=f"k{number}") for number in range(20)))
    assert len({answer.json()["transaction"] for answer in answers}) == 20
    assert await booked(pool) == [1] * 20


async def test_one_that_waits_for_a_lock_does_not_hold_up_those_that_come_later(
    client: httpx.AsyncClient, pool: Pool
) -> None:
    async with transaction(pool) as tx:
        await tx.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        waiting = asyncio.ensure_future(send(client, 1, slow=True))
        await asyncio.sleep(0.2)
        assert (await send(client, 2)).status_code == 201
        assert not waiting.done()
    assert (await waiting).status_code == 201
    assert await booked(pool) == [1, 2]


async def test_what_a_caller_who_went_away_asked_for_is_done_and_known(client: httpx.AsyncClient, pool: Pool) -> None:
    async with transaction(pool) as tx:
        await tx.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        gone = asyncio.ensure_future(send(client, 1, slow=True))
        await asyncio.sleep(0.1)
        gone.cancel()
    while not await booked(pool):  # noqa: ASYNC110  # what is awaited is in the database, not in this process
        await asyncio.sleep(0.01)
    answer = await send(client, 1, slow=True)
    assert (answer.status_code, answer.headers["idempotent-replay"]) == (201, "true")
    assert await booked(pool) == [1]
