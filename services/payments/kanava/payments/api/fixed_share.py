"""The share of fixed compensation in what compensation models paid."""

from fastapi import APIRouter, Request

from kanava.common.db import transaction

from ..views import fixed_share as views
from .cost_classes import Months
from .inputs import Area, Watcher

router = APIRouter()


@router.get("/v1/reports/areas/{area}/fixed-share", tags=["reports"])
async def get_fixed_share(request: Request, area: Area, caller: Watcher, asked: Months) -> views.FixedShares:
    """The share of capitation and base payment (kiinteä osuus) in all pay, by model; warns under the least share."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return await views.fixed_shares_of(tx, area, *asked)
