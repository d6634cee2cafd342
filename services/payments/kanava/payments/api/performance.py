"""Performance lines (suoritekorvaukset): the client-specific correction afterwards, decided on, revoked and listed."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, Field

from kanava.common.auth import Caller
from kanava.common.db import transaction
from kanava.common.idempotency import Key, once
from kanava.common.ids import valid_oid
from kanava.common.web import decode_cursor, next_cursor

from ..domain.performance import LIMITS, MAX_REASON_CHARACTERS
from ..service import performance as service
from ..views import performance as views
from .inputs import Approver, Area, Input, Statements, must_see_producer
from .needs import Organiser

router = APIRouter(tags=["performance lines"])
After = Annotated[str | None, Query(max_length=1000)]
Limit = Annotated[int, Query(ge=1, le=500)]
Why = Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARACTERS)]
EVER_AT_MOST_CENTS = max(limits.most_cents for limits in LIMITS)


def moves(cents: int) -> int:
    """An amount that is not nothing."""
    if cents == 0:
        raise ValueError("an amount of nothing corrects nothing")
    return cents


Amount = Annotated[int, Field(ge=-EVER_AT_MOST_CENTS, le=EVER_AT_MOST_CENTS, strict=True), AfterValidator(moves)]


class PerformanceIn(Input):
    """A performance line: whose, at which unit, for which day, and why; positive cents raise, negative lower."""

    area: Area
    resident_id: UUID
    unit_id: Annotated[str, AfterValidator(valid_oid)]
    performed_on: date
    amount_cents: Amount
    reason: Why


class RevocationIn(Input):
    """Why a decision holds no longer."""

    reason: Why


@router.post("/v1/performance-lines", status_code=201)
async def post_performance(request: Request, body: PerformanceIn, caller: Organiser, key: Key) -> Response:
    """Decide on a performance line (suoritekorvaus) for a listed resident; the next run of the area takes it."""
    caller.must_be_in_area(body.area)
    command = service.DecidePerformance(**body.model_dump(), decided_by=caller.subject)
    pool = request.app.state.pool
    act = service.decide_performance
    return await once(request, pool, caller, key, lambda tx, now: act(tx, command, now), status=201)


@router.post("/v1/performance-lines/{performance_id}/revocation", status_code=201)
async def post_revocation(
    request: Request, performance_id: UUID, body: RevocationIn, caller: Organiser, key: Key
) -> Response:
    """Revoke a performance line, as somebody else than who decided; the next run takes back what was paid."""
    await _must_own(request, caller, performance_id)
    command = service.RevokePerformance(performance_id, body.reason, caller.subject)
    pool = request.app.state.pool
    act = service.revoke_performance
    return await once(request, pool, caller, key, lambda tx, now: act(tx, command, now), status=201)


async def _must_own(request: Request, caller: Caller, performance_id: UUID) -> None:
    async with transaction(request.app.state.pool) as tx:
        row = await service.locked_performance(tx, performance_id)
    caller.must_be_in_area(row["area"])


@router.get("/v1/accounts/{area}/performance-lines")
async def get_area_performance(
    request: Request, area: Area, caller: Approver, after: After = None, limit: Limit = 100
) -> dict[str, Any]:
    """Performance lines that were decided on in an area, by day, with revocations and what the books have of them."""
    caller.must_be_in_area(area)
    return await _page(request, area, None, after=after, limit=limit)


@router.get("/v1/producers/{producer_id}/performance-lines")
async def get_producer_performance(
    request: Request, producer_id: str, area: Area, caller: Statements, after: After = None, limit: Limit = 100
) -> dict[str, Any]:
    """A producer's performance lines in an area, each with its reason."""
    must_see_producer(caller, producer_id, area)
    return await _page(request, area, producer_id, after=after, limit=limit)


async def _page(
    request: Request, area: str, producer_id: str | None, *, after: str | None, limit: int
) -> dict[str, Any]:
    place = decode_cursor(after, date.fromisoformat, UUID) or views.FIRST
    async with transaction(request.app.state.pool) as tx:
        found = await views.decisions(tx, area=area, producer_id=producer_id, after=place, limit=limit)
    behind = next_cursor(found, limit, lambda row: (str(row["performed_on"]), str(row["performance_id"])))
    return {"performance_lines": found, "next": behind}
