"""The self-pay of a voucher is no client fee and counts towards no ceiling, also when it is known late."""

from datetime import UTC, date, datetime

from kanava.common.db import Pool, transaction
from kanava.payments.views import ceilings as views
from tests.payments import story
from tests.payments.test_ceilings import claims, owed_cents
from tests.payments.test_vouchers import open_area, visited, voucher
from tests.support.facts import at, resident_id

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
OWN = (resident_id(1), resident_id(1))
IN_JANUARY, IN_FEBRUARY = datetime(2027, 1, 2, 9, tzinfo=UTC), datetime(2027, 2, 2, 9, tzinfo=UTC)


async def visits(pool: Pool) -> None:
    """Three visits of November for which the first resident paid 300.00 each; the ceiling is 815.00."""
    await open_area(pool)
    await story.hear(pool, "monitoring.production", *(visited(n, 1, n, client_fee_cents=300_00) for n in (1, 2, 3)))


async def counted_cents(pool: Pool) -> int:
    """What counts for the first resident, as the resident sees it."""
    async with transaction(pool) as tx:
        return sum(int(str(row["counted_cents"])) for row in await views.of_family(tx, resident_id(1)))


async def test_what_a_voucher_pays_counts_towards_no_ceiling(pool: Pool) -> None:
    await visits(pool)
    await story.hear(pool, "listing.voucher", voucher(1, 1))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await claims(pool, NOVEMBER) == {}
    assert (await owed_cents(pool), await counted_cents(pool)) == (0, 0)
    await story.assert_books_agree(pool)


async def test_a_voucher_of_other_visits_changes_nothing(pool: Pool) -> None:
    """One that was used up is still no way to a client fee; one that began later, or is for another node, is none."""
    await visits(pool)
    later = voucher(1, 1, starts_on=date(2026, 11, 2), uses_granted=1)
    other = voucher(2, 1, node="MUU.1")
    await story.hear(pool, "listing.voucher", later, other)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await claims(pool, NOVEMBER) == {}
    assert await counted_cents(pool) == 300_00
    assert sum(row["amount_cents"] for row in await story.lines(pool, "client_fee")) == -300_00


async def test_a_voucher_that_is_annulled_brings_the_client_fees_back_once(pool: Pool) -> None:
    await visits(pool)
    await story.hear(pool, "listing.voucher", voucher(1, 1))
    await story.close(pool, NOVEMBER, at(12, 2))
    annulled = voucher(1, 1, version=2, what="annulled", status="annulled", recorded_at=at(12, 5))
    await story.hear(pool, "listing.voucher", annulled)
    await story.close(pool, DECEMBER, IN_JANUARY)
    assert await claims(pool, DECEMBER) == {OWN: 85_00}
    await story.close(pool, JANUARY, IN_FEBRUARY)
    assert await claims(pool, JANUARY) == {}
    assert (await owed_cents(pool), await counted_cents(pool)) == (85_00, 900_00)
    await story.assert_books_agree(pool)


async def test_a_voucher_that_comes_late_takes_back_what_was_claimed_above(pool: Pool) -> None:
    await visits(pool)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await claims(pool, NOVEMBER) == {OWN: 85_00}
    await story.hear(pool, "listing.voucher", voucher(1, 1, recorded_at=at(12, 5)))
    await story.close(pool, DECEMBER, IN_JANUARY)
    assert await claims(pool, DECEMBER) == {OWN: -85_00}
    assert (await owed_cents(pool), await counted_cents(pool)) == (0, 0)
    await story.assert_books_agree(pool)
