"""What is owed to residents, at the edges of its age, its months, its areas and its payees."""

from datetime import date
from typing import Any
from uuid import UUID

from kanava.common.db import Pool, transaction
from kanava.payments.domain.benefits import BenefitKind
from kanava.payments.resident_commands import DrawBatch
from kanava.payments.service.benefits import DecideBenefit, decide_benefit
from kanava.payments.service.resident_batches import draw_batch
from kanava.payments.views import owed
from tests.payments import resident_story as steps
from tests.payments import story
from tests.payments.resident_story import DECEMBER, NOVEMBER
from tests.support import facts as told
from tests.support.facts import at, resident, resident_id, visit

TODAY = date(2026, 12, 3)


async def matters(pool: Pool, month: date = DECEMBER, today: date = TODAY) -> dict[tuple[str, UUID], int]:
    """Cents by kind of matter and by who is paid."""
    async with transaction(pool) as tx:
        found = await owed.matters(tx, told.AREA, month, today)
    return {(one.source, one.payee_id): one.cents for one in found}


async def page(pool: Pool, **changed: Any) -> list[UUID]:
    """The payees of a page of two, the longest owed first."""
    asked = {"area": told.AREA, "month": date.max, "today": TODAY, "without_account": False, "limit": 2}
    begin = {"since": "-infinity", "after": UUID(int=0)}
    async with transaction(pool) as tx:
        return [row["payee_id"] for row in await owed.by_payee(tx, asked | begin | changed)]


async def test_the_age_of_what_is_owed_is_counted_in_days_of_helsinki(pool: Pool) -> None:
    """Decided before midnight and at midnight in Helsinki."""
    await steps.decide(pool, 1, 10_00, now=at(11, 20, 21))
    await steps.decide(pool, 2, 10_00, now=at(11, 20, 22))
    assert [(row["payee_id"], row["age_days"]) for row in await steps.listed(pool)] == [
        (resident_id(1), 13),
        (resident_id(2), 12),
    ]


async def test_who_is_owed_as_much_as_was_overpaid_is_owed_nothing(pool: Pool) -> None:
    await story.fund(pool, 100_00, at(11, 1))
    await steps.give(pool, 1)
    await steps.decide(pool, 1, 10_00)
    await steps.pay(pool)
    await steps.decide(pool, 1, 4_00)
    assert [row["owed_cents"] for row in await steps.listed(pool)] == [-6_00]
    await steps.decide(pool, 2, 1_00)
    assert [row["owed_cents"] for row in await steps.listed(pool)] == [1_00, -6_00], "overpaid ones are last"
    await steps.decide(pool, 1, 6_00, reference="E-9")
    assert [row["owed_cents"] for row in await steps.listed(pool)] == [1_00]


async def test_a_batch_takes_what_is_owed_for_its_own_month_and_those_before(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    fees = [visit(n, 1, date(2026, 11, n), recorded_at=at(11, 20), fee_cents=300_00) for n in (1, 2, 3)]
    await story.hear(pool, "monitoring.production", *fees)
    await story.close(pool, NOVEMBER, at(12, 2))
    await steps.decide(pool, 2, 10_00, month=NOVEMBER)
    assert await matters(pool, date(2026, 10, 1)) == {}
    assert await matters(pool, NOVEMBER) == {("ceiling", resident_id(1)): 85_00, ("benefit", resident_id(2)): 10_00}


async def test_a_child_without_a_guardian_and_one_of_another_area_are_their_own_payees(pool: Pool) -> None:
    child = resident(1, date(2015, 1, 1))
    ward = resident(2, date(2015, 1, 1), guardian_id=resident_id(3))
    await story.hear(pool, "listing.resident", child, ward)
    for number in (1, 2):
        await steps.decide(pool, number, 10_00)
    elsewhere = ("05", "E-5", resident_id(1), BenefitKind.TRAVEL, NOVEMBER)
    async with transaction(pool) as tx:
        await decide_benefit(tx, DecideBenefit(*elsewhere, 99_00, "Matka hoitoon", "olli"), steps.NOW)
    assert await matters(pool) == {("benefit", resident_id(1)): 10_00, ("benefit", resident_id(3)): 10_00}


async def test_what_another_area_takes_into_a_batch_is_still_owed_here(pool: Pool) -> None:
    """Two areas call their decisions on the same resident the same."""
    await steps.give(pool, 1)
    await steps.decide(pool, 1, 10_00, reference="E-1")
    there = ("05", "E-1", resident_id(1), BenefitKind.TRAVEL, NOVEMBER)
    async with transaction(pool) as tx:
        await decide_benefit(tx, DecideBenefit(*there, 10_00, "Matka hoitoon", "olli"), steps.NOW)
        drawn = await draw_batch(tx, DrawBatch("05", NOVEMBER, "olli"), steps.NOW)
    assert drawn.amount_cents == 10_00
    assert await matters(pool) == {("benefit", resident_id(1)): 10_00}


async def test_a_resident_who_was_corrected_is_paid_as_known_now_and_once(pool: Pool) -> None:
    first = resident(1, date(2015, 1, 1), guardian_id=resident_id(3))
    grown = resident(1, date(2005, 1, 1), version=2, what="corrected", recorded_at=at(11, 5))
    await story.hear(pool, "listing.resident", first, grown)
    await steps.decide(pool, 1, 10_00)
    assert await matters(pool) == {("benefit", resident_id(1)): 10_00}
    assert len(await steps.listed(pool)) == 1


async def test_a_page_goes_on_behind_its_last_payee_also_among_those_of_the_same_age(pool: Pool) -> None:
    for number in (1, 2, 3):
        await steps.decide(pool, number, 10_00, now=at(11, 20))
    await steps.decide(pool, 4, 10_00, now=at(11, 19))
    assert await page(pool) == [resident_id(4), resident_id(1)]
    assert await page(pool, since=at(11, 20), after=resident_id(1)) == [resident_id(2), resident_id(3)]
    assert await page(pool, since=at(11, 20), after=resident_id(3)) == []


async def test_only_who_has_no_account_is_listed_where_that_is_asked(pool: Pool) -> None:
    await steps.give(pool, 1)
    for number in (1, 2):
        await steps.decide(pool, number, 10_00)
    assert await page(pool, without_account=True) == [resident_id(2)]
    assert await page(pool) == [resident_id(1), resident_id(2)]


async def test_what_is_at_the_bank_is_neither_paid_nor_owed(pool: Pool) -> None:
    await story.fund(pool, 100_00, at(11, 1))
    await steps.give(pool, 1)
    await steps.decide(pool, 1, 10_00)
    await steps.pay(pool)
    await steps.decide(pool, 2, 3_00)
    async with transaction(pool) as tx:
        stands = await owed.balance(tx, told.AREA)
    names = ("benefits_cents", "at_the_bank_cents", "paid_cents", "owed_cents", "in_no_batch_cents")
    assert [stands[name] for name in names] == [13_00, 10_00, 0, 3_00, 3_00]
    assert stands["equal"]
