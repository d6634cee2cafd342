"""Proposed rates: the level review, and the voucher's value from own production. Proposals decide nothing."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from kanava.common.clock import add_months
from kanava.common.dates import MonthText
from kanava.common.db import transaction
from kanava.common.idempotency import Key, once

from ..domain.levels import Bounds
from ..service.proposals import BandKey, Basis, ReviewLevel, ValueVoucher, review_level, value_voucher
from ..views import proposals as views
from .inputs import Area, Input, Watcher
from .needs import Organiser, Permille, Text

router = APIRouter()
MAX_COST_CENTS = 10_000_000_000_00
MAX_AGE, MAX_BANDS, MONTHS = 150, 100, 12
Cents = Annotated[int, Field(ge=0, le=MAX_COST_CENTS, strict=True)]


class BandIn(BaseModel):
    """A band of the model's table."""

    model_config = ConfigDict(extra="forbid")
    sex: Literal["male", "female", "any"]
    age_from: int = Field(ge=0, le=MAX_AGE, strict=True)

    @property
    def key(self) -> BandKey:
        """Sex and first age."""
        return self.sex, self.age_from


class CostIn(BandIn):
    """What the residents of a band cost in the period."""

    cost_cents: Cents


class WeightIn(BandIn):
    """The weight of a band against the others."""

    weight: int = Field(ge=0, le=MAX_COST_CENTS, strict=True)


def _must_differ(bands: Sequence[BandIn]) -> None:
    if any(number > 1 for number in Counter(band.key for band in bands).values()):
        raise ValueError("a band is named once")


class BasisIn(Input):
    """The version of the area's model, the first month of the period, and where the cost comes from."""

    area: Area
    model: str = Field(min_length=1, max_length=100)
    first_month: MonthText
    source: Text

    def basis(self, months: int, subject: str) -> Basis:
        """The basis of a proposal over so many months."""
        first = date.fromisoformat(f"{self.first_month}-01")
        return Basis(self.area, self.model, (first, add_months(first, months)), self.source, subject)


class ReviewIn(BasisIn):
    """Observed cost by band; differences up to the tolerance are left alone, and a rate changes by `most_permille`."""

    months: int = Field(default=MONTHS, ge=1, le=MONTHS, strict=True)
    tolerance_permille: Permille = 20
    most_permille: Permille = 100
    bands: list[CostIn] = Field(min_length=1, max_length=MAX_BANDS)

    @model_validator(mode="after")
    def fits(self) -> "ReviewIn":
        """A band stands once, and the tolerance is within what a rate may change."""
        _must_differ(self.bands)
        if self.tolerance_permille > self.most_permille:
            raise ValueError("the tolerance is larger than what a rate may change")
        return self


class ValueIn(BasisIn):
    """A year's gross cost of own production; without bands the rates in force are the weights."""

    own_cost_cents: Cents
    bands: list[WeightIn] | None = Field(default=None, min_length=1, max_length=MAX_BANDS)

    @model_validator(mode="after")
    def fits(self) -> "ValueIn":
        """A band stands once."""
        _must_differ(self.bands or [])
        return self


@router.post("/v1/level-reviews", status_code=201, tags=["proposed rates"])
async def post_level_review(request: Request, body: ReviewIn, caller: Organiser, key: Key) -> Response:
    """Review the level of capitation (tasotarkistus) against observed cost; proposes rates and changes none."""
    caller.must_be_in_area(body.area)
    costs = {band.key: band.cost_cents for band in body.bands}
    bounds = Bounds(body.tolerance_permille, body.most_permille)
    command = ReviewLevel(body.basis(body.months, caller.subject), costs, bounds)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: review_level(tx, command, now), status=201)


@router.post("/v1/voucher-values", status_code=201, tags=["proposed rates"])
async def post_voucher_value(request: Request, body: ValueIn, caller: Organiser, key: Key) -> Response:
    """Propose the voucher's value (palvelusetelin arvo) from a year's cost of own production; changes no rate."""
    caller.must_be_in_area(body.area)
    weights = None if body.bands is None else {band.key: band.weight for band in body.bands}
    command = ValueVoucher(body.basis(MONTHS, caller.subject), body.own_cost_cents, weights)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: value_voucher(tx, command, now), status=201)


@router.get("/v1/rate-proposals", tags=["proposed rates"])
async def get_rate_proposals(request: Request, caller: Watcher, area: Area) -> list[dict[str, object]]:
    """Proposed rates of an area with their basis, newest first."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return list(await views.proposals(tx, area))
