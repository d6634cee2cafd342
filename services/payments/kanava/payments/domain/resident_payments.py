"""What a batch pays to residents (maksuerä): everything owed to each, netted, and nothing twice.

The national operator pays benefits to citizens (source, line 276). A matter is a benefit as decided, or what a
resident paid above the ceiling of a year. What is owed on it is what was decided less what batches took; what a
batch takes of a matter is all of that, so no sum is ever divided and nothing has to be rounded.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from kanava.common.errors import RefusalReason

Source = Literal["benefit", "ceiling"]
"""Where what is owed comes from: a decision on a benefit (etuus), or the yearly ceiling (maksukatto)."""

MAX_PAYMENTS = 10_000
"""Most payments of one batch, so that its file stays one that a bank takes; the others wait for the next one."""


class Waits(RefusalReason):
    """Why a batch takes nothing of what is owed to a resident."""

    NO_ACCOUNT = "no_account", "The resident has given no account yet."
    DIED = "died", "The resident has died; the estate has to say where it is paid."
    OVERPAID = "overpaid", "Decisions that were lowered took away more than is owed; it is set off later."
    NEXT_BATCH = "next_batch", "The batch is full; the next one takes it."


class Withdrawn(RefusalReason):
    """Why a payment left its batch before it was released."""

    LESS_IS_OWED = "less_is_owed", "A decision was lowered after the batch was drawn; the next batch pays what is left."
    DIED = "died", "The payee has died since the batch was drawn; the estate has to say where it is paid."


@dataclass(frozen=True)
class Matter:
    """What is owed on a matter, in cents (negative where too much was paid), and since when.

    `resident_id` is whose service or benefit it is, `owed_to` who is entitled to it, `payee_id` who is paid now.
    """

    source: Source
    resident_id: UUID
    owed_to: UUID
    matter: str
    payee_id: UUID
    cents: int
    since: datetime | None


@dataclass(frozen=True)
class Due:
    """All that is owed to one payee, with its matters, in cents."""

    payee_id: UUID
    amount_cents: int
    since: datetime | None
    matters: tuple[Matter, ...]


def dues(matters: Iterable[Matter]) -> tuple[Due, ...]:
    """What is owed to each payee, the longest owed first; a matter that was overpaid is set off against the others."""
    by_payee: dict[UUID, list[Matter]] = defaultdict(list)
    total_cents = 0
    for one in matters:
        assert one.cents, "nothing is not owed"
        by_payee[one.payee_id].append(one)
        total_cents += one.cents
    found = [_due(payee_id, theirs) for payee_id, theirs in by_payee.items()]
    assert sum(one.amount_cents for one in found) == total_cents, "netting lost a cent"
    return tuple(sorted(found, key=lambda one: (one.since is None, one.since, one.payee_id)))


def _due(payee_id: UUID, theirs: Sequence[Matter]) -> Due:
    ordered = sorted(theirs, key=lambda one: (one.source, one.resident_id, one.owed_to, one.matter))
    since = min((one.since for one in theirs if one.since is not None), default=None)
    return Due(payee_id, sum(one.cents for one in theirs), since, tuple(ordered))


@dataclass(frozen=True)
class Drawn:
    """What a batch takes, the longest owed first, and what waits with the reason."""

    taken: tuple[Due, ...]
    waiting: tuple[tuple[Due, Waits], ...]


def draw(
    owed: Sequence[Due],
    *,
    with_account: Collection[UUID],
    dead: Collection[UUID] = frozenset(),
    at_most: int = MAX_PAYMENTS,
) -> Drawn:
    """Take everything that can be paid of what is owed, in its order and each payee whole."""
    assert at_most > 0, "a batch has room"
    taken: list[Due] = []
    waiting: list[tuple[Due, Waits]] = []
    for one in owed:
        why = _why_not(one, with_account=with_account, dead=dead)
        if why is None and len(taken) == at_most:
            why = Waits.NEXT_BATCH
        if why is None:
            taken.append(one)
        else:
            waiting.append((one, why))
    assert all(one.amount_cents > 0 for one in taken), "a batch pays something to each"
    assert len(taken) + len(waiting) == len(owed), "a batch lost somebody"
    return Drawn(tuple(taken), tuple(waiting))


def _why_not(one: Due, *, with_account: Collection[UUID], dead: Collection[UUID]) -> Waits | None:
    if one.amount_cents <= 0:
        return Waits.OVERPAID
    if one.payee_id in dead:
        return Waits.DIED
    return None if one.payee_id in with_account else Waits.NO_ACCOUNT
