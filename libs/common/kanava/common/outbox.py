"""The outbox: a fact is written beside the change that it tells of, in the same transaction.

`relay.py` publishes it afterwards. The outbox is the retained history of what a service has said.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from .contracts import TOPIC_OF, Fact
from .db import Tx
from .telemetry import current_traceparent

MAX_BODY_BYTES = 900_000
"""A larger fact would be refused by the broker and hold up everything behind it."""

_INSERT = """
INSERT INTO outbox (topic, key, type, body, traceparent)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %s::text[])
"""
"""Bodies go in binary: as text the quoting of thousands of them takes longer than their insertion."""


async def emit(tx: Tx, *facts: Fact, traceparents: Sequence[str | None] | None = None) -> None:
    """Say facts on the bus once this transaction commits; order is kept for each aggregate.

    The caller holds the aggregate's row lock, so ids of one key rise in the order of their commits. Each fact goes
    on in its trace of `traceparents`; without them in the one that is open here.
    """
    if not facts:
        return
    traces = [current_traceparent()] * len(facts) if traceparents is None else traceparents
    assert len(traces) == len(facts), "each fact has its trace"
    columns = [list(column) for column in zip(*map(_row, facts), strict=True)]
    await tx.execute(_INSERT, [*columns, list(traces)])


def _row(fact: Fact) -> tuple[str, str, str, str]:
    topic = TOPIC_OF[type(fact)]
    key = str(getattr(fact, topic.key))
    body = fact.model_dump_json()
    if len(body.encode()) > MAX_BODY_BYTES:
        raise ValueError(f"a fact for {topic.name} has more than {MAX_BODY_BYTES} bytes")
    return topic.name, key, topic.type_of(fact.what), body


async def emit_raw(
    tx: Tx, *, topic: str, key: str, kind: str, body: str, headers: dict[str, Any] | None = None
) -> None:
    """Say a body as it is, with headers of its own: how a dead letter leaves a consumer."""
    await tx.execute(
        "INSERT INTO outbox (topic, key, type, body, headers, traceparent) VALUES (%s, %s, %s, %s, %s::jsonb, %s)",
        (topic, key, kind, body, _json(headers), current_traceparent()),
    )


def _json(headers: dict[str, Any] | None) -> str | None:
    return orjson.dumps(headers).decode() if headers else None
