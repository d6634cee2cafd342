"""Municipal refunds: proposed, decided, paid."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, Field, model_validator

from kanava.common.auth import Caller, Role
from kanava.common.db import transaction
from kanava.common.idempotency import Key, once
from kanava.common.ids import valid_iban

from ..errors import UnknownRefund
from ..refund_commands import ConfirmRefundAccount, DecideRefund, PayRefund, ProposeRefund
from ..service import refunds
from ..views import refunds as views
from .inputs import Approver, Area, Input, Operator
from .needs import Concerned, Municipality, Organiser, Text

router = APIRouter()
Iban = Annotated[str, AfterValidator(valid_iban)]
Payee = Annotated[str, Field(min_length=1, max_length=70)]
FIRST_YEAR, LAST_YEAR = 2000, 2100


class RefundIn(Input):
    """The municipality, and the last of the four years."""

    area: Area
    municipality: Municipality
    last_year: int = Field(ge=FIRST_YEAR, le=LAST_YEAR, strict=True)


class AccountIn(Input):
    """The account of the municipality that a refund is paid to."""

    payee: Payee
    iban: Iban


class DecisionIn(Input):
    """A decision with its reasons; an approval names the account."""

    approved: bool
    reasons: Text
    payee: Payee | None = None
    iban: Iban | None = None

    @model_validator(mode="after")
    def approval_names_the_account(self) -> "DecisionIn":
        """Payee and account are named exactly when the refund is approved."""
        if {self.approved} != {self.payee is not None, self.iban is not None}:
            raise ValueError("payee and iban are named exactly when the refund is approved")
        return self


async def must_own(request: Request, caller: Caller, refund_id: UUID) -> dict[str, object]:
    """A refund that the caller may see; `Forbidden` for another area's or municipality's."""
    async with transaction(request.app.state.pool) as tx:
        row = await views.refund_row(tx, refund_id)
    if row is None:
        raise UnknownRefund(f"There is no refund {refund_id}.")
    if caller.role is Role.MUNICIPALITY:
        caller.must_be_in_municipality(row["municipality"])
    else:
        caller.must_be_in_area(row["area"])
    return views.shown(row)


@router.post("/v1/refunds", status_code=201, tags=["municipal refund"])
async def post_refund(request: Request, body: RefundIn, caller: Approver, key: Key) -> Response:
    """Propose a municipality's refund (kunnan palautus) for four years, with every step of its sum."""
    caller.must_be_in_area(body.area)
    command = ProposeRefund(body.area, body.municipality, body.last_year, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: refunds.propose_refund(tx, command, now), status=201)


@router.get("/v1/refunds", tags=["municipal refund"])
async def get_refunds(request: Request, caller: Concerned, area: Area) -> list[dict[str, object]]:
    """Refunds of an area and how far they have come; a municipality sees its own."""
    caller.must_be_in_area(area)
    own = caller.municipality if caller.role is Role.MUNICIPALITY else None
    async with transaction(request.app.state.pool) as tx:
        return await views.refunds(tx, area=area, municipality=own)


@router.get("/v1/refunds/{refund_id}", tags=["municipal refund"])
async def get_refund(request: Request, refund_id: UUID, caller: Concerned) -> dict[str, object]:
    """One refund with every step."""
    return await must_own(request, caller, refund_id)


@router.post("/v1/refunds/{refund_id}/decision", status_code=201, tags=["municipal refund"])
async def post_decision(request: Request, refund_id: UUID, body: DecisionIn, caller: Organiser, key: Key) -> Response:
    """Approve or refuse a proposal, with reasons; not by who proposed it."""
    await must_own(request, caller, refund_id)
    account = (body.payee or "", body.iban or "")
    command = DecideRefund(refund_id, body.approved, body.reasons, *account, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: refunds.decide_refund(tx, command, now), status=201)


@router.post("/v1/refunds/{refund_id}/account", status_code=201, tags=["municipal refund"])
async def post_account(request: Request, refund_id: UUID, body: AccountIn, caller: Organiser, key: Key) -> Response:
    """Name another account of the municipality, as after a rejected payment."""
    await must_own(request, caller, refund_id)
    command = ConfirmRefundAccount(refund_id, body.payee, body.iban, caller.subject)
    pool = request.app.state.pool
    return await once(
        request, pool, caller, key, lambda tx, now: refunds.confirm_refund_account(tx, command, now), status=201
    )


@router.post("/v1/refunds/{refund_id}/payment", status_code=201, tags=["municipal refund"])
async def post_payment(request: Request, refund_id: UUID, caller: Operator, key: Key) -> Response:
    """Give an approved refund to the bank, within the account's limit."""
    command = PayRefund(refund_id, request.app.state.settings.debtor_iban, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: refunds.pay_refund(tx, command, now), status=201)


@router.get("/v1/refunds/{refund_id}/pain.001", tags=["municipal refund"], response_class=Response)
async def get_refund_pain001(request: Request, refund_id: UUID, caller: Operator) -> Response:
    """The file that the bank pays the refund from."""
    async with transaction(request.app.state.pool) as tx:
        content = await views.refund_pain001(tx, refund_id)
    if content is None:
        raise UnknownRefund(f"Refund {refund_id} was not given to the bank.")
    return Response(content, media_type="application/xml")
