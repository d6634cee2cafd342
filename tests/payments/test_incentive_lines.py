"""The SQL that puts an incentive on residents is the split by largest remainder, ties and all."""

from datetime import date
from random import Random
from uuid import UUID

from kanava.common.db import Pool, Tx, rows, transaction
from kanava.common.money import split_by_largest_remainder
from kanava.payments.incentive_lines import Due, write_lines
from kanava.payments.month import Month
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, resident_id

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
RUN, SNAPSHOT = UUID(int=1), UUID(int=2)
MONTH = Month(RUN, told.AREA, NOVEMBER, at(12, 2), at(11, 2))
CAPITATION = """
INSERT INTO probe (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days, permille_days,
                   rate_cents, amount_cents)
SELECT %s, %s, 'capitation', 'original', %s, %s, %s, %s, 30, 30000, 0, %s
"""


async def split(tx: Tx, capitation: list[int], earned_cents: int) -> list[int]:
    """What each resident gets of what was earned, by the run's SQL."""
    await tx.execute("CREATE TEMP TABLE probe (LIKE line) ON COMMIT DROP")
    for number, cents in enumerate(capitation):
        place = (RUN, resident_id(number), OCTOBER, told.PRIVATE_UNIT, UUID(int=number), told.PRIVATE, cents)
        await tx.execute(CAPITATION, place)
    where = (told.PRIVATE, told.MUNICIPALITY, OCTOBER, SNAPSHOT)
    due = Due(*where, earned_cents=earned_cents, change_cents=earned_cents, is_first=True)
    await write_lines(tx, MONTH, "probe", [due])
    found = await rows(tx, "SELECT resident_id, amount_cents FROM probe WHERE component = 'incentive'")
    await tx.execute("DROP TABLE probe; DROP TABLE incentive_due")
    cents_of = {row["resident_id"]: row["amount_cents"] for row in found}
    assert len(cents_of) == len(found), "one line for each resident"
    return [cents_of.get(resident_id(number), 0) for number in range(len(capitation))]


async def test_the_lines_are_the_split_by_largest_remainder(pool: Pool) -> None:
    """Small and equal sums make ties, large ones make sums beyond 64 bits; who has nothing earns nothing."""
    random = Random(1)
    await story.open_area(pool)
    async with transaction(pool) as tx:
        for number in range(40):
            most = (3, 1_000, 10**12)[number % 3]
            capitation = [random.randint(-most // 4, most) for _ in range(random.randint(1, 12))] + [1]
            weights = [max(cents, 0) for cents in capitation]
            earned_cents = random.randint(1, sum(weights))
            assert await split(tx, capitation, earned_cents) == split_by_largest_remainder(earned_cents, weights)
