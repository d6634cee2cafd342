"""Receivables (saatavat): a negative statement is owed by its producer, and what it is owed pays that off.

Settled question 13 of the design. Oldest first on both sides, never more than the statement that pays. What is
taken keeps its components, so that each component can still be followed to the cent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kanava.common.money import split_by_largest_remainder


@dataclass(frozen=True)
class Left:
    """What is left of a statement by component, in cents: in sum positive is owed to the producer, negative by it."""

    statement_id: UUID
    month: date
    sums: Mapping[str, int]

    @property
    def amount_cents(self) -> int:
        """The sum over the components."""
        return sum(self.sums.values())


@dataclass(frozen=True)
class Offset:
    """Cents of a statement, by component, that pay off a receivable instead of being paid (kuittaus)."""

    statement_id: UUID
    receivable_id: UUID
    sums: Mapping[str, int]

    @property
    def amount_cents(self) -> int:
        """The sum over the components, positive."""
        return sum(self.sums.values())


def pay_off(statements: Sequence[Left]) -> tuple[Offset, ...]:
    """What one producer's statements pay off of its receivables; the order of the input does not matter.

    The oldest receivable is paid first, by the oldest statement first (by month, then id). Afterwards either all
    receivables are paid off or no statement has anything left. Doing it again takes nothing.
    """
    ordered = sorted(statements, key=lambda one: (one.month, one.statement_id))
    open_cents = {one.statement_id: -one.amount_cents for one in ordered if one.amount_cents < 0}
    offsets = []
    for paying in (one for one in ordered if one.amount_cents > 0):
        left = dict(paying.sums)
        for receivable_id, due_cents in open_cents.items():
            taken = share(left, min(due_cents, sum(left.values())))
            if taken:
                offsets.append(Offset(paying.statement_id, receivable_id, taken))
                open_cents[receivable_id] -= sum(taken.values())
                left = minus(left, taken)
        assert sum(left.values()) >= 0, "a statement paid more than it had"
    assert min(open_cents.values(), default=0) >= 0, "a receivable was paid off twice"
    return tuple(offsets)


def share(sums: Mapping[str, int], amount_cents: int) -> dict[str, int]:
    """Split `amount_cents` over the positive components by largest remainder; no component gives more than it has."""
    assert 0 <= amount_cents <= max(sum(sums.values()), 0), "no more is taken than there is"
    names = sorted(name for name, cents in sums.items() if cents > 0)
    parts = split_by_largest_remainder(amount_cents, [sums[name] for name in names])
    assert all(part <= sums[name] for name, part in zip(names, parts, strict=True)), "a component gave too much"
    return {name: part for name, part in zip(names, parts, strict=True) if part}


def minus(sums: Mapping[str, int], taken: Mapping[str, int]) -> dict[str, int]:
    """Component by component, `sums` less `taken`; cents."""
    return {name: sums.get(name, 0) - taken.get(name, 0) for name in sums.keys() | taken.keys()}
