"""Idempotency keys: a command that is sent twice has one effect and two equal answers.

Everything happens in the transaction of the effect. A refusal rolls back and stores nothing, so the same key
may be tried again. Keys never expire, since they guard money. What a command answers is stored as it was
sent: it must hold no identity data.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Header, Request, Response
from psycopg.errors import UniqueViolation

from .auth import Caller
from .clock import Clock
from .db import APPEND_ONLY, Pool, Tx, one, transaction
from .errors import KeyInProgress, KeyReused, MissingIdempotencyKey
from .web import as_json

KEY_LIMIT_CHARACTERS = 255

_BEGIN = """
WITH locked AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtextextended(%(caller)s || chr(31) || %(key)s, 7)) AS got)
SELECT locked.got, i.route, i.body_hash, i.status, i.body
FROM locked LEFT JOIN idempotency i ON i.caller = %(caller)s AND i.key = %(key)s
"""
_FINISH = """
INSERT INTO idempotency (caller, key, route, body_hash, status, body)
VALUES (%(caller)s, %(key)s, %(route)s, %(body_hash)s, %(status)s, %(body)s)
"""


def idempotency_table(metadata: sa.MetaData) -> sa.Table:
    """Add the answered commands to a service's own metadata; nothing in them is ever changed."""
    return sa.Table(
        "idempotency",
        metadata,
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        info=APPEND_ONLY,
    )


@dataclass(frozen=True)
class Replay:
    """The answer that was given to this command before."""

    status: int
    body: bytes


@dataclass(frozen=True)
class IdempotencyKey:
    """The key of a command, 1 to 255 printable characters, and the SHA-256 of its body."""

    value: str
    body_hash: bytes


async def idempotency_key(
    request: Request,
    key: Annotated[str | None, Header(alias="Idempotency-Key", include_in_schema=True)] = None,
) -> IdempotencyKey:
    """Read the header; `MissingIdempotencyKey` when it is not usable. A body is sent raw, not as a form."""
    if not key or len(key) > KEY_LIMIT_CHARACTERS or not (key.isascii() and key.isprintable()):
        raise MissingIdempotencyKey(pointer="/Idempotency-Key", rule="idempotency_key")
    return IdempotencyKey(key, hashlib.sha256(await request.body()).digest())


Key = Annotated[IdempotencyKey, Depends(idempotency_key)]
"""`key: Key` in a route's parameters."""


async def begin(tx: Tx, *, caller: str, key: str, route: str, body_hash: bytes) -> Replay | None:
    """Claim a key for this transaction: None when it is fresh, the former answer when the command was done.

    Raises `KeyInProgress` while another transaction holds the key and `KeyReused` for another body or route.
    One who commits between this statement's snapshot and its lock is found by the unique key in `finish`.
    """
    row = await one(tx, _BEGIN, {"caller": caller, "key": key})
    assert row is not None, "the claim of a key answered nothing"
    if row["route"] is None:
        if not row["got"]:
            raise KeyInProgress()
        return None
    if row["route"] != route or bytes(row["body_hash"]) != body_hash:
        raise KeyReused()
    return Replay(row["status"], bytes(row["body"]))


async def finish(tx: Tx, *, caller: str, key: str, route: str, body_hash: bytes, answer: Replay) -> None:
    """Store the answer beside the effect; `KeyInProgress` when another transaction was first."""
    named = {"caller": caller, "key": key, "route": route, "body_hash": body_hash}
    try:
        await tx.execute(_FINISH, named | {"status": answer.status, "body": answer.body})
    except UniqueViolation as error:
        raise KeyInProgress() from error


async def once(
    request: Request,
    pool: Pool,
    caller: Caller,
    key: IdempotencyKey,
    act: Callable[[Tx, datetime], Awaitable[Any]],
    *,
    status: int = 200,
) -> Response:
    """Do a command at most once for its key, in one transaction, and answer its result as JSON.

    `act` gets the transaction and the clock's instant in it; what it returns (a model, a dataclass or plain
    data) becomes the body. A repeat answers the same bytes with `Idempotent-Replay: true`. A `Problem` stores
    nothing.
    """
    clock: Clock = request.app.state.clock
    claim = {
        "caller": caller.subject,
        "key": key.value,
        "route": f"{request.method} {request.url.path}?{request.url.query}",
        "body_hash": key.body_hash,
    }
    async with transaction(pool) as tx:
        answer = await begin(tx, **claim)  # type: ignore[arg-type]  # the values are what begin names
        if answer is not None:
            return _response(answer, headers={"idempotent-replay": "true"})
        result = await act(tx, await clock.now(tx))
        answer = Replay(status, as_json(result))
        await finish(tx, **claim, answer=answer)  # type: ignore[arg-type]  # as above
    return _response(answer)


def _response(answer: Replay, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.body, status_code=answer.status, media_type="application/json", headers=headers)
