"""What waits on the suspense account (selvittelytili), and how people explain it."""

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from lxml import etree

from kanava.common.db import Pool, transaction
from kanava.common.errors import NotFound, Refused
from kanava.payments.bank_commands import (
    CloseNotice,
    MatchToFunding,
    MatchToPayment,
    OffsetItems,
    OwnItem,
    ProposeReturn,
    ReleaseReturn,
)
from kanava.payments.service import suspense as service
from kanava.payments.service.recipients import file_of, shown, steps_of
from kanava.payments.service.statements import PaidOut
from kanava.payments.settings import PaymentsSettings
from kanava.payments.views import suspense as views
from tests.payments import bank, clearing, story
from tests.payments.bank import Part, credit, debit, notification, pain002
from tests.support.databases import ServiceDatabase
from tests.support.dumps import dumped, holds
from tests.support.facts import at
from tests.support.schemas import schema_errors

SEVEN = 7_00
SENDER = "FI5810171000000122"
WHY = "Soitettu maksajalle"
SEAL = PaymentsSettings().payee_seal()
PROPOSE, RELEASE = (partial(act, seal=SEAL) for act in (service.propose_return, service.release_return))


async def do(pool: Pool, act: Callable[..., Awaitable[Any]], command: object) -> Any:
    """One command in its transaction."""
    async with transaction(pool) as tx:
        return await act(tx, command, at(12, 7))


async def came(pool: Pool, cents: int = 50_00, text: str = "", sender: str | None = SENDER) -> UUID:
    """Money came that nobody expected; the item."""
    await clearing.take(pool, notification("C1", credit("C1", Part(None, cents, sender=sender, text=text))))
    (item,) = await clearing.queue(pool)
    return UUID(str(item["item_id"]))


async def refusal(pool: Pool, act: Callable[..., Awaitable[Any]], command: object) -> str:
    """The rule by which a command is refused."""
    with pytest.raises(Refused) as refused:
        await do(pool, act, command)
    return refused.value.reason.value


async def test_what_matches_nothing_is_booked_and_queued_with_its_reason(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    spendable = 1_000_00 - SEVEN
    await clearing.take(
        pool,
        notification(
            *("M1", debit("B1", ("unknown", 3)), debit("B2", (ids[SEVEN], SEVEN + 1))),
            credit("B3", Part(None, 50_00, sender=SENDER, text="tuntematon")),
        ),
    )
    waiting = {item["reference"]: item for item in await clearing.queue(pool, at(12, 9))}
    assert {name: item["why"] for name, item in waiting.items()} == {
        "B1": "unknown_payment",
        "B2": "other_amount",
        "B3": "unexpected_credit",
    }
    assert all(item["age_days"] == 5 and item["owner"] is None and item["explanation"] for item in waiting.values())
    assert await clearing.bank_cents(pool) == 1_000_00 - 3 - SEVEN - 1 + 50_00, "the books follow the bank"
    assert (await clearing.payments(pool))["open_cents"] == SEVEN
    async with transaction(pool) as tx:
        balance = await views.balance(tx, "03")
    assert (balance["account_cents"], balance["open_items"], balance["equal"]) == (3 + SEVEN + 1 - 50_00, 3, True)
    assert await story_spendable(pool) == spendable, "what nobody explained cannot be spent"


async def story_spendable(pool: Pool) -> int:
    """What the area can spend by its book."""
    async with transaction(pool) as tx:
        row = await (await tx.execute("SELECT spendable_cents FROM book")).fetchone()
    assert row is not None
    return int(row["spendable_cents"])


async def test_money_that_left_unexplained_is_not_paid_out_a_second_time(pool: Pool) -> None:
    """100.00 were there, the bank took 95.00 that nobody knows of: a payout of 7.00 does not fit."""
    await story.open_area(pool)
    await story.fund(pool, 100_00, at(10, 1))
    await story.hear(pool, "listing.resident", story.told.resident(1))
    listed = story.told.listed(1, story.told.span(date(2026, 11, 1), private=True))
    await story.hear(pool, "listing.listing", listed)
    await story.close(pool, date(2026, 11, 1), at(12, 2))
    async with transaction(pool) as tx:
        await tx.execute("INSERT INTO area_account VALUES (%s, '03', 'operator', %s)", (bank.IBAN, at(10, 1)))
    await clearing.take(pool, notification("M1", debit("B1", ("unknown", 95_00))))
    paid: PaidOut = await story.pay(pool, date(2026, 11, 1), at(12, 3))
    assert [held.reason for held in paid.held] == ["over_the_limit"]


async def test_an_item_has_an_owner_and_keeps_every_step(pool: Pool) -> None:
    await clearing.released(pool, 1)
    item_id = await came(pool)
    await do(pool, service.own_item, OwnItem(item_id, "cecilia", "Selvitän", "anna"))
    await do(pool, service.own_item, OwnItem(item_id, "david", "Lomalla", "cecilia"))
    (item,) = await clearing.queue(pool)
    assert (item["owner"], item["left_cents"]) == ("david", 50_00)
    async with transaction(pool) as tx:
        steps = await views.steps(tx, item_id)
    assert [(step["number"], step["target"], step["by"]) for step in steps] == [
        (1, "cecilia", "anna"),
        (2, "david", "cecilia"),
    ]
    for change in ("UPDATE suspense_step SET reason = ''", "DELETE FROM suspense_item"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction(pool) as tx:
                await tx.execute(change)
    with pytest.raises(NotFound):
        await do(pool, service.own_item, OwnItem(UUID(int=7), "x", "y", "z"))


async def test_a_debit_is_matched_to_the_payment_that_it_is(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    await clearing.take(pool, notification("M1", debit("B1", ("typed-wrongly", SEVEN))))
    (item,) = await clearing.queue(pool)
    assert await refusal(pool, service.match_to_payment, MatchToPayment(item["item_id"], "E", WHY, "anna")) == (
        "item_does_not_fit"
    )
    await do(pool, service.match_to_payment, MatchToPayment(item["item_id"], ids[SEVEN], WHY, "anna"))
    found = await clearing.payments(pool)
    assert (found["booked_cents"], found["open_cents"]) == (SEVEN, 0)
    assert await clearing.queue(pool) == []
    again = MatchToPayment(item["item_id"], ids[SEVEN], WHY, "anna")
    assert await refusal(pool, service.match_to_payment, again) == "item_explained"


async def test_a_credit_is_matched_to_the_payment_that_came_back(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    await clearing.take(pool, notification("M1", debit("B1", (ids[SEVEN], SEVEN))))
    item_id = await came(pool, SEVEN)
    await do(pool, service.match_to_payment, MatchToPayment(item_id, ids[SEVEN], WHY, "anna"))
    assert (await clearing.payments(pool))["returned_cents"] == SEVEN


def instalment(item_id: UUID, reference: str = "2/12") -> MatchToFunding:
    """The state's instalment."""
    return MatchToFunding(item_id, "state", "", reference, WHY, "anna")


async def test_money_that_came_becomes_an_instalment_and_can_be_spent(pool: Pool) -> None:
    await clearing.released(pool, 1)
    before = await story_spendable(pool)
    item_id = await came(pool)
    assert await story_spendable(pool) == before
    await do(pool, service.match_to_funding, instalment(item_id))
    assert await story_spendable(pool) == before + 50_00
    assert await clearing.bank_cents(pool) == 1_000_00 + 50_00
    await clearing.payments(pool)


async def test_an_instalment_that_was_booked_by_hand_is_not_booked_again(pool: Pool) -> None:
    """Once the bank's own reference tells which it is, once a person does."""
    await clearing.released(pool, 1)
    await story.fund(pool, 50_00, at(12, 1), reference="2/12")
    told = notification("C0", credit("C0", Part(None, 50_00, sender=SENDER, text="2/12")))
    taken = await clearing.take(pool, told)
    assert (taken.received, taken.unmatched) == (1, 0)
    await story.fund(pool, 60_00, at(12, 1), reference="3/12")
    item_id = await came(pool, 60_00, text="kolmas erä")
    other = await refusal(pool, service.match_to_funding, instalment(item_id, "1/12"))
    assert other == "item_does_not_fit", "the first instalment was of another sum"
    await do(pool, service.match_to_funding, instalment(item_id, "3/12"))
    assert await clearing.bank_cents(pool) == 1_000_00 + 50_00 + 60_00
    assert await clearing.queue(pool) == []


async def test_money_goes_back_when_two_people_say_so(pool: Pool) -> None:
    await clearing.released(pool, 1)
    item_id = await came(pool, text="väärä tili")
    release = ReleaseReturn(item_id, story.DEBTOR, "anna")
    assert await refusal(pool, RELEASE, release) == "return_not_proposed"
    await do(pool, PROPOSE, ProposeReturn(item_id, "Maksaja Öy", None, WHY, "anna"))
    assert await refusal(pool, RELEASE, release) == "return_by_the_same"
    sent = await do(pool, RELEASE, ReleaseReturn(item_id, story.DEBTOR, "bertta"))
    async with transaction(pool) as tx:
        content = await file_of(tx, sent.payout_id, seal=SEAL)
    assert content is not None
    assert schema_errors(content) == []
    root = etree.fromstring(content)
    said = [root.findtext(f".//{{*}}{name}") for name in ("CdtrAcct/{*}Id/{*}IBAN", "InstdAmt", "Ustrd", "Cdtr/{*}Nm")]
    assert said == [SENDER, "50.00", "Palautus vaara tili", "Maksaja Oy"]
    assert await clearing.queue(pool) == []
    assert await refusal(pool, RELEASE, ReleaseReturn(item_id, story.DEBTOR, "bertta")) == "item_explained"
    booked = await clearing.take(pool, notification("M9", debit("B9", (sent.end_to_end_id, 50_00))))
    assert booked.booked == 1
    assert await clearing.bank_cents(pool) == 1_000_00
    await clearing.payments(pool)


async def test_money_that_could_not_be_sent_back_waits_again(pool: Pool) -> None:
    await clearing.released(pool, 1)
    item_id = await came(pool)
    await do(pool, PROPOSE, ProposeReturn(item_id, "Maksaja", None, WHY, "anna"))
    first = await do(pool, RELEASE, ReleaseReturn(item_id, story.DEBTOR, "bertta"))
    assert (await clearing.take(pool, pain002("R1", [(first.end_to_end_id, 50_00)]))).rejected == 1
    (item,) = await clearing.queue(pool)
    assert (item["left_cents"], item["last_step"]) == (50_00, "return_failed")
    assert await refusal(pool, RELEASE, ReleaseReturn(item_id, story.DEBTOR, "bertta")) == ("return_not_proposed")
    await do(pool, PROPOSE, ProposeReturn(item_id, "Maksaja", SENDER, WHY, "anna"))
    second = await do(pool, RELEASE, ReleaseReturn(item_id, story.DEBTOR, "bertta"))
    assert second.end_to_end_id != first.end_to_end_id
    await clearing.payments(pool)


async def test_money_that_was_sent_back_and_came_back_waits_again(pool: Pool) -> None:
    await clearing.released(pool, 1)
    item_id = await came(pool)
    await do(pool, PROPOSE, ProposeReturn(item_id, "Maksaja", None, WHY, "anna"))
    sent = await do(pool, RELEASE, ReleaseReturn(item_id, story.DEBTOR, "bertta"))
    await clearing.take(pool, notification("M1", debit("B1", (sent.end_to_end_id, 50_00))))
    returned = await clearing.take(pool, notification("M2", bank.back("B2", sent.end_to_end_id, 50_00)))
    assert returned.rejected == 1
    assert [item["left_cents"] for item in await clearing.queue(pool)] == [50_00]
    assert await clearing.bank_cents(pool) == 1_000_00 + 50_00
    await clearing.payments(pool)


async def test_money_without_a_senders_account_is_not_sent_back_blindly(pool: Pool) -> None:
    await clearing.released(pool, 1)
    item_id = await came(pool, sender=None)
    proposal = ProposeReturn(item_id, "Maksaja", None, WHY, "anna")
    assert await refusal(pool, PROPOSE, proposal) == "no_sender_account"


async def test_a_mistake_of_the_bank_and_its_correction_are_offset(pool: Pool) -> None:
    await clearing.released(pool, 1)
    await clearing.take(pool, notification("M1", debit("B1", ("x", 9)), credit("B2", Part("y", 9))))
    first, second = (item["item_id"] for item in await clearing.queue(pool))
    same = OffsetItems(first, first, WHY, "anna")
    assert await refusal(pool, service.offset_items, same) == "item_wrong_way"
    await do(pool, service.offset_items, OffsetItems(first, second, WHY, "anna"))
    assert await clearing.queue(pool) == []
    assert await clearing.bank_cents(pool) == 1_000_00
    await clearing.payments(pool)


async def test_money_that_left_becomes_no_instalment_and_is_not_sent_back(pool: Pool) -> None:
    await clearing.released(pool, 1)
    await clearing.take(pool, notification("M1", debit("B1", ("x", 9))))
    (item,) = await clearing.queue(pool)
    name = item["item_id"]
    assert await refusal(pool, service.match_to_funding, instalment(name)) == "item_wrong_way"
    assert await refusal(pool, PROPOSE, ProposeReturn(name, "x", SENDER, WHY, "anna")) == "item_wrong_way"
    assert await refusal(pool, service.close_notice, CloseNotice(name, WHY, "anna")) == "item_wrong_way"


async def test_a_notice_is_closed_with_a_reason(pool: Pool) -> None:
    await clearing.released(pool, 1)
    await clearing.take(pool, pain002("R1", [("unknown", 5)]))
    (item,) = await clearing.queue(pool)
    assert item["direction"] == "notice"
    await do(pool, service.close_notice, CloseNotice(item["item_id"], WHY, "anna"))
    assert await clearing.queue(pool) == []
    assert (await clearing.take(pool, pain002("R1", [("unknown", 5)]))).unmatched == 0, "told again it stays closed"


async def test_the_recipient_of_a_return_is_nowhere_in_clear(pool: Pool, database: ServiceDatabase) -> None:
    """Neither in the item, the step nor the file; the operator who releases it reads all of them."""
    await clearing.released(pool, 1)
    item_id = await came(pool)
    (item,) = await clearing.queue(pool)
    assert shown(item, SEAL)["sender_iban"] == SENDER
    other = "FI4250001510000023"
    await do(pool, PROPOSE, ProposeReturn(item_id, "Aatami Maksaja", other, WHY, "anna"))
    sent = await do(pool, RELEASE, ReleaseReturn(item_id, story.DEBTOR, "bertta"))
    text = dumped(database)
    assert holds(text, WHY), "the search finds what is there"
    assert not any(holds(text, word) for word in (other, SENDER, "Aatami"))
    async with transaction(pool) as tx:
        proposed = (await steps_of(tx, item_id, seal=SEAL))[0]
        content = await file_of(tx, sent.payout_id, seal=SEAL)
    assert (proposed["what"], proposed["payee"], proposed["target"]) == ("return_proposed", "Aatami Maksaja", other)
    assert content is not None
    assert other.encode() in content
