"""Money that meets itself: sums that cancel out to nothing, and an entry that a person and the bank both explain."""

from datetime import date

from kanava.common.db import Pool, rows, transaction
from kanava.payments.bank_commands import MatchToPayment
from kanava.payments.service import suspense
from kanava.payments.views import books
from tests.payments import clearing, story
from tests.payments.bank import debit, notification
from tests.payments.test_receivables import balance, status_of
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit

NOVEMBER = date(2026, 11, 1)
SEVEN = 7_00


async def test_a_statement_whose_components_cancel_out_leaves_nobody_owing_anything(pool: Pool) -> None:
    """7.00 of capitation and a visit of 45.00, of which the producer kept 52.00 from the client: nothing to pay."""
    await story.open_area(pool)
    await story.fund(pool, 1_000_00, at(10, 1))
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(NOVEMBER, private=True)))
    dear = visit(1, 1, date(2026, 11, 5), recorded_at=at(11, 6), fee_cents=52_00)
    await story.hear(pool, "monitoring.production", dear)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert sum(line["amount_cents"] for line in await story.lines(pool)) == 0
    assert len(await story.lines(pool)) == 3
    paid = await story.pay(pool, NOVEMBER, at(12, 3))
    assert (paid.to_bank, paid.to_bank_cents, paid.receivable_cents, paid.held) == (0, 0, 0, [])
    assert await status_of(pool, NOVEMBER) == "settled"
    async with transaction(pool) as tx:
        assert await rows(tx, "SELECT 1 FROM payment") == []
        sums = await books.sums(tx, told.AREA)
    assert {row["owed_cents"] for row in sums} == {0}
    assert {row["component"] for row in sums} == {"capitation", "fee", "client_fee"}
    assert [await balance(pool, account) for account in ("1100", "1300")] == [1_000_00, 0]
    await story.assert_books_agree(pool)


async def test_what_a_person_explained_is_not_paid_again_when_the_bank_tells_the_details(pool: Pool) -> None:
    """First a sum alone, which Anna matches with a phone call; a day later the bank says the same in a file."""
    ids = await clearing.released(pool, 1, 2)
    assert (await clearing.take(pool, notification("M1", debit("B1", cents=SEVEN)))).unmatched == 1
    (item,) = await clearing.queue(pool)
    command = MatchToPayment(item["item_id"], ids[SEVEN], "Soitettu pankkiin", "anna")
    async with transaction(pool) as tx:
        await suspense.match_to_payment(tx, command, at(12, 5))
    before = await clearing.bank_cents(pool)
    for message in ("M2", "M3"):
        told_late = await clearing.take(pool, notification(message, debit("B1", (ids[SEVEN], SEVEN))))
        assert (told_late.booked, told_late.unmatched, told_late.known_before) == (0, 0, 1)
    found = await clearing.payments(pool)
    assert (found["booked_cents"], found["open_cents"]) == (SEVEN, 2 * SEVEN)
    assert await clearing.queue(pool) == []
    assert await clearing.bank_cents(pool) == before == 1_000_00 - SEVEN
