"""A compensation model that steers to a municipality's goal: its snapshot earns for all who produce there."""

from datetime import date

import pytest

from kanava.common.contracts.registry import IncentiveTerm
from kanava.common.db import Pool
from tests.payments import story
from tests.payments.test_incentives import october, reserved_cents, snapshot
from tests.support import facts as told
from tests.support.facts import at, resident_id

NOVEMBER = date(2026, 11, 1)
GOAL = IncentiveTerm(
    indicator="t3", subject="municipality", share_permille=1000, direction="lower_is_better", floor=14, target=7
)
ESPOO = {"indicator": "t3", "subject": "municipality", "producer_id": None, "municipality": told.MUNICIPALITY}


async def november(pool: Pool, **changed: object) -> list[tuple[object, str, int]]:
    """October with the goal, then a snapshot, then November closed; the incentive of each resident and producer."""
    await october(pool, (GOAL,), both=True)
    frozen = {"value": 10, "confirmed_by": "Espoo"} | ESPOO | changed
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20), **frozen))
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.assert_books_agree(pool)
    found = await story.lines(pool, "incentive")
    return [(line["resident_id"], line["producer_id"], line["amount_cents"]) for line in found]


async def test_the_municipality_s_goal_earns_for_every_producer_there(pool: Pool) -> None:
    """Ten days are 4/7 of the way from 14 to 7: 0.40 € of the private 0.70 €, 0.20 € of the own enterprise's 0.35 €."""
    assert sorted(await november(pool), key=str) == [
        (resident_id(1), told.PRIVATE, 20),
        (resident_id(2), told.PRIVATE, 20),
        (resident_id(3), told.OWN, 20),
    ]
    assert await reserved_cents(pool) == 105, "October is settled, November reserved"


async def test_a_goal_with_a_target_of_its_own_is_paid_by_that(pool: Pool) -> None:
    assert sum(cents for _, _, cents in await november(pool, floor=20, target=10)) == 105


@pytest.mark.parametrize(
    "changed",
    [
        {"municipality": "091"},
        {"confirmed_by": None},
        {"subject": "producer", "producer_id": told.PRIVATE, "municipality": None},
        {"subject": "area", "municipality": None},
    ],
    ids=["of another municipality", "confirmed by nobody", "of a producer", "of the area"],
)
async def test_nothing_else_reaches_the_goal(pool: Pool, changed: dict[str, object]) -> None:
    assert await november(pool, **changed) == []
    assert await reserved_cents(pool) == 2 * 105
