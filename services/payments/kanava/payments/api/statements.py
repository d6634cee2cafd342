"""Statements of producers: seen line by line, and approved."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from kanava.common.auth import Role
from kanava.common.dates import MonthText
from kanava.common.db import transaction
from kanava.common.idempotency import Key, once
from kanava.common.web import decode_cursor, next_cursor

from ..commands import ApproveStatements
from ..service.statements import approve_statements, statement_row
from ..statement_paper import read_paper
from ..views import explained
from ..views import statements as views
from .inputs import Approver, Area, MonthIn, Statements, must_see_producer

router = APIRouter()


class ApprovalIn(MonthIn):
    """Statements to approve: those named, or all of the area and month."""

    statement_ids: list[UUID] = Field(default=[], max_length=1000)


@router.get("/v1/statements", tags=["statements"])
async def get_statements(
    request: Request,
    response: Response,
    caller: Statements,
    area: Area,
    month: Annotated[MonthText | None, Query()] = None,
    after: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> list[dict[str, object]]:
    """Statements (tilitykset) of an area; a producer sees its own. The header `Link` leads to the next page."""
    producers = sorted(caller.producers) if caller.role is Role.PRODUCER else None
    if producers is None:
        caller.must_be_in_area(area)
    first = date.fromisoformat(f"{month}-01") if month else None
    place = decode_cursor(after, date.fromisoformat, str, UUID, pointer="/after") or views.START
    async with transaction(request.app.state.pool) as tx:
        found = await views.statements(tx, area=area, month=first, producers=producers, after=place, limit=limit)
    behind = next_cursor(found, limit, lambda row: (f"{row['month']}-01", row["producer_id"], row["statement_id"]))
    if behind is not None:
        response.headers["link"] = f'<{request.url.include_query_params(after=behind)}>; rel="next"'
    return list(found)


@router.get("/v1/statements/{statement_id}", tags=["statements"])
async def get_statement(request: Request, statement_id: UUID, caller: Statements) -> dict[str, object]:
    """One statement: sums, bank status, what is left after offsets, its disputes, until when it can be contested."""
    async with transaction(request.app.state.pool) as tx:
        row = await statement_row(tx, statement_id)
        must_see_producer(caller, row["producer_id"], row["area"])
        (shown,) = await views.statements(tx, statement_id=statement_id)
        return dict(shown) | (await read_paper(tx, statement_id, "en")).as_json()


@router.get("/v1/statements/{statement_id}/lines", tags=["statements"])
async def get_statement_lines(
    request: Request,
    statement_id: UUID,
    caller: Statements,
    after: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> dict[str, object]:
    """Every line down to resident, rate, rule (model or price) and event; `next` is the cursor of the next page."""
    place = decode_cursor(after, *[str] * 6, pointer="/after") or explained.FIRST_LINE
    async with transaction(request.app.state.pool) as tx:
        row = await statement_row(tx, statement_id)
        must_see_producer(caller, row["producer_id"], row["area"])
        lines = await explained.lines(tx, row, after=place, limit=limit)
    return {"lines": lines, "next": next_cursor(lines, limit, explained.place_of)}


@router.post("/v1/approvals", status_code=200, tags=["statements"])
async def post_approval(request: Request, body: ApprovalIn, caller: Approver, key: Key) -> Response:
    """Approve statements of a month. Somebody else releases them."""
    caller.must_be_in_area(body.area)
    command = ApproveStatements(body.area, body.first, caller.subject, tuple(body.statement_ids))
    return await once(
        request, request.app.state.pool, caller, key, lambda tx, now: approve_statements(tx, command, now)
    )
