"""The books of an area: balances, journal, the three sums, verification; and what was spent for a resident."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from kanava.common.dates import MonthText
from kanava.common.db import transaction

from .. import ledger
from ..views import books as views
from ..views import reports as by_resident
from ..views import statements as reports
from .inputs import Area, Self, Watcher

router = APIRouter()


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
    """Accepted reports that are not paid, with the reason; they are paid once what is missing is there."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return list(await reports.unpriced(tx, area))


@router.get("/v1/accounts/{area}/verification", tags=["books"])
async def get_verification(request: Request, area: Area, caller: Watcher) -> ledger.Verified:
    """Recompute the hash chain, all resident lines, runs and statements; names the first that does not hold."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return await ledger.verify(tx, area)


@router.get("/v1/residents/{resident_id}/costs", tags=["residents"])
async def get_resident_costs(
    request: Request,
    resident_id: UUID,
    caller: Self,
    since: Annotated[MonthText, Query()] = "1900-01",
    until: Annotated[MonthText, Query()] = "2099-12",
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> list[dict[str, object]]:
    """What was spent for the resident who asks, by month, producer, component and product, with benefits; cents."""
    caller.must_be_resident(resident_id)
    first, last = (date.fromisoformat(f"{month}-01") for month in (since, until))
    wanted = {"resident": resident_id, "since": first, "until": last, "limit": limit, "offset": offset}
    async with transaction(request.app.state.pool) as tx:
        return list(await by_resident.of_resident(tx, wanted))
