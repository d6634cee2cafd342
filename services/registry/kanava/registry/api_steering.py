"""Orders, budgets and sanctions over HTTP: each command is done once for its idempotency key."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response

from kanava.common.auth import Caller, Role, allow
from kanava.common.db import Tx, transaction
from kanava.common.idempotency import Key, once

from . import commands_steering, views, views_steering
from .service import orders, sanctions

router = APIRouter(prefix="/v1")

Organiser = Annotated[Caller, allow(Role.ORGANISER)]
Producer = Annotated[Caller, allow(Role.PRODUCER)]
Reader = Annotated[Caller, allow(Role.ORGANISER, Role.PRODUCER, Role.OPERATOR, Role.AUTHORITY)]
Asked = Annotated[views.PageRequest, Depends()]


async def _once(request: Request, caller: Caller, key: Key, act: Callable[..., Awaitable[Any]]) -> Response:
    """Do a command of the registry once for its key, as this caller."""

    async def done(tx: Tx, now: datetime) -> Any:
        return await act(tx, caller=caller, now=now)

    return await once(request, request.app.state.pool, caller, key, done, status=201)


@router.post("/orders", status_code=201, response_model=views_steering.OrderView, tags=["orders"])
async def post_order(request: Request, body: commands_steering.PlaceOrder, caller: Organiser, key: Key) -> Response:
    """Order packages from a producer of the own area for a year (vuotuinen tilaus); again replaces."""
    return await _once(request, caller, key, lambda tx, **by: orders.place_order(tx, body, **by))


@router.post("/budgets", status_code=201, response_model=views_steering.OrderView, tags=["orders"])
async def post_budget(request: Request, body: commands_steering.SetBudget, caller: Organiser, key: Key) -> Response:
    """Set the own area's budget (talousarvio) for a year, all its lines; again replaces."""
    return await _once(request, caller, key, lambda tx, **by: orders.set_budget(tx, body, **by))


@router.get("/orders", tags=["orders"])
async def get_orders(
    request: Request,
    caller: Reader,
    asked: Asked,
    area: str | None = None,
    kind: Literal["annual_order", "budget"] | None = None,
    year: int | None = None,
) -> views.Page[views_steering.OrderView]:
    """Orders and budgets in their newest version: a producer's own, an organiser's of its area, all for others."""
    async with transaction(request.app.state.pool) as tx:
        return await views_steering.orders(tx, asked, caller=caller, area=area, kind=kind, year=year)


@router.get("/orders/{order_id}", tags=["orders"])
async def get_order(request: Request, order_id: str, caller: Reader) -> views_steering.OrderView:
    """An order or a budget in its newest version."""
    async with transaction(request.app.state.pool) as tx:
        return await views_steering.order(tx, order_id, caller=caller)


@router.post("/orders/{order_id}/withdrawal", status_code=201, response_model=views_steering.OrderView, tags=["orders"])
async def post_withdrawal(
    request: Request, order_id: str, body: commands_steering.Withdraw, caller: Organiser, key: Key
) -> Response:
    """Withdraw an order or a budget of the own area from a day on, with reasons."""
    return await _once(request, caller, key, lambda tx, **by: orders.withdraw(tx, order_id, body, **by))


@router.post("/sanctions", status_code=201, response_model=views_steering.SanctionView, tags=["sanctions"])
async def post_sanction(
    request: Request, body: commands_steering.ImposeSanction, caller: Organiser, key: Key
) -> Response:
    """Take a step of the ladder against a producer of the own area, in order or with a reason for it."""
    return await _once(request, caller, key, lambda tx, **by: sanctions.impose_sanction(tx, body, **by))


@router.get("/sanctions", tags=["sanctions"])
async def get_sanctions(
    request: Request, caller: Reader, asked: Asked, producer_id: str | None = None
) -> views.Page[views_steering.SanctionSummary]:
    """Sanctions: a producer's own, an organiser's of its area, all for the operator and the authorities."""
    async with transaction(request.app.state.pool) as tx:
        return await views_steering.sanctions(tx, asked, caller=caller, producer_id=producer_id)


@router.get("/sanctions/{sanction_id}", tags=["sanctions"])
async def get_sanction(request: Request, sanction_id: str, caller: Reader) -> views_steering.SanctionView:
    """A sanction with everything that became of it."""
    async with transaction(request.app.state.pool) as tx:
        return await views_steering.sanction(tx, sanction_id, caller=caller)


@router.post(
    "/sanctions/{sanction_id}/appeal",
    status_code=201,
    response_model=views_steering.SanctionView,
    tags=["sanctions"],
)
async def post_appeal(
    request: Request, sanction_id: str, body: commands_steering.AppealSanction, caller: Producer, key: Key
) -> Response:
    """Appeal against a sanction of an own producer, with reasons."""
    return await _once(*(request, caller, key), lambda tx, **by: sanctions.appeal_sanction(tx, sanction_id, body, **by))


@router.post(
    "/sanctions/{sanction_id}/outcome",
    status_code=201,
    response_model=views_steering.SanctionView,
    tags=["sanctions"],
)
async def post_outcome(
    request: Request, sanction_id: str, body: commands_steering.DecideOnSanction, caller: Organiser, key: Key
) -> Response:
    """Uphold a sanction on appeal, in part with a smaller sum, or withdraw it; never on an own producer."""
    return await _once(
        *(request, caller, key), lambda tx, **by: sanctions.decide_on_sanction(tx, sanction_id, body, **by)
    )
