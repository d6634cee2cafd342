"""Benefits to residents on a real PostgreSQL: decided, booked, decided anew."""

from dataclasses import replace
from datetime import date

import pytest

from kanava.common.db import Pool, rows, transaction
from kanava.common.errors import Refused
from kanava.payments import ledger
from kanava.payments.domain.benefits import BenefitKind
from kanava.payments.errors import Reason
from kanava.payments.service.benefits import DecideBenefit, Decided, decide_benefit
from kanava.payments.views import benefits as views
from kanava.payments.views.reconciliation import reconciliation
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, resident_id

TRAVEL = DecideBenefit(
    told.AREA, "E-1", resident_id(1), BenefitKind.TRAVEL, date(2026, 11, 1), 40_00, "Matka hoitoon", "olli"
)


async def decide(pool: Pool, command: DecideBenefit, day: int) -> Decided:
    """A decision of a day of December."""
    async with transaction(pool) as tx:
        return await decide_benefit(tx, command, at(12, day))


async def test_a_later_decision_books_the_difference_and_the_resident_sees_what_holds(pool: Pool) -> None:
    assert await decide(pool, TRAVEL, 1) == Decided("E-1", 1, 40_00, 40_00)
    assert (await decide(pool, replace(TRAVEL, holds_cents=25_00), 2)).change_cents == -15_00
    assert (await decide(pool, replace(TRAVEL, holds_cents=25_00, reasons="Sama"), 3)).change_cents == 0
    await decide(pool, replace(TRAVEL, reference="E-2", kind=BenefitKind.MEDICINES, holds_cents=10_00), 3)
    async with transaction(pool) as tx:
        shown = await views.of_resident(tx, resident_id(1))
        owed = await rows(tx, "SELECT account, sum(amount_cents)::bigint AS cents FROM posting GROUP BY 1 ORDER BY 1")
        whole = (await reconciliation(tx, date(2026, 12, 1), date(2026, 12, 5))).is_whole
        verified = await ledger.verify(tx, told.AREA)
        assert await views.of_resident(tx, resident_id(2)) == []
    assert [(row["reference"], row["kind"], row["amount_cents"]) for row in shown] == [
        ("E-1", "travel", 25_00),
        ("E-2", "medicines", 10_00),
    ]
    assert {row["account"]: row["cents"] for row in owed} == {"2400": -35_00, "4600": 35_00}
    assert (verified.broken, verified.entries, whole) == (None, 3, True)
    await story.assert_books_agree(pool)


async def test_a_month_that_has_not_begun_has_no_benefit(pool: Pool) -> None:
    with pytest.raises(Refused) as refused:
        await decide(pool, replace(TRAVEL, for_month=date(2027, 1, 1)), 31)
    assert refused.value.reason is Reason.BENEFIT_IN_THE_FUTURE
    assert (await decide(pool, replace(TRAVEL, for_month=date(2026, 12, 1)), 1)).change_cents == 40_00


async def test_a_matter_stays_with_its_resident(pool: Pool) -> None:
    await decide(pool, TRAVEL, 1)
    with pytest.raises(Refused) as refused:
        await decide(pool, replace(TRAVEL, resident_id=resident_id(2)), 2)
    assert refused.value.reason is Reason.OTHER_MATTER
