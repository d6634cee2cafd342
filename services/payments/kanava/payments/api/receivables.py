"""What producers owe, and the final statement of one that leaves."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from kanava.common.auth import Role
from kanava.common.clock import helsinki_date
from kanava.common.db import transaction
from kanava.common.idempotency import Key, once
from kanava.common.web import decode_cursor, next_cursor

from ..commands import DrawFinalStatement
from ..domain.finals import Ground
from ..service.finals import draw_final_statement
from ..views import receivables as views
from .inputs import Area, Input, Operator, Statements

router = APIRouter()
START = (date.min, UUID(int=0))


class FinalStatementIn(Input):
    """The ground on which a producer is settled for good, with reasons."""

    area: Area
    ground: Ground
    reasons: str = Field(min_length=10, max_length=4000)


@router.get("/v1/receivables", tags=["receivables"])
async def get_receivables(
    request: Request,
    caller: Statements,
    area: Area,
    producer_id: Annotated[str | None, Query(max_length=60)] = None,
    paid_too: bool = False,
    after: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, object]:
    """Receivables (saatavat) of an area, oldest first, with age and what is left; a producer sees its own."""
    producers = None if producer_id is None else [producer_id]
    if caller.role is not Role.PRODUCER:
        caller.must_be_in_area(area)
    elif producer_id is None:
        producers = sorted(caller.producers)
    else:
        caller.must_act_for_producer(producer_id)
    month, statement_id = decode_cursor(after, date.fromisoformat, UUID, pointer="/after") or START
    known = {"area": area, "producers": producers, "paid_too": paid_too, "limit": limit}
    async with transaction(request.app.state.pool) as tx:
        today = helsinki_date(await request.app.state.clock.now(tx))
        found = await views.receivables(tx, known | {"today": today, "month": month, "after": statement_id})
    return {"receivables": found, "next": next_cursor(found, limit, _place)}


def _place(row: dict[str, object]) -> tuple[object, ...]:
    return f"{row['month']}-01", str(row["statement_id"])


@router.post("/v1/producers/{producer_id}/final-statement", status_code=201, tags=["receivables"])
async def post_final_statement(
    request: Request, producer_id: str, body: FinalStatementIn, caller: Operator, key: Key
) -> Response:
    """Settle a producer that left, was revoked or is insolvent in one final statement (lopputilitys)."""
    caller.must_be_in_area(body.area)
    command = DrawFinalStatement(body.area, producer_id, body.ground, body.reasons, caller.subject)
    return await once(
        request,
        request.app.state.pool,
        caller,
        key,
        lambda tx, now: draw_final_statement(tx, command, now),
        status=201,
    )
