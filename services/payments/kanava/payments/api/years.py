"""Closing fiscal years."""

from fastapi import APIRouter, Request, Response

from kanava.common.db import transaction
from kanava.common.idempotency import Key, once

from ..commands import CloseYear, ProposeYearEnd
from ..service.years import close_year, propose_year_end
from ..views import years as views
from .inputs import Approver, Area, FiscalYear, Input, Watcher

router = APIRouter()


class YearIn(Input):
    """A fiscal year of an area."""

    area: Area
    fiscal_year: FiscalYear


@router.post("/v1/years/proposals", status_code=201, tags=["year"])
async def post_proposal(request: Request, body: YearIn, caller: Approver, key: Key) -> Response:
    """Propose to close a fiscal year (tilinpäätös): its trial balance, and what is left on clearing accounts."""
    caller.must_be_in_area(body.area)
    command = ProposeYearEnd(body.area, body.fiscal_year, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: propose_year_end(tx, command, now), status=201)


@router.post("/v1/years/closures", status_code=201, tags=["year"])
async def post_closure(request: Request, body: YearIn, caller: Approver, key: Key) -> Response:
    """Close a fiscal year that somebody else proposed to close; nothing is posted into it afterwards."""
    caller.must_be_in_area(body.area)
    command = CloseYear(body.area, body.fiscal_year, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: close_year(tx, command, now), status=201)


@router.get("/v1/accounts/{area}/years", tags=["year"])
async def get_years(request: Request, area: Area, caller: Watcher) -> list[dict[str, object]]:
    """The closed fiscal years of an area, each with its trial balance and the SHA-256 of its journal as CSV."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return list(await views.closed(tx, area))
