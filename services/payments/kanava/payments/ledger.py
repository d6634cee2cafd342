"""SQL that writes and checks the books: one locked head for each area, one statement for all its entries."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import DictRow

from kanava.common.contracts.payments import Account as AccountMoved
from kanava.common.db import Tx, one
from kanava.common.errors import Refused
from kanava.common.ids import derived_id
from kanava.common.outbox import emit

from .domain.chain import GENESIS, sealed
from .domain.chart import Account, Draft, EntryKind, Posting
from .errors import Reason
from .lines import SUMS


@dataclass(frozen=True)
class Broken:
    """The first entry that does not hold, and what about it."""

    seq: int
    entry_id: UUID
    reason: str


@dataclass(frozen=True)
class Verified:
    """What a verification of an area's book saw: entries in order, and the first broken one, if any."""

    area: str
    entries: int
    head: str
    broken: Broken | None


_INSERT_ENTRIES = """
INSERT INTO entry (area, seq, entry_id, kind, reference, booked_at, text, lines_digest, hash)
SELECT %s, e.seq, e.entry_id, e.kind, e.reference, %s, e.text, e.lines_digest, e.hash
FROM unnest(%s::bigint[], %s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::text[], %s::bytea[])
    AS e (seq, entry_id, kind, reference, text, lines_digest, hash)
"""
_INSERT_POSTINGS = """
INSERT INTO posting (area, seq, number, account, party, component, amount_cents)
SELECT %s, p.seq, p.number, p.account, p.party, p.component, p.amount_cents
FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::bigint[])
    AS p (seq, number, account, party, component, amount_cents)
"""


async def post(tx: Tx, area: str, drafts: Sequence[Draft], now: datetime) -> list[UUID]:
    """Enter drafts in an area's book, in order, and say on the bus how the account moved; returns entry ids.

    The area's head is locked from here to the commit. Raises `Refused` when the account would fall below
    its limit.
    """
    book = await one(tx, "SELECT next_seq, head_hash, spendable_cents FROM book WHERE area = %s FOR UPDATE", (area,))
    if book is None:
        book = await _open_book(tx, area)
    head, entries, moved = bytes(book["head_hash"]), [], []
    spendable_cents = book["spendable_cents"]
    for seq, draft in enumerate(drafts, start=book["next_seq"]):
        head = sealed(head, area=area, seq=seq, booked_at=now, draft=draft)
        entries.append((seq, derived_id(area, seq, head.hex()), draft, head))
        spendable_cents += draft.cash_cents
        if draft.cash_cents:
            moved.append(_moved(area, entries[-1], spendable_cents, now))
    await _insert(tx, area, entries, now)
    await _move_head(tx, area, book["next_seq"] + len(drafts), head, spendable_cents)
    await emit(tx, *moved)
    return [entry_id for _, entry_id, _, _ in entries]


async def _open_book(tx: Tx, area: str) -> DictRow:
    await tx.execute(
        "INSERT INTO book (area, next_seq, head_hash, spendable_cents, limit_cents) VALUES (%s, 1, %s, 0, 0)"
        " ON CONFLICT DO NOTHING",
        (area, GENESIS),
    )
    book = await one(tx, "SELECT next_seq, head_hash, spendable_cents FROM book WHERE area = %s FOR UPDATE", (area,))
    assert book is not None, "a book that was just opened is there"
    return book


async def _move_head(tx: Tx, area: str, next_seq: int, head: bytes, spendable_cents: int) -> None:
    try:
        await tx.execute(
            "UPDATE book SET next_seq = %s, head_hash = %s, spendable_cents = %s WHERE area = %s",
            (next_seq, head, spendable_cents, area),
        )
    except psycopg.errors.CheckViolation as error:
        raise Refused(Reason.OVER_THE_LIMIT) from error


Sealed = tuple[int, UUID, Draft, bytes]


def _moved(area: str, entry: Sealed, spendable_cents: int, now: datetime) -> AccountMoved:
    seq, entry_id, draft, _ = entry
    return AccountMoved(
        what="moved",
        version=seq,
        recorded_at=now,
        area=area,
        kind=draft.kind,
        amount_cents=draft.cash_cents,
        balance_cents=spendable_cents,
        entry_id=entry_id,
    )


async def _insert(tx: Tx, area: str, entries: Sequence[Sealed], now: datetime) -> None:
    heads = [(seq, id_, d.kind, d.reference, d.text, d.lines_digest, hash_) for seq, id_, d, hash_ in entries]
    postings = [
        (seq, number, posting.account, posting.party, posting.component, posting.amount_cents)
        for seq, _, draft, _ in entries
        for number, posting in enumerate(draft.postings)
    ]
    await tx.execute(_INSERT_ENTRIES, (area, now, *map(list, zip(*heads, strict=True))))
    await tx.execute(_INSERT_POSTINGS, (area, *map(list, zip(*postings, strict=True))))


_ENTRIES = """
SELECT e.*, array_agg(p.account ORDER BY p.number) AS accounts, array_agg(p.party ORDER BY p.number) AS parties,
       array_agg(p.component ORDER BY p.number) AS components, array_agg(p.amount_cents ORDER BY p.number) AS cents
FROM entry e LEFT JOIN posting p USING (area, seq) WHERE e.area = %s GROUP BY e.area, e.seq ORDER BY e.seq
"""


async def verify(tx: Tx, area: str) -> Verified:
    """Recompute an area's chain from its first entry, and the digests of all resident lines it seals.

    Names the first broken entry: an entry or posting that was changed, removed or put in, a sum of lines that
    is not the entry's, or a cent moved between two residents.
    """
    digests: dict[UUID, dict[tuple[str, str], tuple[str, int]]] = {}
    previous, expected_seq, broken = GENESIS, 1, None
    async for row in _entries(tx, area):
        reason = await _flaw(tx, row, previous, expected_seq, digests)
        if reason is not None:
            broken = Broken(row["seq"], row["entry_id"], reason)
            break
        previous, expected_seq = bytes(row["hash"]), expected_seq + 1
    if broken is None:
        broken = await _flaw_of_head(tx, area, previous, expected_seq)
    return Verified(area, expected_seq - 1, previous.hex(), broken)


async def _entries(tx: Tx, area: str) -> AsyncIterator[DictRow]:
    async with tx.cursor(name="entries") as cursor:
        await cursor.execute(_ENTRIES, (area,))
        async for row in cursor:
            yield row


async def _flaw_of_head(tx: Tx, area: str, head: bytes, next_seq: int) -> Broken | None:
    book = await one(tx, "SELECT next_seq, head_hash FROM book WHERE area = %s", (area,))
    if book is None or (book["next_seq"], bytes(book["head_hash"])) == (next_seq, head):
        return None
    return Broken(next_seq, UUID(int=0), "the book's head points beyond the last entry")


async def _flaw(
    tx: Tx,
    row: DictRow,
    previous: bytes,
    seq: int,
    digests: dict[UUID, dict[tuple[str, str], tuple[str, int]]],
) -> str | None:
    if row["seq"] != seq:
        return f"entry {seq} is missing"
    columns = zip(row["accounts"], row["cents"], row["parties"], row["components"], strict=True)
    try:
        postings = tuple(Posting(Account(account), cents, party, part) for account, cents, party, part in columns)
        draft = Draft(EntryKind(row["kind"]), row["reference"], postings, row["text"], row["lines_digest"])
    except (AssertionError, ValueError, TypeError) as error:
        return f"its postings are not those of an entry: {error}"
    if sealed(previous, area=row["area"], seq=seq, booked_at=row["booked_at"], draft=draft) != bytes(row["hash"]):
        return "its hash does not seal its content"
    return await _flaw_of_lines(tx, draft, digests) if draft.kind is EntryKind.COST else None


async def _flaw_of_lines(
    tx: Tx, draft: Draft, digests: dict[UUID, dict[tuple[str, str], tuple[str, int]]]
) -> str | None:
    if draft.reference not in digests:
        cursor = await tx.execute(SUMS, {"run_id": draft.reference})
        digests[draft.reference] = {
            (row["producer_id"], row["component"]): (row["lines_digest"], row["amount_cents"]) async for row in cursor
        }
    cost = draft.postings[0]
    found = digests[draft.reference].get((cost.party, cost.component), ("", 0))
    if found[1] != cost.amount_cents:
        return "its sum is not the sum of its resident lines"
    return None if found[0] == draft.lines_digest else "its resident lines were changed"
