"""Payouts, and the files that the bank pays from."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from kanava.common.db import transaction
from kanava.common.idempotency import Key, once

from ..commands import ReleasePayout
from ..errors import UnknownPayout
from ..service.recipients import file_of
from ..service.statements import release_payout
from .inputs import Area, Input, Operator

router = APIRouter()


class PayoutIn(Input):
    """Statements to release: those named, or all that are approved in the area."""

    area: Area
    statement_ids: list[UUID] = Field(default=[], max_length=1000)


@router.post("/v1/payouts", status_code=201, tags=["money out"])
async def post_payout(request: Request, body: PayoutIn, caller: Operator, key: Key) -> Response:
    """Release approved statements within the account's limit and make the pain.001 file."""
    caller.must_be_in_area(body.area)
    debtor = request.app.state.settings.debtor_iban
    command = ReleasePayout(body.area, debtor, caller.subject, tuple(body.statement_ids))
    return await once(
        request,
        request.app.state.pool,
        caller,
        key,
        lambda tx, now: release_payout(tx, command, now),
        status=201,
    )


@router.get("/v1/payouts/{payout_id}/pain.001", tags=["money out"], response_class=Response)
async def get_pain001(request: Request, payout_id: UUID, caller: Operator) -> Response:
    """The file that the bank pays from."""
    async with transaction(request.app.state.pool) as tx:
        content = await file_of(tx, payout_id, seal=request.app.state.payee_seal)
    if content is None:
        raise UnknownPayout(f"There is no pain.001 file of payout {payout_id}.")
    return Response(content, media_type="application/xml")
