"""How people explain what waits on the suspense account (selvittelytili); every step has a reason and stays.

An explanation takes the money off the suspense account and books it where it belongs. Money leaves only when
one person proposed it and another released it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one
from kanava.common.errors import Refused
from kanava.common.ids import derived_id
from kanava.common.seal import Seal

from .. import iso20022, ledger
from ..bank_commands import (
    CloseNotice,
    MatchToFunding,
    MatchToPayment,
    OffsetItems,
    OwnItem,
    ProposeReturn,
    ReleaseReturn,
)
from ..commands import PlaceFunding
from ..domain import chart
from ..domain.banking import Why, match
from ..domain.chart import EntryKind
from ..errors import Reason
from . import clearing
from .accounts import debtor_of
from .funding import place_funding
from .recipients import Recipient, recipient_of, sealed, sender_of
from .settling import Named, booked, opened
from .suspended import Step, add_step, item_row, take_back


@dataclass(frozen=True)
class Stepped:
    """An item after a step: what the step was and how much of its money still waits."""

    item_id: UUID
    what: str
    left_cents: int


@dataclass(frozen=True)
class SentBack:
    """The payout whose pain.001 file sends an item's money back."""

    item_id: UUID
    payout_id: UUID
    end_to_end_id: str
    amount_cents: int


async def own_item(tx: Tx, command: OwnItem, now: datetime) -> Stepped:
    """Take an item, or give it to somebody; it need not be open."""
    item = await item_row(tx, command.item_id)
    await add_step(tx, command.item_id, Step("owned", command.by, command.reason, target=command.owner), now)
    return Stepped(command.item_id, "owned", item["left_cents"])


async def match_to_payment(tx: Tx, command: MatchToPayment, now: datetime) -> Stepped:
    """Explain an item as the payment that left, or as the payment that came back."""
    item = await _open_item(tx, command.item_id)
    outcome = {"debit": "booked", "credit": "returned"}.get(item["direction"])
    if outcome is None:
        raise Refused(Reason.ITEM_WRONG_WAY)
    named = Named(frozenset({command.end_to_end_id}), item_ids=frozenset({command.item_id}))
    desk = await opened(tx, named, now)
    payment = desk.payment(command.end_to_end_id, item["area"])
    follows = match(outcome, item["left_cents"], clearing.known(payment))
    if payment is None or isinstance(follows, Why):
        detail = follows.sentence if isinstance(follows, Why) else None
        raise Refused(Reason.ITEM_DOES_NOT_FIT, detail)
    step = Step("matched_to_payment", command.by, command.reason, item["left_cents"], command.end_to_end_id)
    clearing.take_back(desk, desk.items[command.item_id], step)
    clearing.settle(desk, payment, follows, reason=command.reason)
    clearing.explain(desk, payment)
    await booked(tx, desk)
    return Stepped(command.item_id, step.what, 0)


async def match_to_funding(tx: Tx, command: MatchToFunding, now: datetime) -> Stepped:
    """Explain money that came as an instalment; one that was booked by hand before is not booked again."""
    item = await _open_item(tx, command.item_id)
    if item["direction"] != "credit":
        raise Refused(Reason.ITEM_WRONG_WAY)
    entry_id = await _booked_by_hand(tx, item, command)
    if entry_id is None:
        funding = PlaceFunding(
            *(item["area"], command.payer, command.party, item["left_cents"], item["booked_on"], command.reference)
        )
        entry_id = (await place_funding(tx, funding, now)).entry_id
    step = Step("matched_to_funding", command.by, command.reason, item["left_cents"], str(entry_id))
    await take_back(tx, item, step, now)
    return Stepped(command.item_id, step.what, 0)


async def offset_items(tx: Tx, command: OffsetItems, now: datetime) -> Stepped:
    """Explain money that left and money that came as one mistake of the bank and its correction."""
    pair = [await _open_item(tx, one_id) for one_id in sorted((command.item_id, command.other_id))]
    first, second = pair
    if {first["direction"], second["direction"]} != {"credit", "debit"}:
        raise Refused(Reason.ITEM_WRONG_WAY)
    if (first["left_cents"], first["area"]) != (second["left_cents"], second["area"]):
        raise Refused(Reason.ITEM_DOES_NOT_FIT)
    for item, other in ((first, second), (second, first)):
        step = Step("offset", command.by, command.reason, item["left_cents"], str(other["item_id"]))
        await take_back(tx, item, step, now)
    return Stepped(command.item_id, "offset", 0)


async def propose_return(tx: Tx, command: ProposeReturn, now: datetime, *, seal: Seal) -> Stepped:
    """Propose to send an item's money back to the account that it came from, or to one that is named.

    The name and the account are kept sealed.
    """
    item = await _open_item(tx, command.item_id)
    if item["direction"] != "credit":
        raise Refused(Reason.ITEM_WRONG_WAY)
    iban = command.iban or sender_of(item, seal)
    if iban is None:
        raise Refused(Reason.NO_SENDER_ACCOUNT)
    recipient = sealed(Recipient(command.payee, iban), command.item_id, seal)
    step = Step("return_proposed", command.by, command.reason, sealed=recipient, key_id=seal.key_id)
    await add_step(tx, command.item_id, step, now)
    return Stepped(command.item_id, step.what, item["left_cents"])


async def release_return(tx: Tx, command: ReleaseReturn, now: datetime, *, seal: Seal) -> SentBack:
    """Send back what somebody else proposed to send back: a payout of one payment with its sealed pain.001 file."""
    item = await _open_item(tx, command.item_id)
    proposal = await one(
        tx,
        "SELECT * FROM suspense_step WHERE item_id = %s AND what <> 'owned' ORDER BY number DESC LIMIT 1",
        (command.item_id,),
    )
    if proposal is None or proposal["what"] != "return_proposed":
        raise Refused(Reason.RETURN_NOT_PROPOSED)
    if proposal["by"] == command.by:
        raise Refused(Reason.RETURN_BY_THE_SAME)
    recipient = recipient_of(proposal, command.item_id, seal)
    transfer = iso20022.Transfer(
        statement_id=None,
        end_to_end_id=f"{command.item_id.hex}{proposal['number'] % 1000:03d}",
        amount_cents=item["left_cents"],
        creditor=recipient.payee,
        iban=recipient.iban,
        reference="",
        text=f"Palautus {item['remittance']}",
    )
    payout_id = await _send(tx, transfer, command, area=item["area"], now=now, seal=seal)
    return SentBack(command.item_id, payout_id, transfer.end_to_end_id, transfer.amount_cents)


async def _send(
    tx: Tx, transfer: iso20022.Transfer, command: ReleaseReturn, *, area: str, now: datetime, seal: Seal
) -> UUID:
    payout_id = derived_id("return", transfer.end_to_end_id)
    debtor = await debtor_of(tx, area, command.debtor_iban, by=command.by, now=now)
    cents = transfer.amount_cents
    draft = chart.send_back(EntryKind.SENT_BACK, item_id=command.item_id, amount_cents=cents)
    await ledger.post(tx, area, [draft], now)
    released = Step("return_released", command.by, "Released", cents, transfer.end_to_end_id)
    await add_step(tx, command.item_id, released, now)
    file = seal.seal(payout_id, iso20022.pain001(payout_id, debtor, [transfer], now))
    await tx.execute(
        "INSERT INTO payout (payout_id, area, released_by, created_at, pain001, sealed, key_id)"
        " VALUES (%s, %s, %s, %s, NULL, %s, %s)",
        (payout_id, area, command.by, now, file, seal.key_id),
    )
    await tx.execute(
        "INSERT INTO payment (end_to_end_id, payout_id, item_id, amount_cents, status) VALUES (%s, %s, %s, %s, 'open')",
        (transfer.end_to_end_id, payout_id, command.item_id, cents),
    )
    return payout_id


async def close_notice(tx: Tx, command: CloseNotice, now: datetime) -> Stepped:
    """Close an item that is about no money."""
    item = await _open_item(tx, command.item_id)
    if item["direction"] != "notice":
        raise Refused(Reason.ITEM_WRONG_WAY)
    await add_step(tx, command.item_id, Step("closed", command.by, command.reason), now)
    return Stepped(command.item_id, "closed", 0)


async def _open_item(tx: Tx, item_id: UUID) -> DictRow:
    item = await item_row(tx, item_id)
    if not item["open"]:
        raise Refused(Reason.ITEM_EXPLAINED)
    return item


async def _booked_by_hand(tx: Tx, item: DictRow, command: MatchToFunding) -> UUID | None:
    """The entry of this instalment, if it was booked by hand with the item's sum and is not explained yet."""
    row = await one(
        tx,
        "SELECT e.entry_id, b.amount_cents FROM entry e JOIN posting b"
        " ON (b.area, b.seq, b.account) = (e.area, e.seq, '1100') WHERE e.area = %s AND e.kind = 'funding'"
        " AND e.reference = %s AND NOT EXISTS (SELECT FROM bank_entry t WHERE t.entry_id = e.entry_id)"
        " AND NOT EXISTS (SELECT FROM suspense_step s WHERE s.target = e.entry_id::text"
        " AND s.what = 'matched_to_funding') ORDER BY e.seq LIMIT 1",
        (item["area"], derived_id("funding", item["area"], command.payer, command.party, command.reference)),
    )
    if row is None:
        return None
    if row["amount_cents"] != item["left_cents"]:
        raise Refused(Reason.ITEM_DOES_NOT_FIT)
    return UUID(str(row["entry_id"]))
