"""The HTTP interface: a route reads its input, calls one function and answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from kanava.common.auth import Caller, Role, allow
from kanava.common.clock import helsinki_date
from kanava.common.dates import CalendarDay, Instant
from kanava.common.db import Tx, transaction
from kanava.common.groupcommit import GroupCommit
from kanava.common.idempotency import Key, once
from kanava.common.web import body_limit, bounded, decode_cursor

from . import access, views
from .bodies import ChoiceBody, CoefficientBody, FeedQuery, LookupBody, checked_digest
from .commands import PlaceChoice
from .errors import UnknownUnit
from .service import choices, coefficients, looks, registrations

FEED_LIMIT_BYTES = 32_000_000
MOST_CLIENTS = 10_000
MOST_ROWS = 500

router = APIRouter(prefix="/v1")

Anybody = Annotated[Caller, allow(*Role)]
Resident = Annotated[Caller, allow(Role.RESIDENT)]
Chooser = Annotated[Caller, allow(Role.RESIDENT, Role.ADVISER)]
Operator = Annotated[Caller, allow(Role.OPERATOR)]
Organiser = Annotated[Caller, allow(Role.ORGANISER)]
Producer = Annotated[Caller, allow(Role.PRODUCER)]
Looker = Annotated[Caller, allow(Role.OPERATOR, Role.ADVISER)]
ResidentReader = Annotated[Caller, allow(Role.RESIDENT, Role.ORGANISER)]
ListingReader = Annotated[Caller, allow(Role.RESIDENT, Role.ORGANISER, Role.OPERATOR)]


@asynccontextmanager
async def _opened(request: Request) -> AsyncIterator[tuple[Tx, datetime]]:
    """The transaction of a route, committed at its end, and the instant at which it is asked."""
    async with transaction(request.app.state.pool) as tx:
        yield tx, await request.app.state.clock.now(tx)


@router.post("/registrations", status_code=201, tags=["residents"], openapi_extra=FeedQuery.OPENAPI_BODY)
@body_limit(FEED_LIMIT_BYTES)
async def post_registrations(
    request: Request, caller: Operator, key: Key, query: Annotated[FeedQuery, Depends()]
) -> Response:
    """Take the next file of the registration feed: NDJSON, whole or not at all."""
    command = query.command(await request.body(), checked_digest(request, key.body_hash))
    vault = request.app.state.vault
    return await once(
        *(request, request.app.state.pool, caller, key),
        lambda tx, now: registrations.take_file(tx, command, now, vault=vault),
        status=201,
    )


@router.post("/choices", status_code=201, response_model=choices.ChoicePlaced, tags=["choices"])
async def post_choice(request: Request, body: ChoiceBody, caller: Chooser, key: Key) -> Response:
    """Choose a unit: a resident for itself, an adviser for a resident by a mandate."""
    together: GroupCommit[PlaceChoice] = request.app.state.choices
    return await together.once(request, caller, key, body.command(caller), status=201)


@router.post(
    "/residents/{resident_id}/coefficient",
    status_code=201,
    response_model=coefficients.CoefficientSet,
    tags=["residents"],
)
async def post_coefficient(
    request: Request, resident_id: UUID, body: CoefficientBody, caller: Organiser, key: Key
) -> Response:
    """Set a client-specific coefficient for a resident of the own area, from a day on."""
    command = body.command(resident_id, caller)
    return await once(
        *(request, request.app.state.pool, caller, key),
        lambda tx, now: coefficients.set_coefficient(tx, command, now),
        status=201,
    )


@router.post("/residents/lookup", tags=["residents"])
async def post_lookup(request: Request, body: LookupBody, caller: Looker) -> looks.Found:
    """Find pseudonymous ids by HETU; an adviser one at a time. Every look is logged for the resident."""
    command = body.command(caller)
    async with _opened(request) as (tx, now):
        return await looks.look_up(tx, command, now, vault=request.app.state.vault)


@router.get("/residents/{resident_id}", tags=["residents"])
async def get_resident(request: Request, resident_id: UUID, caller: ResidentReader) -> views.ResidentView:
    """A resident; the identity and a protected municipality for the resident alone."""
    async with _opened(request) as (tx, _):
        return await access.resident_for(tx, caller, resident_id, request.app.state.vault)


@router.get("/residents/{resident_id}/listing", tags=["residents"])
async def get_listing(
    request: Request,
    resident_id: UUID,
    caller: ListingReader,
    as_of: CalendarDay | None = None,
    known_at: Instant | None = None,
) -> views.ListingView:
    """Where a resident is listed: on a day or ever, as known now or at an earlier instant."""
    async with _opened(request) as (tx, _):
        await access.must_see_listing(tx, caller, resident_id)
        return await views.listing(tx, resident_id, as_of=as_of, known_at=known_at)


@router.get("/residents/{resident_id}/looks", tags=["residents"])
async def get_looks(
    request: Request, resident_id: UUID, caller: Resident, cursor: str | None = None, limit: int | None = None
) -> views.Page[views.LookView]:
    """Who looked the resident up, newest first; for the resident."""
    caller.must_be_resident(resident_id)
    position = decode_cursor(cursor, int)
    async with _opened(request) as (tx, _):
        return await views.looks(
            tx, resident_id, before=position[0] if position else None, limit=bounded(limit, MOST_ROWS)
        )


@router.get("/units", tags=["units"])
async def get_units(
    request: Request,
    caller: Anybody,
    municipality: Annotated[str | None, Query(pattern=r"^\d{3}$")] = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> views.Page[views.UnitView]:
    """Public and private units in one list, to compare and choose."""
    position = decode_cursor(cursor, str)
    async with _opened(request) as (tx, _):
        return await views.units(
            tx,
            municipality=municipality,
            after=position[0] if position else None,
            limit=bounded(limit, MOST_ROWS),
        )


@router.get("/units/{unit_id}/clients", tags=["units"])
async def get_clients(
    request: Request,
    unit_id: str,
    caller: Producer,
    on: CalendarDay | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> views.Page[views.Client]:
    """Who is listed with an own unit on a day (today if none is named), by pseudonymous id."""
    position = decode_cursor(cursor, UUID)
    async with _opened(request) as (tx, now):
        producer_id = await views.producer_of(tx, unit_id)
        if producer_id is None:
            raise UnknownUnit
        caller.must_act_for_producer(producer_id)
        return await views.clients(
            *(tx, unit_id),
            on=on or helsinki_date(now),
            after=position[0] if position else None,
            limit=bounded(limit, MOST_CLIENTS),
        )
