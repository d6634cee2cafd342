"""Approving, releasing, and what the bank answers, on a real PostgreSQL."""

from datetime import date

import pytest
from lxml import etree

from kanava.common.db import Pool, one, transaction
from kanava.common.money import cents_of
from kanava.payments import iso20022
from kanava.payments.commands import ApproveStatements, ReleasePayout, TakeBankMessage
from kanava.payments.service.bank import TakenIn, take_bank_message
from kanava.payments.service.recipients import file_of
from kanava.payments.service.statements import PaidOut, approve_statements, release_payout
from kanava.payments.settings import PaymentsSettings
from kanava.payments.views import books, statements
from tests.payments import story
from tests.payments.bank import camt054, pain002
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit

NOVEMBER = date(2026, 11, 1)


async def closed_month(pool: Pool, funding_cents: int = 100_00) -> None:
    """November closed: the private unit is owed 7.00 + 45.00 - 20.60, the own enterprise 7.00."""
    await story.open_area(pool)
    await story.fund(pool, funding_cents, at(10, 1))
    await story.hear(pool, "listing.resident", resident(1), resident(2))
    own, private = listed(1, span(date(2026, 9, 1))), listed(2, span(date(2026, 9, 1), private=True))
    await story.hear(pool, "listing.listing", own, private)
    reported = visit(1, 2, date(2026, 11, 15), recorded_at=at(11, 16), fee_cents=20_60)
    await story.hear(pool, "monitoring.production", reported)
    await story.close(pool, NOVEMBER, at(12, 2))


async def tell(pool: Pool, content: bytes) -> TakenIn:
    """Take in a file of the bank."""
    async with transaction(pool) as tx:
        return await take_bank_message(tx, TakeBankMessage(content), at(12, 4), seal=PaymentsSettings().payee_seal())


async def payment(pool: Pool) -> tuple[str, int]:
    """The end-to-end id and the cents of the newest open payment."""
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT * FROM payment WHERE status = 'open'")
    assert row is not None
    return row["end_to_end_id"], row["amount_cents"]


async def spendable(pool: Pool) -> int:
    """What the area can spend."""
    async with transaction(pool) as tx:
        account = await books.account(tx, told.AREA)
    assert account is not None
    return int(account["spendable_cents"])


async def test_a_payout_goes_to_the_bank_and_is_booked_once(pool: Pool) -> None:
    await closed_month(pool)
    paid = await story.pay(pool, NOVEMBER, at(12, 3))
    assert (paid.to_bank, paid.to_bank_cents, paid.settled, paid.settled_cents) == (1, 31_40, 1, 7_00)
    assert await spendable(pool) == 100_00 - 31_40 - 7_00
    end_to_end_id, cents = await payment(pool)
    message = camt054("M1", [("B1", end_to_end_id, cents)])
    assert (await tell(pool, message)).booked == 1
    repeated = await tell(pool, message)
    assert (repeated.booked, repeated.known_before) == (0, 1)
    async with transaction(pool) as tx:
        states = {row["producer_id"]: row["status"] for row in await statements.statements(tx, area=told.AREA)}
        sums = {row["component"]: (row["left_cents"], row["owed_cents"]) for row in await books.sums(tx, told.AREA)}
    assert states == {told.PRIVATE: "booked", told.OWN: "settled"}
    assert sums == {"capitation": (14_00, 0), "fee": (45_00, 0), "client_fee": (-20_60, 0)}
    again = await story.pay(pool, NOVEMBER, at(12, 5))
    assert (again.to_bank, again.settled) == (0, 0), "what was booked or settled is not approved again"
    await story.assert_books_agree(pool)


async def test_a_rejected_payment_returns_to_the_producer_and_can_be_paid_again(pool: Pool) -> None:
    await closed_month(pool)
    await story.pay(pool, NOVEMBER, at(12, 3))
    first, cents = await payment(pool)
    assert (await tell(pool, pain002("M1", [(first, cents)]))).rejected == 1
    assert await spendable(pool) == 100_00 - 7_00
    await story.assert_books_agree(pool)
    again = await story.pay(pool, NOVEMBER, at(12, 5))
    second, _ = await payment(pool)
    assert again.to_bank == 1
    assert second != first
    assert (await tell(pool, camt054("M3", [("B3", second, cents)]))).booked == 1
    assert (await tell(pool, camt054("M4", [("B4", second, cents)], returned="AC04"))).rejected == 1
    assert await spendable(pool) == 100_00 - 7_00
    await story.assert_books_agree(pool)


async def test_a_clock_that_stands_still_hinders_no_payout(pool: Pool) -> None:
    """Rejected and released again, and released with nothing to take, all at one instant of the sandbox."""
    await closed_month(pool)
    first = await story.pay(pool, NOVEMBER, at(12, 3))
    await tell(pool, pain002("M1", [await payment(pool)]))
    second = await story.pay(pool, NOVEMBER, at(12, 3))
    empty = [await story.pay(pool, NOVEMBER, at(12, 3)) for _ in range(2)]
    assert first.payout_id != second.payout_id
    assert second.to_bank == 1
    assert [one.to_bank + one.settled for one in empty] == [0, 0]
    await story.assert_books_agree(pool)


async def test_the_limit_holds_within_a_batch(pool: Pool) -> None:
    await closed_month(pool, funding_cents=35_00)
    paid = await story.pay(pool, NOVEMBER, at(12, 3))
    assert [held.reason for held in paid.held] == ["over_the_limit"]
    assert await spendable(pool) in (35_00 - 31_40, 35_00 - 7_00)
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT min(spendable_cents) AS cents FROM book")
    assert row is not None
    assert row["cents"] >= 0


@pytest.mark.parametrize(("above_cents", "held"), [(0, []), (1, ["over_the_limit"])])
async def test_a_payout_goes_down_to_the_limit_to_the_cent(pool: Pool, above_cents: int, held: list[str]) -> None:
    await closed_month(pool)
    limit_cents = 100_00 - 31_40 - 7_00 + above_cents
    await story.set_limit(pool, limit_cents, at(12, 2))
    paid = await story.pay(pool, NOVEMBER, at(12, 3))
    assert [one.reason for one in paid.held] == held
    assert await spendable(pool) >= limit_cents


async def test_nobody_releases_what_they_approved(pool: Pool) -> None:
    await closed_month(pool)
    async with transaction(pool) as tx:
        await approve_statements(tx, ApproveStatements(told.AREA, NOVEMBER, "anna"), at(12, 3))
    async with transaction(pool) as tx:
        paid: PaidOut = await release_payout(tx, ReleasePayout(told.AREA, story.DEBTOR, "anna"), at(12, 3))
    assert {held.reason for held in paid.held} == {"approved_by_the_same"}
    assert paid.to_bank == paid.settled == 0


async def test_an_account_that_changed_after_the_approval_stops_the_payment(pool: Pool) -> None:
    await closed_month(pool)
    async with transaction(pool) as tx:
        await approve_statements(tx, ApproveStatements(told.AREA, NOVEMBER, "anna"), at(12, 3))
    changed = told.producer(private=True, iban="FI5810171000000122", version=2)
    await story.hear(pool, "registry.producer", changed)
    async with transaction(pool) as tx:
        paid = await release_payout(tx, ReleasePayout(told.AREA, story.DEBTOR, "bertta"), at(12, 3))
    assert [held.reason for held in paid.held] == ["account_changed"]


async def test_the_file_to_the_bank_says_what_is_paid(pool: Pool) -> None:
    await closed_month(pool)
    paid = await story.pay(pool, NOVEMBER, at(12, 4))
    async with transaction(pool) as tx:
        content = await file_of(tx, paid.payout_id, seal=PaymentsSettings().payee_seal())
    assert content is not None
    root = etree.fromstring(content)
    find = {name: root.findtext(f".//{{*}}{name}") for name in ("CtrlSum", "NbOfTxs", "EndToEndId", "InstdAmt", "Ref")}
    assert cents_of(find["CtrlSum"] or "") == cents_of(find["InstdAmt"] or "") == 31_40
    assert len(find["EndToEndId"] or "") <= 35
    assert (find["Ref"] or "").startswith("RF")
    assert root.findtext(".//{*}ReqdExctnDt/{*}Dt") == "2026-12-04"


def test_payments_leave_on_a_target_day() -> None:
    assert iso20022.next_target_day(date(2026, 12, 25)) == date(2026, 12, 28)
    assert iso20022.next_target_day(date(2027, 3, 26)) == date(2027, 3, 30), "Good Friday to Easter Monday"
