"""The client-specific coefficient: within the bounds, from a day on, known from when it was given."""

from datetime import date
from uuid import UUID

import pytest

from kanava.common.contracts import listing as said
from kanava.common.contracts import registry
from kanava.common.db import transaction
from kanava.common.errors import Forbidden
from kanava.listing.commands import SetCoefficient
from kanava.listing.errors import CoefficientReason, CoefficientRefused, UnknownResident
from kanava.listing.service.coefficients import CoefficientSet, set_coefficient
from tests.listing.people import hetus, line
from tests.listing.test_choices import arrivals
from tests.listing.world import World
from tests.support import facts as told


async def put(
    world: World, resident: UUID, permille: int, starts_on: date, area: str = "03", *, reason: str | None = None
) -> CoefficientSet:
    """Set a coefficient."""
    command = SetCoefficient(resident, area, permille, starts_on, reason, "organiser-1")
    async with transaction(world.pool) as tx:
        return await set_coefficient(tx, command, world.instant)


async def test_a_coefficient_splits_the_span_that_holds_on_its_day(world: World) -> None:
    [aino] = await arrivals(world, 1)
    await world.choose(aino)
    await put(world, aino, 1250, date(2026, 10, 15))
    fact = (await world.said(said.Listing))[-1]
    assert (fact.what, fact.version) == ("coefficient_set", 3)
    assert [(span.starts_on, span.until, span.coefficient_permille) for span in fact.spans] == [
        (date(2026, 10, 1), date(2026, 10, 15), 1000),
        (date(2026, 10, 15), date(2026, 11, 1), 1250),
        (date(2026, 11, 1), None, 1250),
    ]
    assert {span.unit_id for span in fact.spans} == {told.OWN_UNIT, told.PRIVATE_UNIT}


@pytest.mark.parametrize("permille", [499, 2001])
async def test_outside_the_bounds_of_the_model_it_is_refused(world: World, permille: int) -> None:
    [aino] = await arrivals(world, 1)
    with pytest.raises(CoefficientRefused) as refused:
        await put(world, aino, permille, date(2026, 10, 15))
    assert refused.value.reason is CoefficientReason.OUT_OF_BOUNDS
    assert (refused.value.extra["min_permille"], refused.value.extra["max_permille"]) == (500, 2000)


async def test_before_any_model_or_after_the_listing_it_is_refused(world: World) -> None:
    [aino] = await arrivals(world, 1)
    with pytest.raises(CoefficientRefused) as refused:
        await put(world, aino, 1200, date(2026, 8, 31))
    assert refused.value.reason is CoefficientReason.NO_MODEL


async def test_nobody_gets_a_coefficient_for_days_after_their_death(world: World) -> None:
    [aino], [hetu] = await arrivals(world, 1), hetus(1)
    await world.feed(line(hetu, fact="died", effective_on="2026-10-20"))
    said_before = len(await world.said(said.Listing))
    with pytest.raises(CoefficientRefused) as refused:
        await put(world, aino, 1200, date(2026, 11, 1))
    assert refused.value.reason is CoefficientReason.NOT_LISTED
    assert len(await world.said(said.Listing)) == said_before


async def test_another_areas_resident_and_an_unknown_one_are_refused(world: World) -> None:
    [aino] = await arrivals(world, 1)
    with pytest.raises(Forbidden):
        await put(world, aino, 1200, date(2026, 10, 15), area="04")
    with pytest.raises(UnknownResident):
        await put(world, UUID(int=1), 1200, date(2026, 10, 15))


async def test_a_model_with_reasons_takes_no_other_and_the_reason_is_kept(world: World) -> None:
    [aino] = await arrivals(world, 1)
    reasons = (registry.CoefficientReason(code="sairastavuus", name_fi="Sairastavuus"),)
    model = told.document()
    assert model.compensation is not None
    terms = model.compensation.model_copy(update={"coefficient_reasons": reasons})
    named = {"document_id": "03:compensation_model:2", "number": 2, "compensation": terms}
    await world.hear(model.model_copy(update=named))
    for other in (None, "kieli"):
        with pytest.raises(CoefficientRefused) as refused:
            await put(world, aino, 1200, date(2026, 10, 15), reason=other)
        assert refused.value.reason is CoefficientReason.REASON_NOT_ALLOWED
        assert refused.value.extra["reasons"] == ["sairastavuus"]
    await put(world, aino, 1200, date(2026, 10, 15), reason="sairastavuus")
    kept = await world.query("SELECT coefficient_permille, starts_on, reason, decided_by FROM coefficient_decision")
    assert [tuple(row.values()) for row in kept] == [(1200, date(2026, 10, 15), "sairastavuus", "organiser-1")]
