"""The budget of an area and year: what is used, encumbered and left of each line."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from kanava.common.clock import helsinki_date
from kanava.common.db import transaction

from ..views import budgets as views
from .inputs import Area, Watcher

router = APIRouter()


@router.get("/v1/accounts/{area}/budget", tags=["budgets"])
async def get_budget(
    request: Request, area: Area, year: Annotated[int, Query(ge=2020, le=2100)], caller: Watcher
) -> dict[str, object]:
    """The lines of a budget (talousarvio) with what is used, encumbered (sidottu) and left, and which are broken.

    `unpaid_cents` is the part of the use that no payout has taken: drawn, approved, or held because it breaks a line.
    """
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        today = helsinki_date(await request.app.state.clock.now(tx))
        lines = await views.standing_lines(tx, area, year, today)
    return {"area": area, "year": year, "lines": lines, "breaches": [line for line in lines if line["breached"]]}
