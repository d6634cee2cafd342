"""What a service has said and heard, topic by topic: published, received, and what had an effect."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from .auth import Caller, Role, allow
from .contracts import TOPICS
from .db import rows, transaction

router = APIRouter()


class Said(BaseModel):
    """Facts that stand in the outbox of this service for one topic."""

    topic: str
    published: int
    waiting: int
    oldest_waiting_seconds: float


class Heard(BaseModel):
    """Records of one topic that this service took in, and what became of them."""

    topic: str
    received: int
    applied: int
    duplicates: int
    dead: int
    unknown: int


class BusView(BaseModel):
    """The bus as this service sees it."""

    said: list[Said]
    heard: list[Heard]


_SAID = """
SELECT topic, coalesce(published, 0) AS published, coalesce(waiting, 0) AS waiting,
       coalesce(extract(epoch FROM clock_timestamp() - oldest), 0)::float AS oldest_waiting_seconds
FROM outbox_sent FULL JOIN (
    SELECT topic, count(*) AS waiting, min(created_at) AS oldest FROM outbox_unsent JOIN outbox USING (id) GROUP BY topic
) queued USING (topic)
WHERE topic = ANY(%s) ORDER BY topic
"""
_HEARD = """
SELECT topic, sum(received)::bigint AS received, sum(applied)::bigint AS applied,
       sum(duplicates)::bigint AS duplicates, sum(dead)::bigint AS dead, sum(unknown)::bigint AS unknown
FROM inbox_offset GROUP BY topic ORDER BY topic
"""


@router.get("/v1/bus", tags=["bus"])
async def get_bus(request: Request, caller: Annotated[Caller, allow(Role.OPERATOR)]) -> BusView:
    """Published, received, applied, doubled and dead, for each topic of this service."""
    names = [name for topic in TOPICS for name in (topic.name, topic.dead_letters)]
    async with transaction(request.app.state.pool) as tx:
        said = [Said.model_validate(row) for row in await rows(tx, _SAID, (names,))]
        heard = [Heard.model_validate(row) for row in await rows(tx, _HEARD)]
    return BusView(said=said, heard=heard)
