"""SQL that reads orders, budgets and sanctions, and what a reader gets."""

from datetime import date, datetime
from typing import Any

from kanava.common.auth import Caller, Role
from kanava.common.contracts.steering import AnnualOrder, Budget
from kanava.common.db import Tx, one, rows
from kanava.common.errors import Forbidden

from .errors import OrderUnknown, SanctionUnknown
from .views import Page, PageRequest, View, listed

_NEWEST = "(SELECT DISTINCT ON (order_id) * FROM year_order {} ORDER BY order_id, version DESC) AS year_order"
_SEEN = "WHERE %(all)s OR area = %(own_area)s OR producer_id = ANY(%(own)s)"


class OrderView(View):
    """The newest version of an annual order or a budget, with what it comes to in cents."""

    order_id: str
    version: int
    kind: str
    area: str
    year: int
    valid_from: date
    status: str
    total_cents: int
    annual_order: AnnualOrder | None = None
    budget: Budget | None = None
    reasons: str | None
    recorded_at: datetime


class SanctionChangeView(View):
    """What became of a sanction."""

    version: int
    what: str
    reasons: str
    amount_cents: int | None
    recorded_at: datetime


class SanctionSummary(View):
    """A step of the ladder against a producer and its standing."""

    sanction_id: str
    version: int
    producer_id: str
    area: str
    contract_id: str | None
    step: int
    name: str
    reason: str
    override_reason: str | None
    effective_on: date
    status: str
    amount_cents: int | None
    decided_on: date


class SanctionView(SanctionSummary):
    """A sanction with everything that became of it."""

    changes: tuple[SanctionChangeView, ...]


def _seen_by(caller: Caller) -> dict[str, Any]:
    """What a caller may see: all, what is of the own area, or what is of own producers."""
    return {
        "all": caller.role in (Role.OPERATOR, Role.AUTHORITY),
        "own_area": caller.area if caller.role is Role.ORGANISER else None,
        "own": list(caller.producers) if caller.role is Role.PRODUCER else [],
    }


def _must_see(caller: Caller, row: dict[str, Any]) -> None:
    """`Forbidden` unless the row is of the caller's area or producers, or the caller serves all."""
    seen = _seen_by(caller)
    if not (seen["all"] or row["area"] == seen["own_area"] or row["producer_id"] in seen["own"]):
        raise Forbidden("this is of another area or producer", rule="own_area")


def _order(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, row["kind"]: row["content"]}


async def order(tx: Tx, order_id: str, *, caller: Caller) -> OrderView:
    """An order or a budget by its id, as in `03:budget:2027`, for its area, its producer and the national roles."""
    query = "SELECT * FROM year_order WHERE order_id = %s ORDER BY version DESC LIMIT 1"
    row = await one(tx, query, (order_id,))
    if row is None:
        raise OrderUnknown()
    _must_see(caller, row)
    return OrderView.model_validate(_order({**row, "total_cents": _total(row["content"])}))


def _total(content: dict[str, Any]) -> int:
    """What the lines come to in cents: volumes at their prices, or sums."""
    lines = content["lines"]
    return sum(one["amount_cents"] if "amount_cents" in one else one["quantity"] * one["price_cents"] for one in lines)


async def orders(
    tx: Tx, asked: PageRequest, *, caller: Caller, area: str | None, kind: str | None, year: int | None
) -> Page[OrderView]:
    """The orders and budgets that the caller may see, in the order of their ids, each in its newest version."""
    return await listed(
        *(tx, OrderView, asked),
        source=_NEWEST.format(_SEEN),
        key="order_id",
        wanted={"area": area, "kind": kind, "year": year},
        seen=_seen_by(caller),
        made=lambda row: _order({**row, "total_cents": _total(row["content"])}),
    )


async def sanction(tx: Tx, sanction_id: str, *, caller: Caller) -> SanctionView:
    """A sanction with what became of it, for its area, its producer and the national roles."""
    row = await one(tx, "SELECT * FROM sanction WHERE sanction_id = %s", (sanction_id,))
    if row is None:
        raise SanctionUnknown()
    _must_see(caller, row)
    changes = await rows(tx, "SELECT * FROM sanction_change WHERE sanction_id = %s ORDER BY version", (sanction_id,))
    return SanctionView.model_validate({**row, "changes": changes})


async def sanctions(tx: Tx, asked: PageRequest, *, caller: Caller, producer_id: str | None) -> Page[SanctionSummary]:
    """The sanctions that the caller may see, in the order of their ids."""
    return await listed(
        *(tx, SanctionSummary, asked),
        source=f"(SELECT * FROM sanction {_SEEN}) AS sanction",
        key="sanction_id",
        wanted={"producer_id": producer_id},
        seen=_seen_by(caller),
    )
