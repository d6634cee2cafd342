"""Transfers between the accounts of areas."""

from fastapi import APIRouter, Request, Response
from pydantic import Field, model_validator

from kanava.common.groupcommit import GroupCommit
from kanava.common.idempotency import Key

from ..commands import PlaceTransfer
from ..service.transfers import Transferred
from .inputs import Area, Input, Operator

MAX_TRANSFER_CENTS = 10_000_000_000_00

router = APIRouter()


class TransferIn(Input):
    """Money that goes from one area's account to another's (alueiden välinen siirto)."""

    from_area: Area
    to_area: Area
    amount_cents: int = Field(gt=0, le=MAX_TRANSFER_CENTS, strict=True)
    reference: str = Field(min_length=1, max_length=140)

    @model_validator(mode="after")
    def between_two_areas(self) -> "TransferIn":
        """An area pays nothing to itself."""
        if self.from_area == self.to_area:
            raise ValueError("a transfer is between two areas")
        return self


@router.post("/v1/transfers", status_code=201, response_model=Transferred, tags=["between areas"])
async def post_transfer(request: Request, body: TransferIn, caller: Operator, key: Key) -> Response:
    """Move money between areas, as far as the account that pays allows."""
    caller.must_be_in_area(body.from_area)
    command = PlaceTransfer(body.from_area, body.to_area, body.amount_cents, body.reference)
    together: GroupCommit[PlaceTransfer] = request.app.state.transfers
    return await together.once(request, caller, key, command, status=201)
