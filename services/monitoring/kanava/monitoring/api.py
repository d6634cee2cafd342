"""The REST interface of monitoring. A route parses, calls one function and returns."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from kanava.common.auth import Caller, Role, allow
from kanava.common.db import Pool, Tx, transaction
from kanava.common.idempotency import Key, once
from kanava.common.ids import valid_area, valid_oid
from kanava.common.web import body_limit, decode_cursor, encode_cursor

from . import bus, service, views
from .commands import DriveAgain, ReceiveFile
from .domain.faults import FileRefused
from .domain.files import FORMATS, MAX_FILE_BYTES, check_digest, format_of, read_file
from .domain.letters import LetterGroup, grouped
from .errors import file_problem
from .settings import MonitoringSettings

router = APIRouter()

LETTERS_AT_ONCE = 500
_SEES_SMALL_CELLS = frozenset({Role.ORGANISER, Role.OPERATOR})

ProducerId = Annotated[str, AfterValidator(valid_oid)]
Area = Annotated[str, AfterValidator(valid_area)]
Digest = Annotated[
    str | None, Header(alias="Content-Digest", description="`sha-256=:<base64>:` of the body, RFC 9530")
]
Month = Annotated[str, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="A month, `2026-11`.")]
Reporting = Annotated[Caller, allow(Role.PRODUCER)]
Following = Annotated[Caller, allow(Role.PRODUCER, Role.ORGANISER, Role.OPERATOR)]
Watching = Annotated[
    Caller, allow(Role.PRODUCER, Role.ORGANISER, Role.MUNICIPALITY, Role.OPERATOR, Role.AUTHORITY)
]
Operating = Annotated[Caller, allow(Role.OPERATOR)]


def _pool(request: Request) -> Pool:
    pool: Pool = request.app.state.pool
    return pool


class RedriveIn(BaseModel):
    """Letters to drive again and why; of those that were driven before, `force` drives and `skip_driven` leaves out.

    `cursor` is that of the page on which the letters stand; without it all letters are searched, the newest first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    letter_ids: list[UUID] = Field(min_length=1, max_length=LETTERS_AT_ONCE)
    reason: str = Field(min_length=3, max_length=300)
    force: bool = Field(default=False, strict=True)
    skip_driven: bool = Field(default=False, strict=True)
    cursor: str | None = None


class Driven(BaseModel):
    """Letters whose originals stand in the outbox once more."""

    letter_ids: list[UUID]


class DeadLetters(BaseModel):
    """A page of dead letters by service, topic and reason, with at most `most_per_topic` of each topic.

    `cursor` names this page, however many letters come after it; `next_cursor` the page of older ones, None at the
    oldest.
    """

    letters: int
    most_per_topic: int
    groups: list[LetterGroup]
    cursor: str
    next_cursor: str | None


@router.post(
    "/v1/production/files",
    status_code=201,
    tags=["production"],
    response_model=views.Receipt,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {name: {"schema": {"type": "string"}} for name in FORMATS},
        }
    },
)
@body_limit(MAX_FILE_BYTES)
async def post_file(
    request: Request,
    caller: Reporting,
    key: Key,
    producer_id: ProducerId,
    digest: Digest = None,
    corrects: bool = False,
) -> Response:
    """Take in a file of reported services (suoritetiedosto) and answer with its receipt."""
    caller.must_act_for_producer(producer_id)
    command = await _file_command(request, caller, producer_id, digest=digest, corrects=corrects)
    return await once(request, _pool(request), caller, key, partial(_receive, command), status=201)


async def _receive(command: ReceiveFile, tx: Tx, now: datetime) -> views.Receipt:
    return await service.receive_file(tx, command, now)


async def _file_command(
    request: Request, caller: Caller, producer_id: str, *, digest: str | None, corrects: bool
) -> ReceiveFile:
    """The command of an uploaded file; a problem when it did not come whole or cannot be read."""
    body = await request.body()
    try:
        check_digest(digest, body)
        form = format_of(request.headers.get("content-type"))
        reading = await asyncio.to_thread(read_file, form, body)
    except FileRefused as refused:
        raise file_problem(refused.fault) from None
    return ReceiveFile(
        file_id=uuid4(),
        producer_id=producer_id,
        sent_by=caller.subject,
        format=form,
        digest=hashlib.sha256(body).digest(),
        reading=reading,
        corrects=corrects,
    )


@router.get("/v1/production/files/{file_id}", tags=["production"])
async def get_file(request: Request, caller: Following, file_id: UUID) -> views.Receipt:
    """The receipt of a file: how many rows were accepted, corrected, doubled, rejected."""
    async with transaction(_pool(request)) as tx:
        return await _receipt_for(tx, caller, file_id)


@router.get(
    "/v1/production/files/{file_id}/rejected",
    tags=["production"],
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}}}},
)
async def get_rejected(request: Request, caller: Following, file_id: UUID) -> StreamingResponse:
    """The rejected rows of a file as NDJSON: number, field, code, value, and what was kept of each."""
    async with transaction(_pool(request)) as tx:
        await _receipt_for(tx, caller, file_id)
    lines: AsyncIterator[bytes] = views.rejected_lines(_pool(request), file_id)
    return StreamingResponse(lines, media_type="application/x-ndjson")


async def _receipt_for(tx: Tx, caller: Caller, file_id: UUID) -> views.Receipt:
    """The receipt, for its own producer, the organiser of its area and the operator."""
    receipt = await views.receipt_of(tx, file_id)
    if caller.role is Role.PRODUCER:
        caller.must_act_for_producer(receipt.producer_id)
    elif caller.role is Role.ORGANISER:
        caller.must_be_in_area(await views.area_of_producer(tx, receipt.producer_id) or "")
    return receipt


@router.get("/v1/indicators", tags=["indicators"])
async def get_indicators(
    request: Request, caller: Watching, area: Area, month: Month
) -> views.IndicatorReport:
    """The indicators (mittarit) of an area's producers for a month; a producer sees its own rows."""
    if caller.role in (Role.ORGANISER, Role.MUNICIPALITY):
        caller.must_be_in_area(area)
    only = sorted(caller.producers) if caller.role is Role.PRODUCER else None
    first = date.fromisoformat(f"{month}-01")
    async with transaction(_pool(request)) as tx:
        return await views.indicators(
            tx, area, first, only=only, see_small_cells=caller.role in _SEES_SMALL_CELLS
        )


@router.get("/v1/bus/lag", tags=["bus"])
async def get_lag(request: Request, caller: Operating) -> bus.BusLag:
    """How far every consumer group of every service is behind, in messages and seconds."""
    settings: MonitoringSettings = request.app.state.settings
    return await bus.lag(settings.kafka, deadline_seconds=settings.bus_deadline_seconds)


@router.get("/v1/bus/deadletters", tags=["bus"])
async def get_dead_letters(request: Request, caller: Operating, cursor: str | None = None) -> DeadLetters:
    """The dead letters of all topics by service, topic and reason, newest first; bodies are not shown."""
    settings: MonitoringSettings = request.app.state.settings
    most, deadline_seconds = settings.letters_per_topic, settings.bus_deadline_seconds
    page = await bus.dead_letters(
        settings.kafka, most=most, deadline_seconds=deadline_seconds, before=_page_ends(cursor)
    )
    return DeadLetters(
        letters=len(page.buried),
        most_per_topic=most,
        groups=grouped(page.buried),
        cursor=encode_cursor(page.ends),
        next_cursor=None if page.older is None else encode_cursor(page.older),
    )


def _page_ends(cursor: str | None) -> list[int] | None:
    """Where a page of dead letters ends, by partition; `Invalid` for a cursor that is of no page."""
    position = decode_cursor(cursor, _offsets)
    return None if position is None else position[0]


def _offsets(value: Any) -> list[int]:
    if not isinstance(value, list) or not all(type(one) is int and one >= 0 for one in value):
        raise ValueError("the ends of a page are offsets")
    return value


@router.post("/v1/bus/deadletters/redrive", tags=["bus"], response_model=Driven)
async def post_redrive(request: Request, caller: Operating, key: Key, wanted: RedriveIn) -> Response:
    """Publish the originals of dead letters again, for the service that buried each; all of them or none."""
    command = await _redrive_command(request.app.state.settings, caller, wanted)
    return await once(request, _pool(request), caller, key, partial(_drive, command))


async def _redrive_command(settings: MonitoringSettings, caller: Caller, wanted: RedriveIn) -> DriveAgain:
    letters = await bus.find_letters(
        settings.kafka,
        wanted.letter_ids,
        most=settings.letters_per_topic,
        deadline_seconds=settings.bus_deadline_seconds,
        page=_page_ends(wanted.cursor),
    )
    told: dict[str, Any] = {"reason": wanted.reason, "force": wanted.force, "skip_driven": wanted.skip_driven}
    return DriveAgain(letters=letters, driven_by=caller.subject, **told)


async def _drive(command: DriveAgain, tx: Tx, now: datetime) -> Driven:
    return Driven(letter_ids=await service.drive_again(tx, command, now))
