"""Reports: what was spent by month and component, for those whom it concerns."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AfterValidator

from kanava.common.auth import Caller, Role, allow
from kanava.common.clock import add_months
from kanava.common.dates import MonthText
from kanava.common.db import Tx, transaction
from kanava.common.errors import Forbidden, Invalid
from kanava.common.ids import valid_municipality
from kanava.common.web import decode_cursor, next_cursor

from ..errors import UnknownProducer
from ..views import reports as views
from ..views.reports import Window
from .inputs import Area, Statements, Watcher

router = APIRouter()
MAX_MONTHS = 24
MAX_ROWS = 200
Municipal = Annotated[Caller, allow(Role.MUNICIPALITY, Role.ORGANISER, Role.OPERATOR, Role.AUTHORITY)]
MunicipalityCode = Annotated[str, AfterValidator(valid_municipality)]


def window(
    since: Annotated[MonthText, Query()],
    until: Annotated[MonthText, Query()],
    after: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = MAX_ROWS,
) -> Window:
    """The months of a report, at most 24, and its page."""
    first, last = (date.fromisoformat(f"{month}-01") for month in (since, until))
    if not first <= last < add_months(first, MAX_MONTHS):
        raise Invalid(f"A report covers 1 to {MAX_MONTHS} months.", pointer="/until", rule="report_months")
    return Window(first, last, decode_cursor(after, date.fromisoformat, str, pointer="/after") or (date.min, ""), limit)


Months = Annotated[Window, Depends(window)]


def _page(found: list[dict[str, object]], asked: Window) -> dict[str, object]:
    place = next_cursor(found, asked.limit, lambda row: (f"{row['month']}-01", row["component"]))
    return {"sums": found, "next": place}


@router.get("/v1/reports/areas/{area}", tags=["reports"])
async def get_area_report(request: Request, area: Area, caller: Watcher, asked: Months) -> dict[str, object]:
    """What an area was charged, by month and component."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return _page(await views.of_statements(tx, asked, area=area, producer=None), asked)


@router.get("/v1/reports/producers/{producer_id}", tags=["reports"])
async def get_producer_report(
    request: Request, producer_id: str, caller: Statements, asked: Months
) -> dict[str, object]:
    """What a producer earned, by month and component; an organiser sees what its own area paid."""
    async with transaction(request.app.state.pool) as tx:
        area = await _area_of(tx, caller, producer_id)
        return _page(await views.of_statements(tx, asked, area=area, producer=producer_id), asked)


async def _area_of(tx: Tx, caller: Caller, producer_id: str) -> str | None:
    """The area that a caller's look is limited to; a refusal when the producer is none of its business."""
    if caller.role is Role.PRODUCER:
        caller.must_act_for_producer(producer_id)
        return None
    areas = await views.producer_areas(tx, producer_id)
    if not areas:
        raise UnknownProducer(f"There is no producer {producer_id}.")
    if caller.role is Role.ORGANISER and caller.area not in areas:
        raise Forbidden("the producer does not belong to the caller's area", rule="own_area")
    return caller.area


@router.get("/v1/reports/municipalities/{municipality}", tags=["reports"])
async def get_municipality_report(
    request: Request, municipality: MunicipalityCode, caller: Municipal, asked: Months
) -> dict[str, object]:
    """What was spent in the units of a municipality, by month and component."""
    if caller.role is Role.MUNICIPALITY:
        caller.must_be_in_municipality(municipality)
    async with transaction(request.app.state.pool) as tx:
        areas = await views.areas_of_municipality(tx, municipality)
        if caller.role is Role.ORGANISER and caller.area not in areas:
            raise Forbidden("the municipality does not belong to the caller's area", rule="own_area")
        return _page(await views.of_municipality(tx, asked, municipality, areas), asked)


@router.get("/v1/reports/packages/{node}", tags=["reports"])
async def get_package_report(
    request: Request, node: str, area: Annotated[Area, Query()], caller: Watcher, asked: Months
) -> dict[str, object]:
    """What an area paid for a node of a service package and everything below it, by month and component."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return _page(await views.of_package(tx, asked, node, area), asked)
