"""Payments to residents: the account of a resident, batches of what is owed, and their files for the bank."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, Field

from kanava.common.auth import Caller, Role, allow
from kanava.common.clock import helsinki_date
from kanava.common.db import transaction
from kanava.common.errors import Invalid
from kanava.common.idempotency import Key, once
from kanava.common.ids import valid_iban
from kanava.common.web import as_json, decode_cursor, next_cursor

from ..domain.sepa import NAME_CHARACTERS
from ..errors import NoAccountGiven, UnknownBatch, UnknownPayout
from ..resident_commands import ApproveBatch, ConfirmPayee, DrawBatch, GiveAccount, ReleaseBatch
from ..service.resident_accounts import account_of, give_account
from ..service.resident_batches import approve_batch, confirm_payee, draw_batch
from ..service.resident_release import file_of, release_batch
from ..views import owed
from ..views import resident_payments as views
from .inputs import Area, Input, MonthIn, Operator, Self

router = APIRouter(tags=["payments to residents"])
Giver = Annotated[Caller, allow(Role.RESIDENT, Role.ADVISER)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str | None, Query(max_length=1000)]
NEWEST = 2**31 - 1
FIRST = UUID(int=0)
BEFORE_ALL = ("-infinity", FIRST)


class ResidentAccountIn(Input):
    """The account that a resident is paid to, and whose it is; an adviser names its mandate (valtakirja)."""

    iban: Annotated[str, AfterValidator(valid_iban), Field(max_length=42, description="An IBAN.")]
    payee: Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS)]
    mandate: Reason | None = None

    def command(self, resident_id: UUID, caller: Caller) -> GiveAccount:
        """The command: a resident for itself, an adviser by a mandate."""
        if caller.role is not Role.ADVISER:
            caller.must_be_resident(resident_id)
            return GiveAccount(resident_id, self.iban, self.payee, caller.subject)
        if self.mandate is None:
            raise Invalid("an adviser names its mandate", pointer="/mandate", rule="missing")
        return GiveAccount(resident_id, self.iban, self.payee, caller.subject, "adviser", self.mandate)


class PayeeConfirmationIn(Input):
    """The number of the account that was checked with the payee, and how."""

    account_number: Annotated[int, Field(ge=1, strict=True)]
    reason: Reason


@router.put("/v1/residents/{resident_id}/account")
async def put_account(request: Request, resident_id: UUID, body: ResidentAccountIn, caller: Giver) -> Response:
    """Give the account (tilinumero) that a resident is paid to. Sent again, it changes nothing."""
    command = body.command(resident_id, caller)
    state = request.app.state
    async with transaction(state.pool) as tx:
        given = await give_account(tx, command, await state.clock.now(tx), seal=state.payee_seal)
    return Response(as_json(given), media_type="application/json")


@router.get("/v1/residents/{resident_id}/account")
async def get_account(request: Request, resident_id: UUID, caller: Self) -> dict[str, object]:
    """The account of the resident who asks, and who gave it."""
    caller.must_be_resident(resident_id)
    async with transaction(request.app.state.pool) as tx:
        found = await account_of(tx, resident_id, seal=request.app.state.payee_seal)
    if found is None:
        raise NoAccountGiven("You have given no account yet.")
    return found


@router.get("/v1/residents/{resident_id}/payments")
async def get_payments(request: Request, resident_id: UUID, caller: Self) -> list[dict[str, object]]:
    """Payments of benefits and of what exceeded the fee ceiling (maksukatto) to the resident who asks; cents."""
    caller.must_be_resident(resident_id)
    async with transaction(request.app.state.pool) as tx:
        return list(await views.to_resident(tx, resident_id))


@router.get("/v1/accounts/{area}/owed-to-residents")
async def get_owed(
    request: Request,
    area: Area,
    caller: Operator,
    without_account: bool = False,
    after: After = None,
    limit: Limit = 500,
) -> dict[str, object]:
    """What is owed to residents and in no batch, the longest owed first with its age; all, or who has no account."""
    caller.must_be_in_area(area)
    since, place = decode_cursor(after, str, UUID, pointer="/after") or BEFORE_ALL
    async with transaction(request.app.state.pool) as tx:
        today = helsinki_date(await request.app.state.clock.now(tx))
        known = {"area": area, "month": date.max, "today": today, "without_account": without_account}
        found = await owed.by_payee(tx, known | {"since": since, "after": place, "limit": limit})
        sums = await owed.balance(tx, area)
    position = next_cursor(found, limit, lambda row: (str(row["since"] or "infinity"), row["payee_id"]))
    return {"balance": sums, "payees": found, "next": position}


@router.post("/v1/resident-batches", status_code=201)
async def post_batch(request: Request, body: MonthIn, caller: Operator, key: Key) -> Response:
    """Draw a batch (maksuerä) of everything that an area owes to residents up to a month and that is in none yet."""
    caller.must_be_in_area(body.area)
    command = DrawBatch(body.area, body.first, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: draw_batch(tx, command, now), status=201)


@router.get("/v1/accounts/{area}/resident-batches")
async def get_batches(
    request: Request,
    area: Area,
    caller: Operator,
    before: Annotated[int, Query(ge=1, le=NEWEST)] = NEWEST,
    limit: Limit = 100,
) -> list[dict[str, object]]:
    """The batches of an area, the newest first, with the payments and cents of each state."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return list(await views.batches(tx, area, before=before, limit=limit))


@router.get("/v1/resident-batches/{batch_id}")
async def get_batch(
    request: Request, batch_id: UUID, caller: Operator, after: After = None, limit: Limit = 500
) -> dict[str, object]:
    """The payments of a batch: where each is, its steps, and by which number its payee's account is known now."""
    (place,) = decode_cursor(after, UUID, pointer="/after") or (FIRST,)
    async with transaction(request.app.state.pool) as tx:
        batch = await views.batch_row(tx, batch_id)
        found = await views.items(tx, batch_id, after=place, limit=limit)
    if batch is None:
        raise UnknownBatch(f"There is no batch {batch_id} of payments to residents.")
    caller.must_be_in_area(batch["area"])
    shown = batch | {"month": f"{batch['month']:%Y-%m}"}
    return {**shown, "items": found, "next": next_cursor(found, limit, lambda row: (row["item_id"],))}


@router.post("/v1/resident-batches/{batch_id}/approval", status_code=201)
async def post_approval(request: Request, batch_id: UUID, caller: Operator, key: Key) -> Response:
    """Approve a batch: each payment goes to the account that its payee has now. Somebody else releases it."""
    command = ApproveBatch(batch_id, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: approve_batch(tx, command, now), status=201)


@router.post("/v1/resident-payments/{resident_item_id}/account", status_code=200)
async def post_confirmation(
    request: Request, resident_item_id: UUID, body: PayeeConfirmationIn, caller: Operator, key: Key
) -> Response:
    """Confirm the account of an approved payment that changed, or that an adviser gave. Somebody else releases it."""
    command = ConfirmPayee(resident_item_id, body.account_number, body.reason, caller.subject)
    return await once(request, request.app.state.pool, caller, key, lambda tx, now: confirm_payee(tx, command, now))


@router.post("/v1/resident-batches/{batch_id}/release", status_code=201)
async def post_release(request: Request, batch_id: UUID, caller: Operator, key: Key) -> Response:
    """Release approved payments of a batch within the account's limit, and make their pain.001 file."""
    state = request.app.state
    command = ReleaseBatch(batch_id, state.settings.debtor_iban, caller.subject)
    return await once(
        request,
        state.pool,
        caller,
        key,
        lambda tx, now: release_batch(tx, command, now, seal=state.payee_seal),
        status=201,
    )


@router.get("/v1/resident-payouts/{payout_id}/pain.001", response_class=Response)
async def get_resident_pain001(request: Request, payout_id: UUID, caller: Operator) -> Response:
    """The file that the bank pays residents from; it is kept sealed, and opened for the operator alone."""
    async with transaction(request.app.state.pool) as tx:
        content = await file_of(tx, payout_id, seal=request.app.state.payee_seal)
    if content is None:
        raise UnknownPayout(f"There is no pain.001 file of payout {payout_id} to residents.")
    return Response(content, media_type="application/xml", headers={"cache-control": "no-store"})
