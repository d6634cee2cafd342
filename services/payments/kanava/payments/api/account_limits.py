"""The limit of an area's account: setting it, and all that were set."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from kanava.common.db import transaction
from kanava.common.idempotency import Key, once

from ..commands import SetAccountLimit
from ..domain.account_limits import LEAST_EVER_CENTS, MOST_EVER_CENTS
from ..service.account_limits import LimitSet, set_account_limit
from ..views import account_limits as views
from .inputs import Area, Input, Operator, Watcher

router = APIRouter(tags=["books"])
NEWEST = 2**31 - 1


class AccountLimitIn(Input):
    """How many cents have to stay on the account, negative for an agreed overdraft (tilinylitysoikeus), and why."""

    limit_cents: Annotated[int, Field(ge=LEAST_EVER_CENTS, le=MOST_EVER_CENTS, strict=True)]
    reason: Annotated[str, Field(min_length=3, max_length=300)]


@router.post("/v1/accounts/{area}/limits", status_code=201, response_model=LimitSet)
async def post_limit(request: Request, area: Area, body: AccountLimitIn, caller: Operator, key: Key) -> Response:
    """Set the limit (saldoraja) below which nothing that is paid takes the account; raised at most to the balance."""
    caller.must_be_in_area(area)
    command = SetAccountLimit(area, body.limit_cents, body.reason, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: set_account_limit(tx, command, now), status=201)


@router.get("/v1/accounts/{area}/limits")
async def get_limits(
    request: Request,
    area: Area,
    caller: Watcher,
    before: Annotated[int, Query(ge=1, le=NEWEST)] = NEWEST,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[dict[str, object]]:
    """The limits that were set for an account, the newest first: who set it, when and why. The first is in force."""
    caller.must_be_in_area(area)
    async with transaction(request.app.state.pool) as tx:
        return list(await views.limits(tx, area, before=before, limit=limit))
