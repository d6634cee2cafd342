"""A negative statement is a receivable that later statements pay off, on a real PostgreSQL."""

import asyncio
from datetime import date
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from kanava.common.clock import add_months
from kanava.common.db import Pool, rows, transaction
from kanava.payments import ledger
from kanava.payments.commands import ReleasePayout
from kanava.payments.service.statements import PaidOut, release_payout
from kanava.payments.views import books, receivables, statements
from tests.payments import story
from tests.payments.bank import camt054, pain002
from tests.payments.test_payout import payment, spendable, tell
from tests.support import facts as told
from tests.support.databases import ServiceDatabase
from tests.support.facts import at, listed, resident, span

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
LATER = told.at(12, 31, 23)


async def overpaid(pool: Pool, *, people: int = 1, funding_cents: int = 1000_00) -> None:
    """October paid 7.00 a month for each of some people who, as November hears, had died: they are taken back."""
    await story.open_area(pool)
    await story.fund(pool, funding_cents, at(10, 1))
    numbers = range(1, people + 1)
    await story.hear(pool, "listing.resident", *(resident(n) for n in numbers))
    await story.hear(pool, "listing.listing", *(listed(n, span(OCTOBER, private=True)) for n in numbers))
    await story.close(pool, OCTOBER, at(11, 2))
    await story.pay(pool, OCTOBER, at(11, 3))
    await tell(pool, camt054("M-10", [("B-10", *await payment(pool))]))
    gone = (resident(n, version=2, what="died", lives_until=OCTOBER, recorded_at=at(11, 5)) for n in numbers)
    await story.hear(pool, "listing.resident", *gone)
    ended = (listed(n, span(OCTOBER, OCTOBER, private=True), version=2, recorded_at=at(11, 5)) for n in numbers)
    await story.hear(pool, "listing.listing", *ended)
    await story.close(pool, NOVEMBER, at(12, 2))


async def joined(pool: Pool, first: int, people: int, since: date = DECEMBER) -> None:
    """People of 46 years list with the private unit: 7.00 a month each."""
    numbers = range(first, first + people)
    await story.hear(pool, "listing.resident", *(resident(n) for n in numbers))
    facts = (listed(n, span(since, private=True), recorded_at=at(12, 3)) for n in numbers)
    await story.hear(pool, "listing.listing", *facts)


async def released(pool: Pool, month: date) -> PaidOut:
    """A month approved and released at its end."""
    return await story.pay(pool, month, LATER)


async def owed(pool: Pool, *, paid_too: bool = False) -> list[DictRow]:
    """The receivables of the area."""
    place = {"month": date.min, "after": UUID(int=0), "limit": 100, "paid_too": paid_too, "today": date(2027, 1, 5)}
    async with transaction(pool) as tx:
        return await receivables.receivables(tx, place | {"area": told.AREA, "producers": [told.PRIVATE]})


async def status_of(pool: Pool, month: date) -> str:
    """The status of the private producer's statement of a month."""
    async with transaction(pool) as tx:
        (row,) = await statements.statements(tx, area=told.AREA, month=month, producers=[told.PRIVATE])
    return str(row["status"])


async def balance(pool: Pool, account: str) -> int:
    """The balance of an account, debit positive."""
    async with transaction(pool) as tx:
        balances = {row["account"]: row["amount_cents"] for row in await books.trial_balance(tx, told.AREA)}
        assert (await ledger.verify(tx, told.AREA)).broken is None
    return int(balances.get(account, 0))


async def test_a_negative_statement_is_paid_off_by_the_next_and_the_rest_is_paid(pool: Pool) -> None:
    await overpaid(pool)
    paid = await released(pool, NOVEMBER)
    assert (paid.receivable_cents, paid.offset_cents, paid.to_bank, paid.held) == (7_00, 0, 0, [])
    assert await status_of(pool, NOVEMBER) == "receivable"
    assert await balance(pool, "1300") == 7_00
    assert [(row["month"], row["left_cents"], row["age_days"]) for row in await owed(pool)] == [("2026-11", 7_00, 4)]
    await joined(pool, 10, 2)
    await story.close(pool, DECEMBER, LATER)
    before = await spendable(pool)
    paid = await released(pool, DECEMBER)
    assert (paid.offset_cents, paid.to_bank_cents) == (7_00, 7_00)
    assert await spendable(pool) == before - 7_00
    assert (await payment(pool))[1] == 7_00
    assert (await status_of(pool, NOVEMBER), await status_of(pool, DECEMBER)) == ("settled", "released")
    assert await balance(pool, "1300") == 0
    assert await owed(pool) == []
    assert [(row["paid_off_cents"], row["left_cents"]) for row in await owed(pool, paid_too=True)] == [(7_00, 0)]
    await story.assert_books_agree(pool)


async def test_a_receivable_larger_than_the_next_statement_is_paid_off_over_months(pool: Pool) -> None:
    await overpaid(pool, people=3)
    await released(pool, NOVEMBER)
    await joined(pool, 10, 1)
    for month, left_cents in ((DECEMBER, 14_00), (add_months(DECEMBER, 1), 7_00), (add_months(DECEMBER, 2), 0)):
        await story.close(pool, month, told.at(12, 31).replace(year=2027))
        paid = await released(pool, month)
        assert (paid.offset_cents, paid.to_bank, paid.held) == (7_00, 0, [])
        assert sum(row["left_cents"] for row in await owed(pool)) == left_cents
        assert await balance(pool, "1300") == left_cents
        assert await status_of(pool, month) == "settled", "nothing is left to pay"
        await story.assert_books_agree(pool)
    assert await status_of(pool, NOVEMBER) == "settled", "what was owed is paid off"
    await story.close(pool, add_months(DECEMBER, 3), told.at(12, 31).replace(year=2027))
    paid = await released(pool, add_months(DECEMBER, 3))
    assert (paid.offset_cents, paid.to_bank_cents) == (0, 7_00), "and takes nothing more"


async def test_releasing_again_takes_nothing_twice(pool: Pool) -> None:
    await overpaid(pool, people=3)
    await released(pool, NOVEMBER)
    await joined(pool, 10, 1)
    await story.close(pool, DECEMBER, LATER)
    assert (await released(pool, DECEMBER)).offset_cents == 7_00
    again = [await released(pool, month) for month in (NOVEMBER, DECEMBER)]
    assert [(paid.receivable_cents, paid.offset_cents, paid.to_bank) for paid in again] == [(0, 0, 0)] * 2
    assert [row["left_cents"] for row in await owed(pool)] == [14_00]


async def test_what_the_limit_holds_back_has_paid_off_all_the_same(pool: Pool) -> None:
    """The account has 6.00 left after October: the rest of December waits, the receivable does not."""
    await overpaid(pool, funding_cents=13_00)
    await released(pool, NOVEMBER)
    await joined(pool, 10, 2)
    await story.close(pool, DECEMBER, LATER)
    paid = await released(pool, DECEMBER)
    assert (paid.offset_cents, paid.to_bank) == (7_00, 0)
    assert [(held.reason, held.amount_cents) for held in paid.held] == [("over_the_limit", 7_00)]
    await story.fund(pool, 1_00, LATER)
    assert (await released(pool, DECEMBER)).to_bank_cents == 7_00
    assert await spendable(pool) == 0
    await story.assert_books_agree(pool)


async def test_a_payment_of_the_rest_that_the_bank_rejects_comes_back_as_the_rest(pool: Pool) -> None:
    await overpaid(pool)
    await released(pool, NOVEMBER)
    await joined(pool, 10, 2)
    await story.close(pool, DECEMBER, LATER)
    before = await spendable(pool)
    await released(pool, DECEMBER)
    assert (await tell(pool, pain002("M-12", [await payment(pool)]))).rejected == 1
    assert await spendable(pool) == before
    await story.assert_books_agree(pool)
    assert (await released(pool, DECEMBER)).to_bank_cents == 7_00
    assert (await tell(pool, camt054("M-13", [("B-13", *await payment(pool))]))).booked == 1
    assert (await balance(pool, "2100"), await balance(pool, "1190")) == (0, 0)
    await story.assert_books_agree(pool)


async def test_who_approved_a_negative_statement_does_not_make_it_a_receivable(pool: Pool) -> None:
    await overpaid(pool)
    await story.approve(pool, NOVEMBER, LATER)
    paid = await story.release(pool, LATER, by="anna")
    assert (paid.receivable_cents, [held.reason for held in paid.held]) == (0, ["nothing_to_pay"])
    assert await balance(pool, "1300") == 0


async def test_the_bus_hears_what_became_of_a_statement(pool: Pool) -> None:
    await overpaid(pool)
    await released(pool, NOVEMBER)
    await joined(pool, 10, 2)
    await story.close(pool, DECEMBER, LATER)
    await released(pool, DECEMBER)
    async with transaction(pool) as tx:
        said = await rows(
            tx,
            "SELECT body::jsonb AS fact FROM outbox WHERE topic = 'kanava.payments.statement.v1'"
            " AND body::jsonb->>'producer_id' = %s ORDER BY id",
            (told.PRIVATE,),
        )
    of_november = [row["fact"]["what"] for row in said if row["fact"]["month"] == "2026-11"]
    assert of_november == ["drawn", "approved", "receivable", "settled"]
    assert [row["fact"]["version"] for row in said if row["fact"]["month"] == "2026-11"] == [1, 2, 3, 4]
    assert [row["fact"]["offset_cents"] for row in said if row["fact"]["month"] == "2026-12"][-1] == 7_00


async def test_two_releases_at_once_take_a_receivable_once(pool: Pool) -> None:
    await overpaid(pool)
    await released(pool, NOVEMBER)
    await joined(pool, 10, 2)
    await story.close(pool, DECEMBER, LATER)
    await story.approve(pool, DECEMBER, LATER)
    paid = await asyncio.gather(*(story.release(pool, LATER, by=who) for who in ("bertta", "cecilia", "doris")))
    assert sorted(one.offset_cents for one in paid) == [0, 0, 7_00]
    assert sorted(one.to_bank_cents for one in paid) == [0, 0, 7_00]
    assert await balance(pool, "1300") == 0
    await story.assert_books_agree(pool)


async def test_what_was_handed_over_cannot_be_changed(pool: Pool, database: ServiceDatabase) -> None:
    await test_a_negative_statement_is_paid_off_by_the_next_and_the_rest_is_paid(pool)
    for attempt in ("UPDATE statement_offset SET amount_cents = 1", "DELETE FROM statement_offset"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction(pool) as tx:
                await tx.execute(attempt)
        with (
            psycopg.connect(database.owner_url, autocommit=True) as owner,
            pytest.raises(psycopg.Error, match="append-only"),
        ):
            owner.execute(attempt)


async def test_the_own_enterprise_owes_and_pays_off_without_a_bank(pool: Pool) -> None:
    """It has no account: the rest of its statement is settled by internal posting."""
    await story.open_area(pool)
    await story.fund(pool, 100_00, at(10, 1))
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(OCTOBER)))
    await story.close(pool, OCTOBER, at(11, 2))
    await story.pay(pool, OCTOBER, at(11, 3))
    gone = resident(1, version=2, what="died", lives_until=OCTOBER, recorded_at=at(11, 5))
    await story.hear(pool, "listing.resident", gone)
    await story.hear(pool, "listing.listing", listed(1, span(OCTOBER, OCTOBER), version=2, recorded_at=at(11, 5)))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert (await released(pool, NOVEMBER)).receivable_cents == 7_00
    await story.hear(pool, "listing.resident", resident(2), resident(3))
    listings = (listed(n, span(DECEMBER), recorded_at=at(12, 3)) for n in (2, 3))
    await story.hear(pool, "listing.listing", *listings)
    await story.close(pool, DECEMBER, LATER)
    paid = await released(pool, DECEMBER)
    assert (paid.offset_cents, paid.settled, paid.settled_cents) == (7_00, 1, 7_00)
    assert await spendable(pool) == 100_00 - 14_00
    await story.assert_books_agree(pool)


async def own_december(pool: Pool) -> UUID:
    """The own enterprise is owed 7.00 for December, approved like November; the id of its statement."""
    await overpaid(pool)
    await story.hear(pool, "listing.resident", resident(20))
    await story.hear(pool, "listing.listing", listed(20, span(DECEMBER), recorded_at=at(12, 3)))
    await story.close(pool, DECEMBER, LATER)
    for month in (NOVEMBER, DECEMBER):
        await story.approve(pool, month, LATER)
    async with transaction(pool) as tx:
        (row,) = await statements.statements(tx, area=told.AREA, month=DECEMBER, producers=[told.OWN])
    found: UUID = row["statement_id"]
    return found


async def test_nobody_pays_off_what_another_producer_owes(pool: Pool) -> None:
    await own_december(pool)
    paid = await story.release(pool, LATER)
    assert (paid.receivable_cents, paid.offset_cents, paid.settled_cents) == (7_00, 0, 7_00)
    assert [row["left_cents"] for row in await owed(pool)] == [7_00]
    await story.assert_books_agree(pool)


async def test_a_release_of_some_statements_makes_no_receivable_of_others(pool: Pool) -> None:
    named = await own_december(pool)
    command = ReleasePayout(told.AREA, story.DEBTOR, "bertta", (named,))
    async with transaction(pool) as tx:
        paid = await release_payout(tx, command, LATER)
    assert (paid.receivable_cents, paid.settled_cents) == (0, 7_00)
    assert await status_of(pool, NOVEMBER) == "approved"
