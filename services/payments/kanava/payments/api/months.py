"""Closing months."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from kanava.common.db import transaction
from kanava.common.idempotency import Key, once

from ..commands import RequestRun
from ..service.runs import request_run, run_row
from .inputs import MonthIn, Operator, Watcher

router = APIRouter()


@router.post("/v1/runs", status_code=202, tags=["month"])
async def post_run(request: Request, body: MonthIn, caller: Operator, key: Key) -> Response:
    """Close a month (kuukausiajo): fixes the cut-off and queues the run. Follow it at `/v1/runs/{run_id}`."""
    caller.must_be_in_area(body.area)
    command = RequestRun(body.area, body.first, caller.subject)
    return await once(
        request,
        request.app.state.pool,
        caller,
        key,
        lambda tx, now: request_run(tx, command, now),
        status=202,
    )


@router.get("/v1/runs/{run_id}", tags=["month"])
async def get_run(request: Request, run_id: UUID, caller: Watcher) -> dict[str, object]:
    """How far a run has come."""
    async with transaction(request.app.state.pool) as tx:
        row = await run_row(tx, run_id)
        caller.must_be_in_area(row["area"])
        return dict(row) | {"month": f"{row['month']:%Y-%m}"}
