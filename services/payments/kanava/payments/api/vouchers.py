"""What was used of vouchers and personal budgets, for the resident and who organises; what was not paid, and why."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from kanava.common.db import transaction
from kanava.common.web import decode_cursor, next_cursor

from ..views import vouchers as views
from .inputs import Area, Self, Statements, Watcher, must_see_producer

router = APIRouter()
After = Annotated[str | None, Query(max_length=1000)]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/v1/residents/{resident_id}/voucher-use", tags=["vouchers"])
async def get_own_use(
    request: Request, resident_id: UUID, caller: Self, after: After = None, limit: Limit = 100
) -> dict[str, object]:
    """The resident's own vouchers (palvelusetelit) and personal budgets: granted, used, returned and left."""
    caller.must_be_resident(resident_id)
    place = decode_cursor(after, UUID, pointer="/after") or (views.START,)
    async with transaction(request.app.state.pool) as tx:
        found = await views.vouchers(tx, resident=resident_id, after=place[0], limit=limit)
    return {"vouchers": found, "next": next_cursor(found, limit, lambda row: (str(row["voucher_id"]),))}


@router.get("/v1/accounts/{area}/vouchers", tags=["vouchers"])
async def get_area_use(
    request: Request, area: Area, caller: Watcher, after: After = None, limit: Limit = 100
) -> dict[str, object]:
    """The area's vouchers and personal budgets with their use, by pseudonymous resident."""
    caller.must_be_in_area(area)
    place = decode_cursor(after, UUID, pointer="/after") or (views.START,)
    async with transaction(request.app.state.pool) as tx:
        found = await views.vouchers(tx, area=area, after=place[0], limit=limit)
    return {"vouchers": found, "next": next_cursor(found, limit, lambda row: (str(row["voucher_id"]),))}


@router.get("/v1/producers/{producer_id}/unpaid-voucher-reports", tags=["vouchers"])
async def get_unpaid_reports(
    request: Request, producer_id: str, area: Area, caller: Statements, after: After = None, limit: Limit = 100
) -> dict[str, object]:
    """Reports of a producer that a voucher (palveluseteli) stood for and did not pay, each with the reason."""
    must_see_producer(caller, producer_id, area)
    place = decode_cursor(after, date.fromisoformat, UUID) or views.FIRST_REPORT
    async with transaction(request.app.state.pool) as tx:
        found = await views.not_paid(tx, area=area, producer_id=producer_id, after=place, limit=limit)
    behind = next_cursor(found, limit, lambda row: (str(row["performed_on"]), str(row["production_id"])))
    return {"reports": found, "next": behind}
