"""What payers are to pay into an area's account, and how far they have come."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, Field, model_validator

from kanava.common.dates import CalendarDay
from kanava.common.db import transaction
from kanava.common.idempotency import Key, once
from kanava.common.ids import valid_municipality

from ..commands import AllocateContributions, PlanInstalments, SetStateFunding
from ..domain.state_funding import Determinant
from ..service.funding import allocate_contributions
from ..service.funding_plans import plan_instalments, set_state_funding
from ..views import funding as views
from .inputs import (
    Approver,
    Area,
    Day,
    FiscalYear,
    Input,
    Operator,
    ReceivedDay,
    Watcher,
    day_or_today,
    must_serve_all_areas,
)
from .money_in import MAX_INSTALMENT_CENTS

router = APIRouter()
MAX_INSTALMENTS = 366
MAX_MEASURES = 500
MAX_MEASURE = 10**12
MAX_NATIONAL_CENTS = 100_000_000_000_00
"""A year's sum of the whole country; the state's funding alone is some 26 milliard euros."""
Cents = Annotated[int, Field(gt=0, le=MAX_INSTALMENT_CENTS, strict=True)]
NationalCents = Annotated[int, Field(gt=0, le=MAX_NATIONAL_CENTS, strict=True)]
Claims = Annotated[int, Field(ge=0, le=MAX_NATIONAL_CENTS, strict=True)]
Measure = Annotated[int, Field(ge=0, le=MAX_MEASURE, strict=True)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Year = Annotated[int, Query(ge=2020, le=2100, description="A fiscal year, `2026`.")]


class InstalmentIn(Input):
    """One instalment of a plan."""

    due_on: CalendarDay
    amount_cents: Cents


class PlanIn(Input):
    """The instalments that a payer is to pay in a fiscal year; a municipality's plan names the municipality."""

    area: Area
    payer: Literal["state", "municipality", "insurance"]
    municipality: Annotated[str, AfterValidator(valid_municipality)] | None = None
    fiscal_year: FiscalYear
    instalments: list[InstalmentIn] = Field(min_length=1, max_length=MAX_INSTALMENTS)
    reason: Reason

    @model_validator(mode="after")
    def municipality_pays(self) -> "PlanIn":
        """A municipality is named exactly when one pays."""
        if (self.payer == "municipality") != (self.municipality is not None):
            raise ValueError("municipality is named exactly when a municipality pays")
        return self


class MeasureIn(Input):
    """A determinant's measure of an area: a count or an index in whole numbers."""

    determinant: Determinant
    area: Area
    measure: Measure


class StateFundingIn(Input):
    """The state's funding of a year for health and social services, and every determinant's measures."""

    fiscal_year: FiscalYear
    total_cents: NationalCents
    measures: list[MeasureIn] = Field(min_length=1, max_length=MAX_MEASURES)
    reason: Reason


class AreaMeasureIn(Input):
    """The measure by which an area gets its part of a sum, for instance its residents."""

    area: Area
    measure: Measure


class ContributionsIn(Input):
    """A collected sum of statutory insurance contributions and the areas' measures; each area once.

    `class_1_cents` and `class_2_cents` are the claims of it for occupational and student health (Kela I, Kela II).
    """

    total_cents: NationalCents
    class_1_cents: Claims = 0
    class_2_cents: Claims = 0
    measures: list[AreaMeasureIn] = Field(min_length=1, max_length=MAX_MEASURES)
    received_on: ReceivedDay
    reference: str = Field(min_length=1, max_length=140)

    @model_validator(mode="after")
    def has_measures(self) -> "ContributionsIn":
        """Each area has one measure, and some area has more than nothing."""
        if len({one.area for one in self.measures}) < len(self.measures):
            raise ValueError("an area has two measures")
        if not any(one.measure for one in self.measures):
            raise ValueError("no area has a measure")
        return self


@router.post("/v1/funding/plans", status_code=201, tags=["money in"])
async def post_plan(request: Request, body: PlanIn, caller: Approver, key: Key) -> Response:
    """Set a payer's plan of instalments (maksuerät) for a year; the newest version holds."""
    caller.must_be_in_area(body.area)
    command = PlanInstalments(
        area=body.area,
        payer=body.payer,
        party=body.municipality or "",
        fiscal_year=body.fiscal_year,
        instalments=tuple((one.due_on, one.amount_cents) for one in body.instalments),
        reason=body.reason,
        planned_by=caller.subject,
    )
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: plan_instalments(tx, command, now), status=201)


@router.post("/v1/funding/state", status_code=201, tags=["money in"])
async def post_state_funding(request: Request, body: StateFundingIn, caller: Operator, key: Key) -> Response:
    """Split the state's funding (valtion rahoitus) of a year by determinants, and plan every area's instalments."""
    must_serve_all_areas(caller)
    measures = tuple((one.determinant.value, one.area, one.measure) for one in body.measures)
    command = SetStateFunding(body.fiscal_year, body.total_cents, measures, body.reason, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: set_state_funding(tx, command, now), status=201)


@router.post("/v1/funding/contributions", status_code=201, tags=["money in"])
async def post_contributions(request: Request, body: ContributionsIn, caller: Operator, key: Key) -> Response:
    """Allocate collected insurance contributions (vakuutusmaksut) to the areas' accounts, and book them.

    Class I of Kela's reimbursements stays; class II is phased out by year, and what that frees is the areas'.
    """
    must_serve_all_areas(caller)
    measures = tuple((one.area, one.measure) for one in body.measures)
    claims = (body.class_1_cents, body.class_2_cents)
    command = AllocateContributions(body.total_cents, measures, body.received_on, body.reference, *claims)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: allocate_contributions(tx, command, now), status=201)


@router.get("/v1/accounts/{area}/funding", tags=["money in"])
async def get_funding(
    request: Request, area: Area, caller: Watcher, year: Year, on: Day = None
) -> list[views.PayerView]:
    """Each payer's plan of a year against what arrived: late, short and surplus instalments, in days and cents."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return await views.payers(tx, area, year, await day_or_today(request, tx, on))


@router.get("/v1/accounts/{area}/contributions", tags=["money in"])
async def get_contributions(request: Request, area: Area, caller: Watcher, year: Year) -> list[dict[str, object]]:
    """The contributions (vakuutusmaksut) that an area got in a year, and its gain from the phase-out of Kela II."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return list(await views.contributions(tx, area, year))


@router.get("/v1/accounts/{area}/state-funding", tags=["money in"])
async def get_state_funding(request: Request, area: Area, caller: Watcher, year: Year) -> list[dict[str, object]]:
    """What each determinant (määräytymistekijä) gives the area in a year; shares in thousandths of a percent."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return list(await views.state_funding(tx, area, year))
