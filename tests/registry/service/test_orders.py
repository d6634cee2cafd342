"""An area budgets and orders for a year: whole, dated, in versions, at the organiser's prices."""

from datetime import date
from typing import Any

import pytest

from kanava.common.auth import Caller, Role
from kanava.common.errors import Forbidden
from kanava.registry import views, views_steering
from kanava.registry.commands import SetPrice
from kanava.registry.commands_steering import PlaceOrder, SetBudget, Withdraw
from kanava.registry.domain.orders import OrderRefusal
from kanava.registry.domain.producers import ProducerRefusal
from kanava.registry.errors import InputRefused, OrderRefused, OrderUnknown, OwnContract, ProducerRefused
from kanava.registry.service import orders, packages, units
from tests.registry.world import (
    CLINIC_ID,
    ENTERPRISE,
    ENTERPRISE_ID,
    FOREIGN_ORGANISER,
    LIIKELAITOS,
    OPERATOR,
    ORGANISER,
    OTHER_PRODUCER,
    PRODUCER,
    Registry,
    contract,
)

ASKED = views.PageRequest()
OTHER_AREA = Caller("oskari", Role.ORGANISER, area="04")


def budget(**changes: Any) -> SetBudget:
    own = {"line": "1", "name_fi": "Liikelaitos", "kind": "one_item", "amount_cents": 90_000_000_00}
    earmark = {"line": "2", "name_fi": "Sosiaaliohjaus", "kind": "package", "amount_cents": 40_000_00}
    lines = [
        own | {"on_breach": "refuse", "producer_id": ENTERPRISE_ID},
        earmark | {"on_breach": "flag", "nodes": ["SOS"]},
    ]
    return SetBudget.model_validate({"area": "03", "year": 2027, "valid_from": "2027-01-01", "lines": lines} | changes)


def order(**changes: Any) -> PlaceOrder:
    lines = [{"node": "SOS.1.1", "unit_of_measure": "kaynti", "quantity": 800, "budget_line": "2"}]
    said = {"area": "03", "year": 2027, "valid_from": "2027-01-01", "producer_id": CLINIC_ID, "lines": lines}
    return PlaceOrder.model_validate(said | changes)


@pytest.fixture
async def area(registry: Registry) -> Registry:
    """Länsi-Uusimaa with a priced package, an approved clinic and its own enterprise."""
    await registry.publish_documents()
    await registry.publish_guidance()
    price = SetPrice(
        area="03", node="SOS.1.1", unit_of_measure="kaynti", valid_from=date(2026, 10, 1), price_cents=4_500
    )
    await registry.do(packages.set_price, price, by=ORGANISER)
    await registry.approve()
    await registry.apply(LIIKELAITOS, ENTERPRISE, kind="own_enterprise", iban=None)
    return registry


async def test_a_budget_and_an_order_on_it_are_said_whole(area: Registry) -> None:
    budgeted = await area.do(orders.set_budget, budget(), by=ORGANISER)
    ordered = await area.do(orders.place_order, order(), by=ORGANISER)
    assert (budgeted.order_id, budgeted.version, budgeted.total_cents) == ("03:budget:2027", 1, 90_040_000_00)
    assert (ordered.order_id, ordered.total_cents) == (f"03:annual_order:2027:{CLINIC_ID}", 800 * 4_500)
    money, wanted = await area.facts("order")
    assert (money.what, money.kind, money.annual_order, wanted.budget) == ("budgeted", "budget", None, None)
    one_item, earmark = money.budget.lines
    assert (one_item.producer_id, one_item.on_breach, one_item.nodes) == (ENTERPRISE_ID, "refuse", ())
    assert (earmark.amount_cents, earmark.on_breach, earmark.nodes) == (40_000_00, "flag", ("SOS",))
    (line,) = wanted.annual_order.lines
    assert (wanted.what, wanted.annual_order.producer_id) == ("ordered", CLINIC_ID)
    assert wanted.annual_order.integrator == "organiser"
    assert (line.quantity, line.price_cents, line.budget_line) == (800, 4_500, "2")


async def test_what_is_decided_again_replaces_and_keeps_the_versions(area: Registry) -> None:
    await area.do(orders.set_budget, budget(), by=ORGANISER)
    await area.do(orders.place_order, order(), by=ORGANISER)
    less = [{"node": "SOS.1.1", "unit_of_measure": "kaynti", "quantity": 500}]
    changed = await area.do(orders.place_order, order(lines=less, valid_from="2027-07-01"), by=ORGANISER)
    assert (changed.version, changed.total_cents, changed.valid_from) == (2, 500 * 4_500, date(2027, 7, 1))
    withdrawal = Withdraw(valid_from=date(2027, 9, 1), reasons="Tarve päättyi.")
    gone = await area.do(orders.withdraw, changed.order_id, withdrawal, by=ORGANISER)
    assert (gone.version, gone.status, gone.reasons) == (3, "withdrawn", "Tarve päättyi.")
    with pytest.raises(OrderRefused) as refused:
        await area.do(orders.withdraw, changed.order_id, withdrawal, by=ORGANISER)
    assert refused.value.reason is OrderRefusal.WITHDRAWN_ALREADY
    again = await area.do(orders.place_order, order(), by=ORGANISER)
    assert (again.version, again.status, again.reasons) == (4, "in_force", None)
    said = [(fact.what, fact.version) for fact in await area.facts("order") if fact.kind == "annual_order"]
    assert said == [("ordered", 1), ("changed", 2), ("withdrawn", 3), ("ordered", 4)]


async def test_an_order_has_a_price_a_budget_line_and_a_contract_of_its_producer(area: Registry) -> None:
    unpriced = [{"node": "SOS.1.1", "unit_of_measure": "suorite", "quantity": 1, "budget_line": "7"}]
    with pytest.raises(InputRefused) as refused:
        await area.do(orders.place_order, order(lines=unpriced, contract_id=f"{CLINIC_ID}:1"), by=ORGANISER)
    rules = [one["rule"] for one in refused.value.extra["errors"]]
    assert rules == ["priced_by_organiser", "line_of_budget", "contract_of_producer"]
    signed = await area.do(units.sign_contract, contract(), by=ORGANISER)
    lines = [{"node": "SOS.1.1", "unit_of_measure": "kaynti", "quantity": 1}]
    placed = await area.do(orders.place_order, order(lines=lines, contract_id=signed.contract_id), by=ORGANISER)
    assert placed.annual_order is not None
    assert placed.annual_order.contract_id == signed.contract_id


async def test_an_order_goes_to_an_approved_producer_of_the_area_from_its_organiser(area: Registry) -> None:
    no_line = [{"node": "SOS.1.1", "unit_of_measure": "kaynti", "quantity": 1}]
    with pytest.raises(ProducerRefused) as refused:
        await area.do(orders.place_order, order(producer_id=ENTERPRISE_ID, lines=no_line), by=ORGANISER)
    assert refused.value.reason is ProducerRefusal.NOT_APPROVED
    for command in (order(), order(area="04")):
        with pytest.raises(Forbidden):
            await area.do(orders.place_order, command, by=FOREIGN_ORGANISER)
    both = Caller("olga", Role.ORGANISER, area="03", producers=frozenset({CLINIC_ID}))
    with pytest.raises(OwnContract):
        await area.do(orders.place_order, order(lines=no_line), by=both)
    assert await area.facts("order") == []


async def test_a_budget_does_not_reach_into_closed_months_or_far_years(area: Registry) -> None:
    for year, day, rule in ((2026, "2026-09-30", "not_before_open_month"), (2029, "2029-01-01", "year_in_range")):
        with pytest.raises(InputRefused) as refused:
            await area.do(orders.set_budget, budget(year=year, valid_from=day), by=ORGANISER)
        assert refused.value.rule == rule


async def test_everybody_sees_the_orders_that_are_theirs(area: Registry) -> None:
    await area.do(orders.set_budget, budget(), by=ORGANISER)
    placed = await area.do(orders.place_order, order(), by=ORGANISER)

    async def seen(by: Caller, **wanted: Any) -> list[str]:
        filters = {"area": None, "kind": None, "year": None} | wanted
        page = await area.read(views_steering.orders, ASKED, caller=by, **filters)
        return [one.order_id for one in page.items]

    both = [placed.order_id, "03:budget:2027"]
    assert await seen(ORGANISER) == await seen(OPERATOR) == both
    assert await seen(ORGANISER, kind="budget", year=2027) == ["03:budget:2027"]
    assert await seen(ORGANISER, year=2026) == await seen(OTHER_AREA) == await seen(OTHER_PRODUCER) == []
    assert await seen(PRODUCER) == [placed.order_id]
    with pytest.raises(Forbidden):
        await area.read(views_steering.order, "03:budget:2027", caller=PRODUCER)
    with pytest.raises(OrderUnknown):
        await area.read(views_steering.order, "03:budget:2031", caller=ORGANISER)
