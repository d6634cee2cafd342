"""The test calculation from what payments knows, for a municipality, an area and the country."""

from datetime import date

import pytest

from kanava.common.db import Pool, transaction
from kanava.common.errors import Refused
from kanava.payments.errors import Reason, UnknownModel
from kanava.payments.service.testcalcs import Asked, MethodComparison, compare_methods
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit

NOVEMBER = date(2026, 11, 1)
LISTED = date(2026, 9, 1)


async def asked(pool: Pool, **changed: object) -> MethodComparison:
    """The comparison for Espoo's area in November."""
    fields = {"day": NOVEMBER, "area": told.AREA, "municipality": None, "model": None, "neutral": True}
    async with transaction(pool) as tx:
        return await compare_methods(tx, Asked(**fields | changed))  # type: ignore[arg-type]  # fields by name


def amounts(found: MethodComparison, place: int) -> dict[str, int]:
    """What each producer gets by the method at a place."""
    return {one.name: one.amount_cents for one in found.methods[place].producers}


async def settle(pool: Pool) -> None:
    """Two adults at the private unit, one of them needy; a child, an old one and one who left at the own unit."""
    await story.open_area(pool)
    born = {1: date(1980, 1, 1), 2: date(1980, 1, 1), 3: date(2020, 1, 1), 4: date(1950, 1, 1), 5: date(1970, 1, 1)}
    await story.hear(pool, "listing.resident", *(resident(n, day) for n, day in born.items()))
    await story.hear(
        pool,
        "listing.listing",
        listed(1, span(LISTED, private=True)),
        listed(2, span(LISTED, private=True, permille=1500)),
        listed(3, span(LISTED)),
        listed(4, span(LISTED)),
        listed(5, span(LISTED, NOVEMBER)),
    )


async def test_the_methods_stand_side_by_side_over_the_listed(pool: Pool) -> None:
    await settle(pool)
    await story.hear(pool, "monitoring.production", visit(1, 2, date(2026, 10, 5), recorded_at=at(10, 6)))
    found = await asked(pool)
    assert found.residents == 4
    assert found.today_cents == 2 * 84_00 + 180_00 + 240_00
    assert [one.total_cents for one in found.methods] == [found.today_cents] * 3
    assert amounts(found, 0) == {told.PRIVATE: 168_00, told.OWN: 420_00}
    assert amounts(found, 1) == {told.PRIVATE: 196_00, told.OWN: 392_00}
    assert amounts(found, 2) == {told.PRIVATE: 200_14, told.OWN: 387_86}
    assert found.methods[1].winners == (told.PRIVATE,)
    private = found.methods[1].producers[1]
    assert (private.difference_cents, private.per_resident_cents) == (28_00, 14_00)
    on_top = await asked(pool, neutral=False)
    assert [one.total_cents for one in on_top.methods] == [588_00, 588_00 + 42_00, 588_00 + 45_00]


async def test_country_area_and_municipality(pool: Pool) -> None:
    await settle(pool)
    country = await asked(pool, area=None)
    assert list(country.areas) == [told.AREA]
    assert country.methods == (await asked(pool)).methods == (await asked(pool, municipality="049")).methods
    assert (await asked(pool, municipality="091")).residents == 0


async def test_another_version_of_the_model_is_priced_beside_the_one_in_force(pool: Pool) -> None:
    await settle(pool)
    dearer = told.document(tuple(band.model_copy(update={"annual_cents": 100_00}) for band in told.BANDS))
    draft = dearer.model_copy(update={"document_id": "03:compensation_model:2", "number": 2})
    await story.hear(pool, "registry.document", draft)
    found = await asked(pool, model="03:compensation_model:2")
    assert (found.methods[0].total_cents, found.today_cents) == (400_00, 588_00)
    with pytest.raises(UnknownModel):
        await asked(pool, model="03:compensation_model:9")


async def test_who_has_no_model_is_named_and_fees_over_the_pot_are_refused(pool: Pool) -> None:
    await settle(pool)
    elsewhere = "1.2.246.10.2012566.10.2"
    unit = told.unit(private=False).model_copy(update={"municipality": "091", "unit_id": elsewhere})
    await story.hear(pool, "registry.unit", unit)
    moved = span(LISTED).model_copy(update={"unit_id": elsewhere})
    await story.hear(pool, "listing.listing", *(listed(n, moved, version=2, recorded_at=at(10, 1)) for n in (3, 4)))
    found = await asked(pool)
    assert (found.residents, found.without_model) == (2, ["091"])
    visits = [visit(n, 1, date(2026, 10, 5), recorded_at=at(10, 6)) for n in range(4)]
    await story.hear(pool, "monitoring.production", *visits)
    with pytest.raises(Refused) as refused:
        await asked(pool)
    assert refused.value.reason is Reason.FEES_OVER_THE_POT
