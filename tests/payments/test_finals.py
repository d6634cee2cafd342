"""A producer leaves: one final statement settles what it is owed and owes, on a real PostgreSQL."""

from dataclasses import replace
from datetime import date
from typing import Literal

import pytest

from kanava.common.db import Pool, one, transaction
from kanava.common.errors import NotFound, Refused
from kanava.payments import ledger
from kanava.payments.commands import ContestLines, DrawFinalStatement
from kanava.payments.errors import Reason
from kanava.payments.service.disputes import contest_lines
from kanava.payments.service.finals import FinalDrawn, draw_final_statement
from kanava.payments.views import receivables, statements
from tests.payments import story
from tests.payments.bank import camt054, pain002
from tests.payments.dispute_story import adjusted, assert_whole, find
from tests.payments.test_budgets import budget, line, standing
from tests.payments.test_disputes import contest, key
from tests.payments.test_payout import closed_month, payment, spendable, tell
from tests.payments.test_receivables import LATER, balance, joined, overpaid, owed, released, status_of
from tests.support import facts as told
from tests.support.facts import at, listed, span

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
Standing = Literal["approved", "suspended", "revoked", "left"]
IN_FEBRUARY = told.at(2, 2).replace(year=2027)


async def stands(pool: Pool, status: Standing, version: int = 2) -> None:
    """Registry tells the standing of the private producer."""
    changed = told.producer(private=True, version=version).model_copy(update={"status": status, "what": status})
    await story.hear(pool, "registry.producer", changed)


async def left_by(pool: Pool, first: int, people: int, until: date) -> None:
    """The residents of the private unit are moved from a day on."""
    ended = (
        listed(n, span(DECEMBER, until, private=True), version=2, recorded_at=LATER)
        for n in range(first, first + people)
    )
    await story.hear(pool, "listing.listing", *ended)


async def draw(pool: Pool, ground: Literal["left", "revoked", "insolvency"] = "left") -> FinalDrawn:
    """The operator draws the private producer's final statement."""
    command = DrawFinalStatement(told.AREA, told.PRIVATE, ground, "Tuottaja lopettaa toimintansa.", "anna")
    async with transaction(pool) as tx:
        return await draw_final_statement(tx, command, IN_FEBRUARY)


async def test_a_rejected_payment_a_receivable_and_an_open_month_are_settled_together(pool: Pool) -> None:
    """Owes 14.00 from November; December's rejected payment and January's statement pay it, and the rest is paid."""
    await overpaid(pool, people=2)
    await joined(pool, 10, 3)
    await story.close(pool, DECEMBER, LATER)
    await released(pool, DECEMBER)
    await tell(pool, pain002("M-12", [await payment(pool)]))
    assert (await released(pool, NOVEMBER)).receivable_cents == 14_00
    await left_by(pool, 10, 3, date(2027, 2, 1))
    await stands(pool, "left")
    await story.close(pool, JANUARY, IN_FEBRUARY)
    final = await draw(pool)
    assert (len(final.gathered), final.amount_cents) == (3, 21_00 + 21_00 - 14_00)
    assert await balance(pool, "1300") == 0
    assert {await status_of(pool, month) for month in (NOVEMBER, DECEMBER)} == {"settled"}
    await story.assert_books_agree(pool)
    before = await spendable(pool)
    paid = await story.pay(pool, JANUARY, IN_FEBRUARY)
    assert (paid.to_bank, paid.to_bank_cents) == (1, 28_00), "one payment for everything"
    assert await spendable(pool) == before - 28_00
    assert (await tell(pool, camt054("M-13", [("B-13", *await payment(pool))]))).booked == 1
    assert (await balance(pool, "2100"), await balance(pool, "1190"), await balance(pool, "1300")) == (0, 0, 0)
    async with transaction(pool) as tx:
        (shown,) = await statements.statements(tx, statement_id=final.statement_id)
        gathered = await receivables.offsets(tx, final.statement_id)
    assert (shown["kind"], shown["status"]) == ("final", "booked")
    assert sum(row["amount_cents"] for row in gathered) == 28_00
    await story.assert_books_agree(pool)


async def test_what_a_producer_still_owes_stays_listed_as_one_receivable(pool: Pool) -> None:
    await overpaid(pool, people=3)
    assert (await released(pool, NOVEMBER)).receivable_cents == 21_00
    await joined(pool, 10, 1)
    await story.close(pool, DECEMBER, LATER)
    await left_by(pool, 10, 1, JANUARY)
    await stands(pool, "revoked")
    await story.close(pool, JANUARY, IN_FEBRUARY)
    final = await draw(pool, "revoked")
    assert final.amount_cents == 7_00 - 21_00
    paid = await story.pay(pool, DECEMBER, IN_FEBRUARY)
    assert (paid.receivable_cents, paid.to_bank) == (14_00, 0)
    (left,) = await owed(pool)
    assert (left["statement_id"], left["kind"], left["left_cents"]) == (final.statement_id, "final", 14_00)
    assert left["producer_status"] == "revoked"
    assert await balance(pool, "1300") == 14_00
    await story.assert_books_agree(pool)
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None


@pytest.mark.parametrize(
    ("standing", "ground"), [("approved", "left"), ("left", "revoked"), ("approved", "insolvency")]
)
async def test_who_stays_gets_no_final_statement(pool: Pool, standing: Standing, ground: str) -> None:
    await closed_month(pool)
    await stands(pool, standing)
    with pytest.raises(Refused) as refused:
        await draw(pool, ground)  # type: ignore[arg-type]  # one of the three
    assert refused.value.reason is Reason.PRODUCER_STAYS


async def test_nothing_is_settled_while_something_is_still_moving(pool: Pool) -> None:
    """Listed residents, a payment at the bank, an open case: each has its own refusal, also when insolvent."""
    await closed_month(pool)
    await stands(pool, "suspended")
    seen = [await refused_because(pool)]
    ended = listed(2, span(date(2026, 9, 1), DECEMBER, private=True), version=2, recorded_at=at(12, 3))
    await story.hear(pool, "listing.listing", ended)
    await story.pay(pool, NOVEMBER, at(12, 3))
    seen.append(await refused_because(pool))
    await tell(pool, pain002("M1", [await payment(pool)]))
    await contest(pool, "fee")
    seen.append(await refused_because(pool))
    assert seen == [Reason.MONTHS_STILL_OPEN, Reason.PAYMENT_AT_THE_BANK, Reason.DISPUTE_OPEN]


async def refused_because(pool: Pool, ground: Literal["left", "insolvency"] = "insolvency") -> object:
    """Why an insolvent producer, or one that left, gets no final statement now."""
    with pytest.raises(Refused) as refused:
        await draw(pool, ground)
    return refused.value.reason


async def test_a_correction_that_was_decided_goes_into_the_final_statement(pool: Pool) -> None:
    """45.00 should have been 50.00: the final statement waits until December has taken it, and pays it once."""
    await closed_month(pool)
    await stands(pool, "left")
    ended = listed(2, span(date(2026, 9, 1), DECEMBER, private=True), version=2, recorded_at=at(12, 3))
    await story.hear(pool, "listing.listing", ended)
    await adjusted(pool, await find(pool, NOVEMBER, "fee"), 50_00, at(12, 10))
    assert await refused_because(pool, "left") is Reason.CORRECTION_WAITS
    await story.close(pool, DECEMBER, LATER)
    final = await draw(pool)
    assert (len(final.gathered), final.amount_cents) == (2, 31_40 + 5_00)
    assert (await story.pay(pool, DECEMBER, IN_FEBRUARY)).to_bank_cents == 36_40
    await assert_whole(pool)


async def test_there_is_one_final_statement(pool: Pool) -> None:
    await closed_month(pool)
    await stands(pool, "left")
    ended = listed(2, span(date(2026, 9, 1), DECEMBER, private=True), version=2, recorded_at=at(12, 3))
    await story.hear(pool, "listing.listing", ended)
    await draw(pool)
    with pytest.raises(Refused) as refused:
        await draw(pool)
    assert refused.value.reason is Reason.FINAL_ALREADY_DRAWN
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT count(*) AS finals FROM statement WHERE kind = 'final'")
    assert row is not None
    assert row["finals"] == 1


async def test_a_final_statement_has_no_lines_to_contest(pool: Pool) -> None:
    """Its lines stand on the months that it gathered, and there they can still be contested."""
    await closed_month(pool)
    await stands(pool, "left")
    ended = listed(2, span(date(2026, 9, 1), DECEMBER, private=True), version=2, recorded_at=at(12, 3))
    await story.hear(pool, "listing.listing", ended)
    final = await draw(pool)
    command = ContestLines(final.statement_id, (await key(pool, "fee"),), "Käynti on laskutettu väärin.", "tuottaja")
    with pytest.raises(Refused) as refused:
        async with transaction(pool) as tx:
            await contest_lines(tx, command, at(12, 10))
    assert refused.value.reason is Reason.NO_SUCH_LINE
    async with transaction(pool) as tx:
        (gathered,) = final.gathered
        assert (await contest_lines(tx, replace(command, statement_id=gathered), at(12, 10))).lines == 1


async def test_the_budget_holds_a_final_statement_like_any_other(pool: Pool) -> None:
    """November's 31.40 is not used of its line by being gathered, but when the final statement is paid."""
    await closed_month(pool)
    await stands(pool, "left")
    ended = listed(2, span(date(2026, 9, 1), DECEMBER, private=True), version=2, recorded_at=at(12, 3))
    await story.hear(pool, "listing.listing", ended)
    tight = (line("1", "one_item", 31_39, producer_id=told.PRIVATE), line("2", "package", 24_40, nodes=["SOS"]))
    await story.hear(pool, "registry.order", budget(*tight))
    final = await draw(pool)
    assert await standing(pool) == {"1": (31_40, 0, -1, 31_40), "2": (24_40, 0, 0, 24_40)}, "drawn, and not paid"
    paid = await story.pay(pool, NOVEMBER, IN_FEBRUARY)
    assert [(one.statement_id, one.reason) for one in paid.held if one.producer_id == told.PRIVATE] == [
        (final.statement_id, "breaks_the_budget")
    ]
    more = line("1", "one_item", 31_40, producer_id=told.PRIVATE)
    await story.hear(pool, "registry.order", budget(more, tight[1], version=2))
    again = await story.release(pool, IN_FEBRUARY)
    assert (again.to_bank_cents, again.held) == (31_40, [])
    assert await standing(pool) == {"1": (31_40, 0, 0, 0), "2": (24_40, 0, 0, 0)}
    await story.assert_books_agree(pool)


async def test_each_year_that_a_final_statement_gathers_draws_on_its_own_budget(pool: Pool) -> None:
    """Of 2026: a receivable of 14.00, taken when it came to be, and a rejected 21.00; of 2027: 21.00 of January."""
    await overpaid(pool, people=2)
    await joined(pool, 10, 3)
    await story.close(pool, DECEMBER, LATER)
    await released(pool, DECEMBER)
    await tell(pool, pain002("M-12", [await payment(pool)]))
    await released(pool, NOVEMBER)
    await left_by(pool, 10, 3, date(2027, 2, 1))
    await stands(pool, "left")
    await story.close(pool, JANUARY, IN_FEBRUARY)
    await story.hear(pool, "registry.order", budget(line("1", "one_item", 20_99)))
    before = await standing(pool)
    await draw(pool)
    assert await standing(pool) == before == {"1": (21_00, 0, -1, 21_00)}
    assert [one.reason for one in (await story.pay(pool, JANUARY, IN_FEBRUARY)).held] == ["breaks_the_budget"]
    await story.hear(pool, "registry.order", budget(line("1", "one_item", 21_00), version=2))
    assert (await story.release(pool, IN_FEBRUARY)).to_bank_cents == 28_00
    assert await standing(pool) == {"1": (21_00, 0, 0, 0)}


async def test_an_unknown_producer_is_not_found(pool: Pool) -> None:
    with pytest.raises(NotFound):
        await draw(pool)
