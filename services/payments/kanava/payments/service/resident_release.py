"""Releasing payments to residents: by somebody else than who approved, within what the area can spend."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx
from kanava.common.errors import Refused
from kanava.common.ids import derived_id
from kanava.common.seal import Seal

from .. import iso20022, ledger
from ..domain import chart
from ..domain.chart import EntryKind
from ..domain.payout import Held, Payable, Selection, select_within
from ..domain.resident_payments import Withdrawn
from ..errors import Reason
from ..resident_commands import ReleaseBatch
from ..sets import columns
from ..views import owed
from ..views import resident_payments as views
from .accounts import debtor_of
from .resident_accounts import hold_accounts, opened
from .resident_batches import Step, add_steps, approver_of, locked_batch, releasable
from .suspended import unexplained_debits_cents

HELD_NAMED = 500
"""How many held payments an answer names; the batch shows all of them."""


@dataclass(frozen=True)
class HeldPayment:
    """A payment that a release did not take, and why."""

    item_id: UUID
    amount_cents: int
    reason: str
    explanation: str


@dataclass(frozen=True)
class ReleasedBatch:
    """What of a batch went to the bank, and what was held or withdrawn; without a payout nothing went.

    `held` names the first of them, `held_payments` counts all.
    """

    batch_id: UUID
    payout_id: UUID | None
    payments: int
    amount_cents: int
    held: list[HeldPayment]
    held_payments: int


async def release_batch(tx: Tx, command: ReleaseBatch, now: datetime, *, seal: Seal) -> ReleasedBatch:
    """Give approved payments of a batch to the bank, as far as the area's account allows; what is held stays approved.

    A payment of which less is owed than when it was drawn, or whose payee has died since, is withdrawn; the next batch
    pays what is left. Who approved the batch withdraws nothing either.
    """
    batch = await locked_batch(tx, command.batch_id)
    approved_by = await approver_of(tx, batch["batch_id"])
    if approved_by is None:
        raise Refused(Reason.BATCH_NOT_APPROVED)
    book = (await ledger.locked(tx, [batch["area"]]))[batch["area"]]
    spendable_cents = book.spendable_cents - book.limit_cents - await unexplained_debits_cents(tx, batch["area"])
    await hold_accounts(tx)
    found = await releasable(tx, batch["batch_id"])
    may_release = command.released_by != approved_by
    gone = await _withdrawn(tx, found, helsinki_date(now)) if may_release else []
    for reason in Withdrawn:
        items = [row for row, why in gone if why is reason]
        await add_steps(tx, items, Step("withdrawn", command.released_by, reason), now)
    named = {row["item_id"] for row, _ in gone}
    rest = {row["item_id"]: row for row in found if row["item_id"] not in named}
    payables = [_payable(row) for row in rest.values()]
    selection = select_within(spendable_cents, payables, released_by=command.released_by)
    chosen = [rest[payable.statement_id] for payable in selection.taken]
    payout_id = derived_id("resident payout", chosen[0]["item_id"]) if chosen else None
    if payout_id is not None:
        await _pay(tx, command, batch, payout_id=payout_id, chosen=chosen, now=now, seal=seal)
    cents = sum(row["amount_cents"] for row in chosen)
    held = _held(gone, selection)
    return ReleasedBatch(batch["batch_id"], payout_id, len(chosen), cents, held[:HELD_NAMED], len(held))


async def _withdrawn(tx: Tx, found: Sequence[DictRow], today: date) -> list[tuple[DictRow, Withdrawn]]:
    """Which payments leave their batch before they are released, and why."""
    dead = await owed.dead(tx, [row["payee_id"] for row in found], today)
    less = [(row, Withdrawn.LESS_IS_OWED) for row in found if row["less_is_owed"]]
    return less + [(row, Withdrawn.DIED) for row in found if row["payee_id"] in dead and not row["less_is_owed"]]


def _payable(row: DictRow) -> Payable:
    """A payment as a payout sees it; the number of the account stands for the account."""
    return Payable(
        statement_id=row["item_id"],
        producer_id=str(row["payee_id"]),
        amount_cents=row["amount_cents"],
        approved_by=row["approved_by"],
        internal=False,
        iban=str(row["account_number"]),
        current_iban=str(row["account_now"]),
        confirmed_by=tuple(row["confirmed_by"]),
    )


_EXPLANATIONS: Mapping[Held, str] = {
    Held.OVER_THE_LIMIT: "Paying it would take the area's account below its limit.",
    Held.APPROVED_BY_THE_SAME: "You approved it yourself; somebody else has to release it.",
    Held.ACCOUNT_CHANGED: "The account changed after the approval, or an adviser gave it; confirm it with the payee.",
    Held.CONFIRMED_BY_THE_SAME: "You confirmed its account yourself; somebody else has to release it.",
}


def _held(gone: Sequence[tuple[DictRow, Withdrawn]], selection: Selection) -> list[HeldPayment]:
    found = [HeldPayment(row["item_id"], row["amount_cents"], why.value, why.sentence) for row, why in gone]
    return found + [
        HeldPayment(held.statement_id, held.amount_cents, reason.value, _EXPLANATIONS[reason])
        for held, reason in selection.held
    ]


async def _pay(
    tx: Tx,
    command: ReleaseBatch,
    batch: DictRow,
    *,
    payout_id: UUID,
    chosen: Sequence[DictRow],
    now: datetime,
    seal: Seal,
) -> None:
    drafts = [
        chart.resident_payment(EntryKind.RELEASE, item_id=row["item_id"], amount_cents=row["amount_cents"])
        for row in chosen
    ]
    await ledger.post(tx, batch["area"], drafts, now)
    debtor = await debtor_of(tx, batch["area"], command.debtor_iban, by=command.released_by, now=now)
    transfers = await _transfers(tx, batch, chosen, seal)
    assert sum(one.amount_cents for one in transfers) == -sum(draft.cash_cents for draft in drafts), "file and books"
    content = await asyncio.to_thread(iso20022.pain001, payout_id, debtor, transfers, now)
    file = seal.seal(payout_id, content)
    await tx.execute(
        "INSERT INTO payout (payout_id, area, released_by, created_at, pain001) VALUES (%s, %s, %s, %s, NULL)",
        (payout_id, batch["area"], command.released_by, now),
    )
    people = (chosen[0]["approved_by"], command.released_by)
    await tx.execute(
        "INSERT INTO resident_file (payout_id, batch_id, area, approved_by, released_by, sealed, key_id)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (payout_id, batch["batch_id"], batch["area"], *people, file, seal.key_id),
    )
    payments = [(row["item_id"].hex, row["item_id"], row["amount_cents"]) for row in chosen]
    await tx.execute(
        "INSERT INTO payment (payout_id, end_to_end_id, resident_item_id, amount_cents, status)"
        " SELECT %s, t.*, 'open' FROM unnest(%s::text[], %s::uuid[], %s::bigint[]) t",
        (payout_id, *columns(payments, 3)),
    )


async def _transfers(tx: Tx, batch: DictRow, chosen: Sequence[DictRow], seal: Seal) -> list[iso20022.Transfer]:
    """The transfers to the accounts as they are now, which the caller holds; the bank reads no kind of benefit."""
    rows_of = await views.accounts(tx, [row["payee_id"] for row in chosen])
    accounts = {payee_id: opened(row, seal) for payee_id, row in rows_of.items()}
    return [
        iso20022.Transfer(
            statement_id=None,
            end_to_end_id=row["item_id"].hex,
            amount_cents=row["amount_cents"],
            creditor=accounts[row["payee_id"]].payee,
            iban=accounts[row["payee_id"]].iban,
            reference="",
            text=f"Maksu asukkaalle {batch['month']:%m/%Y}",
        )
        for row in chosen
    ]


async def file_of(tx: Tx, payout_id: UUID, *, seal: Seal) -> bytes | None:
    """The pain.001 file of a release, opened for the operator who sends it to the bank."""
    row = await views.file_of(tx, payout_id)
    return seal.open(payout_id, bytes(row["sealed"])) if row else None
