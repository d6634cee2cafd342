"""The share of fixed compensation that models really had, from lines and charges on a real PostgreSQL."""

from datetime import date

from kanava.common.db import Pool, transaction
from kanava.payments.views.fixed_share import FixedShares, fixed_shares_of
from tests.payments import story
from tests.payments.test_base_payments import cooperation
from tests.payments.test_proposals import adopt_doubled
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


async def shares(pool: Pool, since: date, until: date) -> FixedShares:
    """The shares of some months."""
    async with transaction(pool) as tx:
        return await fixed_shares_of(tx, told.AREA, since, until)


async def two_models(pool: Pool) -> str:
    """A resident at the private unit, a visit each month; a base payment and a second model from November on."""
    await story.open_area(pool)
    second = await adopt_doubled(pool, NOVEMBER)
    await story.hear(pool, "registry.contract", cooperation(starts_on=NOVEMBER))
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1), private=True)))
    visits = [visit(n, 1, date(2026, n, 15), recorded_at=at(n, 16), fee_cents=20_60) for n in (10, 11)]
    await story.hear(pool, "monitoring.production", *visits)
    await story.close(pool, OCTOBER, at(11, 2))
    await story.close(pool, NOVEMBER, at(12, 2))
    return second


async def test_each_model_has_the_share_of_the_months_that_it_priced(pool: Pool) -> None:
    second = await two_models(pool)
    found = await shares(pool, OCTOBER, NOVEMBER)
    assert [(one.model, one.fixed_cents, one.pay_cents, one.is_below) for one in found.models] == [
        (told.MODEL, 7_00, 52_00, True),
        (second, 14_00 + 310_00, 14_00 + 310_00 + 45_00, False),
    ]
    assert (found.least, found.warnings) == ("2/3", [f"{told.MODEL}: 135 permille, less than 2/3"])
    assert (found.whole.fixed_cents, found.whole.pay_cents, found.whole.fixed_permille) == (331_00, 421_00, 786)
    assert not found.whole.is_below
    october = await shares(pool, OCTOBER, OCTOBER)
    assert [one.model for one in october.models] == [told.MODEL]
    nothing = await shares(pool, DECEMBER, DECEMBER)
    assert (nothing.models, nothing.whole.fixed_permille, nothing.warnings) == ([], None, [])


async def test_a_correction_counts_for_its_month_and_the_model_of_that_month(pool: Pool) -> None:
    """In December the resident turns out to have left in October: of 7.00 stay 15 of 31 days, of 14.00 nothing."""
    second = await two_models(pool)
    left = span(date(2026, 9, 1), date(2026, 10, 16), private=True)
    await story.hear(pool, "listing.listing", listed(1, left, version=2, recorded_at=at(12, 5)))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    found = {one.model: one.fixed_cents for one in (await shares(pool, OCTOBER, NOVEMBER)).models}
    assert found == {told.MODEL: 3_39, second: 310_00}
