"""What is left of an area's budget (talousarvio), and which postings break a line of it.

Source: the model for steering producers, line 224: the budget is granted as one item (1 momentti), and a part of it
may be tied to a service whole or to strategic focuses. Settled question 10: an own enterprise's line is its limit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Line:
    """A line of a budget, cents for the year: whose it is, which nodes it is for, and what a breach leads to."""

    line: str
    kind: Literal["one_item", "package", "strategic_focus"]
    amount_cents: int
    on_breach: Literal["refuse", "flag"]
    producer_id: str | None = None
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ordered:
    """What an annual order reserves of a line: cents for a node from a producer (sidonta)."""

    line: str
    producer_id: str
    node: str
    amount_cents: int


@dataclass(frozen=True)
class Use:
    """Cents of cost of a producer; `node` is the package node of what was performed, or None as for capitation."""

    producer_id: str
    node: str | None
    amount_cents: int


@dataclass(frozen=True)
class Plan:
    """A budget with its orders, and what was used of each line and of each order (by its place), in cents."""

    lines: tuple[Line, ...]
    orders: tuple[Ordered, ...]
    used_cents: Mapping[str, int]
    delivered_cents: Mapping[int, int]


@dataclass(frozen=True)
class Standing:
    """How a line stands: amount = used + encumbered + left; `left_cents` is below zero where it is overdrawn."""

    line: Line
    used_cents: int
    encumbered_cents: int
    left_cents: int


def covers(above: str, node: str) -> bool:
    """Whether a node is another one or lies below it: `MTP` covers `MTP.3.1`."""
    return node == above or node.startswith(f"{above}.")


def draws_on(use: Use, line: Line) -> bool:
    """Whether a use falls on a line: by its producer, where the line has one, and its node, where it has some."""
    if line.producer_id not in (None, use.producer_id):
        return False
    return not line.nodes or (use.node is not None and any(covers(above, use.node) for above in line.nodes))


def is_limit(line: Line) -> bool:
    """Whether a breach of the line is refused: where it says so, and where it is one producer's one item."""
    return line.on_breach == "refuse" or (line.kind == "one_item" and line.producer_id is not None)


def opened(lines: Sequence[Line], orders: Sequence[Ordered], uses: Iterable[Use] = ()) -> Plan:
    """A budget with its orders, after some uses."""
    return after(Plan(tuple(lines), tuple(orders), {}, {}), uses)


def after(plan: Plan, uses: Iterable[Use]) -> Plan:
    """The plan after more uses, in whatever order they come.

    A use counts on every line that it draws on (at most one of each kind and producer), and delivers on the one order
    that names its node most closely.
    """
    used, delivered = dict(plan.used_cents), dict(plan.delivered_cents)
    for use in uses:
        for line in plan.lines:
            if draws_on(use, line):
                used[line.line] = used.get(line.line, 0) + use.amount_cents
        place = _order_of(plan.orders, use)
        if place is not None:
            delivered[place] = delivered.get(place, 0) + use.amount_cents
    return replace(plan, used_cents=used, delivered_cents=delivered)


def _order_of(orders: Sequence[Ordered], use: Use) -> int | None:
    if use.node is None:
        return None
    found = [
        (-len(order.node), place)
        for place, order in enumerate(orders)
        if order.producer_id == use.producer_id and covers(order.node, use.node)
    ]
    return min(found)[1] if found else None


def standings(plan: Plan) -> list[Standing]:
    """Every line with what is used, what orders still encumber (what they ordered less what was delivered), and left.

    An order of which more was delivered than ordered encumbers nothing, one with a net refund no more than it ordered.
    """
    encumbered: dict[str, int] = {}
    for place, order in enumerate(plan.orders):
        delivered_cents = max(plan.delivered_cents.get(place, 0), 0)
        open_cents = max(order.amount_cents - delivered_cents, 0)
        encumbered[order.line] = encumbered.get(order.line, 0) + open_cents
    found = []
    for line in plan.lines:
        used_cents, encumbered_cents = plan.used_cents.get(line.line, 0), encumbered.get(line.line, 0)
        left_cents = line.amount_cents - used_cents - encumbered_cents
        assert encumbered_cents >= 0, "an order encumbers, it never frees"
        assert used_cents + encumbered_cents + left_cents == line.amount_cents, "a line lost a cent"
        found.append(Standing(line, used_cents, encumbered_cents, left_cents))
    return found


def broken_lines(plan: Plan, uses: Sequence[Use]) -> list[Line]:
    """The lines that a posting of these uses, all at once, would break; in the order of the budget.

    A posting breaks a line on which it draws more than nothing when the line's use would pass its amount, or when what
    it takes beyond its own orders is more than what is left: nobody takes what is reserved for another.
    """
    broken = []
    for stood, stands in zip(standings(plan), standings(after(plan, uses)), strict=True):
        drawn_cents = stands.used_cents - stood.used_cents
        beyond_cents = drawn_cents - (stood.encumbered_cents - stands.encumbered_cents)
        over = stands.used_cents > stood.line.amount_cents
        if drawn_cents > 0 and (over or beyond_cents > max(stood.left_cents, 0)):
            broken.append(stood.line)
    return broken
