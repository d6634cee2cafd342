"""Money that comes into an area's account."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, Field, model_validator

from kanava.common.idempotency import Key, once
from kanava.common.ids import valid_municipality

from ..commands import PlaceFunding
from ..service.funding import place_funding
from .inputs import Area, FiscalYear, Input, Operator, ReceivedDay

router = APIRouter()
MAX_INSTALMENT_CENTS = 10_000_000_000_00


class FundingIn(Input):
    """An instalment that was paid into an area's account; a municipality's names the municipality."""

    area: Area
    payer: Literal["state", "municipality", "insurance"]
    municipality: Annotated[str, AfterValidator(valid_municipality)] | None = None
    amount_cents: int = Field(gt=0, le=MAX_INSTALMENT_CENTS, strict=True)
    received_on: ReceivedDay
    reference: str = Field(min_length=1, max_length=140)
    fiscal_year: FiscalYear | None = None

    @model_validator(mode="after")
    def municipality_pays(self) -> "FundingIn":
        """A municipality is named exactly when one pays."""
        if (self.payer == "municipality") != (self.municipality is not None):
            raise ValueError("municipality is named exactly when a municipality pays")
        return self


@router.post("/v1/funding", status_code=201, tags=["money in"])
async def post_funding(request: Request, body: FundingIn, caller: Operator, key: Key) -> Response:
    """Book an instalment (rahoituserä). Without `fiscal_year` the rule says to which year it belongs: what comes
    in January first fills what the plan of the year before still misses, while that year is open."""
    caller.must_be_in_area(body.area)
    fields = (
        body.area,
        body.payer,
        body.municipality or "",
        body.amount_cents,
        body.received_on,
        body.reference,
        body.fiscal_year,
    )
    command = PlaceFunding(*fields)
    return await once(
        request,
        request.app.state.pool,
        caller,
        key,
        lambda tx, now: place_funding(tx, command, now),
        status=201,
    )
