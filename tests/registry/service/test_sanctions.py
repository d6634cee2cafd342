"""The ladder against a producer: imposed, appealed, upheld, withdrawn, and what a revocation does."""

from datetime import date, timedelta
from typing import Any

import pytest

from kanava.common.auth import Caller, Role
from kanava.common.errors import Forbidden
from kanava.registry import views, views_steering
from kanava.registry.commands_steering import AppealSanction, DecideOnSanction, ImposeSanction
from kanava.registry.domain.sanctions import SanctionRefusal
from kanava.registry.errors import InputRefused, OwnSanction, SanctionRefused, SanctionUnknown
from kanava.registry.service import sanctions, units
from tests.registry.world import (
    CLINIC_ID,
    FOREIGN_ORGANISER,
    OPERATOR,
    ORGANISER,
    OTHER_PRODUCER,
    PRODUCER,
    TODAY,
    Registry,
    contract,
)

ASKED = views.PageRequest()
APPEAL = AppealSanction(reasons="Viive johtui tietojärjestelmästä.")


def step(number: int, **changes: Any) -> ImposeSanction:
    said = {"producer_id": CLINIC_ID, "step": number, "reason": "Hoitoon pääsy viivästyi.", "effective_on": TODAY}
    return ImposeSanction.model_validate(said | ({"amount_cents": 250_000} if number == 3 else {}) | changes)


def outcome(what: str, **changes: Any) -> DecideOnSanction:
    return DecideOnSanction.model_validate({"outcome": what, "reasons": "Oikaisuvaatimus ratkaistu."} | changes)


@pytest.fixture
async def area(registry: Registry) -> Registry:
    """Länsi-Uusimaa with an approved clinic under contract."""
    await registry.publish_documents()
    await registry.approve()
    await registry.do(units.sign_contract, contract(), by=ORGANISER)
    return registry


async def test_the_ladder_is_climbed_in_order_and_every_step_is_said(area: Registry) -> None:
    for number in (1, 2, 2):
        await area.do(sanctions.impose_sanction, step(number), by=ORGANISER)
    third = await area.do(sanctions.impose_sanction, step(3, contract_id=f"{CLINIC_ID}:1"), by=ORGANISER)
    assert (third.sanction_id, third.status, third.amount_cents) == (f"{CLINIC_ID}:4", "in_force", 250_000)
    said = await area.facts("sanction")
    assert [(one.step, one.name) for one in said] == [
        (1, "huomautus"),
        (2, "varoitus"),
        (2, "varoitus"),
        (3, "sanktio"),
    ]
    assert (said[3].amount_cents, said[3].contract_id, said[3].effective_on) == (250_000, f"{CLINIC_ID}:1", TODAY)
    assert (said[0].amount_cents, said[0].decided_on, said[0].area) == (None, TODAY, "03")


async def test_a_step_is_skipped_only_with_a_reason_for_it(area: Registry) -> None:
    with pytest.raises(SanctionRefused) as refused:
        await area.do(sanctions.impose_sanction, step(3), by=ORGANISER)
    assert refused.value.reason is SanctionRefusal.OUT_OF_ORDER
    reasoned = step(3, override_reason="Potilasturvallisuus vaarantui välittömästi.")
    imposed = await area.do(sanctions.impose_sanction, reasoned, by=ORGANISER)
    assert imposed.override_reason == "Potilasturvallisuus vaarantui välittömästi."
    assert [one.override_reason for one in await area.facts("sanction")] == [imposed.override_reason]


async def test_a_withdrawn_step_does_not_carry_the_next(area: Registry) -> None:
    first = await area.do(sanctions.impose_sanction, step(1), by=ORGANISER)
    await area.do(sanctions.decide_on_sanction, first.sanction_id, outcome("withdrawn"), by=ORGANISER)
    with pytest.raises(SanctionRefused):
        await area.do(sanctions.impose_sanction, step(2), by=ORGANISER)


async def test_a_sum_stands_at_the_third_step_alone(area: Registry) -> None:
    for wrong in (step(1, amount_cents=1), step(3, amount_cents=None), step(1, contract_id=f"{CLINIC_ID}:9")):
        with pytest.raises(InputRefused):
            await area.do(sanctions.impose_sanction, wrong, by=ORGANISER)
    assert await area.facts("sanction") == []


async def test_an_appeal_that_succeeds_in_part_upholds_a_smaller_sum(area: Registry) -> None:
    override = {"override_reason": "Potilasturvallisuus vaarantui."}
    imposed = await area.do(sanctions.impose_sanction, step(3, **override), by=ORGANISER)
    appealed = await area.do(sanctions.appeal_sanction, imposed.sanction_id, APPEAL, by=PRODUCER)
    assert appealed.status == "appealed"
    with pytest.raises(SanctionRefused):
        await area.do(sanctions.appeal_sanction, imposed.sanction_id, APPEAL, by=PRODUCER)
    more = outcome("upheld", amount_cents=250_001)
    with pytest.raises(SanctionRefused) as refused:
        await area.do(sanctions.decide_on_sanction, imposed.sanction_id, more, by=ORGANISER)
    assert refused.value.reason is SanctionRefusal.SUM_NOT_SMALLER
    less = outcome("upheld", amount_cents=100_000)
    upheld = await area.do(sanctions.decide_on_sanction, imposed.sanction_id, less, by=ORGANISER)
    assert [(one.what, one.amount_cents) for one in upheld.changes] == [("appealed", 250_000), ("upheld", 100_000)]
    said = [(one.what, one.status, one.amount_cents, one.version) for one in await area.facts("sanction")]
    assert said == [
        ("imposed", "in_force", 250_000, 1),
        ("appealed", "appealed", 250_000, 2),
        ("upheld", "upheld", 100_000, 3),
    ]


async def test_an_appeal_comes_from_the_producer_and_in_time(area: Registry) -> None:
    imposed = await area.do(sanctions.impose_sanction, step(1), by=ORGANISER)
    with pytest.raises(Forbidden):
        await area.do(sanctions.appeal_sanction, imposed.sanction_id, APPEAL, by=OTHER_PRODUCER)
    area.now += timedelta(days=31)
    with pytest.raises(SanctionRefused) as refused:
        await area.do(sanctions.appeal_sanction, imposed.sanction_id, APPEAL, by=PRODUCER)
    assert refused.value.reason is SanctionRefusal.APPEAL_TOO_LATE
    with pytest.raises(SanctionUnknown):
        await area.do(sanctions.appeal_sanction, f"{CLINIC_ID}:9", APPEAL, by=PRODUCER)


async def test_a_revocation_takes_the_approval_and_its_withdrawal_gives_it_back(area: Registry) -> None:
    reason = {"override_reason": "Toiminta vaaransi potilaita."}
    later = step(4, effective_on=date(2026, 11, 1), **reason)
    with pytest.raises(InputRefused) as early:
        await area.do(sanctions.impose_sanction, later, by=ORGANISER)
    assert early.value.rule == "revocation_today"
    revoked = await area.do(sanctions.impose_sanction, step(4, **reason), by=ORGANISER)
    with pytest.raises(SanctionRefused) as refused:
        await area.do(sanctions.impose_sanction, step(1), by=ORGANISER)
    assert refused.value.reason is SanctionRefusal.NOT_UNDER_CONTROL
    await area.do(sanctions.decide_on_sanction, revoked.sanction_id, outcome("withdrawn"), by=ORGANISER)
    said = [(one.what, one.status, one.version) for one in await area.facts("producer")]
    assert said[-2:] == [("revoked", "revoked", 3), ("approved", "approved", 4)]


async def test_nobody_decides_on_its_own_sanction_or_on_another_areas(area: Registry) -> None:
    both = Caller("olga", Role.ORGANISER, area="03", producers=frozenset({CLINIC_ID}))
    with pytest.raises(OwnSanction):
        await area.do(sanctions.impose_sanction, step(1), by=both)
    with pytest.raises(Forbidden):
        await area.do(sanctions.impose_sanction, step(1), by=FOREIGN_ORGANISER)
    imposed = await area.do(sanctions.impose_sanction, step(1), by=ORGANISER)
    with pytest.raises(OwnSanction):
        await area.do(sanctions.decide_on_sanction, imposed.sanction_id, outcome("withdrawn"), by=both)


async def test_everybody_sees_the_sanctions_that_are_theirs(area: Registry) -> None:
    imposed = await area.do(sanctions.impose_sanction, step(1), by=ORGANISER)

    async def seen(by: Caller, producer_id: str | None = None) -> int:
        page = await area.read(views_steering.sanctions, ASKED, caller=by, producer_id=producer_id)
        return len(page.items)

    assert [await seen(one) for one in (ORGANISER, PRODUCER, OPERATOR)] == [1, 1, 1]
    assert [await seen(one) for one in (FOREIGN_ORGANISER, OTHER_PRODUCER)] == [0, 0]
    assert await seen(ORGANISER, "1.2.3") == 0
    with pytest.raises(Forbidden):
        await area.read(views_steering.sanction, imposed.sanction_id, caller=OTHER_PRODUCER)
