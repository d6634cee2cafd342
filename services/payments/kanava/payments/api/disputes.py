"""Contesting lines of a statement, and deciding on it."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, model_validator

from kanava.common.auth import Caller, Role, allow
from kanava.common.clock import helsinki_date
from kanava.common.dates import MonthText
from kanava.common.db import transaction
from kanava.common.idempotency import Key, once
from kanava.common.web import decode_cursor, next_cursor

from ..commands import ContestLines, DecideDispute, LineKey
from ..domain.disputes import MAX_LINES, Remedy
from ..service.disputes import contest_lines, decide_dispute, dispute_row
from ..service.statements import statement_row
from ..views import disputes as views
from .inputs import Area, Input, Statements, must_see_producer

router = APIRouter()
Contester = Annotated[Caller, allow(Role.PRODUCER)]
Decider = Annotated[Caller, allow(Role.ORGANISER)]
NO_SOURCE = UUID(int=0)
MAX_LINE_CENTS = 100_000_000_00


class LineIn(Input):
    """A line as the statement lists it; capitation has no `source`."""

    resident_id: UUID
    component: str = Field(min_length=1, max_length=40)
    kind: Literal["original", "refund", "correction"]
    for_month: MonthText
    unit_id: str = Field(min_length=1, max_length=60)
    source: UUID | None = None

    @property
    def key(self) -> LineKey:
        """The line's key in the books."""
        first = date.fromisoformat(f"{self.for_month}-01")
        return LineKey(self.resident_id, self.component, self.kind, first, self.unit_id, self.source or NO_SOURCE)


class HoldsIn(LineIn):
    """What a contested line should have said, in cents."""

    holds_cents: int = Field(ge=-MAX_LINE_CENTS, le=MAX_LINE_CENTS, strict=True)


class DisputeIn(Input):
    """Lines that are contested, and why."""

    lines: list[LineIn] = Field(min_length=1, max_length=MAX_LINES)
    reason: str = Field(min_length=10, max_length=4000)


class DecisionIn(Input):
    """The outcome with its reasons. An accepted case names the fact to change; payments' own with its sums."""

    outcome: Literal["accepted", "rejected"]
    reasons: str = Field(min_length=10, max_length=4000)
    remedy: Remedy | None = None
    holds: list[HoldsIn] = Field(default=[], max_length=MAX_LINES)

    @model_validator(mode="after")
    def remedy_fits(self) -> "DecisionIn":
        """A remedy is named exactly when accepted; sums are given exactly when the fact is payments' own."""
        if (self.outcome == "accepted") != (self.remedy is not None):
            raise ValueError("a remedy is named exactly when the case is accepted")
        if (self.remedy is Remedy.PAYMENTS) != bool(self.holds):
            raise ValueError("what lines should have said is given exactly when the remedy is payments' own")
        if len({line.key for line in self.holds}) < len(self.holds):
            raise ValueError("what a line should have said is given once")
        return self


@router.post("/v1/statements/{statement_id}/disputes", status_code=201, tags=["disputes"])
async def post_dispute(request: Request, statement_id: UUID, body: DisputeIn, caller: Contester, key: Key) -> Response:
    """Contest lines of a statement (riitautus) within the time for it; the case has a day by which it is decided."""
    async with transaction(request.app.state.pool) as tx:
        caller.must_act_for_producer((await statement_row(tx, statement_id))["producer_id"])
    command = ContestLines(statement_id, tuple(line.key for line in body.lines), body.reason, caller.subject)
    return await once(
        request, request.app.state.pool, caller, key, lambda tx, now: contest_lines(tx, command, now), status=201
    )


@router.get("/v1/disputes", tags=["disputes"])
async def get_disputes(
    request: Request,
    caller: Statements,
    area: Area,
    status: Annotated[Literal["open", "accepted", "rejected"] | None, Query()] = None,
    overdue: bool = False,
    after: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, object]:
    """Cases of an area, oldest first, with age and whether they are overdue; a producer sees its own."""
    producers = sorted(caller.producers) if caller.role is Role.PRODUCER else None
    if producers is None:
        caller.must_be_in_area(area)
    known = {"area": area, "producers": producers, "status": status, "overdue": overdue, "limit": limit}
    place = decode_cursor(after, datetime.fromisoformat, UUID, pointer="/after")
    behind = {} if place is None else {"opened_at": place[0], "after": place[1]}
    async with transaction(request.app.state.pool) as tx:
        today = helsinki_date(await request.app.state.clock.now(tx))
        found = await views.cases(tx, known | behind | {"today": today})
    return {"disputes": found, "next": next_cursor(found, limit, lambda row: (row["opened_at"], row["dispute_id"]))}


@router.get("/v1/disputes/{dispute_id}", tags=["disputes"])
async def get_dispute(request: Request, dispute_id: UUID, caller: Statements) -> dict[str, object]:
    """A case with its lines, and its outcome when there is one."""
    async with transaction(request.app.state.pool) as tx:
        row = await dispute_row(tx, dispute_id)
        must_see_producer(caller, row["producer_id"], row["area"])
        today = helsinki_date(await request.app.state.clock.now(tx))
        (found,) = await views.cases(tx, {"today": today, "id": dispute_id})
        return dict(found) | {"contested": await views.case_lines(tx, dispute_id)}


@router.post("/v1/disputes/{dispute_id}/decision", tags=["disputes"])
async def post_dispute_decision(
    request: Request, dispute_id: UUID, body: DecisionIn, caller: Decider, key: Key
) -> Response:
    """Accept or reject a case with reasons; somebody other than who approved or released the statement."""
    async with transaction(request.app.state.pool) as tx:
        caller.must_be_in_area((await dispute_row(tx, dispute_id))["area"])
    command = DecideDispute(
        dispute_id=dispute_id,
        accepted=body.outcome == "accepted",
        reasons=body.reasons,
        decided_by=caller.subject,
        remedy=body.remedy,
        holds=tuple((line.key, line.holds_cents) for line in body.holds),
    )
    return await once(request, request.app.state.pool, caller, key, lambda tx, now: decide_dispute(tx, command, now))
