"""Steps of payments to residents that tests tell their stories with: Olli decides, Anna approves, Bertta releases."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from kanava.common.db import Pool, rows, transaction
from kanava.payments import ledger
from kanava.payments.domain.benefits import BenefitKind
from kanava.payments.resident_commands import ApproveBatch, ConfirmPayee, DrawBatch, GiveAccount, ReleaseBatch
from kanava.payments.service.benefits import DecideBenefit, decide_benefit
from kanava.payments.service.resident_accounts import GivenAccount, give_account
from kanava.payments.service.resident_batches import (
    ApprovedBatch,
    ConfirmedPayee,
    DrawnBatch,
    approve_batch,
    confirm_payee,
    draw_batch,
)
from kanava.payments.service.resident_release import ReleasedBatch, file_of, release_batch
from kanava.payments.settings import PaymentsSettings
from kanava.payments.views import benefits, owed
from kanava.payments.views import resident_payments as views
from kanava.payments.views.reconciliation import reconciliation
from tests.payments import clearing, story
from tests.support import facts as told
from tests.support.facts import at, resident_id

SEAL = PaymentsSettings().payee_seal()
NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
NOW = at(12, 3)
FUNDED = 1_000_00
IBANS = ("FI2112345600000785", "FI5810171000000122", "FI4250001510000023")


async def two_owed(pool: Pool) -> None:
    """40.00 and 25.00 are owed to residents who have given accounts."""
    await story.fund(pool, FUNDED, at(11, 1))
    for number, cents in ((1, 40_00), (2, 25_00)):
        await decide(pool, number, cents)
        await give(pool, number, IBANS[number - 1])


async def decide(
    pool: Pool, number: int, cents: int, *, reference: str = "", month: date = NOVEMBER, now: datetime = NOW
) -> None:
    """Olli decides that a resident is granted so much for travel; one matter for each resident unless named."""
    matter = (told.AREA, reference or f"E-{number}", resident_id(number), BenefitKind.TRAVEL, month)
    async with transaction(pool) as tx:
        await decide_benefit(tx, DecideBenefit(*matter, cents, "Matka hoitoon", "olli"), now)


async def give(pool: Pool, number: int, iban: str = IBANS[0], **changed: Any) -> GivenAccount:
    """A resident gives an account."""
    command = GiveAccount(resident_id(number), iban, f"Asukas {number}", str(resident_id(number)), **changed)
    async with transaction(pool) as tx:
        return await give_account(tx, command, NOW, seal=SEAL)


async def draw(pool: Pool, month: date = NOVEMBER, now: datetime = NOW) -> DrawnBatch:
    """Olli draws a batch."""
    async with transaction(pool) as tx:
        return await draw_batch(tx, DrawBatch(told.AREA, month, "olli"), now)


async def approve(pool: Pool, batch_id: UUID, by: str = "anna") -> ApprovedBatch:
    """Anna approves."""
    async with transaction(pool) as tx:
        return await approve_batch(tx, ApproveBatch(batch_id, by), NOW)


async def confirm(pool: Pool, item_id: UUID, number: int, by: str = "cecilia") -> ConfirmedPayee:
    """Cecilia confirms an account by its number."""
    async with transaction(pool) as tx:
        return await confirm_payee(tx, ConfirmPayee(item_id, number, "Soitettu asukkaalle", by), NOW)


async def release(pool: Pool, batch_id: UUID, by: str = "bertta") -> ReleasedBatch:
    """Bertta releases."""
    async with transaction(pool) as tx:
        return await release_batch(tx, ReleaseBatch(batch_id, story.DEBTOR, by), NOW, seal=SEAL)


async def pay(pool: Pool, month: date = NOVEMBER) -> ReleasedBatch:
    """A batch from what is owed to the bank."""
    drawn = await draw(pool, month)
    await approve(pool, drawn.batch_id)
    return await release(pool, drawn.batch_id)


async def file(pool: Pool, payout_id: UUID | None) -> bytes:
    """The file of a release, opened."""
    assert payout_id is not None
    async with transaction(pool) as tx:
        content = await file_of(tx, payout_id, seal=SEAL)
    assert content is not None
    return content


async def open_payments(pool: Pool) -> dict[str, int]:
    """The payments that the bank has not answered: cents by end-to-end id."""
    async with transaction(pool) as tx:
        found = await rows(tx, "SELECT end_to_end_id, amount_cents FROM payment WHERE status = 'open'")
    return {row["end_to_end_id"]: row["amount_cents"] for row in found}


async def items(pool: Pool, batch_id: UUID) -> dict[UUID, dict[str, Any]]:
    """The payments of a batch by payee."""
    async with transaction(pool) as tx:
        found = await views.items(tx, batch_id, after=UUID(int=0), limit=1000)
    return {row["payee_id"]: row for row in found}


async def of_resident(pool: Pool, number: int) -> list[tuple[str, int, int, int]]:
    """A resident's own page: reference, paid, in payment, owed."""
    async with transaction(pool) as tx:
        found = await benefits.of_resident(tx, resident_id(number))
    return [(row["reference"], row["paid_cents"], row["in_payment_cents"], row["owed_cents"]) for row in found]


async def listed(pool: Pool, now: datetime = NOW, *, without_account: bool = False) -> list[dict[str, Any]]:
    """What the operator sees that is owed and in no batch."""
    known = {"area": told.AREA, "month": date.max, "today": now.date(), "without_account": without_account}
    async with transaction(pool) as tx:
        place = {"since": "-infinity", "after": UUID(int=0), "limit": 100}
        return list(await owed.by_payee(tx, known | place))


async def balances(pool: Pool) -> dict[str, int]:
    """Accounts that are not zero; the chain, the sums, the flows, the bank and what is owed agree with the books."""
    await clearing.payments(pool)
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None
        stands = await owed.balance(tx, told.AREA)
        assert stands["equal"], stands
        checked = await reconciliation(tx, date(2026, 10, 1), date(2026, 12, 31))
        assert checked.is_whole, checked.flows[0]
        query = "SELECT account, sum(amount_cents)::bigint AS c FROM posting GROUP BY 1 HAVING sum(amount_cents) <> 0"
        return {row["account"]: row["c"] for row in await rows(tx, query)}
