"""An autumn with something of every kind on one resident's page, and neighbours of whom it must show nothing."""

from datetime import date

from kanava.common.contracts import monitoring
from kanava.common.db import Pool, transaction
from kanava.payments.service.performance import DecidePerformance, decide_performance
from tests.payments import resident_story, story
from tests.payments.test_incentives import october as october_with_incentives
from tests.payments.test_incentives import snapshot
from tests.payments.test_reports import package
from tests.payments.test_vouchers import voucher
from tests.support import facts as told
from tests.support.facts import at, listed, resident_id, span, visit

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
OURS, NEIGHBOUR = 1, 2
SECRET = "Naapurin oma asia"
"""What a decision on the neighbour says."""


def visited(number: int, of: int, day: date, *, fee_cents: int) -> monitoring.Production:
    """A visit that was told some days later."""
    return visit(number, of, day, recorded_at=at(day.month, day.day + 2), fee_cents=fee_cents)


async def autumn(pool: Pool) -> None:
    """October and November closed: capitation, fees, client fees, a voucher, a benefit, an incentive, corrections."""
    await story.hear(pool, "registry.package", package())
    first = visited(1, OURS, date(2026, 10, 5), fee_cents=20_60)
    expensive = visited(2, OURS, date(2026, 10, 8), fee_cents=820_00).model_copy(update={"quantity": 20})
    foreign = visited(3, NEIGHBOUR, date(2026, 10, 6), fee_cents=33_30)
    await story.hear(pool, "monitoring.production", first, expensive, foreign)
    await october_with_incentives(pool)
    again = visit(1, OURS, date(2026, 10, 5), recorded_at=at(11, 9), fee_cents=20_60, version=2)
    by_voucher = visited(4, OURS, date(2026, 11, 3), fee_cents=0)
    await story.hear(pool, "listing.voucher", voucher(1, OURS, uses_granted=1, recorded_at=at(11, 1)))
    await story.hear(pool, "monitoring.production", again.model_copy(update={"quantity": 2}), by_voucher)
    await _decide_on(pool, OURS, "Tuen tarve kasvoi syksyllä.", 12_34)
    await _decide_on(pool, NEIGHBOUR, SECRET, 77_77)
    await resident_story.decide(pool, OURS, 40_00, now=at(11, 5))
    await resident_story.decide(pool, OURS, 55_00, now=at(11, 20))
    await resident_story.decide(pool, NEIGHBOUR, 66_66, now=at(11, 5))
    await _learn_late(pool)
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20)))
    await story.close(pool, NOVEMBER, at(12, 2))


async def _learn_late(pool: Pool) -> None:
    """In November it becomes known that our resident was listed later and with a coefficient in October."""
    spans = (span(date(2026, 9, 1), date(2026, 10, 11)), span(date(2026, 10, 11), private=True, permille=1250))
    await story.hear(pool, "listing.listing", listed(OURS, *spans, version=2, recorded_at=at(11, 15)))


async def _decide_on(pool: Pool, number: int, reason: str, cents: int) -> None:
    command = DecidePerformance(
        *(told.AREA, resident_id(number), told.PRIVATE_UNIT, date(2026, 10, 20), cents, reason, "aino")
    )
    async with transaction(pool) as tx:
        await decide_performance(tx, command, at(11, 4))
