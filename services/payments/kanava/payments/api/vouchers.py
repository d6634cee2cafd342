"""What was used of vouchers and personal budgets, for the resident and for who organises."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from kanava.common.db import transaction
from kanava.common.web import decode_cursor, next_cursor

from ..views import vouchers as views
from .inputs import Area, Self, Watcher

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
