"""Forecasts of an area's account and of a producer's income."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from kanava.common.db import transaction

from ..service.forecasts import Forecast, IncomeForecast, forecast_account, forecast_income
from .inputs import Approver, Area, Statements, must_see_producer

router = APIRouter()
Instalment = Annotated[str, Field(pattern=r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2]):[0-9]{1,15}$")]


@router.get("/v1/accounts/{area}/forecast", tags=["books"])
async def get_forecast(
    request: Request,
    area: Area,
    caller: Approver,
    planned: Annotated[
        list[Instalment] | None,
        Query(max_length=12, description="Other inflows than planned, to ask what if: `2027-01:125000000` in cents."),
    ] = None,
) -> Forecast:
    """Twelve months of the account with an 80 % band (kassaennuste).

    What comes in is taken from the area's funding plans (maksuerät); a year without a plan is that of last year.
    """
    caller.must_be_in_area(area)
    instalments = {date.fromisoformat(f"{one[:7]}-01"): int(one[8:]) for one in planned or ()}
    async with transaction(request.app.state.pool) as tx:
        return await forecast_account(tx, area, instalments, await request.app.state.clock.now(tx))


@router.get("/v1/producers/{producer_id}/forecast", tags=["statements"])
async def get_income_forecast(
    request: Request, producer_id: Annotated[str, Path(max_length=100)], area: Area, caller: Statements
) -> IncomeForecast:
    """Twelve months of a producer's income from an area, with an 80 % band of its sum (tuloennuste)."""
    must_see_producer(caller, producer_id, area)
    async with transaction(request.app.state.pool) as tx:
        return await forecast_income(tx, area, producer_id)
