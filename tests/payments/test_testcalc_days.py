"""Who is listed on the day of a test calculation, at what age, by which model, and which services are of its year."""

from datetime import date

import pytest

from kanava.common.db import Pool, transaction
from kanava.payments.errors import UnknownModel
from kanava.payments.views import testcalcs as views
from tests.payments import story
from tests.payments.test_proposals import adopt_doubled
from tests.payments.test_testcalcs import LISTED, NOVEMBER, asked, fees_asked, settle
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit


async def today_cents(pool: Pool, born: date, until: date | None = None, **life: object) -> int:
    """The year's capitation of one resident who is listed since September, on the first of November."""
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1, born, **life))  # type: ignore[arg-type]  # by name
    await story.hear(pool, "listing.listing", listed(1, span(LISTED, until)))
    return (await asked(pool)).today_cents


@pytest.mark.parametrize(("born", "cents"), [(date(2019, 11, 1), 84_00), (date(2019, 11, 2), 180_00)])
async def test_a_seventh_birthday_counts_from_its_day_on(pool: Pool, born: date, cents: int) -> None:
    assert await today_cents(pool, born) == cents


@pytest.mark.parametrize(("born", "cents"), [(NOVEMBER, 180_00), (date(2026, 11, 2), 0)])
async def test_who_is_born_on_the_day_is_a_resident_of_it(pool: Pool, born: date, cents: int) -> None:
    assert await today_cents(pool, born) == cents


@pytest.mark.parametrize(("lives_until", "cents"), [(NOVEMBER, 0), (date(2026, 11, 2), 84_00)])
async def test_who_died_before_the_day_is_no_resident_of_it(pool: Pool, lives_until: date, cents: int) -> None:
    """A life ends on the first day that it does not hold; nobody has ended the listing."""
    assert await today_cents(pool, date(1980, 1, 1), lives_until=lives_until) == cents


@pytest.mark.parametrize(("until", "cents"), [(NOVEMBER, 0), (date(2026, 11, 2), 84_00)])
async def test_a_listing_holds_until_the_day_before_its_end(pool: Pool, until: date, cents: int) -> None:
    assert await today_cents(pool, date(1980, 1, 1), until) == cents


async def test_a_listing_and_a_model_hold_from_their_first_day_on(pool: Pool) -> None:
    await settle(pool)
    await story.hear(pool, "listing.resident", resident(6, date(1950, 1, 1)))
    await story.hear(pool, "listing.listing", listed(6, span(date(2026, 8, 31))))
    assert (await asked(pool, day=LISTED)).residents == 6
    before = await asked(pool, day=date(2026, 8, 31))
    assert (before.residents, before.without_model) == (0, [told.MUNICIPALITY])


async def test_what_was_corrected_of_residents_and_listings_counts_once(pool: Pool) -> None:
    await settle(pool)
    older = resident(3, date(1950, 1, 1), version=2, recorded_at=at(10, 5))
    await story.hear(pool, "listing.resident", older)
    moved = listed(4, span(date(2026, 10, 1), private=True), version=2, recorded_at=at(10, 5))
    await story.hear(pool, "listing.listing", moved)
    found = await asked(pool)
    assert found.residents == 4
    assert found.today_cents == 2 * 84_00 + 2 * 240_00
    assert {one.name: one.residents for one in found.methods[0].producers} == {told.PRIVATE: 3, told.OWN: 1}


async def test_the_newest_model_that_a_scheme_has_adopted_by_the_day_is_the_one_in_force(pool: Pool) -> None:
    await settle(pool)
    await adopt_doubled(pool, NOVEMBER)
    assert (await asked(pool)).today_cents == 2 * 588_00
    assert (await asked(pool, day=date(2026, 10, 31))).today_cents == 588_00 + 84_00


async def test_a_model_of_another_area_is_unknown(pool: Pool) -> None:
    await settle(pool)
    async with transaction(pool) as tx:
        assert await views.model(tx, told.AREA, told.MODEL) is not None
        assert await views.model(tx, "04", told.MODEL) is None
    with pytest.raises(UnknownModel):
        await asked(pool, area="04", model=told.MODEL)


async def long_ago(pool: Pool) -> None:
    """The contract and the price are a year older than the listings."""
    await settle(pool)
    begun = {"starts_on": date(2025, 1, 1), "version": 2, "what": "changed", "recorded_at": at(10, 1)}
    await story.hear(pool, "registry.contract", told.contract(private=True).model_copy(update=begun))
    await story.hear(pool, "registry.price", told.price(valid_from=date(2025, 1, 1)))


async def test_the_services_are_those_of_the_twelve_months_before_the_day(pool: Pool) -> None:
    await long_ago(pool)
    days = (date(2025, 10, 31), date(2025, 11, 1), date(2026, 10, 31), date(2026, 11, 1))
    for number, day in enumerate(days, 1):
        await story.hear(pool, "monitoring.production", visit(number, 2, day, recorded_at=at(11, 1)))
    assert (await fees_asked(pool))[told.PRIVATE] == 2 * 45_00
    assert (await fees_asked(pool, day=date(2026, 10, 31)))[told.PRIVATE] == 2 * 45_00
    assert (await fees_asked(pool, day=date(2026, 11, 2)))[told.PRIVATE] == 2 * 45_00


async def test_a_report_that_was_corrected_counts_as_it_stands_and_one_withdrawn_not_at_all(pool: Pool) -> None:
    await settle(pool)
    first = visit(1, 2, date(2026, 10, 5), recorded_at=at(10, 6))
    twice = {"version": 2, "what": "corrected", "recorded_at": at(10, 7), "quantity": 2}
    await story.hear(pool, "monitoring.production", first, first.model_copy(update=twice))
    assert (await fees_asked(pool))[told.PRIVATE] == 2 * 45_00
    withdrawn = {"version": 3, "what": "corrected", "recorded_at": at(10, 8), "quantity": 0}
    await story.hear(pool, "monitoring.production", first.model_copy(update=withdrawn))
    assert (await fees_asked(pool))[told.PRIVATE] == 0


async def test_the_services_of_who_has_left_are_of_the_group_without_a_correction(pool: Pool) -> None:
    """Resident 5 is listed until November, and their visit of October stays a service of the year."""
    await settle(pool)
    await story.hear(pool, "monitoring.production", visit(1, 5, date(2026, 10, 5), recorded_at=at(10, 6)))
    base, _, performance = (await asked(pool, neutral=False)).methods
    assert {one.name for one in base.groups} == {"1000", "1500"}
    assert {one.name: one.difference_cents for one in performance.groups} == {"1000": 45_00, "1500": 0}


async def test_services_count_to_the_group_in_which_the_resident_is_on_the_day(pool: Pool) -> None:
    """Resident 5 is listed anew from the day on with a coefficient; until then there was another."""
    await settle(pool)
    spans = span(LISTED, NOVEMBER, permille=800), span(NOVEMBER, permille=1200)
    await story.hear(pool, "listing.listing", listed(5, *spans, version=2, recorded_at=at(10, 20)))
    await story.hear(pool, "monitoring.production", visit(1, 5, date(2026, 10, 5), recorded_at=at(10, 6)))
    _, _, performance = (await asked(pool, neutral=False)).methods
    assert {one.name: one.difference_cents for one in performance.groups} == {"1000": 0, "1500": 0, "1200": 45_00}


async def test_fees_that_are_all_of_the_pot_leave_nothing_for_capitation(pool: Pool) -> None:
    """One visit costs what the capitation of one resident is: only fees of more than the pot are refused."""
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1, date(1950, 1, 1)))
    await story.hear(pool, "listing.listing", listed(1, span(LISTED, private=True)))
    await story.hear(pool, "registry.price", told.price(240_00, date(2026, 10, 1)))
    await story.hear(pool, "monitoring.production", visit(1, 1, date(2026, 10, 5), recorded_at=at(10, 6)))
    found = await asked(pool)
    assert found.methods[2].total_cents == found.methods[0].total_cents == 240_00
