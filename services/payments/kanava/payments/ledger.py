"""SQL that writes and checks the books: one locked head for each area, one statement for all its entries."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.contracts.payments import Account as AccountMoved
from kanava.common.db import Tx, one, rows
from kanava.common.errors import Refused
from kanava.common.ids import derived_id
from kanava.common.outbox import emit

from .account_limits import flaw_of_limit
from .ceilings import flaw_of_claims, unsealed_claims
from .closed_runs import RunSums, flaw_of_runs, sums_of
from .domain.chain import GENESIS, Seal, seal_of, sealed
from .domain.chart import Account, Draft, EntryKind, Posting
from .errors import Reason


@dataclass(frozen=True)
class Broken:
    """The first entry that does not hold, and what about it; the id is zero where it is no entry but the book's head,
    its limit, a claim, a run or a statement.
    """

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


# Arrays go in binary (`%b`): as text, each of their members would be searched for what has to be escaped.
_INSERT_ENTRIES = """
INSERT INTO entry (area, seq, entry_id, kind, reference, booked_at, text, lines_digest, hash)
SELECT %s, e.seq, e.entry_id, e.kind, e.reference, %s, e.text, e.lines_digest, e.hash
FROM unnest(%b::bigint[], %b::uuid[], %b::text[], %b::uuid[], %b::text[], %b::text[], %b::bytea[])
    AS e (seq, entry_id, kind, reference, text, lines_digest, hash)
"""
_INSERT_POSTINGS = """
INSERT INTO posting (area, seq, number, account, party, component, amount_cents)
SELECT %s, p.seq, p.number, p.account, p.party, p.component, p.amount_cents
FROM unnest(%b::bigint[], %b::int[], %b::text[], %b::text[], %b::text[], %b::bigint[])
    AS p (seq, number, account, party, component, amount_cents)
"""


@dataclass(frozen=True)
class Book:
    """The head of an area's book as locked: where the chain is, what can be spent, and down to which limit."""

    area: str
    next_seq: int
    head_hash: bytes
    spendable_cents: int
    limit_cents: int


_BOOKS = """
SELECT area, next_seq, head_hash, spendable_cents, limit_cents FROM book WHERE area = ANY(%s) ORDER BY area FOR UPDATE
"""
_OPEN_BOOKS = """
INSERT INTO book (area, next_seq, head_hash, spendable_cents, limit_cents) SELECT unnest(%s::text[]), 1, %s, 0, 0
ON CONFLICT DO NOTHING
"""


async def locked(tx: Tx, areas: Sequence[str]) -> dict[str, Book]:
    """The books of areas, locked from here to the commit in the order of their areas; opened where there is none."""
    found = await rows(tx, _BOOKS, (list(areas),))
    if len(found) < len(set(areas)):
        await tx.execute(_OPEN_BOOKS, (list(areas), GENESIS))
        found = await rows(tx, _BOOKS, (list(areas),))
    books = {row["area"]: Book(**(row | {"head_hash": bytes(row["head_hash"])})) for row in found}
    assert books.keys() == set(areas), "every area has a book"
    return books


async def post(tx: Tx, area: str, drafts: Sequence[Draft], now: datetime) -> list[UUID]:
    """Enter drafts in an area's book, in order, and say on the bus how the account moved; returns entry ids.

    The area's head is locked from here to the commit. Raises `Refused` when the account would fall below
    its limit.
    """
    return await post_on(tx, (await locked(tx, [area]))[area], drafts, now)


async def post_on(tx: Tx, book: Book, drafts: Sequence[Draft], now: datetime) -> list[UUID]:
    """Enter drafts in a book that is locked; see `post`. A book is posted on once in a transaction."""
    head, entries, moved = book.head_hash, [], []
    spendable_cents = book.spendable_cents
    for seq, draft in enumerate(drafts, start=book.next_seq):
        head = sealed(head, area=book.area, seq=seq, booked_at=now, draft=draft)
        entries.append((seq, derived_id(book.area, seq, head.hex()), draft, head))
        spendable_cents += draft.cash_cents
        if draft.cash_cents:
            moved.append(_moved(book.area, entries[-1], spendable_cents, now))
    if spendable_cents < book.limit_cents and spendable_cents < book.spendable_cents:
        raise Refused(Reason.OVER_THE_LIMIT)
    await _write(tx, book, entries, spendable_cents=spendable_cents, now=now)
    await emit(tx, *moved)
    return [entry_id for _, entry_id, _, _ in entries]


_MOVE_HEAD = """
UPDATE book SET next_seq = %(next_seq)s, head_hash = %(head)s, spendable_cents = %(spendable_cents)s
WHERE area = %(area)s AND next_seq = %(from_seq)s
"""


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


async def _write(tx: Tx, book: Book, entries: Sequence[Sealed], *, spendable_cents: int, now: datetime) -> None:
    """Entries, their postings and the book's new head, sent as one."""
    heads = [(seq, id_, d.kind, d.reference, d.text, d.lines_digest, hash_) for seq, id_, d, hash_ in entries]
    postings = [
        (seq, number, posting.account, posting.party, posting.component, posting.amount_cents)
        for seq, _, draft, _ in entries
        for number, posting in enumerate(draft.postings)
    ]
    head = {"next_seq": book.next_seq + len(entries), "head": entries[-1][3], "spendable_cents": spendable_cents}
    async with tx.pipeline():
        await tx.execute(_INSERT_ENTRIES, (book.area, now, *map(list, zip(*heads, strict=True))))
        await tx.execute(_INSERT_POSTINGS, (book.area, *map(list, zip(*postings, strict=True))))
        moved = await tx.execute(_MOVE_HEAD, head | {"area": book.area, "from_seq": book.next_seq})
    assert moved.rowcount == 1, "the head of a locked book moved under its holder"


_ENTRIES = """
SELECT e.*, array_agg(p.account ORDER BY p.number) AS accounts, array_agg(p.party ORDER BY p.number) AS parties,
       array_agg(p.component ORDER BY p.number) AS components, array_agg(p.amount_cents ORDER BY p.number) AS cents,
       min(v.value_date) AS value_date
FROM entry e LEFT JOIN posting p USING (area, seq) LEFT JOIN entry_value v USING (area, seq)
WHERE e.area = %s AND e.seq <= %s GROUP BY e.area, e.seq ORDER BY e.seq
"""
_HEAD = """
SELECT coalesce(max(e.seq), 0)::bigint AS last_seq, min(b.next_seq) AS next_seq, min(b.head_hash) AS head_hash
FROM (SELECT seq FROM entry WHERE area = %(area)s ORDER BY seq DESC LIMIT 1) e
FULL JOIN (SELECT next_seq, head_hash FROM book WHERE area = %(area)s) b ON true
"""
"""The last entry and the book's head at one instant: what is booked while a verification reads is for the next one."""


@dataclass
class _Seen:
    """What a verification has read: the sums of runs, and whether entries seal their day from here on."""

    sums: dict[UUID, RunSums] = field(default_factory=dict)
    seals_days: bool = False


async def verify(tx: Tx, area: str) -> Verified:
    """Recompute an area's chain from its first entry, the digests of all resident lines and claims that it seals,
    then the limit in force, the digest of each run and the sums of each statement.

    Names the first broken entry: an entry, posting or day that was changed, removed or put in, a sum of lines that
    is not the entry's, or a cent moved between two residents; else the first run or statement that does not hold.
    """
    seen = _Seen()
    head = await one(tx, _HEAD, {"area": area})
    assert head is not None, "an aggregate always answers"
    previous, expected_seq, broken = GENESIS, 1, None
    async for row in _entries(tx, area, head["last_seq"]):
        reason = await _flaw(tx, row, previous, expected_seq, seen)
        if reason is not None:
            broken = Broken(row["seq"], row["entry_id"], reason)
            break
        previous, expected_seq = bytes(row["hash"]), expected_seq + 1
    if broken is None:
        broken = await _flaw_of_head(tx, area, head, (expected_seq, previous))
    if broken is None and (reason := await flaw_of_runs(tx, area, seen.sums)) is not None:
        broken = Broken(expected_seq, UUID(int=0), reason)
    return Verified(area, expected_seq - 1, previous.hex(), broken)


async def _entries(tx: Tx, area: str, last_seq: int) -> AsyncIterator[DictRow]:
    async with tx.cursor(name="entries") as cursor:
        await cursor.execute(_ENTRIES, (area, last_seq))
        async for row in cursor:
            yield row


async def _flaw_of_head(tx: Tx, area: str, head: DictRow, found: tuple[int, bytes]) -> Broken | None:
    """Claims that no entry books, a head that is another than was `found` (its number and hash), or another limit."""
    if await unsealed_claims(tx, area):
        return Broken(found[0], UUID(int=0), "claims above the ceiling are in no entry")
    if head["next_seq"] is not None and (head["next_seq"], bytes(head["head_hash"])) != found:
        return Broken(found[0], UUID(int=0), "the book's head points beyond the last entry")
    reason = await flaw_of_limit(tx, area)
    return None if reason is None else Broken(found[0], UUID(int=0), reason)


async def _flaw(
    tx: Tx,
    row: DictRow,
    previous: bytes,
    seq: int,
    seen: _Seen,
) -> str | None:
    if row["seq"] != seq:
        return f"entry {seq} is missing"
    columns = zip(row["accounts"], row["cents"], row["parties"], row["components"], strict=True)
    try:
        postings = tuple(Posting(Account(account), cents, party, part) for account, cents, party, part in columns)
        kind, named = EntryKind(row["kind"]), (row["text"], row["lines_digest"], row["value_date"])
        draft = Draft(kind, row["reference"], postings, *named)
    except (AssertionError, ValueError, TypeError) as error:
        return f"its postings are not those of an entry: {error}"
    found, place = bytes(row["hash"]), {"area": row["area"], "booked_at": row["booked_at"]}
    seal = seal_of(found, previous, seq=seq, draft=draft, **place)
    if seal is None or (seen.seals_days and seal is Seal.WITHOUT_DAY):
        return "its hash does not seal its content"
    seen.seals_days = seal is Seal.WITH_DAY
    if kind is EntryKind.CEILING:
        return await flaw_of_claims(tx, draft)
    return await _flaw_of_lines(tx, draft, seen) if kind is EntryKind.COST else None


async def _flaw_of_lines(tx: Tx, draft: Draft, seen: _Seen) -> str | None:
    if draft.reference not in seen.sums:
        seen.sums[draft.reference] = await sums_of(tx, draft.reference)
    cost = draft.postings[0]
    found = seen.sums[draft.reference].get((cost.party, cost.component), {"lines_digest": "", "amount_cents": 0})
    if found["amount_cents"] != cost.amount_cents:
        return "its sum is not the sum of its resident lines"
    return None if found["lines_digest"] == draft.lines_digest else "its resident lines were changed"
