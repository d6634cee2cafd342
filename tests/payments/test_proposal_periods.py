"""Which days, birthdays and months proposed rates rest on: at the edges of a period, of a listing and of a life."""

from datetime import UTC, date, datetime

import pytest

from kanava.common.db import Pool, transaction
from kanava.common.errors import Refused
from kanava.payments.commands import RequestRun
from kanava.payments.errors import Reason
from kanava.payments.service.proposals import MAX_RATE_CENTS, ValueVoucher, VoucherValue, value_voucher
from kanava.payments.service.runs import request_run
from kanava.payments.views import proposals as views
from tests.payments import story
from tests.payments.test_proposals import (
    ADULT,
    CHILD,
    DECEMBER,
    NEW_YEAR,
    NOVEMBER,
    OCTOBER,
    OLD,
    YEAR,
    basis,
    reviewed,
    valued,
)
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit

ELSEWHERE = f"{told.OWN_UNIT}0"
"""An own unit of another area."""


def days(found: VoucherValue) -> dict[tuple[str, int], int]:
    """Days listed with own units, band by band."""
    return {(band.sex, band.age_from): band.resident_days for band in found.bands}


async def own(pool: Pool, number: int, born: date, starts_on: date, until: date | None = None, **life: object) -> None:
    """A resident is listed with the own unit."""
    await story.hear(pool, "listing.resident", resident(number, born, **life))  # type: ignore[arg-type]  # by name
    await story.hear(pool, "listing.listing", listed(number, span(starts_on, until)))


async def test_a_listing_counts_from_its_first_day_to_the_day_before_its_last(pool: Pool) -> None:
    await story.open_area(pool)
    await own(pool, 1, date(2024, 5, 5), date(2026, 10, 16), date(2026, 11, 11))
    await own(pool, 2, date(1950, 1, 1), OCTOBER, date(2026, 10, 2))
    assert days(await valued(pool, 100_00)) == {CHILD: 16 + 10, ADULT: 0, OLD: 1}


async def test_days_before_and_after_the_year_are_not_of_it(pool: Pool) -> None:
    await story.open_area(pool)
    await own(pool, 1, date(1980, 1, 1), date(2025, 11, 1))
    await own(pool, 2, date(1950, 1, 1), YEAR[1])
    await own(pool, 3, date(2024, 5, 5), date(2025, 11, 1), YEAR[0])
    assert days(await valued(pool, 100_00)) == {CHILD: 0, ADULT: 365, OLD: 0}


async def test_a_death_ends_the_days_of_a_listing_that_nobody_ended(pool: Pool) -> None:
    await story.open_area(pool)
    await own(pool, 1, date(1980, 1, 1), DECEMBER, lives_until=date(2026, 12, 5))
    assert days(await valued(pool, 100_00))[ADULT] == 4


async def test_a_resident_and_a_listing_that_were_corrected_count_as_they_are_known_now(pool: Pool) -> None:
    await story.open_area(pool)
    await own(pool, 1, date(1980, 1, 1), NOVEMBER)
    await story.hear(pool, "listing.resident", resident(1, date(1950, 1, 1), version=2, recorded_at=at(12, 1)))
    await story.hear(pool, "listing.listing", listed(1, span(DECEMBER), version=2, recorded_at=at(12, 1)))
    assert days(await valued(pool, 100_00)) == {CHILD: 0, ADULT: 0, OLD: 31}


async def test_own_units_of_another_area_have_their_own_cost(pool: Pool) -> None:
    await story.open_area(pool)
    other = told.unit(private=False).model_copy(update={"unit_id": ELSEWHERE, "area": "04", "municipality": "235"})
    await story.hear(pool, "registry.unit", other)
    await own(pool, 1, date(1980, 1, 1), DECEMBER)
    await story.hear(pool, "listing.resident", resident(2, date(1980, 1, 1)))
    there = span(DECEMBER).model_copy(update={"unit_id": ELSEWHERE})
    await story.hear(pool, "listing.listing", listed(2, there))
    assert days(await valued(pool, 100_00))[ADULT] == 31


async def test_a_month_is_of_the_band_of_the_age_on_its_first_day(pool: Pool) -> None:
    """Seven on the first of November and seven on the second: one is an adult's month earlier than the other."""
    await story.open_area(pool)
    await own(pool, 1, date(2019, 11, 1), OCTOBER)
    await own(pool, 2, date(2019, 11, 2), OCTOBER)
    for month, now in ((OCTOBER, at(11, 2)), (NOVEMBER, at(12, 2))):
        await story.close(pool, month, now)
    found = await reviewed(pool, {CHILD: 45_00, ADULT: 7_00, OLD: 0}, basis((OCTOBER, DECEMBER)))
    assert [band.paid_cents for band in found.bands] == [3 * 15_00, 7_00, 0]
    assert days(await valued(pool, 100_00)) == {CHILD: 2 * 31 + 30, ADULT: 30 + 2 * 31, OLD: 0}


async def test_a_review_compares_with_capitation_and_not_with_fees(pool: Pool) -> None:
    """A fee pays a service on top of capitation, so it is in the books and yet nothing that a band was paid."""
    await story.open_area(pool)
    await own(pool, 1, date(1980, 1, 1), OCTOBER)
    await story.hear(pool, "monitoring.production", visit(1, 1, date(2026, 11, 5), recorded_at=at(11, 6)))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert [line["amount_cents"] for line in await story.lines(pool, "fee")] == [45_00]
    found = await reviewed(pool, {CHILD: 0, ADULT: 7_00, OLD: 0}, basis((NOVEMBER, DECEMBER)))
    assert found.paid_cents == 7_00


async def test_client_fees_count_for_the_months_of_the_period_alone(pool: Pool) -> None:
    await story.open_area(pool)
    await own(pool, 1, date(1980, 1, 1), OCTOBER)
    at_own = {"producer_id": told.OWN, "unit_id": told.OWN_UNIT}
    for month, fee_cents, closed_at in ((10, 1_00, at(11, 2)), (11, 20_00, at(12, 2)), (12, 3_00, at(12, 31, 23))):
        paid = visit(month, 1, date(2026, month, 1), recorded_at=at(month, 2), fee_cents=fee_cents)
        await story.hear(pool, "monitoring.production", paid.model_copy(update=at_own))
        await story.close(pool, date(2026, month, 1), closed_at)
    async with transaction(pool) as tx:
        assert await views.own_client_fees_cents(tx, told.AREA, (NOVEMBER, DECEMBER)) == 20_00
        assert await views.own_client_fees_cents(tx, told.AREA, (OCTOBER, DECEMBER)) == 21_00
        assert await views.own_client_fees_cents(tx, "04", YEAR) == 0


async def test_own_production_that_its_clients_paid_in_full_is_worth_no_voucher(pool: Pool) -> None:
    await story.open_area(pool)
    await own(pool, 1, date(1980, 1, 1), OCTOBER)
    at_own = {"producer_id": told.OWN, "unit_id": told.OWN_UNIT}
    paid = visit(1, 1, date(2026, 11, 5), recorded_at=at(11, 6), fee_cents=20_60).model_copy(update=at_own)
    await story.hear(pool, "monitoring.production", paid)
    await story.close(pool, NOVEMBER, at(12, 2))
    found = await valued(pool, 20_60)
    assert found.net_cost_cents == 0
    assert {band.annual_cents for band in found.bands} == {0}


async def test_in_a_leap_year_a_whole_year_is_366_days(pool: Pool) -> None:
    """Who was listed all year is worth what own production cost, in each year."""
    await story.open_area(pool)
    await own(pool, 1, date(1980, 1, 1), OCTOBER)
    leap = basis((date(2028, 1, 1), date(2029, 1, 1)))
    async with transaction(pool) as tx:
        asked = ValueVoucher(leap, 366_00, {CHILD: 1, ADULT: 1, OLD: 1})
        found = await value_voucher(tx, asked, datetime(2029, 1, 5, tzinfo=UTC))
    assert found.resident_days == 366
    assert {band.annual_cents for band in found.bands} == {366_00}


async def test_the_highest_rate_that_can_be_meant_is_still_proposed(pool: Pool) -> None:
    await story.open_area(pool)
    await own(pool, 1, date(1980, 1, 1), date(2025, 1, 1))
    found = await valued(pool, MAX_RATE_CENTS, {CHILD: 0, ADULT: 1, OLD: 0})
    assert found.bands[1].annual_cents == MAX_RATE_CENTS
    with pytest.raises(Refused) as absurd:
        await valued(pool, MAX_RATE_CENTS + 1, {CHILD: 0, ADULT: 1, OLD: 0})
    assert absurd.value.reason is Reason.ABSURD_RATE


async def test_a_year_is_over_at_midnight_in_helsinki(pool: Pool) -> None:
    await story.open_area(pool)
    await own(pool, 1, date(1980, 1, 1), OCTOBER)
    with pytest.raises(Refused):
        await valued(pool, 100_00, now=datetime(2026, 12, 31, 21, 59, tzinfo=UTC))
    assert (await valued(pool, 100_00, now=datetime(2026, 12, 31, 22, tzinfo=UTC))).own_cost_cents == 100_00


async def test_a_month_that_was_only_asked_to_be_closed_is_still_open(pool: Pool) -> None:
    await story.open_area(pool)
    await own(pool, 1, date(1980, 1, 1), OCTOBER)
    await story.close(pool, OCTOBER, at(11, 2))
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, NOVEMBER, "operator"), at(12, 2))
        assert await views.closed_until(tx, told.AREA) == NOVEMBER
        assert await views.closed_until(tx, "04") == date.min
    with pytest.raises(Refused) as refused:
        await reviewed(pool, {CHILD: 0, ADULT: 7_00, OLD: 0}, basis((NOVEMBER, DECEMBER)))
    assert refused.value.reason is Reason.PERIOD_NOT_CLOSED


async def test_the_newest_proposal_stands_first(pool: Pool) -> None:
    await story.open_area(pool)
    await own(pool, 1, date(1980, 1, 1), OCTOBER)
    first = await valued(pool, 100_00)
    second = await valued(pool, 100_00, now=NEW_YEAR.replace(day=6))
    async with transaction(pool) as tx:
        kept = await views.proposals(tx, told.AREA)
    assert [row["proposal_id"] for row in kept] == [second.proposal_id, first.proposal_id]
