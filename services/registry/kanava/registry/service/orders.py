"""Annual orders (vuotuiset tilaukset) and budgets (talousarviot) of an area: set, replaced, withdrawn."""

from datetime import date, datetime
from typing import Any

from kanava.common.auth import Caller
from kanava.common.clock import helsinki_date
from kanava.common.contracts.steering import Order
from kanava.common.db import Tx
from kanava.common.outbox import emit
from kanava.registry import store, store_steering, views_steering
from kanava.registry.commands_steering import PlaceOrder, SetBudget, Withdraw
from kanava.registry.domain import budgets, orders, validity
from kanava.registry.domain.orders import OrderRefusal
from kanava.registry.domain.producers import ProducerRefusal
from kanava.registry.domain.violations import Violation
from kanava.registry.errors import OrderRefused, OrderUnknown, OwnContract, ProducerRefused, require

from .producers import locked_producer


async def place_order(tx: Tx, command: PlaceOrder, *, caller: Caller, now: datetime) -> views_steering.OrderView:
    """Order packages from an approved producer for a year, at the organiser's prices of the first day."""
    caller.must_be_in_area(command.area)
    producer = await locked_producer(tx, command.producer_id)
    caller.must_be_in_area(producer["area"])
    if command.producer_id in caller.producers:
        raise OwnContract()
    lines = [orders.OrderedLine(**line.model_dump()) for line in command.lines]
    prices = await store_steering.prices_on(tx, command.area, [one.node for one in lines], command.valid_from)
    budget_lines = await _budget_lines(tx, command.area, command.year)
    require(
        _broken_by_days(command.year, command.valid_from, now)
        + orders.broken_by_lines(lines, prices, budget_lines)
        + await _broken_by_contract(tx, command)
    )
    if producer["status"] != "approved":
        raise ProducerRefused(ProducerRefusal.NOT_APPROVED)
    content = {
        **command.model_dump(mode="json", include={"producer_id", "contract_id", "integrator"}),
        "lines": [{**vars(one), "price_cents": prices[one.node, one.unit_of_measure]} for one in lines],
    }
    row = {
        **command.model_dump(include={"area", "year", "valid_from", "producer_id"}),
        "order_id": f"{command.area}:annual_order:{command.year}:{command.producer_id}",
        "kind": "annual_order",
        "content": content,
    }
    return await _decided(tx, row, caller=caller, now=now)


async def set_budget(tx: Tx, command: SetBudget, *, caller: Caller, now: datetime) -> views_steering.OrderView:
    """Set the budget of the caller's area for a year, all its lines at once."""
    caller.must_be_in_area(command.area)
    lines = [
        budgets.Line(**line.model_dump(include={"line", "kind", "amount_cents", "producer_id", "nodes"}))
        for line in command.lines
    ]
    nodes = [node for line in lines for node in line.nodes]
    known_nodes = await store_steering.nodes_on(tx, nodes, command.valid_from)
    area_producers = await store_steering.producers_of(tx, command.area)
    require(
        _broken_by_days(command.year, command.valid_from, now)
        + budgets.broken_by_budget(lines, known_nodes=known_nodes, area_producers=area_producers)
    )
    row = {
        **command.model_dump(include={"area", "year", "valid_from"}),
        "order_id": _budget_id(command.area, command.year),
        "kind": "budget",
        "producer_id": None,
        "content": command.model_dump(mode="json", include={"lines"}),
    }
    return await _decided(tx, row, caller=caller, now=now)


async def withdraw(
    tx: Tx, order_id: str, command: Withdraw, *, caller: Caller, now: datetime
) -> views_steering.OrderView:
    """Withdraw an order or a budget of the caller's area from a day on."""
    await store.lock_name(tx, f"order {order_id}")
    known = await store_steering.newest_order(tx, order_id)
    if known is None:
        raise OrderUnknown()
    caller.must_be_in_area(known["area"])
    if known["producer_id"] in caller.producers:
        raise OwnContract()
    if known["status"] == "withdrawn":
        raise OrderRefused(OrderRefusal.WITHDRAWN_ALREADY)
    require(_broken_by_days(known["year"], command.valid_from, now))
    changed = {"status": "withdrawn", "valid_from": command.valid_from, "reasons": command.reasons}
    return await _stored(tx, {**known, **changed}, what="withdrawn", caller=caller, now=now)


def _budget_id(area: str, year: int) -> str:
    return f"{area}:budget:{year}"


def _broken_by_days(year: int, valid_from: date, now: datetime) -> list[Violation]:
    today = helsinki_date(now)
    return validity.broken_by_start(valid_from, today) + orders.broken_by_year(year, valid_from, today)


async def _budget_lines(tx: Tx, area: str, year: int) -> frozenset[str]:
    budget = await store_steering.newest_order(tx, _budget_id(area, year))
    if budget is None or budget["status"] == "withdrawn":
        return frozenset()
    return frozenset(line["line"] for line in budget["content"]["lines"])


async def _broken_by_contract(tx: Tx, command: PlaceOrder) -> list[Violation]:
    if command.contract_id is None:
        return []
    if await store_steering.contract_holder(tx, command.contract_id) == command.producer_id:
        return []
    return [Violation("/contract_id", "contract_of_producer", "the contract is not one of the producer")]


async def _decided(tx: Tx, row: dict[str, Any], *, caller: Caller, now: datetime) -> views_steering.OrderView:
    """Store what was ordered or budgeted as the next version; the first, or one after a withdrawal, is no change."""
    await store.lock_name(tx, f"order {row['order_id']}")
    known = await store_steering.newest_order(tx, row["order_id"])
    new = known is None or known["status"] == "withdrawn"
    first = "ordered" if row["kind"] == "annual_order" else "budgeted"
    version = known["version"] if known else 0
    stands = {"status": "in_force", "reasons": None, "version": version}
    return await _stored(tx, row | stands, what=first if new else "changed", caller=caller, now=now)


async def _stored(tx: Tx, row: dict[str, Any], *, what: str, caller: Caller, now: datetime) -> views_steering.OrderView:
    """Store the version after `row["version"]`, and say it."""
    told = {**row, "version": row["version"] + 1, "recorded_at": now}
    stored = await store.insert(tx, "year_order", told | {"decided_by": caller.subject})
    assert stored["version"] > row["version"], "versions of an order rise"
    await emit(tx, Order.model_validate({**stored, "what": what, stored["kind"]: stored["content"]}))
    return await views_steering.order(tx, stored["order_id"], caller=caller)
