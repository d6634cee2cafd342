"""Costs by cost class: what an area's money was for, and a municipality's."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from kanava.common.auth import Role
from kanava.common.dates import MonthText
from kanava.common.db import transaction
from kanava.common.errors import Forbidden

from ..views import cost_classes as views
from ..views.reports import areas_of_municipality
from .inputs import Area, Watcher
from .reports import Municipal, MunicipalityCode, window

router = APIRouter()


def months(since: Annotated[MonthText, Query()], until: Annotated[MonthText, Query()]) -> tuple[date, date]:
    """The months of a report, at most 24."""
    asked = window(since, until, None, 1)
    return asked.since, asked.until


Months = Annotated[tuple[date, date], Depends(months)]


@router.get("/v1/reports/areas/{area}/cost-classes", tags=["reports"])
async def get_area_cost_classes(request: Request, area: Area, caller: Watcher, asked: Months) -> views.CostClasses:
    """What an area's costs were for (kustannuslajit), by month: the sum is that of its trial balance."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return await views.of_area(tx, area, *asked)


@router.get("/v1/reports/municipalities/{municipality}/cost-classes", tags=["reports"])
async def get_municipality_cost_classes(
    request: Request, municipality: MunicipalityCode, caller: Municipal, asked: Months
) -> views.CostClasses:
    """What was spent in the units of a municipality by cost class (kustannuslaji), by month."""
    if caller.role is Role.MUNICIPALITY:
        caller.must_be_in_municipality(municipality)
    async with transaction(request.app.state.pool) as tx:
        if caller.role is Role.ORGANISER and caller.area not in await areas_of_municipality(tx, municipality):
            raise Forbidden("the municipality does not belong to the caller's area", rule="own_area")
        return await views.of_municipality(tx, municipality, *asked)
