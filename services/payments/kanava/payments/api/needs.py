"""What municipal refunds rest on: the incentive principle, figures of need, agreed measures."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, Field, model_validator

from kanava.common.auth import Caller, Role, allow
from kanava.common.dates import CalendarDay
from kanava.common.db import transaction
from kanava.common.idempotency import Key, once
from kanava.common.ids import valid_municipality

from ..domain.refund import PERMILLE, Component, Rule
from ..refund_commands import AgreeMeasure, ConfirmMeasure, RecordNeed, SetRefundRule
from ..service import needs
from ..views import refunds as views
from .inputs import Area, Input

router = APIRouter()
Municipality = Annotated[str, AfterValidator(valid_municipality), Field(description="Code of a municipality, `049`.")]
Permille = Annotated[int, Field(ge=0, le=PERMILLE, strict=True)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
MAX_FIGURE_PERMILLE = 100_000
Authority = Annotated[Caller, allow(Role.AUTHORITY)]
Organiser = Annotated[Caller, allow(Role.ORGANISER)]
Concerned = Annotated[Caller, allow(Role.OPERATOR, Role.ORGANISER, Role.AUTHORITY, Role.MUNICIPALITY)]


class RuleIn(Input):
    """The incentive principle from a day on, in permille; the four weights sum to 1000."""

    valid_from: CalendarDay
    morbidity_permille: Permille
    absence_permille: Permille
    employment_permille: Permille
    housing_permille: Permille
    need_share_permille: Permille
    cap_permille: Permille
    source: Text

    @model_validator(mode="after")
    def weights_are_a_whole(self) -> "RuleIn":
        """The weights sum to 1000."""
        if sum(self.weights().values()) != PERMILLE:
            raise ValueError("the four weights sum to 1000 permille")
        return self

    def weights(self) -> dict[Component, int]:
        """The weight of each component."""
        return {component: getattr(self, f"{component}_permille") for component in Component}


class FigureIn(Input):
    """A component of need as measured on a day; 1000 is the country's mean, and more is more need."""

    municipality: Municipality
    component: Component
    measured_on: CalendarDay
    value_permille: int = Field(gt=0, le=MAX_FIGURE_PERMILLE, strict=True)
    source: Text


class MeasureIn(Input):
    """A measure agreed with a municipality, and the permille of its own payments that it earns when done."""

    area: Area
    municipality: Municipality
    title: str = Field(min_length=1, max_length=200)
    permille: int = Field(ge=1, le=PERMILLE, strict=True)
    agreed_on: CalendarDay


class DoneIn(Input):
    """When a measure was done, and what shows it."""

    done_on: CalendarDay
    evidence: Text


@router.post("/v1/refund-rules", status_code=201, tags=["municipal refund"])
async def post_refund_rule(request: Request, body: RuleIn, caller: Authority, key: Key) -> Response:
    """Set the incentive principle (kannustusperiaate) from a day on."""
    rule = Rule(body.valid_from, body.weights(), body.need_share_permille, body.cap_permille)
    command = SetRefundRule(rule, body.source, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: needs.set_refund_rule(tx, command, now), status=201)


@router.get("/v1/refund-rules", tags=["municipal refund"])
async def get_refund_rules(request: Request, caller: Concerned) -> list[dict[str, object]]:
    """Every version of the incentive principle."""
    async with transaction(request.app.state.pool) as tx:
        return list(await views.rules(tx))


@router.post("/v1/need-figures", status_code=201, tags=["municipal refund"])
async def post_need_figure(request: Request, body: FigureIn, caller: Authority, key: Key) -> Response:
    """Record a figure of a municipality's need (palvelutarve); another one of its day corrects it."""
    command = RecordNeed(**body.model_dump(), recorded_by=caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: needs.record_need(tx, command, now), status=201)


@router.get("/v1/need-figures", tags=["municipal refund"])
async def get_need_figures(request: Request, caller: Concerned, municipality: Municipality) -> list[dict[str, object]]:
    """The figures of a municipality, corrected ones too."""
    async with transaction(request.app.state.pool) as tx:
        return list(await views.need_rows(tx, municipality))


@router.post("/v1/refund-measures", status_code=201, tags=["municipal refund"])
async def post_measure(request: Request, body: MeasureIn, caller: Organiser, key: Key) -> Response:
    """Agree on a measure (sovittu toimenpide) with a municipality of the area."""
    caller.must_be_in_area(body.area)
    command = AgreeMeasure(**body.model_dump(), agreed_by=caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: needs.agree_measure(tx, command, now), status=201)


@router.post("/v1/refund-measures/{measure_id}/done", status_code=201, tags=["municipal refund"])
async def post_measure_done(request: Request, measure_id: UUID, body: DoneIn, caller: Organiser, key: Key) -> Response:
    """Confirm that an agreed measure was done; not by who agreed on it."""
    async with transaction(request.app.state.pool) as tx:
        caller.must_be_in_area(await needs.area_of_measure(tx, measure_id))
    command = ConfirmMeasure(measure_id, body.done_on, body.evidence, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: needs.confirm_measure(tx, command, now), status=201)


@router.get("/v1/refund-measures", tags=["municipal refund"])
async def get_measures(request: Request, caller: Concerned, area: Area) -> list[dict[str, object]]:
    """Agreed measures of an area and when they were done; a municipality sees its own."""
    caller.must_be_in_area(area)
    own = caller.municipality if caller.role is Role.MUNICIPALITY else None
    async with transaction(request.app.state.pool) as tx:
        return list(await views.measure_rows(tx, area, own))
