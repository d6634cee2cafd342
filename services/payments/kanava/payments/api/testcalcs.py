"""Test calculations: what would be paid to whom, without effect on money."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator

from kanava.common.dates import MonthText
from kanava.common.db import transaction
from kanava.common.ids import valid_municipality

from ..service.testcalcs import Asked, MethodComparison, compare_methods
from .inputs import Area, Watcher, must_serve_all_areas

router = APIRouter()
Municipality = Annotated[str, AfterValidator(valid_municipality)]


@router.get("/v1/test-calculations", tags=["test calculation"])
async def get_test_calculation(
    request: Request,
    caller: Watcher,
    month: MonthText,
    area: Area | None = None,
    municipality: Municipality | None = None,
    model: Annotated[str | None, Query(max_length=100, description="Another version of the area's model.")] = None,
    on_top: Annotated[bool, Query(description="Coefficient and fees on top, not the same money shared.")] = False,
) -> MethodComparison:
    """No correction, coefficient and performance line side by side (testilaskenta); without an area the country."""
    if area is None:
        must_serve_all_areas(caller)
    else:
        caller.must_be_in_area(area)
    asked = Asked(date.fromisoformat(f"{month}-01"), area, municipality, model, neutral=not on_top)
    async with transaction(request.app.state.pool) as tx:
        return await compare_methods(tx, asked)
