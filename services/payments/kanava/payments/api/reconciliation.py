"""Whether everything that came in had its effect."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request

from kanava.common.dates import CalendarDay
from kanava.common.db import transaction
from kanava.common.errors import Invalid

from ..views.reconciliation import Reconciliation, reconciliation
from .inputs import Operator, must_serve_all_areas

router = APIRouter()
MOST_DAYS = timedelta(days=31)


@router.get("/v1/reconciliation", tags=["books"])
async def get_reconciliation(
    request: Request,
    caller: Operator,
    first: Annotated[CalendarDay, Query(description="The first day.")],
    last: Annotated[CalendarDay, Query(description="The last day, included; at most 31 days after the first.")],
) -> Reconciliation:
    """Events in and effects out by flow and day (täsmäytys); what is missing is named."""
    must_serve_all_areas(caller)
    if not first <= last <= first + MOST_DAYS:
        raise Invalid("the days are in order and at most 31 days apart", pointer="/last", rule="period_in_order")
    async with transaction(request.app.state.pool) as tx:
        return await reconciliation(tx, first, last)
