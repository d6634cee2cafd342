"""Frozen indicators, and how annual orders are fulfilled, over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from kanava.common.auth import Caller, Role, allow
from kanava.common.contracts.registry import Direction
from kanava.common.dates import CalendarDay
from kanava.common.db import Tx, transaction
from kanava.common.idempotency import Key, once
from kanava.common.ids import valid_area, valid_municipality, valid_oid

from . import views_snapshots as views
from .commands import FreezeIndicator
from .domain.snapshots import Frozen, Subject
from .service_snapshots import freeze

router = APIRouter(prefix="/v1")

Oid = Annotated[str, AfterValidator(valid_oid)]
Area = Annotated[str, AfterValidator(valid_area)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,79}$")]
Number = Annotated[int, Field(strict=True, ge=-(10**15), le=10**15)]
Count = Annotated[int, Field(strict=True, ge=0, le=10**12)]
Freezing = Annotated[Caller, allow(Role.AUTHORITY, Role.ORGANISER)]
Watching = Annotated[Caller, allow(Role.PRODUCER, Role.ORGANISER, Role.MUNICIPALITY, Role.OPERATOR, Role.AUTHORITY)]


class SnapshotIn(BaseModel):
    """An indicator to freeze for a period; numbers are whole ones of 10^-`scale`, `period_until` not included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    indicator: Code
    subject: Subject
    area: Area
    producer_id: Oid | None = None
    unit_id: Oid | None = None
    municipality: Annotated[str, AfterValidator(valid_municipality)] | None = None
    period_from: CalendarDay
    period_until: CalendarDay
    direction: Direction
    value: Number
    scale: int = Field(default=0, strict=True, ge=0, le=6)
    numerator: Count | None = None
    denominator: Annotated[int, Field(strict=True, ge=1, le=10**12)] | None = None
    floor: Number | None = None
    target: Number | None = None
    confirmed_by: Oid | None = None

    def command(self, caller: Caller) -> FreezeIndicator:
        """The command of an authority or an organiser."""
        return FreezeIndicator(Frozen(**self.model_dump()), caller.subject)


def _own_rows(caller: Caller, area: str) -> list[str] | None:
    """A producer sees its own rows, an organiser and a municipality their own area, the others all."""
    if caller.role in (Role.ORGANISER, Role.MUNICIPALITY):
        caller.must_be_in_area(area)
    return sorted(caller.producers) if caller.role is Role.PRODUCER else None


@router.post("/snapshots", status_code=201, response_model=views.SnapshotView, tags=["indicators"])
async def post_snapshot(request: Request, body: SnapshotIn, caller: Freezing, key: Key) -> Response:
    """Freeze an indicator (mittari) of a producer, unit, municipality or area for a period that is over."""
    command = body.command(caller)

    async def act(tx: Tx, now: datetime) -> views.SnapshotView:
        return await freeze(tx, command, now, caller=caller)

    return await once(request, request.app.state.pool, caller, key, act, status=201)


@router.get("/snapshots", tags=["indicators"])
async def get_snapshots(
    request: Request, caller: Watching, area: Area, indicator: str | None = None
) -> list[views.SnapshotView]:
    """The frozen indicators of an area, newest first; a producer sees its own."""
    only = _own_rows(caller, area)
    async with transaction(request.app.state.pool) as tx:
        see_small_cells = caller.role is not Role.MUNICIPALITY
        return await views.snapshots(tx, area, indicator=indicator, only=only, see_small_cells=see_small_cells)


@router.get("/orders/fulfilment", tags=["indicators"])
async def get_fulfilment(
    request: Request, caller: Watching, area: Area, year: Annotated[int, Query(ge=2020, le=2100)]
) -> list[views.FulfilledLine]:
    """What an area ordered for a year and what was delivered of it; a producer sees its own orders."""
    only = _own_rows(caller, area)
    async with transaction(request.app.state.pool) as tx:
        return await views.fulfilment(tx, area, year, only=only)
