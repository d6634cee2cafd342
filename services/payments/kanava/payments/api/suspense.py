"""The work queue of the suspense account (selvittelytili): seen with age and owner, explained step by step."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, Field, model_validator

from kanava.common.db import transaction
from kanava.common.idempotency import Key, once
from kanava.common.ids import valid_municipality

from ..bank_commands import (
    CloseNotice,
    MatchToFunding,
    MatchToPayment,
    OffsetItems,
    OwnItem,
    ProposeReturn,
    ReleaseReturn,
)
from ..errors import UnknownItem
from ..service import suspense as service
from ..service.recipients import shown, steps_of
from ..views import suspense as views
from .bank import Iban, Reason
from .inputs import Area, Input, Operator

router = APIRouter(prefix="/v1/suspense", tags=["suspense"])
LISTED_AT_MOST = 1000


class ReasonIn(Input):
    """Why the step is taken."""

    reason: Reason


class OwnerIn(ReasonIn):
    """Who looks after an item; the caller where nobody is named."""

    owner: str | None = Field(default=None, min_length=1, max_length=100)


class PaymentIn(ReasonIn):
    """The payment that an item belongs to."""

    end_to_end_id: str = Field(min_length=1, max_length=35)


class InstalmentIn(ReasonIn):
    """The instalment that an item is; a municipality's names the municipality."""

    payer: Literal["state", "municipality", "insurance"]
    municipality: Annotated[str, AfterValidator(valid_municipality)] | None = None
    reference: str = Field(min_length=1, max_length=140)

    @model_validator(mode="after")
    def municipality_pays(self) -> "InstalmentIn":
        """A municipality is named exactly when one pays."""
        if (self.payer == "municipality") != (self.municipality is not None):
            raise ValueError("municipality is named exactly when a municipality pays")
        return self


class OffsetIn(ReasonIn):
    """The item that goes the other way."""

    other_id: UUID


class ReturnIn(ReasonIn):
    """To whom money is sent back; the account only where the bank told none, or another is right."""

    payee: str = Field(min_length=1, max_length=140)
    iban: Iban | None = None


@router.get("")
async def get_queue(
    request: Request,
    caller: Operator,
    area: Annotated[Area | None, Query()] = None,
    everything: Annotated[bool, Query(description="Also what is explained.")] = False,
) -> list[dict[str, Any]]:
    """What waits to be explained, oldest first, with age, owner and what is left of its money."""
    async with transaction(request.app.state.pool) as tx:
        now = await request.app.state.clock.now(tx)
        found = await views.queue(tx, now, area=area, everything=everything, limit=LISTED_AT_MOST)
    return [shown(item, request.app.state.payee_seal) for item in found]


@router.get("/{item_id}")
async def get_item(request: Request, item_id: UUID, caller: Operator) -> dict[str, Any]:
    """An item with every step that was taken."""
    async with transaction(request.app.state.pool) as tx:
        found = await views.queue(tx, await request.app.state.clock.now(tx), item_id=item_id, limit=1)
        if not found:
            raise UnknownItem(f"There is no item {item_id} on the suspense account.")
        seal = request.app.state.payee_seal
        return {**shown(found[0], seal), "steps": await steps_of(tx, item_id, seal=seal)}


@router.post("/{item_id}/owner")
async def post_owner(request: Request, item_id: UUID, body: OwnerIn, caller: Operator, key: Key) -> Response:
    """Take an item, or give it to somebody."""
    command = OwnItem(item_id, body.owner or caller.subject, body.reason, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: service.own_item(tx, command, now))


@router.post("/{item_id}/payment")
async def post_payment(request: Request, item_id: UUID, body: PaymentIn, caller: Operator, key: Key) -> Response:
    """Explain an item as a payment that left or came back."""
    command = MatchToPayment(item_id, body.end_to_end_id, body.reason, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: service.match_to_payment(tx, command, now))


@router.post("/{item_id}/funding")
async def post_funding(request: Request, item_id: UUID, body: InstalmentIn, caller: Operator, key: Key) -> Response:
    """Explain money that came as an instalment (rahoituserä); one that is booked already is not booked again."""
    fields = (body.payer, body.municipality or "", body.reference, body.reason, caller.subject)
    command = MatchToFunding(item_id, *fields)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: service.match_to_funding(tx, command, now))


@router.post("/{item_id}/offset")
async def post_offset(request: Request, item_id: UUID, body: OffsetIn, caller: Operator, key: Key) -> Response:
    """Explain two items as the bank's mistake and its correction."""
    command = OffsetItems(item_id, body.other_id, body.reason, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: service.offset_items(tx, command, now))


@router.post("/{item_id}/return")
async def post_return(request: Request, item_id: UUID, body: ReturnIn, caller: Operator, key: Key) -> Response:
    """Propose to send money back (palautus). Somebody else releases it."""
    command = ProposeReturn(item_id, body.payee, body.iban, body.reason, caller.subject)
    pool, seal = request.app.state.pool, request.app.state.payee_seal
    return await once(request, pool, caller, key, lambda tx, now: service.propose_return(tx, command, now, seal=seal))


@router.post("/{item_id}/return/release", status_code=201)
async def post_return_release(request: Request, item_id: UUID, caller: Operator, key: Key) -> Response:
    """Send back what somebody else proposed to send back; the payout has a pain.001 file."""
    command = ReleaseReturn(item_id, request.app.state.settings.debtor_iban, caller.subject)
    pool, seal = request.app.state.pool, request.app.state.payee_seal
    act = partial(service.release_return, seal=seal)
    return await once(request, pool, caller, key, lambda tx, now: act(tx, command, now), status=201)


@router.post("/{item_id}/close")
async def post_close(request: Request, item_id: UUID, body: ReasonIn, caller: Operator, key: Key) -> Response:
    """Close an item that is about no money."""
    command = CloseNotice(item_id, body.reason, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: service.close_notice(tx, command, now))
