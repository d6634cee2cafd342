"""How a producer's time ends: its contracts end, it is suspended and comes back, and at last it leaves."""

from datetime import UTC, date, datetime

import pytest

from kanava.common.auth import Caller, Role
from kanava.common.errors import Forbidden
from kanava.registry import views
from kanava.registry.commands import ChangeStanding, EndContract
from kanava.registry.domain.producers import ProducerRefusal
from kanava.registry.errors import ContractUnknown, InputRefused, OwnContract, ProducerRefused, StandingOfItself
from kanava.registry.service import departures, units
from tests.registry.world import CLINIC_ID, FOREIGN_ORGANISER, ORGANISER, TODAY, Registry, contract

CONTRACT = f"{CLINIC_ID}:1"
LEAVE = ChangeStanding(verdict="leave", reasons="Liiketoiminta päättyy.")
SUSPEND = ChangeStanding(verdict="suspend", reasons="Maksukyvytön.")
REINSTATE = ChangeStanding(verdict="reinstate", reasons="Saneeraus on vahvistettu.")
NEXT_DAY = date(2026, 10, 16)


async def contracted(registry: Registry) -> None:
    """An approved clinic with a contract from today on."""
    await registry.publish_documents()
    await registry.approve()
    await registry.do(units.sign_contract, contract(), by=ORGANISER)


async def end(registry: Registry, ends_on: date = NEXT_DAY, *, by: Caller = ORGANISER) -> views.ContractView:
    return await registry.do(departures.end_contract, CONTRACT, EndContract(ends_on=ends_on), by=by)


async def change(registry: Registry, command: ChangeStanding, *, by: Caller = ORGANISER) -> views.ProducerView:
    return await registry.do(departures.change_standing, CLINIC_ID, command, by=by)


async def refusal(registry: Registry, command: ChangeStanding) -> ProducerRefusal:
    with pytest.raises(ProducerRefused) as refused:
        await change(registry, command)
    assert isinstance(refused.value.reason, ProducerRefusal)
    return refused.value.reason


async def test_a_contract_ends_on_a_day_and_everybody_hears_of_it(registry: Registry) -> None:
    await contracted(registry)
    ended = await end(registry, date(2027, 1, 1))
    assert (ended.version, ended.ends_on) == (2, date(2027, 1, 1))
    (said,) = await registry.facts("contract", "ended")
    assert (said.contract_id, said.version, said.ends_on) == (CONTRACT, 2, date(2027, 1, 1))
    sooner = await end(registry, TODAY)
    assert (sooner.version, sooner.ends_on) == (3, TODAY), "what was signed by mistake never held"


async def test_an_end_is_within_the_days_that_were_signed(registry: Registry) -> None:
    await contracted(registry)
    await end(registry)
    for day, rule in ((date(2026, 10, 14), "ends_after_start"), (date(2027, 5, 1), "ends_sooner")):
        with pytest.raises(InputRefused) as refused:
            await end(registry, day)
        assert (refused.value.pointer, refused.value.rule) == ("/ends_on", rule)
    with pytest.raises(ContractUnknown):
        await registry.do(departures.end_contract, f"{CLINIC_ID}:7", EndContract(ends_on=TODAY), by=ORGANISER)


async def test_a_producer_leaves_when_its_contracts_have_ended(registry: Registry) -> None:
    await contracted(registry)
    assert await refusal(registry, LEAVE) is ProducerRefusal.UNDER_CONTRACT
    await end(registry)
    assert await refusal(registry, LEAVE) is ProducerRefusal.UNDER_CONTRACT, "it holds until tomorrow"
    registry.now = datetime(2026, 10, 16, 9, tzinfo=UTC)
    assert (await change(registry, LEAVE)).status == "left"
    (said,) = await registry.facts("producer", "left")
    assert (said.producer_id, said.status) == (CLINIC_ID, "left")
    for again in (LEAVE, SUSPEND, REINSTATE):
        assert await refusal(registry, again) is ProducerRefusal.NOT_ACTIVE
    with pytest.raises(ProducerRefused):
        await registry.do(units.sign_contract, contract(), by=ORGANISER)


async def test_a_suspended_producer_comes_back_or_leaves(registry: Registry) -> None:
    await contracted(registry)
    assert await refusal(registry, REINSTATE) is ProducerRefusal.NOT_SUSPENDED
    suspended = await change(registry, SUSPEND)
    assert (suspended.status, suspended.decisions[-1].verdict) == ("suspended", "suspend")
    assert await refusal(registry, SUSPEND) is ProducerRefusal.NOT_APPROVED
    assert (await change(registry, REINSTATE)).status == "approved"
    assert [fact.what for fact in await registry.facts("producer")][-2:] == ["suspended", "approved"]


async def test_an_application_is_no_standing_and_nobody_changes_another_areas(registry: Registry) -> None:
    await registry.publish_documents()
    await registry.apply()
    for command in (SUSPEND, LEAVE):
        assert await refusal(registry, command) is ProducerRefusal.NOT_APPROVED
    with pytest.raises(Forbidden):
        await change(registry, SUSPEND, by=FOREIGN_ORGANISER)


async def test_nobody_decides_on_its_own_standing_or_contract(registry: Registry) -> None:
    await contracted(registry)
    both = Caller("olga", Role.ORGANISER, area="03", producers=frozenset({CLINIC_ID}))
    with pytest.raises(StandingOfItself):
        await change(registry, SUSPEND, by=both)
    with pytest.raises(OwnContract):
        await end(registry, by=both)
    with pytest.raises(Forbidden):
        await end(registry, by=FOREIGN_ORGANISER)
