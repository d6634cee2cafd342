"""Idempotency keys: a command that is sent twice has one effect and two equal answers.

Everything happens in the transaction of the effect. A refusal rolls back and stores nothing, so the same key
may be tried again. Keys never expire, since they guard money. What a command answers is stored as it was
sent: it must hold no identity data.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Header, Request, Response
from psycopg.errors import UniqueViolation
from psycopg.rows import DictRow

from .auth import Caller
from .clock import Clock
from .db import APPEND_ONLY, Pool, Tx, rows, transaction
from .errors import KeyInProgress, KeyReused, MissingIdempotencyKey, Problem
from .web import as_json

KEY_LIMIT_CHARACTERS = 255

_CLAIM = """
WITH asked AS MATERIALIZED (
    SELECT n, caller, key, pg_try_advisory_xact_lock(hashtextextended(caller || chr(31) || key, 7)) AS got
    FROM unnest(%(callers)s::text[], %(keys)s::text[]) WITH ORDINALITY AS asked (caller, key, n))
SELECT asked.got, i.route, i.body_hash, i.status, i.body FROM asked LEFT JOIN idempotency i USING (caller, key)
ORDER BY asked.n
"""
_SETTLE = """
INSERT INTO idempotency (caller, key, route, body_hash, status, body)
SELECT * FROM unnest(%(callers)s::text[], %(keys)s::text[], %(routes)s::text[], %(body_hashes)s::bytea[],
    %(statuses)s::smallint[], %(bodies)s::bytea[])
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


@dataclass(frozen=True, slots=True)
class Claim:
    """A key as its caller used it: on which route and with which body."""

    caller: str
    key: str
    route: str
    body_hash: bytes

    @classmethod
    def of(cls, request: Request, caller: Caller, key: IdempotencyKey) -> "Claim":
        """The claim of a request."""
        route = f"{request.method} {request.url.path}?{request.url.query}"
        return cls(caller.subject, key.value, route, key.body_hash)


async def claim(tx: Tx, claims: Sequence[Claim]) -> list[Replay | Problem | None]:
    """Claim keys for this transaction: None for a fresh one, the former answer for a command that was done.

    `KeyInProgress` while another transaction holds the key and `KeyReused` for another body or route stand in
    the place of their claim. One who commits between this statement's snapshot and its lock is found by the
    unique key in `settle`. No two claims may have the same caller and key.
    """
    named = {"callers": [one.caller for one in claims], "keys": [one.key for one in claims]}
    found = await rows(tx, _CLAIM, named)
    assert len(found) == len(claims), "the claim of a key answered nothing"
    return [_claimed(one, row) for one, row in zip(claims, found, strict=True)]


def _claimed(one: Claim, row: DictRow) -> Replay | Problem | None:
    if row["route"] is None:
        return None if row["got"] else KeyInProgress()
    if row["route"] != one.route or bytes(row["body_hash"]) != one.body_hash:
        return KeyReused()
    return Replay(row["status"], bytes(row["body"]))


async def settle(tx: Tx, answered: Sequence[tuple[Claim, Replay]]) -> None:
    """Store answers beside their effects; `KeyInProgress` when another transaction was first."""
    columns = {
        "callers": [one.caller for one, _ in answered],
        "keys": [one.key for one, _ in answered],
        "routes": [one.route for one, _ in answered],
        "body_hashes": [one.body_hash for one, _ in answered],
        "statuses": [answer.status for _, answer in answered],
        "bodies": [answer.body for _, answer in answered],
    }
    try:
        await tx.execute(_SETTLE, columns)
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
    own = Claim.of(request, caller, key)
    async with transaction(pool) as tx:
        [before] = await claim(tx, [own])
        if isinstance(before, Problem):
            raise before
        if before is not None:
            return answered(before, replayed=True)
        result = await act(tx, await clock.now(tx))
        answer = Replay(status, as_json(result))
        await settle(tx, [(own, answer)])
    return answered(answer)


def answered(answer: Replay, *, replayed: bool = False) -> Response:
    """The response that carries an answer, marked when it was given before."""
    headers = {"idempotent-replay": "true"} if replayed else None
    return Response(answer.body, status_code=answer.status, media_type="application/json", headers=headers)
