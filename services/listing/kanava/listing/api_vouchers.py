"""Vouchers and personal budgets over HTTP: granted by the organiser, seen by the resident."""

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response

from kanava.common.auth import Caller, Role, allow
from kanava.common.db import Tx, transaction
from kanava.common.idempotency import Key, once
from kanava.common.web import bounded, decode_cursor

from . import access
from .bodies_vouchers import AnnulmentBody, EndBody, PlanChangeBody, VoucherBody
from .service import vouchers
from .views import Page
from .views_vouchers import VoucherView, VoucherWithReasons
from .views_vouchers import vouchers as vouchers_of

MOST_VOUCHERS = 100

router = APIRouter(prefix="/v1", tags=["vouchers"])

Organiser = Annotated[Caller, allow(Role.ORGANISER)]
Reader = Annotated[Caller, allow(Role.RESIDENT, Role.ORGANISER)]


@router.post("/residents/{resident_id}/vouchers", status_code=201, response_model=VoucherView)
async def post_voucher(request: Request, resident_id: UUID, body: VoucherBody, caller: Organiser, key: Key) -> Response:
    """Grant a voucher or a personal budget to a resident of the own area, with reasons."""
    command, vault = body.command(uuid4(), resident_id, caller), request.app.state.vault

    async def act(tx: Tx, now: datetime) -> VoucherView:
        return await vouchers.grant_voucher(tx, command, now, caller=caller, vault=vault)

    return await once(request, request.app.state.pool, caller, key, act, status=201)


@router.get("/residents/{resident_id}/vouchers")
async def get_vouchers(
    request: Request,
    resident_id: UUID,
    caller: Reader,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[VoucherWithReasons]:
    """A resident's vouchers with the reasons of every decision: for the resident and the area's organiser."""
    position = decode_cursor(cursor, UUID)
    async with transaction(request.app.state.pool) as tx:
        await access.must_see_vouchers(tx, caller, resident_id)
        return await vouchers_of(
            *(tx, resident_id),
            after=position[0] if position else None,
            limit=bounded(limit, MOST_VOUCHERS),
            vault=request.app.state.vault,
        )


@router.put("/vouchers/{voucher_id}/plan", response_model=VoucherView)
async def put_plan(request: Request, voucher_id: UUID, body: PlanChangeBody, caller: Organiser, key: Key) -> Response:
    """Set the plan of a personal budget of the own area anew, with reasons."""
    command, vault = body.command(voucher_id, caller), request.app.state.vault

    async def act(tx: Tx, now: datetime) -> VoucherView:
        return await vouchers.change_plan(tx, command, now, caller=caller, vault=vault)

    return await once(request, request.app.state.pool, caller, key, act)


@router.post("/vouchers/{voucher_id}/annulment", status_code=201, response_model=VoucherView)
async def post_annulment(
    request: Request, voucher_id: UUID, body: AnnulmentBody, caller: Organiser, key: Key
) -> Response:
    """Annul a voucher of the own area as if it had never been granted, with reasons."""
    command, vault = body.command(voucher_id, caller), request.app.state.vault

    async def act(tx: Tx, now: datetime) -> VoucherView:
        return await vouchers.annul_voucher(tx, command, now, caller=caller, vault=vault)

    return await once(request, request.app.state.pool, caller, key, act, status=201)


@router.post("/vouchers/{voucher_id}/end", status_code=201, response_model=VoucherView)
async def post_end(request: Request, voucher_id: UUID, body: EndBody, caller: Organiser, key: Key) -> Response:
    """End a voucher of the own area early, with reasons."""
    command, vault = body.command(voucher_id, caller), request.app.state.vault

    async def act(tx: Tx, now: datetime) -> VoucherView:
        return await vouchers.end_voucher(tx, command, now, caller=caller, vault=vault)

    return await once(request, request.app.state.pool, caller, key, act, status=201)
