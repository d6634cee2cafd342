"""What producers owe: a negative statement becomes a receivable, and later statements pay it off before they are paid.

Taking needs no cash, so it does not wait for the area's limit: a statement that does not fit into a payout has paid
receivables off all the same, and what is left of it waits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

from .. import ledger
from ..commands import ReleasePayout
from ..domain import chart
from ..domain.chart import Draft, EntryKind
from ..domain.receivables import Left, Offset, minus, pay_off
from ..views import receivables as views

_CONCERNED = """
SELECT s.* FROM statement s WHERE s.area = %(area)s
  AND (s.status = 'receivable' OR (s.status = 'approved' AND s.approved_by <> %(released_by)s
       AND (%(ids)s::uuid[] = '{}' OR s.statement_id = ANY(%(ids)s))))
ORDER BY s.producer_id, s.month, s.statement_id FOR UPDATE
"""


@dataclass(frozen=True)
class Owed:
    """What a release did to what producers owe: the statements that changed, and cents."""

    statement_ids: list[UUID]
    receivable_cents: int
    offset_cents: int


async def settle_receivables(tx: Tx, command: ReleasePayout, now: datetime) -> Owed:
    """Make receivables of the approved negative statements and let the others pay receivables off.

    The caller holds the lock of the area's book. Statements with nothing left are settled. Repeated, it does nothing.
    """
    known = {"area": command.area, "released_by": command.released_by, "ids": list(command.statement_ids)}
    concerned = await rows(tx, _CONCERNED, known)
    left = await views.left(tx, [row["statement_id"] for row in concerned])
    claims = [row for row in concerned if row["status"] == "approved" and sum(left[row["statement_id"]].values()) < 0]
    offsets = list(_offsets(concerned, left))
    after = _after(left, offsets)
    changed = {row["statement_id"] for row in claims}
    changed |= {taken for one in offsets for taken in (one.statement_id, one.receivable_id)}
    changed |= {row["statement_id"] for row in concerned if sum(after[row["statement_id"]].values()) == 0}
    moved = [row for row in concerned if row["statement_id"] in changed]
    drafts = [*_claimed(claims, left), *_taken(moved, offsets), *_zeroed(moved, after)]
    if drafts:
        await ledger.post(tx, command.area, drafts, now)
    await _save_offsets(tx, moved, offsets, now)
    for row in moved:
        await _save_status(tx, row, sum(after[row["statement_id"]].values()), command.released_by)
    receivable_cents = -sum(sum(left[row["statement_id"]].values()) for row in claims)
    return Owed(sorted(changed), receivable_cents, sum(one.amount_cents for one in offsets))


def _offsets(concerned: Sequence[DictRow], left: Mapping[UUID, Mapping[str, int]]) -> Iterator[Offset]:
    """What is paid off, producer by producer."""
    for _, own in groupby(concerned, key=lambda row: row["producer_id"]):
        yield from pay_off([Left(row["statement_id"], row["month"], left[row["statement_id"]]) for row in own])


def _after(left: Mapping[UUID, Mapping[str, int]], offsets: Sequence[Offset]) -> dict[UUID, dict[str, int]]:
    """What is left once everything is paid off; all together it is as much as before."""
    after = {statement_id: dict(sums) for statement_id, sums in left.items()}
    for one in offsets:
        after[one.statement_id] = minus(after[one.statement_id], one.sums)
        after[one.receivable_id] = minus(after[one.receivable_id], {name: -cents for name, cents in one.sums.items()})
    before_cents = sum(sum(sums.values()) for sums in left.values())
    assert sum(sum(sums.values()) for sums in after.values()) == before_cents, "paying off lost a cent"
    turned = [one for one in left if sum(left[one].values()) * sum(after[one].values()) < 0]
    assert not turned, "paying off turned a debt round"
    return after


def _claimed(claims: Sequence[DictRow], left: Mapping[UUID, Mapping[str, int]]) -> list[Draft]:
    return [_draft(EntryKind.RECEIVABLE, row, left[row["statement_id"]]) for row in claims]


def _taken(moved: Sequence[DictRow], offsets: Sequence[Offset]) -> list[Draft]:
    by_id = {row["statement_id"]: row for row in moved}
    return [_draft(EntryKind.OFFSET, by_id[one.statement_id], one.sums) for one in offsets]


def _zeroed(moved: Sequence[DictRow], after: Mapping[UUID, Mapping[str, int]]) -> Iterator[Draft]:
    """Where nothing is left in sum, components that cancel out are settled too, so that none stays owed."""
    for row in moved:
        sums = after[row["statement_id"]]
        if any(sums.values()) and not sum(sums.values()):
            if row["status"] == "receivable":
                yield _draft(EntryKind.GATHERED, row, sums)
            yield _draft(EntryKind.SETTLEMENT, row, sums)


def _draft(kind: EntryKind, row: DictRow, sums: Mapping[str, int]) -> Draft:
    return chart.payment(kind, statement_id=row["statement_id"], producer_id=row["producer_id"], sums=sums)


async def _save_offsets(tx: Tx, moved: Sequence[DictRow], offsets: Sequence[Offset], now: datetime) -> None:
    versions = {row["statement_id"]: row["version"] for row in moved}
    for one in offsets:
        for component, cents in one.sums.items():
            await tx.execute(
                "INSERT INTO statement_offset (statement_id, into_id, version, component, amount_cents, taken_at)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (one.statement_id, one.receivable_id, versions[one.statement_id], component, cents, now),
            )


async def _save_status(tx: Tx, row: DictRow, left_cents: int, released_by: str) -> None:
    """Settled with nothing left, a receivable when negative, otherwise still approved and to be paid."""
    status = "settled" if left_cents == 0 else "receivable" if left_cents < 0 else "approved"
    releaser = row["released_by"] if row["status"] == "receivable" else None if status == "approved" else released_by
    await tx.execute(
        "UPDATE statement SET status = %s, released_by = %s, version = version + 1 WHERE statement_id = %s",
        (status, releaser, row["statement_id"]),
    )
