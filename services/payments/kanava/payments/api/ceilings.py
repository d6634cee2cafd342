"""The yearly ceiling of client fees: a resident's own page, and what an area gives back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from kanava.common.db import transaction
from kanava.common.web import decode_cursor, next_cursor

from ..views import ceilings as views
from .inputs import Area, Operator, Self

router = APIRouter()
MAX_ROWS = 500
BEFORE_ALL = (UUID(int=0), UUID(int=0))


@router.get("/v1/residents/{resident_id}/client-fees", tags=["residents"])
async def get_client_fees(request: Request, resident_id: UUID, caller: Self) -> list[dict[str, object]]:
    """Client fees (asiakasmaksut) that count towards the resident's ceiling (maksukatto), those of the resident's
    children included, and what goes back; by year, cents."""
    caller.must_be_resident(resident_id)
    async with transaction(request.app.state.pool) as tx:
        return await views.of_family(tx, resident_id)


@router.get("/v1/accounts/{area}/ceiling-claims", tags=["residents"])
async def get_ceiling_claims(
    request: Request,
    area: Area,
    caller: Operator,
    year: Annotated[int, Query(ge=2000, le=2100)],
    after: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = MAX_ROWS,
) -> dict[str, object]:
    """What residents of an area paid above the ceiling of a year and is owed to them (maksukaton ylitykset)."""
    caller.must_be_in_area(area)
    place = decode_cursor(after, UUID, UUID, pointer="/after") or BEFORE_ALL
    async with transaction(request.app.state.pool) as tx:
        found = await views.of_area(tx, area, year, after=(place[0], place[1]), limit=limit)
    position = next_cursor(found, limit, lambda row: (row["resident_id"], row["payee_id"]))
    return {"claims": found, "next": position}
