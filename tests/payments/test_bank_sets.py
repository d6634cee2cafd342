"""A file of the bank is taken in as one set: as fast as it is long, and with the same books as many small files."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg
import pytest

from kanava.common.db import Pool, rows, transaction
from kanava.common.errors import Invalid
from kanava.common.groupcommit import Asked
from kanava.local.postgres import Postgres
from kanava.payments import bankfiles, ledger
from kanava.payments.bank_commands import RegisterAccount
from kanava.payments.commands import PlaceFunding, PlaceTransfer
from kanava.payments.service.accounts import register_account
from kanava.payments.service.funding import place_funding
from kanava.payments.service.transfers import place_transfers
from kanava.payments.views.funding import payers
from tests.payments import bank, clearing, story
from tests.payments import resident_story as residents
from tests.payments.bank import Entry, Numbered, Part, back, credit, debit, notification, pain002, statement
from tests.support import facts as told
from tests.support.databases import service_database
from tests.support.facts import at

SEVEN, FOURTEEN = 7_00, 14_00


@pytest.fixture
async def second(postgres: Postgres) -> AsyncIterator[Pool]:
    """Another database of payments, for the same story told otherwise."""
    with service_database(postgres, "payments") as made:
        async with made.pool() as opened:
            yield opened


@contextmanager
def asked() -> Iterator[list[str]]:
    """The statements that are sent to the database while the block runs."""
    sent: list[str] = []
    execute, execute_many = psycopg.AsyncCursor.execute, psycopg.AsyncCursor.executemany

    async def counted(self: Any, query: Any, *parameters: Any, **named: Any) -> Any:
        sent.append(str(query))
        return await execute(self, query, *parameters, **named)

    async def counted_each(self: Any, query: Any, many: Any, **named: Any) -> Any:
        each = list(many)
        sent.extend([str(query)] * len(each))
        return await execute_many(self, query, each, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.AsyncCursor, "execute", counted)
        patch.setattr(psycopg.AsyncCursor, "executemany", counted_each)
        yield sent


async def paid_residents(pool: Pool, many: int, *, month: date = residents.NOVEMBER) -> list[tuple[str, int]]:
    """Payments to so many residents that the bank has not answered: end-to-end ids and cents."""
    for number in range(1, many + 1):
        await residents.decide(pool, number, number * 100, reference=f"{month}-{number}", month=month)
        await residents.give(pool, number)
    await residents.pay(pool, month)
    return sorted((await residents.open_payments(pool)).items())


async def test_a_long_file_asks_the_database_no_more_often_than_a_short_one(pool: Pool) -> None:
    await story.fund(pool, 10_000_00, at(10, 1))
    payments = await paid_residents(pool, 20)
    short, long, counts = payments[:2], payments[2:], []
    for place, chosen in enumerate((short, long)):
        for kind, sent_back in (("camt", None), ("again", None), ("back", "AC04")):
            file = bank.camt054(
                f"M{place}-{kind}", [(f"B{kind}{name}", name, cents) for name, cents in chosen], sent_back
            )
            with asked() as sent:
                await clearing.take(pool, file)
            counts.append(len(sent))
    assert counts[:3] == counts[3:], "eighteen entries take as many statements as two"


async def test_a_long_rejection_and_what_nobody_knows_are_sets_too(pool: Pool) -> None:
    await story.fund(pool, 10_000_00, at(10, 1))
    payments = await paid_residents(pool, 20)
    counts = []
    for place, chosen in enumerate((payments[:2], payments[2:])):
        unknown = notification(f"U{place}", *[debit(f"U{name}", ("x" + name[1:], cents)) for name, cents in chosen])
        unheard = pain002(f"N{place}", [("y" + name[1:], cents) for name, cents in chosen], original=f"O{place}")
        for content in (unknown, pain002(f"R{place}", chosen), unheard):
            with asked() as sent:
                await clearing.take(pool, content)
            counts.append(len(sent))
    assert counts[:3] == counts[3:]


async def test_a_release_to_many_residents_asks_no_more_often_than_one_to_few(pool: Pool) -> None:
    await story.fund(pool, 10_000_00, at(10, 1))
    async with transaction(pool) as tx:
        await register_account(tx, RegisterAccount(told.AREA, bank.IBAN, "operator"), at(10, 1))
    counts = []
    for numbers in (range(1, 3), range(3, 21)):
        for number in numbers:
            await residents.decide(pool, number, number * 100)
            await residents.give(pool, number)
        with asked() as sent:
            drawn = await residents.draw(pool)
            await residents.approve(pool, drawn.batch_id)
            released = await residents.release(pool, drawn.batch_id)
        assert released.payments == len(numbers)
        counts.append(len(sent))
    assert counts[0] == counts[1]


async def test_approving_and_releasing_many_statements_asks_no_more_often_than_few(pool: Pool) -> None:
    counts = []
    await clearing.released(pool, 1, 2, 3, 1, 1)
    for share in (1, 4):
        rejected = [(row["end_to_end_id"], row["amount_cents"]) for row in await open_payments(pool)][:share]
        await clearing.take(pool, pain002(f"R{share}", rejected))
        with asked() as sent:
            await story.approve(pool, clearing.NOVEMBER, at(12, 4))
        counts.append(len(sent))
        with asked() as sent:
            assert (await story.release(pool, at(12, 4))).to_bank == share
        counts.append(len(sent))
    assert counts[:2] == counts[2:]


async def open_payments(pool: Pool) -> list[dict[str, Any]]:
    """Payments that the bank has not answered."""
    async with transaction(pool) as tx:
        return await rows(tx, "SELECT * FROM payment WHERE status = 'open' ORDER BY end_to_end_id")


async def statements(pool: Pool) -> dict[str, tuple[str, int]]:
    """State and version of statements by producer."""
    async with transaction(pool) as tx:
        found = await rows(tx, "SELECT producer_id, status, version FROM statement ORDER BY producer_id")
    return {row["producer_id"]: (row["status"], row["version"]) for row in found}


async def world(pool: Pool) -> dict[str, Any]:
    """Everything that a file can change, without ids that come from places in the chain and without its own name."""
    queries = {
        "payments": "SELECT amount_cents, status, bank_reason FROM payment ORDER BY amount_cents",
        "entries": "SELECT kind, reference, text FROM entry ORDER BY seq",
        "postings": "SELECT account, party, component, amount_cents FROM posting ORDER BY seq, number",
        "bookings": "SELECT reference, direction, amount_cents FROM bank_booking ORDER BY reference",
        "parts": "SELECT reference, part, outcome, amount_cents, matched, (SELECT kind FROM entry e"
        " WHERE e.entry_id = t.entry_id) AS kind FROM bank_entry t ORDER BY reference, part",
        "items": "SELECT item_id, why, amount_cents FROM suspense_item ORDER BY item_id",
        "steps": "SELECT item_id, number, what, amount_cents, target, reason FROM suspense_step"
        " ORDER BY item_id, number",
        "facts": "SELECT type, key, body::jsonb ->> 'version' AS version, body::jsonb ->> 'amount_cents' AS cents"
        " FROM outbox WHERE topic ~ 'statement' ORDER BY key, id",
    }
    async with transaction(pool) as tx:
        found: dict[str, Any] = {name: await rows(tx, query) for name, query in queries.items()}
        verified = await ledger.verify(tx, told.AREA)
        assert verified.broken is None
        head = await rows(tx, "SELECT next_seq, spendable_cents FROM book WHERE area = %s", (told.AREA,))
    return {**found, "statements": await statements(pool), "head": head}


def a_bit_of_everything(ids: dict[int, str]) -> list[Entry]:
    """Booked, booked twice, sent back, sent back too early, unknown, another sum, received, and told in parts."""
    seven, fourteen, third, fourth = ids[SEVEN], ids[FOURTEEN], ids[21_00], ids[28_00]
    return [
        debit("B1", (seven, SEVEN)),
        debit("B2", (seven, SEVEN)),
        back("B3", seven, SEVEN),
        back("B4", fourteen, FOURTEEN),
        debit("B5", (fourteen, FOURTEEN)),
        debit("B6", ("nobody", 5_00)),
        debit("B7", (third, 20_00)),
        credit("B8", Part(None, 3_00, text="tuntematon")),
        debit("B9", cents=28_00 + 21_00),
        debit("B9", (fourth, 28_00), cents=28_00 + 21_00),
        debit("B9", (third, 21_00), cents=28_00 + 21_00),
        back("B10", fourth, 28_00),
    ]


async def test_one_file_and_a_file_for_each_entry_end_with_the_same_books(pool: Pool, second: Pool) -> None:
    whole = a_bit_of_everything(await clearing.released(pool, 1, 2, 3, 4))
    taken = await clearing.take(pool, notification("ALL", *whole))
    each = a_bit_of_everything(await clearing.released(second, 1, 2, 3, 4))
    words: Counter[str] = Counter()
    for number, entry in enumerate(each):
        one = await clearing.take(second, notification(f"M{number}", entry))
        words.update({name: value for name, value in vars(one).items() if isinstance(value, int)})
    expected = await world(second)
    assert {name: value for name, value in vars(taken).items() if isinstance(value, int)} == dict(words)
    found = await world(pool)
    assert found == expected
    assert {row["status"] for row in found["payments"]} == {"returned", "booked"}
    assert {row["matched"] for row in found["parts"]} == {"payment", "offset", "suspense"}
    await clearing.payments(pool)


async def test_every_state_of_a_statement_is_told_also_within_one_file(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    await clearing.take(pool, notification("M1", debit("B1", (ids[SEVEN], SEVEN)), back("B2", ids[SEVEN], SEVEN)))
    async with transaction(pool) as tx:
        said = await rows(
            tx,
            "SELECT body::jsonb AS fact FROM outbox WHERE topic = 'kanava.payments.statement.v1'"
            " ORDER BY id DESC LIMIT 2",
        )
    facts = [row["fact"] for row in reversed(said)]
    assert [(fact["what"], fact["status"]) for fact in facts] == [("booked", "booked"), ("rejected", "rejected")]
    assert facts[1]["version"] == facts[0]["version"] + 1
    ((status, version),) = [found for found in (await statements(pool)).values() if found[0] == "rejected"]
    assert (status, version) == ("rejected", facts[1]["version"])


async def test_a_file_of_two_areas_is_booked_in_both_books_or_in_none(pool: Pool) -> None:
    other = "FI5810171000000122"
    ids = await clearing.released(pool, 1)
    async with transaction(pool) as tx:
        await register_account(tx, RegisterAccount("05", other, "operator"), at(10, 1))
    here = statement("S1", debit("B1", (ids[SEVEN], SEVEN)), how=Numbered(number=1, opening=SEVEN)).decode()
    there = statement("S1", debit("B1", (ids[SEVEN], SEVEN)), how=Numbered(number=1, iban=other)).decode()
    second = there[there.index("<Stmt>") : there.index("</Stmt>") + len("</Stmt>")]
    both = here.replace("</BkToCstmrStmt>", second + "</BkToCstmrStmt>").encode()
    with pytest.raises(Invalid) as refused:
        await clearing.take(pool, both.replace(other.encode(), b"FI4250001510000023"))
    assert refused.value.pointer == "/Document/BkToCstmrStmt/Stmt[2]/Acct/Id/IBAN"
    assert (await clearing.payments(pool))["open_cents"] == SEVEN
    taken = await clearing.take(pool, both)
    assert (taken.booked, taken.unmatched) == (1, 1), "a payment is one account's"
    async with transaction(pool) as tx:
        found = [(await ledger.verify(tx, area)) for area in (told.AREA, "05")]
        waiting = await rows(tx, "SELECT area, iban, why FROM suspense_item")
    assert [one.broken for one in found] == [None, None]
    assert waiting == [{"area": "05", "iban": other, "why": "unknown_payment"}]


async def test_files_and_transfers_at_once_wait_for_each_other_and_lose_nothing(pool: Pool) -> None:
    await story.fund(pool, 10_000_00, at(10, 1))
    payments = await paid_residents(pool, 12)
    booked = [
        bank.camt054(f"M{place}", [(f"B{name}", name, cents)]) for place, (name, cents) in enumerate(payments[:6])
    ]
    rejected = [pain002(f"R{place}", [one]) for place, one in enumerate(payments[6:])]

    async def moved(source: str, target: str, number: int) -> None:
        async with transaction(pool) as tx:
            await place_transfers(tx, [Asked(PlaceTransfer(source, target, 1, f"t{number}"))], at(12, 4))

    transfers = [moved(*ends, number) for number, ends in enumerate([(told.AREA, "05"), ("05", told.AREA)] * 3)]
    taken = [clearing.take(pool, content) for pair in zip(booked, rejected, strict=True) for content in pair]
    await asyncio.wait_for(asyncio.gather(*taken, *transfers), 60)
    async with transaction(pool) as tx:
        found = await rows(tx, "SELECT status, count(*)::int AS many FROM payment GROUP BY status ORDER BY status")
        assert [(await ledger.verify(tx, area)).broken for area in (told.AREA, "05")] == [None, None]
    assert [(row["status"], row["many"]) for row in found] == [("booked", 6), ("rejected", 6)]


async def test_an_instalment_of_the_year_before_is_known_when_the_bank_tells_it(pool: Pool) -> None:
    """Booked by hand in January for the old year, whose plan missed it: the money is the same money."""
    await clearing.released(pool, 1)
    command = PlaceFunding(told.AREA, "state", "", 9_00, date(2026, 12, 1), "12/12", 2025)
    async with transaction(pool) as tx:
        await place_funding(tx, command, at(12, 4))
    taken = await clearing.take(pool, notification("M1", credit("C1", Part(None, 9_00, text="12/12"))))
    assert (taken.received, taken.unmatched) == (1, 0)
    again = await clearing.take(pool, notification("M2", credit("C2", Part(None, 9_00, text="12/12"))))
    assert (again.received, again.unmatched) == (0, 1), "one instalment explains one movement"
    async with transaction(pool) as tx:
        assert await payers(tx, told.AREA, 2025, date(2026, 12, 4))


@pytest.mark.parametrize("name", ["Ntfctn", "OrgnlPmtInfAndSts"])
def test_a_file_of_too_many_reports_or_blocks_is_not_read(name: str) -> None:
    content = notification("M") if name == "Ntfctn" else pain002("R", [("E", 1)])
    start, end = content.index(f"<{name}>".encode()), content.index(f"</{name}>".encode()) + len(f"</{name}>")
    many = content[:start] + content[start:end] * (bankfiles.LIMITS.reports + 1) + content[end:]
    with pytest.raises(Invalid) as refused:
        bankfiles.read_bank_message(many)
    assert refused.value.rule == "file_size"
