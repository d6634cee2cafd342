"""The REST of payments. A route parses, calls one service function and returns."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from kanava.common.auth import Caller, Role, allow
from kanava.common.db import transaction
from kanava.common.idempotency import Key, once
from kanava.common.ids import valid_area, valid_municipality
from kanava.common.web import decode_cursor, encode_cursor

from . import ledger, views
from .commands import ApproveStatements, PlaceFunding, ReleasePayout, RequestRun, TakeBankMessage
from .errors import UnknownPayout
from .service.bank import take_bank_message
from .service.funding import place_funding
from .service.runs import request_run, run_row
from .service.statements import approve_statements, release_payout, statement_row

router = APIRouter()

Area = Annotated[str, AfterValidator(valid_area), Field(description="Code of a sote area, `01`–`21` or `90`.")]
MonthText = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="A month, `2026-11`.")]
MAX_INSTALMENT_CENTS = 10_000_000_000_00

Operator = Annotated[Caller, allow(Role.OPERATOR)]
Approver = Annotated[Caller, allow(Role.OPERATOR, Role.ORGANISER)]
Watcher = Annotated[Caller, allow(Role.OPERATOR, Role.ORGANISER, Role.AUTHORITY)]
Statements = Annotated[Caller, allow(Role.OPERATOR, Role.ORGANISER, Role.PRODUCER)]
Self = Annotated[Caller, allow(Role.RESIDENT)]


class Input(BaseModel):
    """A body that takes no field it does not know."""

    model_config = ConfigDict(extra="forbid")


class FundingIn(Input):
    """An instalment that was paid into an area's account; a municipality's names the municipality."""

    area: Area
    payer: Literal["state", "municipality", "insurance"]
    municipality: Annotated[str, AfterValidator(valid_municipality)] | None = None
    amount_cents: int = Field(gt=0, le=MAX_INSTALMENT_CENTS, strict=True)
    received_on: date
    reference: str = Field(min_length=1, max_length=140)

    @model_validator(mode="after")
    def municipality_pays(self) -> "FundingIn":
        """A municipality is named exactly when one pays."""
        if (self.payer == "municipality") != (self.municipality is not None):
            raise ValueError("municipality is named exactly when a municipality pays")
        return self


class MonthIn(Input):
    """A month of an area."""

    area: Area
    month: MonthText

    @property
    def first(self) -> date:
        """The first day of the month."""
        return date.fromisoformat(f"{self.month}-01")


class ApprovalIn(MonthIn):
    """Statements to approve: those named, or all of the area and month."""

    statement_ids: list[UUID] = Field(default=[], max_length=1000)


class PayoutIn(Input):
    """Statements to release: those named, or all that are approved in the area."""

    area: Area
    statement_ids: list[UUID] = Field(default=[], max_length=1000)


@router.post("/v1/funding", status_code=201, tags=["money in"])
async def post_funding(request: Request, body: FundingIn, caller: Operator, key: Key) -> Response:
    """Book an instalment (rahoituserä)."""
    fields = (
        body.area,
        body.payer,
        body.municipality or "",
        body.amount_cents,
        body.received_on,
        body.reference,
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


@router.post("/v1/runs", status_code=202, tags=["month"])
async def post_run(request: Request, body: MonthIn, caller: Operator, key: Key) -> Response:
    """Close a month (kuukausiajo): fixes the cut-off and queues the run. Follow it at `/v1/runs/{run_id}`."""
    command = RequestRun(body.area, body.first, caller.subject)
    return await once(
        request,
        request.app.state.pool,
        caller,
        key,
        lambda tx, now: request_run(tx, command, now),
        status=202,
    )


@router.get("/v1/runs/{run_id}", tags=["month"])
async def get_run(request: Request, run_id: UUID, caller: Watcher) -> dict[str, object]:
    """How far a run has come."""
    async with transaction(request.app.state.pool) as tx:
        row = await run_row(tx, run_id)
        caller.must_be_in_area(row["area"])
        return dict(row) | {"month": f"{row['month']:%Y-%m}"}


@router.get("/v1/statements", tags=["statements"])
async def get_statements(
    request: Request, caller: Statements, area: Area, month: Annotated[MonthText | None, Query()] = None
) -> list[dict[str, object]]:
    """Statements (tilitykset) of an area; a producer sees its own."""
    producers = sorted(caller.producers) if caller.role is Role.PRODUCER else None
    if producers is None:
        caller.must_be_in_area(area)
    first = date.fromisoformat(f"{month}-01") if month else None
    async with transaction(request.app.state.pool) as tx:
        return list(await views.statements(tx, area=area, month=first, producers=producers))


@router.get("/v1/statements/{statement_id}", tags=["statements"])
async def get_statement(request: Request, statement_id: UUID, caller: Statements) -> dict[str, object]:
    """One statement with the sums of its components."""
    async with transaction(request.app.state.pool) as tx:
        row = await statement_row(tx, statement_id)
        _must_see(caller, row["producer_id"], row["area"])
        return dict((await views.statements(tx, statement_id=statement_id))[0])


@router.get("/v1/statements/{statement_id}/lines", tags=["statements"])
async def get_statement_lines(
    request: Request,
    statement_id: UUID,
    caller: Statements,
    after: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> dict[str, object]:
    """Every line of a statement down to resident, rate and report; `next` is the cursor of the next page."""
    place = decode_cursor(after, *[str] * 6) or views.FIRST_LINE
    async with transaction(request.app.state.pool) as tx:
        row = await statement_row(tx, statement_id)
        _must_see(caller, row["producer_id"], row["area"])
        lines = await views.statement_lines(
            tx, run_id=row["run_id"], producer_id=row["producer_id"], after=place, limit=limit
        )
    return {"lines": lines, "next": _next_line(lines) if len(lines) == limit else None}


def _next_line(lines: list[dict[str, object]]) -> str:
    last = lines[-1]
    source = last["source"] or views.FIRST_LINE[5]
    names = ("resident_id", "component", "kind", "for_month", "unit_id")
    values = [str(last[name]) for name in names]
    values[3] += "-01"
    return encode_cursor(*values, str(source))


def _must_see(caller: Caller, producer_id: str, area: str) -> None:
    if caller.role is Role.PRODUCER:
        caller.must_act_for_producer(producer_id)
    else:
        caller.must_be_in_area(area)


@router.post("/v1/approvals", status_code=200, tags=["statements"])
async def post_approval(request: Request, body: ApprovalIn, caller: Approver, key: Key) -> Response:
    """Approve statements of a month. Somebody else releases them."""
    caller.must_be_in_area(body.area)
    command = ApproveStatements(body.area, body.first, caller.subject, tuple(body.statement_ids))
    return await once(
        request, request.app.state.pool, caller, key, lambda tx, now: approve_statements(tx, command, now)
    )


@router.post("/v1/payouts", status_code=201, tags=["money out"])
async def post_payout(request: Request, body: PayoutIn, caller: Operator, key: Key) -> Response:
    """Release approved statements within the account's limit and make the pain.001 file."""
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
        content = await views.pain001(tx, payout_id)
    if content is None:
        raise UnknownPayout(f"There is no pain.001 file of payout {payout_id}.")
    return Response(content, media_type="application/xml")


@router.post("/v1/bank/messages", status_code=200, tags=["money out"])
async def post_bank_message(request: Request, caller: Operator, key: Key) -> Response:
    """Take in a pain.002, camt.053 or camt.054 of the bank, as XML. Repeating it is harmless."""
    command = TakeBankMessage(await request.body())
    return await once(request, request.app.state.pool, caller, key, lambda tx, now: take_bank_message(tx, command, now))


@router.get("/v1/accounts/{area}", tags=["books"])
async def get_account(request: Request, area: Area, caller: Watcher) -> dict[str, object]:
    """An area's account: balance, limit, every kind of movement, and the trial balance; cents."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        account = await views.account(tx, area)
        empty = {
            "area": area,
            "spendable_cents": 0,
            "limit_cents": 0,
            "bank_cents": 0,
            "entries": 0,
            "head": "",
        }
        found = {
            "movements": await views.movements(tx, area),
            "trial_balance": await views.trial_balance(tx, area),
        }
        return dict(account or empty) | found


@router.get("/v1/accounts/{area}/entries", tags=["books"])
async def get_entries(
    request: Request,
    area: Area,
    caller: Watcher,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, object]]:
    """The journal of an area after an entry number, in order."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return list(await views.entries(tx, area, after, limit))


@router.get("/v1/accounts/{area}/sums", tags=["books"])
async def get_sums(request: Request, area: Area, caller: Watcher) -> list[dict[str, object]]:
    """Σ resident lines = Σ producer totals = what left the account + what is owed, by component."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return await views.sums(tx, area)


@router.get("/v1/accounts/{area}/unpriced", tags=["books"])
async def get_unpriced(request: Request, area: Area, caller: Watcher) -> list[dict[str, object]]:
    """Accepted reports that no price covers yet; they are paid once the organiser has set one."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return list(await views.unpriced(tx, area))


@router.get("/v1/accounts/{area}/verification", tags=["books"])
async def get_verification(request: Request, area: Area, caller: Watcher) -> ledger.Verified:
    """Recompute the hash chain and the digests of all resident lines; names the first broken entry."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return await ledger.verify(tx, area)


@router.get("/v1/residents/{resident_id}/costs", tags=["residents"])
async def get_resident_costs(request: Request, resident_id: UUID, caller: Self) -> list[dict[str, object]]:
    """What was spent for the resident who asks, by month, producer and component; cents."""
    caller.must_be_resident(resident_id)
    async with transaction(request.app.state.pool) as tx:
        return list(await views.resident_costs(tx, resident_id))
