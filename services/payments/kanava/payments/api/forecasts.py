"""The cash forecast of an area's account."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from kanava.common.db import transaction

from ..service.forecasts import Forecast, forecast_account
from .inputs import Approver, Area

router = APIRouter()
Instalment = Annotated[str, Field(pattern=r"^(19|20)\d{2}-(0[1-9]|1[0-2]):\d{1,15}$")]


@router.get("/v1/accounts/{area}/forecast", tags=["books"])
async def get_forecast(
    request: Request,
    area: Area,
    caller: Approver,
    planned: Annotated[
        list[Instalment] | None,
        Query(max_length=12, description="Instalments of the plan, `2027-01:125000000` in cents."),
    ] = None,
) -> Forecast:
    """Twelve months of the account with an 80 % band (kassaennuste); a month without a plan is that of last year."""
    caller.must_be_in_area(area)
    instalments = {date.fromisoformat(f"{one[:7]}-01"): int(one[8:]) for one in planned or ()}
    async with transaction(request.app.state.pool) as tx:
        return await forecast_account(tx, area, instalments, await request.app.state.clock.now(tx))
