"""Accounts: an area's own, its numbered statements and its balance; and a producer's that changes before it is paid."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from kanava.common.auth import Role, TokenVerifier
from kanava.common.db import Pool, one, transaction
from kanava.common.errors import Invalid, Refused
from kanava.payments.bank_commands import AskForReference, ConfirmAccount, RegisterAccount
from kanava.payments.bankfiles import LIMITS
from kanava.payments.commands import ApproveStatements, ReleasePayout
from kanava.payments.service.accounts import register_account
from kanava.payments.service.payees import ask_for_reference, confirm_account
from kanava.payments.service.recipients import file_of
from kanava.payments.service.statements import PaidOut, approve_statements, release_payout
from kanava.payments.settings import PaymentsSettings
from kanava.payments.views import bank as views
from tests.contracts.test_access import AUDIENCE, ISSUER, KEY, built, token
from tests.payments import bank, clearing, story
from tests.payments.bank import Numbered, Part, credit, debit, notification, statement
from tests.payments.test_payout import NOVEMBER, closed_month
from tests.support import facts as told
from tests.support.facts import at
from tests.support.schemas import schema_errors

SEVEN = 7_00
NEW = "FI5810171000000122"


async def alarms(pool: Pool) -> list[str]:
    """The kinds of alarm that an operator sees."""
    async with transaction(pool) as tx:
        return [found["alarm"] for found in await views.alarms(tx, at(12, 9))]


async def missing(pool: Pool) -> list[tuple[str, int, int]]:
    """The missing numbers."""
    async with transaction(pool) as tx:
        return [(one["kind"], one["first"], one["last"]) for one in await views.missing(tx, told.AREA)]


async def test_a_gap_in_the_numbers_raises_an_alarm_until_the_missing_one_comes(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    numbered = [notification(f"M{number}", how=Numbered(number=number)) for number in range(1, 6)]
    await clearing.take(pool, numbered[0])
    assert await alarms(pool) == []
    await clearing.take(pool, numbered[4], at(12, 6))
    assert await missing(pool) == [("camt.054", 2, 4)]
    async with transaction(pool) as tx:
        (alarm,) = await views.alarms(tx, at(12, 9))
    assert (alarm["alarm"], alarm["area"], alarm["iban"], alarm["since"]) == (
        *("missing_reports", told.AREA, bank.IBAN),
        at(12, 6),
    )
    await clearing.take(pool, numbered[2])
    assert await missing(pool) == [("camt.054", 2, 2), ("camt.054", 4, 4)]
    for content in (numbered[3], numbered[1]):
        await clearing.take(pool, content)
    assert await alarms(pool) == []
    late = statement("S7", debit("B1", (ids[SEVEN], SEVEN)), how=Numbered(number=7, opening=1_000_00))
    await clearing.take(pool, late)
    assert await missing(pool) == [], "statements and notifications are numbered each for themselves"


async def test_a_statement_in_pages_is_whole_when_its_last_page_is_in(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    paid, sent = debit("B1", (ids[SEVEN], SEVEN)), credit("B2", Part(None, 1_000_00, text="1/12"))
    first = statement("S1", sent, how=Numbered(number=1, page=(1, False)))
    second = statement("S1", paid, how=Numbered(number=1, page=(2, True), opening=1_000_00))
    assert schema_errors(first) == []
    await clearing.take(pool, second)
    async with transaction(pool) as tx:
        assert [row["pages"] for row in await views.missing(tx, told.AREA)] == [[2]]
    await clearing.take(pool, first)
    assert await alarms(pool) == []


async def test_a_number_with_other_balances_is_refused(pool: Pool) -> None:
    await clearing.released(pool, 1)
    await clearing.take(pool, statement("S1", how=Numbered(number=1, opening=5)))
    await clearing.take(pool, statement("S1b", how=Numbered(number=1, opening=5)))
    with pytest.raises(Invalid) as refused:
        await clearing.take(pool, statement("S1c", how=Numbered(number=1, opening=6)))
    assert refused.value.rule == "number_reused"


async def compared(pool: Pool) -> dict[str, int]:
    """The bank's closing balance beside the books."""
    async with transaction(pool) as tx:
        found = await views.reconciliation(tx, told.AREA)
    assert found is not None
    return {name: found[f"{name}_cents"] for name in ("closing", "expected", "difference", "funding_not_told")}


async def test_the_closing_balance_is_compared_with_the_books(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    sent = credit("B1", Part(None, 1_000_00, text="1/12"))
    await clearing.take(pool, statement("S1", sent, how=Numbered(number=1)))
    assert await compared(pool) == {"closing": 1_000_00, "expected": 1_000_00, "difference": 0, "funding_not_told": 0}
    paid = debit("B2", (ids[SEVEN], SEVEN))
    await clearing.take(pool, statement("S2", paid, how=Numbered(number=2, opening=1_000_00)))
    assert (await compared(pool))["closing"] == 1_000_00 - SEVEN
    assert await alarms(pool) == []
    await story.fund(pool, 300_00, at(12, 5), reference="2/12")
    found = await compared(pool)
    assert (found["difference"], found["funding_not_told"]) == (0, 300_00), "booked by hand before the bank tells"


async def test_a_difference_and_a_balance_that_does_not_follow_are_listed(pool: Pool) -> None:
    await clearing.released(pool, 1)
    sent = credit("B1", Part(None, 1_000_00, text="1/12"))
    await clearing.take(pool, statement("S1", sent, how=Numbered(number=1, opening=4)))
    assert (await compared(pool))["difference"] == 4, "an opening balance that the books know nothing of"
    await clearing.take(pool, statement("S2", how=Numbered(number=2, opening=9)))
    assert await alarms(pool) == ["balance_does_not_follow", "balance_differs"]


async def test_the_balances_of_an_old_and_a_new_account_count_together(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    sent = credit("B1", Part(None, 1_000_00, text="1/12"))
    await clearing.take(pool, statement("S1", sent, how=Numbered(number=1)))
    async with transaction(pool) as tx:
        await register_account(tx, RegisterAccount(told.AREA, NEW, "operator"), at(12, 4))
    await clearing.take(pool, notification("M1", debit("B1", (ids[SEVEN], SEVEN)), how=Numbered(iban=NEW)))
    assert (await compared(pool))["difference"] == 0, "told by a notification of the new account, before its statement"
    paid = debit("B1", (ids[SEVEN], SEVEN))
    await clearing.take(pool, statement("S2", paid, how=Numbered(number=1, iban=NEW)))
    assert (await compared(pool)) | {"difference": 0} == await compared(pool)
    assert (await compared(pool))["closing"] == 1_000_00 - SEVEN


async def test_what_the_own_enterprise_was_settled_internally_stays_at_the_bank(pool: Pool) -> None:
    await closed_month(pool, 100_00)
    await story.pay(pool, NOVEMBER, at(12, 3))
    (name, cents), sent = await open_payment(pool), credit("B1", Part(None, 100_00, text="1/12"))
    await clearing.take(pool, statement("S1", sent, debit("B2", (name, cents)), how=Numbered(number=1)))
    found = await compared(pool)
    assert (found["closing"], found["difference"]) == (100_00 - cents, 0)


async def open_payment(pool: Pool) -> tuple[str, int]:
    """The only open payment."""
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT * FROM payment WHERE status = 'open'")
    assert row is not None
    return row["end_to_end_id"], row["amount_cents"]


async def test_an_account_belongs_to_one_area(pool: Pool) -> None:
    await clearing.released(pool, 1)
    with pytest.raises(Refused) as refused:
        async with transaction(pool) as tx:
            await register_account(tx, RegisterAccount("04", bank.IBAN, "operator"), at(12, 4))
    assert refused.value.reason.value == "account_taken"
    async with transaction(pool) as tx:
        await register_account(tx, RegisterAccount(told.AREA, NEW, "operator"), at(12, 4))
        found = await views.accounts(tx, told.AREA)
    assert [row["iban"] for row in found] == [NEW, bank.IBAN], "the newest pays, the old one is still heard"


async def test_a_payment_is_booked_on_the_account_of_its_own_area_only(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    async with transaction(pool) as tx:
        await register_account(tx, RegisterAccount("04", NEW, "operator"), at(12, 4))
    elsewhere = notification("M1", debit("B1", (ids[SEVEN], SEVEN)), how=Numbered(iban=NEW))
    assert (await clearing.take(pool, elsewhere)).unmatched == 1
    (item,) = await clearing.queue(pool)
    assert (item["area"], item["why"]) == ("04", "unknown_payment")
    assert (await clearing.payments(pool))["open_cents"] == SEVEN
    same_reference = await clearing.take(pool, notification("M2", debit("B1", (ids[SEVEN], SEVEN))))
    assert same_reference.booked == 1, "references are the bank's for each account"


async def approved_and_changed(pool: Pool) -> None:
    """November is approved by Anna, then the private producer tells another account."""
    await closed_month(pool)
    async with transaction(pool) as tx:
        await approve_statements(tx, ApproveStatements(told.AREA, NOVEMBER, "anna"), at(12, 3))
    await story.hear(pool, "registry.producer", told.producer(private=True, iban=NEW, version=2))


async def release(pool: Pool, by: str) -> PaidOut:
    """Release what is approved."""
    async with transaction(pool) as tx:
        return await release_payout(tx, ReleasePayout(told.AREA, story.DEBTOR, by), at(12, 3))


async def confirm(pool: Pool, iban: str, by: str) -> None:
    """Confirm the account of the private producer's statement."""
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT statement_id FROM statement WHERE producer_id = %s", (told.PRIVATE,))
        assert row is not None
        await confirm_account(tx, ConfirmAccount(row["statement_id"], iban, "Soitettu", by), at(12, 3))


async def test_a_changed_account_is_paid_after_somebody_else_confirmed_it(pool: Pool) -> None:
    await approved_and_changed(pool)
    assert [held.reason for held in (await release(pool, "bertta")).held] == ["account_changed"]
    with pytest.raises(Refused, match="not the one"):
        await confirm(pool, bank.IBAN, "cecilia")
    await confirm(pool, NEW, "bertta")
    assert [held.reason for held in (await release(pool, "bertta")).held] == ["confirmed_by_the_same"]
    with pytest.raises(Refused, match="did not change"):
        await confirm(pool, NEW, "cecilia")
    paid = await release(pool, "cecilia")
    assert (paid.to_bank, paid.held) == (1, [])
    async with transaction(pool) as tx:
        content = await file_of(tx, paid.payout_id, seal=PaymentsSettings().payee_seal())
    assert content is not None
    assert f"<IBAN>{NEW}</IBAN>".encode() in content
    assert b"<Dbtr><Nm>Lansi-Uudenmaan hyvinvointialue</Nm></Dbtr>" in content


async def test_an_account_that_changes_again_after_the_confirmation_stops_the_payment_again(pool: Pool) -> None:
    await approved_and_changed(pool)
    await confirm(pool, NEW, "bertta")
    third = told.producer(private=True, iban="FI4250001510000023", version=3)
    await story.hear(pool, "registry.producer", third)
    assert [held.reason for held in (await release(pool, "cecilia")).held] == ["account_changed"]
    assert third.iban is not None
    await confirm(pool, third.iban, "daniel")
    assert (await release(pool, "bertta")).to_bank == 1, "who confirmed another account may release to this one"


async def test_no_account_changes_between_the_selection_and_the_file(pool: Pool) -> None:
    """The producers that are paid are held from the selection to the file: a change waits, and comes after it."""
    await closed_month(pool)
    async with transaction(pool) as tx:
        await approve_statements(tx, ApproveStatements(told.AREA, NOVEMBER, "anna"), at(12, 3))
    changed = told.producer(private=True, iban=NEW, version=2)
    async with transaction(pool) as tx:
        paid = await release_payout(tx, ReleasePayout(told.AREA, story.DEBTOR, "bertta"), at(12, 3))
        change = asyncio.create_task(story.hear(pool, "registry.producer", changed))
        _, waiting = await asyncio.wait({change}, timeout=0.5)
        assert waiting == {change}, "the change waits for the file"
        content = await file_of(tx, paid.payout_id, seal=PaymentsSettings().payee_seal())
    await change
    assert content is not None
    assert f"<CdtrAcct><Id><IBAN>{bank.IBAN}</IBAN>".encode() in content


async def test_a_producer_gets_the_reference_that_it_asked_for(pool: Pool) -> None:
    await closed_month(pool)
    for kind in ("rf", "viitenumero"):
        async with transaction(pool) as tx:
            await ask_for_reference(tx, AskForReference(told.PRIVATE, kind, "tuottaja"), at(12, 2))  # type: ignore[arg-type]  # a literal in a loop
    paid = await story.pay(pool, NOVEMBER, at(12, 3))
    async with transaction(pool) as tx:
        content = await file_of(tx, paid.payout_id, seal=PaymentsSettings().payee_seal())
    assert content is not None
    reference = content.split(b"<Ref>")[1].split(b"</Ref>")[0]
    assert reference.isdigit()
    assert len(reference) <= 20


async def test_200_megabytes_are_refused_before_they_are_read() -> None:
    """By the length that is announced, and by the bytes that come where none is."""
    sent = 0

    async def keys() -> object:
        return {"keys": [{**KEY.as_dict(private=False), "kid": "test"}]}

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1
            yield b" " * 1_000_000

    app = built("payments")
    app.state.verifier = TokenVerifier(ISSUER, "unused", AUDIENCE, fetch=keys)
    bearer = f"Bearer {token(Role.OPERATOR, own=True, resident=None)}"
    headers = {"idempotency-key": "k", "content-type": "application/xml", "authorization": bearer}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://kanava") as client:
        announced = headers | {"content-length": "200000000"}
        answers = [
            await client.post("/v1/bank/messages", content=content, headers=with_)
            for content, with_ in ((b"<a/>", announced), (endless(), headers))
        ]
    assert [answer.status_code for answer in answers] == [413, 413]
    assert sent <= LIMITS.size_bytes // 1_000_000 + 1, "no more was taken than the limit"
