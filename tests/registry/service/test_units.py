"""Units open and close for those who run them; contracts follow their class."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from kanava.common.auth import Caller
from kanava.common.errors import Forbidden
from kanava.registry import views
from kanava.registry.commands import CloseUnit
from kanava.registry.domain.producers import ProducerRefusal
from kanava.registry.domain.units import UnitRefusal
from kanava.registry.errors import InputRefused, OwnContract, ProducerRefused, UnitRefused, UnitUnknown
from kanava.registry.service import units
from tests.registry.world import (
    AUTHORITY,
    CLINIC_ID,
    ENTERPRISE,
    ENTERPRISE_ID,
    FOREIGN_ORGANISER,
    LIIKELAITOS,
    ORGANISER,
    OTHER_PRODUCER,
    PRODUCER,
    TODAY,
    Registry,
    contract,
    unit,
)


async def test_a_producer_opens_units_with_oids_of_its_own(registry: Registry) -> None:
    await registry.apply()
    first = await registry.open_unit(capacity=12_000, languages=["fi", "sv"])
    second = await registry.open_unit()
    assert (first, second) == (CLINIC_ID[:-1] + "1", CLINIC_ID[:-1] + "2")
    limited, unlimited = await registry.facts("unit", "opened")
    assert (limited.capacity, limited.languages, limited.own) == (12_000, ("fi", "sv"), False)
    assert (unlimited.capacity, unlimited.area, unlimited.municipality) == (None, "03", "049")


async def test_units_opened_at_once_get_different_oids(registry: Registry) -> None:
    await registry.apply()
    opened = await asyncio.gather(*(registry.open_unit() for _ in range(10)))
    assert len(set(opened)) == 10


async def test_the_organiser_opens_units_of_its_own_enterprise_only(registry: Registry) -> None:
    await registry.apply(LIIKELAITOS, ENTERPRISE, kind="own_enterprise", iban=None)
    await registry.apply()
    await registry.open_unit(by=ORGANISER, producer_id=ENTERPRISE_ID)
    assert (await registry.facts("unit"))[0].own is True
    for by, producer_id in (
        (ORGANISER, CLINIC_ID),
        (FOREIGN_ORGANISER, ENTERPRISE_ID),
        (OTHER_PRODUCER, CLINIC_ID),
    ):
        with pytest.raises(Forbidden):
            await registry.open_unit(by=by, producer_id=producer_id)


async def test_a_unit_lies_in_the_area_of_its_producer(registry: Registry) -> None:
    await registry.apply()
    with pytest.raises(InputRefused) as refused:
        await registry.open_unit(municipality="091")
    assert refused.value.rule == "municipality_of_area"


async def test_a_unit_closes_once_today_or_later(registry: Registry) -> None:
    await registry.apply()
    unit_id = await registry.open_unit()
    with pytest.raises(InputRefused):
        await registry.do(units.close_unit, unit_id, CloseUnit(closes_on=date(2026, 10, 14)), by=PRODUCER)
    with pytest.raises(Forbidden):
        await registry.do(units.close_unit, unit_id, CloseUnit(), by=OTHER_PRODUCER)
    closed = await registry.do(units.close_unit, unit_id, CloseUnit(), by=PRODUCER)
    assert (closed.status, closed.closes_on, closed.version) == ("closed", TODAY, 2)
    (fact,) = await registry.facts("unit", "closed")
    assert (fact.unit_id, fact.closes_on, fact.version) == (unit_id, TODAY, 2)
    with pytest.raises(UnitRefused) as twice:
        await registry.do(units.close_unit, unit_id, CloseUnit(), by=PRODUCER)
    assert twice.value.reason is UnitRefusal.CLOSED_ALREADY
    with pytest.raises(UnitUnknown):
        await registry.do(units.close_unit, ENTERPRISE_ID, CloseUnit(), by=PRODUCER)


async def test_a_contract_allows_what_its_class_allows(registry: Registry) -> None:
    await registry.publish_documents()
    await registry.approve()
    signed = await registry.do(units.sign_contract, contract(), by=ORGANISER)
    assert signed.contract_id == f"{CLINIC_ID}:1"
    (fact,) = await registry.facts("contract")
    assert (fact.what, fact.contract_class, fact.compensation_kinds) == ("signed", "basic", ("capitation", "fee"))
    with pytest.raises(InputRefused) as refused:
        await registry.do(units.sign_contract, contract(contract_class="cooperation"), by=ORGANISER)
    assert (refused.value.pointer, refused.value.rule) == ("/compensation_kinds/1", "kind_of_class")


async def test_a_contract_is_with_an_approved_producer_and_never_with_oneself(registry: Registry) -> None:
    await registry.publish_documents()
    await registry.apply()
    with pytest.raises(ProducerRefused) as refused:
        await registry.do(units.sign_contract, contract(), by=ORGANISER)
    assert refused.value.reason is ProducerRefusal.NOT_APPROVED
    with pytest.raises(Forbidden):
        await registry.do(units.sign_contract, contract(), by=FOREIGN_ORGANISER)
    both = replace(ORGANISER, producers=frozenset({CLINIC_ID}))
    with pytest.raises(OwnContract):
        await registry.do(units.sign_contract, contract(), by=both)


@pytest.mark.parametrize(
    ("caller", "seen"),
    [(ORGANISER, 1), (PRODUCER, 1), (AUTHORITY, 1), (FOREIGN_ORGANISER, 0), (OTHER_PRODUCER, 0)],
)
async def test_contracts_are_seen_by_their_parties(registry: Registry, caller: Caller, seen: int) -> None:
    await registry.publish_documents()
    await registry.approve()
    await registry.do(units.sign_contract, contract(), by=ORGANISER)
    page = await registry.read(views.contracts, views.PageRequest(), caller=caller, producer_id=None)
    assert len(page.items) == seen


async def test_a_revoked_producer_opens_nothing(registry: Registry) -> None:
    await registry.apply()
    async with registry.open() as tx:
        await tx.execute("UPDATE producer SET status = 'revoked'")
    with pytest.raises(ProducerRefused) as refused:
        await registry.do(units.open_unit, unit(), by=PRODUCER)
    assert refused.value.reason is ProducerRefusal.NOT_ACTIVE


async def test_base_payment_and_effectiveness_stand_in_contracts_of_their_kind(registry: Registry) -> None:
    await registry.publish_documents()
    await registry.approve()
    base = {"contract_class": "cooperation", "compensation_kinds": ["base_payment"]}
    measure = {"indicator": "tyokyky", "direction": "higher_is_better", "floor": 50, "target": 80, "amount_cents": 9}
    effect = {"contract_class": "partnership", "compensation_kinds": ["effectiveness"], "effectiveness": [measure]}
    await registry.do(units.sign_contract, contract(**base, monthly_base_payment_cents=800_000_00), by=ORGANISER)
    signed = await registry.do(units.sign_contract, contract(**effect), by=ORGANISER)
    assert signed.effectiveness[0].amount_cents == 9
    cooperation, partnership = await registry.facts("contract")
    assert (cooperation.monthly_base_payment_cents, cooperation.effectiveness) == (800_000_00, ())
    assert [(one.indicator, one.floor, one.target) for one in partnership.effectiveness] == [("tyokyky", 50, 80)]
    wrong = effect | {"effectiveness": [measure | {"target": 40}], "monthly_base_payment_cents": 1}
    with pytest.raises(InputRefused) as refused:
        await registry.do(units.sign_contract, contract(**wrong), by=ORGANISER)
    assert [one["rule"] for one in refused.value.extra["errors"]] == ["target_is_better", "payment_of_kind"]
