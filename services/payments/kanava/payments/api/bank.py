"""The edge to the bank: its files in, the areas' accounts, and what an operator has to look at."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, Field

from kanava.common.auth import Caller, Role, allow
from kanava.common.db import transaction
from kanava.common.idempotency import Key, once
from kanava.common.ids import valid_iban
from kanava.common.web import body_limit

from ..bank_commands import AskForReference, ConfirmAccount, RegisterAccount
from ..bankfiles import LIMITS
from ..commands import TakeBankMessage
from ..service.accounts import register_account
from ..service.bank import take_bank_message
from ..service.payees import ask_for_reference, confirm_account
from ..views import bank as views
from ..views import suspense
from .inputs import Area, Input, Operator, Watcher, must_serve_all_areas

router = APIRouter(tags=["bank"])

Iban = Annotated[str, AfterValidator(valid_iban), Field(description="An IBAN without spaces.")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Producer = Annotated[Caller, allow(Role.PRODUCER)]


class AccountIn(Input):
    """An account of an area at the bank."""

    iban: Iban


class ConfirmationIn(Input):
    """The account that was checked with the producer, and how."""

    iban: Iban
    reason: Reason


class ReferenceIn(Input):
    """Which reference a producer's payments carry: RF (ISO 11649) or viitenumero."""

    kind: Literal["rf", "viitenumero"]


XML_BODY = {"requestBody": {"required": True, "content": {"application/xml": {"schema": {"type": "string"}}}}}


@router.post("/v1/bank/messages", status_code=200, openapi_extra=XML_BODY)
@body_limit(LIMITS.size_bytes)
async def post_bank_message(request: Request, caller: Operator, key: Key) -> Response:
    """Take in a pain.002, camt.053 or camt.054 of the bank, as XML. Repeating it is harmless."""
    must_serve_all_areas(caller)
    command = TakeBankMessage(await request.body())
    pool, seal = request.app.state.pool, request.app.state.payee_seal
    return await once(request, pool, caller, key, lambda tx, now: take_bank_message(tx, command, now, seal=seal))


@router.get("/v1/bank/alarms")
async def get_alarms(request: Request, caller: Operator) -> list[dict[str, object]]:
    """Missing statements of the bank, balances that differ, and money on the suspense account (selvittelytili)."""
    async with transaction(request.app.state.pool) as tx:
        return await views.alarms(tx, await request.app.state.clock.now(tx))


@router.get("/v1/accounts/{area}/bank")
async def get_bank(request: Request, area: Area, caller: Watcher) -> dict[str, object]:
    """The area's accounts at the bank, its payments by state, missing numbers, and the balance beside the books."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return {
            "accounts": await views.accounts(tx, area),
            "payments": await views.payments(tx, area, await request.app.state.clock.now(tx)),
            "missing": await views.missing(tx, area),
            "reconciliation": await views.reconciliation(tx, area),
            "suspense": await suspense.balance(tx, area),
        }


@router.post("/v1/accounts/{area}/bank", status_code=201)
async def post_bank_account(request: Request, area: Area, body: AccountIn, caller: Operator, key: Key) -> Response:
    """Register the account that an area pays from at the bank (alueen pankkitili)."""
    caller.must_be_in_area(area)
    command = RegisterAccount(area, body.iban, caller.subject)
    act = register_account
    return await once(request, request.app.state.pool, caller, key, lambda tx, now: act(tx, command, now), status=201)


@router.post("/v1/statements/{statement_id}/account", status_code=200)
async def post_confirmation(
    request: Request, statement_id: UUID, body: ConfirmationIn, caller: Operator, key: Key
) -> Response:
    """Confirm the producer's account, which changed after the approval. Somebody else releases the payment."""
    command = ConfirmAccount(statement_id, body.iban, body.reason, caller.subject)
    return await once(request, request.app.state.pool, caller, key, lambda tx, now: confirm_account(tx, command, now))


@router.post("/v1/producers/{producer_id}/reference", status_code=200)
async def post_reference(request: Request, producer_id: str, body: ReferenceIn, caller: Producer, key: Key) -> Response:
    """Ask for payments with an RF reference or with a viitenumero."""
    caller.must_act_for_producer(producer_id)
    command = AskForReference(producer_id, body.kind, caller.subject)
    return await once(request, request.app.state.pool, caller, key, lambda tx, now: ask_for_reference(tx, command, now))
