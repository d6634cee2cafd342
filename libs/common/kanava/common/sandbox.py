"""The sandbox clock's address: an operator moves time, in sandbox mode only. Time never moves backwards."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from .auth import Caller, Role, allow
from .clock import set_sandbox_clock
from .dates import Instant
from .db import transaction
from .errors import RefusalReason, Refused

router = APIRouter()


class ClockReason(RefusalReason):
    """Why the clock was not moved."""

    BACKWARDS = "clock_backwards", "The clock moves forwards only; begin anew with fresh data to go back."


class Moment(BaseModel):
    """An instant with its offset."""

    instant: Instant


@router.get("/v1/sandbox/clock", tags=["sandbox"])
async def get_clock(request: Request, caller: Annotated[Caller, allow(*Role)]) -> Moment:
    """What time it is for this service."""
    async with transaction(request.app.state.pool) as tx:
        return Moment(instant=await request.app.state.clock.now(tx))


@router.put("/v1/sandbox/clock", tags=["sandbox"])
async def put_clock(request: Request, body: Moment, caller: Annotated[Caller, allow(Role.OPERATOR)]) -> Moment:
    """Move the clock of this service forward; it stands still between moves."""
    instant: datetime = body.instant.astimezone(UTC)
    async with transaction(request.app.state.pool) as tx:
        if not await set_sandbox_clock(tx, instant):
            raise Refused(ClockReason.BACKWARDS, pointer="/instant")
    return Moment(instant=instant)
