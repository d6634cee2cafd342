"""Payments to residents who are no longer there: who moved abroad is paid, the estate of who died is not."""

from datetime import date
from typing import Any

import pytest

from kanava.common.db import Pool, transaction
from kanava.common.errors import Refused
from kanava.payments.views import resident_payments as views
from tests.payments import resident_story as steps
from tests.payments import story
from tests.support.facts import at, resident, resident_id, visit


async def leaves(pool: Pool, number: int, **changed: Any) -> None:
    """A resident was there, and is gone from 20 November."""
    gone: dict[str, Any] = {"version": 2, "lives_until": date(2026, 11, 20), "recorded_at": at(11, 21)} | changed
    await story.hear(pool, "listing.resident", resident(number), resident(number, **gone))


async def test_who_moved_abroad_is_paid_the_benefit_and_the_claim_above_the_ceiling(pool: Pool) -> None:
    """Of two with the same claims one moved away and one died: only the estate waits."""
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1), resident(2))
    fees = [visit(n, n % 2 + 1, date(2026, 10, n), recorded_at=at(10, 20), fee_cents=450_00) for n in (1, 2, 3, 4)]
    await story.hear(pool, "monitoring.production", *fees)
    await story.close(pool, date(2026, 10, 1), at(11, 2))
    await story.fund(pool, 1_000_00, at(11, 3))
    for number, what in ((1, "moved_away"), (2, "died")):
        await steps.decide(pool, number, 10_00)
        await steps.give(pool, number)
        await leaves(pool, number, what=what)
    assert {row["payee_id"]: row["died"] for row in await steps.listed(pool)} == {
        resident_id(1): False,
        resident_id(2): True,
    }
    released = await steps.pay(pool)
    assert (released.payments, released.amount_cents) == (1, 85_00 + 10_00)
    async with transaction(pool) as tx:
        (payment,) = await views.to_resident(tx, resident_id(1))
        assert await views.to_resident(tx, resident_id(2)) == []
    assert (payment["benefits_cents"], payment["ceiling_cents"], payment["state"]) == (10_00, 85_00, "released")
    with pytest.raises(Refused) as nothing:
        await steps.draw(pool)
    assert nothing.value.extra["waiting"] == {"died": 1}
    assert (await steps.balances(pool))["2400"] == -95_00, "what the estate is owed stays owed"


async def test_a_death_that_became_known_before_the_release_withdraws_the_payment(pool: Pool) -> None:
    await steps.two_owed(pool)
    drawn = await steps.draw(pool)
    await steps.approve(pool, drawn.batch_id)
    await leaves(pool, 1, what="died")
    await leaves(pool, 2, what="moved_away")
    own = await steps.release(pool, drawn.batch_id, by="anna")
    assert [held.reason for held in own.held] == ["approved_by_the_same"] * 2, "who approved withdraws nothing either"
    released = await steps.release(pool, drawn.batch_id)
    assert (released.payments, [held.reason for held in released.held]) == (1, ["died"])
    with pytest.raises(Refused) as nothing:
        await steps.draw(pool)
    assert nothing.value.extra["waiting"] == {"died": 1}, "it is owed as before, to the estate"
    await story.hear(pool, "listing.resident", resident(1, version=3, what="registered", recorded_at=at(11, 25)))
    assert (await steps.pay(pool)).payments == 1


@pytest.mark.parametrize(
    ("later", "waiting"),
    [
        ({"what": "corrected", "has_died": True}, {"died": 1}),
        ({"what": "moved_away", "has_died": True, "lives_until": date(2026, 11, 10)}, {"died": 1}),
        ({"what": "moved_away", "has_died": False}, {}),
        ({"what": "registered", "has_died": False, "lives_until": None}, {}),
    ],
    ids=["corrected", "left_before", "only_left", "registered_anew"],
)
async def test_the_newest_version_says_whether_somebody_has_died(
    pool: Pool, later: dict[str, Any], waiting: dict[str, int]
) -> None:
    await steps.two_owed(pool)
    await leaves(pool, 1, what="died")
    await story.hear(pool, "listing.resident", resident(1, version=3, recorded_at=at(11, 25), **gone_as(later)))
    drawn = await steps.draw(pool)
    assert (drawn.payments, drawn.waiting) == (2 - len(waiting), waiting)


def gone_as(changed: dict[str, Any]) -> dict[str, Any]:
    """A version that is gone from 20 November, unless it says another day or none."""
    return {"lives_until": date(2026, 11, 20)} | changed


async def test_the_guardian_who_moved_away_is_paid_for_the_child_and_who_died_abroad_is_not(pool: Pool) -> None:
    await steps.two_owed(pool)
    child = resident(2, date(2015, 1, 1), guardian_id=resident_id(3))
    await story.hear(pool, "listing.resident", child)
    await steps.give(pool, 3)
    await leaves(pool, 3, what="moved_away")
    await leaves(pool, 1, what="moved_away")
    dead = resident(1, version=3, what="died", lives_until=date(2026, 11, 20), recorded_at=at(12, 1))
    await story.hear(pool, "listing.resident", dead)
    drawn = await steps.draw(pool)
    assert set(await steps.items(pool, drawn.batch_id)) == {resident_id(3)}
    assert drawn.waiting == {"died": 1}


async def test_a_death_told_by_a_writer_that_knew_no_such_field_is_a_death(pool: Pool) -> None:
    await steps.two_owed(pool)
    await leaves(pool, 1, what="died", has_died=False)
    await leaves(pool, 2, what="moved_away")
    drawn = await steps.draw(pool)
    assert set(await steps.items(pool, drawn.batch_id)) == {resident_id(2)}
    assert drawn.waiting == {"died": 1}
