"""Steps at the edge to the bank that tests tell their stories with."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from kanava.common.db import Pool, one, rows, transaction
from kanava.payments.commands import TakeBankMessage
from kanava.payments.service.bank import TakenIn, take_bank_message
from kanava.payments.settings import PaymentsSettings
from kanava.payments.views import bank as views
from kanava.payments.views import suspense
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span

NOVEMBER = date(2026, 11, 1)
NOW = at(12, 4)
CENTS = 7_00
"""What a producer is owed for each of its residents in a month."""


async def released(pool: Pool, *shares: int) -> dict[int, str]:
    """A private producer for each share, with so many residents, paid for November; end-to-end ids by cents."""
    await story.open_area(pool)
    await story.fund(pool, 1_000_00, at(10, 1))
    number = 0
    for place, share in enumerate(shares):
        producer_id, unit_id = f"{told.PRIVATE[:-1]}{place + 10}", f"{told.PRIVATE_UNIT[:-1]}{place + 50}"
        base = told.producer(private=True)
        await story.hear(pool, "registry.producer", base.model_copy(update={"producer_id": producer_id}))
        unit = told.unit(private=True).model_copy(update={"unit_id": unit_id, "producer_id": producer_id})
        await story.hear(pool, "registry.unit", unit)
        contract = told.contract(private=True)
        changed = {"contract_id": f"C-{place}", "producer_id": producer_id}
        await story.hear(pool, "registry.contract", contract.model_copy(update=changed))
        for _ in range(share):
            number += 1
            await story.hear(pool, "listing.resident", resident(number))
            here = span(date(2026, 11, 1), private=True).model_copy(
                update={"unit_id": unit_id, "producer_id": producer_id}
            )
            await story.hear(pool, "listing.listing", listed(number, here))
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.pay(pool, NOVEMBER, at(12, 3))
    async with transaction(pool) as tx:
        return {row["amount_cents"]: row["end_to_end_id"] for row in await rows(tx, "SELECT * FROM payment")}


async def take(pool: Pool, content: bytes, now: datetime = NOW) -> TakenIn:
    """Take in a file of the bank."""
    async with transaction(pool) as tx:
        return await take_bank_message(tx, TakeBankMessage(content), now, seal=PaymentsSettings().payee_seal())


async def queue(pool: Pool, now: datetime = NOW) -> list[dict[str, Any]]:
    """What waits on the suspense account."""
    async with transaction(pool) as tx:
        return await suspense.queue(tx, now, limit=100)


async def payments(pool: Pool) -> dict[str, Any]:
    """Where the area's payments are; that they add up, with the suspense account and the books, is checked."""
    async with transaction(pool) as tx:
        found = await views.payments(tx, told.AREA, at(12, 10))
        waiting = await suspense.balance(tx, told.AREA)
    assert found["equal"], found
    assert waiting["equal"], waiting
    await story.assert_books_agree(pool)
    return found


async def bank_cents(pool: Pool) -> int:
    """The balance of the area's bank account in the books."""
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT sum(amount_cents)::bigint AS cents FROM posting WHERE account = '1100'")
    assert row is not None
    return int(row["cents"])


async def payout_id(pool: Pool) -> UUID:
    """The only payout."""
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT payout_id FROM payout WHERE pain001 IS NOT NULL")
    assert row is not None
    return UUID(str(row["payout_id"]))
