"""Espoo adopts new versions of documents while its scheme runs."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from kanava.common.auth import Caller
from kanava.common.errors import Forbidden
from kanava.registry import views
from kanava.registry.commands import DecideOnScheme
from kanava.registry.domain.schemes import SchemeRefusal
from kanava.registry.errors import SchemeRefused
from kanava.registry.service import documents, schemes
from tests.registry.world import ADOPT, ESPOO, MODEL, ORGANISER, VANTAA, Registry, compensation_model, plan

SCHEME = "03:049"
SECOND = "03:compensation_model:2"
REJECT = DecideOnScheme(verdict="reject", reasons="Ei vielä.")


async def running(registry: Registry) -> None:
    """Espoo's scheme in production since 15 October."""
    await registry.publish_documents()
    await registry.do(schemes.plan_scheme, plan(), by=ORGANISER)
    await registry.enter(2)
    await registry.enter(3)
    await registry.do(schemes.decide_on_scheme, SCHEME, ADOPT, by=ESPOO)
    await registry.enter(4)
    await registry.approve()
    await registry.open_unit()
    await registry.enter(5)


async def publish(registry: Registry, valid_from: str, **changes: Any) -> str:
    """The next version of the compensation model; its id."""
    command = compensation_model(valid_from=valid_from, **changes)
    published = await registry.do(documents.publish_document, command, by=ORGANISER)
    return published.document_id


async def adopt(registry: Registry, model: str, *, by: Caller = ESPOO) -> Any:
    command = ADOPT.model_copy(update={"compensation_model": model})
    return await registry.do(schemes.decide_on_scheme, SCHEME, command, by=by)


async def test_a_new_version_holds_from_its_first_day_for_everybody_who_hears_of_it(registry: Registry) -> None:
    await running(registry)
    assert await publish(registry, "2026-12-01") == SECOND
    scheme = await adopt(registry, SECOND)
    assert (scheme.phase, scheme.compensation_model) == (5, SECOND)
    (said,) = await registry.facts("scheme", "adopted")
    assert (said.version, said.phase, said.entered_on) == (6, 5, date(2026, 12, 1))
    assert (said.compensation_model, said.rule_book) == (SECOND, ADOPT.rule_book)
    assert [one.phase for one in scheme.phases] == [1, 2, 3, 4, 5], "adopting is no phase"


async def test_what_holds_already_holds_from_the_day_of_the_decision(registry: Registry) -> None:
    await running(registry)
    await publish(registry, "2026-10-01")
    registry.now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    await adopt(registry, SECOND)
    (said,) = await registry.facts("scheme", "adopted")
    assert said.entered_on == date(2026, 11, 20), "October may be closed"


async def test_a_corrected_error_reaches_back_but_not_before_production(registry: Registry) -> None:
    await running(registry)
    registry.now = datetime(2026, 12, 20, 9, tzinfo=UTC)
    await publish(registry, "2026-11-01", correction_reason="Väärä luku.")
    await adopt(registry, SECOND)
    await publish(registry, "2026-08-01", correction_reason="Väärä luku.")
    await adopt(registry, "03:compensation_model:3")
    said = await registry.facts("scheme", "adopted")
    assert [fact.entered_on for fact in said] == [date(2026, 11, 1), date(2026, 10, 15)]


async def test_a_version_of_the_middle_of_a_month_holds_from_the_next(registry: Registry) -> None:
    await running(registry)
    await publish(registry, "2026-11-15")
    await adopt(registry, SECOND)
    (said,) = await registry.facts("scheme", "adopted")
    assert said.entered_on == date(2026, 12, 1)


async def test_a_rejection_and_a_phase_leave_what_was_adopted(registry: Registry) -> None:
    await running(registry)
    await registry.do(schemes.decide_on_scheme, SCHEME, REJECT, by=ESPOO)
    assert await registry.facts("scheme", "adopted") == []
    scheme = await registry.enter(6)
    assert scheme.compensation_model == MODEL
    assert (await registry.facts("scheme"))[-1].compensation_model == MODEL


async def test_a_scheme_moves_on_once_what_was_adopted_holds(registry: Registry) -> None:
    await running(registry)
    await publish(registry, "2026-12-01")
    await adopt(registry, SECOND)
    with pytest.raises(SchemeRefused) as refused:
        await registry.enter(6)
    assert refused.value.reason is SchemeRefusal.ADOPTION_AHEAD
    registry.now = datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert (await registry.enter(6)).compensation_model == SECOND


async def test_a_municipality_adopts_something_new_and_its_own(registry: Registry) -> None:
    await running(registry)
    with pytest.raises(SchemeRefused) as refused:
        await adopt(registry, MODEL)
    assert refused.value.reason is SchemeRefusal.ADOPTED_ALREADY
    await publish(registry, "2026-12-01")
    with pytest.raises(Forbidden):
        await adopt(registry, SECOND, by=VANTAA)
    assert len((await registry.read(views.scheme, SCHEME)).decisions) == 1
