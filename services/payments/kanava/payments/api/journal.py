"""The books for bookkeepers: trial balance, clearing accounts, and the journal as a file."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from kanava.common.dates import CalendarDay, Instant
from kanava.common.db import Pool, transaction
from kanava.common.errors import Invalid

from ..views.journal import CHUNK_BYTES, Period, journal_csv, journal_parquet
from ..views.trial_balance import TrialBalance, clearing, trial_balance_on
from .inputs import Area, Day, Watcher, day_or_today

router = APIRouter()
KnownAt = Annotated[Instant | None, Query(description="Only entries booked by this instant; now if not named.")]


@router.get("/v1/accounts/{area}/trial-balance", tags=["books"])
async def get_trial_balance(
    request: Request, area: Area, caller: Watcher, on: Day = None, known_at: KnownAt = None
) -> TrialBalance:
    """The trial balance (koetase) on a day, as it is known now or was known at an earlier instant; cents."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        day = await day_or_today(request, tx, on)
        instant: datetime = known_at or await request.app.state.clock.now(tx)
        return await trial_balance_on(tx, area, day, instant.astimezone(UTC))


@router.get("/v1/accounts/{area}/clearing", tags=["books"])
async def get_clearing(request: Request, area: Area, caller: Watcher, on: Day = None) -> list[dict[str, object]]:
    """What is left on clearing accounts (selvittelytilit) by party and reference, with its age in days; cents."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return list(await clearing(tx, area, await day_or_today(request, tx, on)))


_MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


@router.get("/v1/accounts/{area}/journal", tags=["books"], response_class=Response)
async def get_journal(
    *,
    request: Request,
    area: Area,
    caller: Watcher,
    first: Annotated[CalendarDay, Query(description="The first day of the period.")],
    last: Annotated[CalendarDay, Query(description="The last day of the period, included.")],
    form: Annotated[Literal["csv", "parquet"], Query(description="The form of the file.")] = "csv",
) -> StreamingResponse:
    """The journal (päiväkirja) of a period as CSV or Parquet, one row for each posting, in the chain's order."""
    caller.must_be_in_area(area)
    if last < first:
        raise Invalid("a period ends on or after its first day", pointer="/last", rule="period_in_order")
    name = f"paivakirja-{area}-{first}-{last}.{form}"
    return StreamingResponse(
        stream(request.app.state.pool, Period(area, first, last), form),
        media_type=_MEDIA[form],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def stream(pool: Pool, period: Period, form: Literal["csv", "parquet"]) -> AsyncIterator[bytes]:
    """The journal in chunks, in a transaction of its own."""
    return _csv(pool, period) if form == "csv" else _parquet(pool, period)


async def _csv(pool: Pool, period: Period) -> AsyncIterator[bytes]:
    async with transaction(pool) as tx:
        async for chunk in journal_csv(tx, period):
            yield chunk


async def _parquet(pool: Pool, period: Period) -> AsyncIterator[bytes]:
    with TemporaryDirectory(prefix="kanava-journal-") as folder:
        async with transaction(pool) as tx:
            made = await journal_parquet(tx, period, Path(folder))
        with await asyncio.to_thread(made.open, "rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk
