"""What contracts name and the compensation model in force does not pay."""

from fastapi import APIRouter, Request

from kanava.common.db import transaction

from ..views import allowed_kinds as views
from .inputs import Area, Watcher

router = APIRouter()


@router.get("/v1/accounts/{area}/refused-kinds", tags=["contracts"])
async def get_refused_kinds(request: Request, area: Area, caller: Watcher) -> list[dict[str, object]]:
    """Kinds of compensation (korvauslajit) of contracts in force that no model in force pays to their class."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return await views.refused_kinds(tx, area, await request.app.state.clock.now(tx))
