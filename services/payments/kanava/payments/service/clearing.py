"""The desk at which the bank's records are matched: what is known of payments and items, and what follows for them.

Nothing here reads or writes. `settling` lays payments and items on the desk and books what followed, both in sets, so
a file of ten thousand records asks the database no more often than one of two, and ends with the same books as many
small files.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from kanava.common.ids import derived_id
from kanava.common.seal import Seal

from ..bankfiles import Detail
from ..domain import chart
from ..domain.banking import Direction, Follows, KnownPayment, Outcome, Why, match
from ..domain.chart import Draft, EntryKind
from ..ledger import Book
from .suspended import BY_FILE, Step, signed

_STATEMENT_BECOMES = {EntryKind.BOOKED: "booked", EntryKind.REJECTED: "rejected", EntryKind.RETURNED: "rejected"}
_OUTCOME: Mapping[EntryKind, Outcome] = {
    EntryKind.BOOKED: "booked",
    EntryKind.REJECTED: "rejected",
    EntryKind.RETURNED: "returned",
}
_FAILED = (EntryKind.REJECTED, EntryKind.RETURNED)


@dataclass
class Payment:
    """A payment as it is now: what it pays, how far it has come, and why the bank refused it.

    `sums` are the cents by component that its statement pays; `municipality` is that of a refund.
    """

    end_to_end_id: str
    payout_id: UUID
    area: str
    amount_cents: int
    status: str
    bank_reason: str | None
    statement_id: UUID | None
    producer_id: str | None
    item_id: UUID | None
    refund_id: UUID | None
    municipality: str | None
    resident_item_id: UUID | None
    sums: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Item:
    """An item of the suspense account as it is now: what is left of its money, and how many steps it has."""

    item_id: UUID
    area: str
    direction: str
    outcome: str
    amount_cents: int
    end_to_end_id: str | None
    why: str
    created_at: datetime
    left_cents: int
    steps: int = 0
    closed: bool = False

    @property
    def open(self) -> bool:
        """Whether it still waits: a notice until it is closed, money as long as some is left."""
        return not self.closed if self.direction == "notice" else self.left_cents > 0


@dataclass(frozen=True)
class Place:
    """Where the bank told something: on which account of which area, under which reference, on which day.

    `seal` is what the account of a sender is sealed with.
    """

    area: str
    iban: str
    reference: str
    direction: Direction
    booked_on: date
    message_id: str
    seal: Seal


@dataclass(frozen=True)
class Posted:
    """An entry that follows, by its place among those of its area; its id is known when they are booked."""

    area: str
    place: int


@dataclass
class Desk:
    """What is known of the payments and items that records may name, and everything that follows, in order."""

    now: datetime
    books: Mapping[str, Book] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    payouts: frozenset[UUID] = frozenset()
    items: dict[UUID, Item] = field(default_factory=dict)
    drafts: dict[str, list[Draft]] = field(default_factory=lambda: defaultdict(list))
    steps: list[tuple[UUID, int, Step]] = field(default_factory=list)
    new_items: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[str, Payment] = field(default_factory=dict)
    told: list[tuple[UUID, str]] = field(default_factory=list)
    outcomes: list[tuple[str, str, str | None]] = field(default_factory=list)
    _by_name: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    _by_payout: dict[UUID, list[Payment]] = field(default_factory=lambda: defaultdict(list))

    def lay_payments(self, payments: Iterable[Payment]) -> None:
        """Lay payments on the desk, in the order of their end-to-end ids."""
        for payment in payments:
            self.payments[payment.end_to_end_id] = payment
            self._by_payout[payment.payout_id].append(payment)

    def lay(self, item: Item) -> None:
        """Lay an item on the desk."""
        self.items[item.item_id] = item
        if item.end_to_end_id is not None:
            insort(self._by_name[item.end_to_end_id], item, key=lambda one: (one.created_at, one.item_id))

    def open_payments(self, payout_id: UUID | None) -> list[Payment]:
        """The payments of a file of ours that the bank has not answered."""
        of_file = self._by_payout.get(payout_id, []) if payout_id else []
        return [payment for payment in of_file if payment.status == "open"]

    def payment(self, end_to_end_id: str | None, area: str | None = None) -> Payment | None:
        """The payment of an end-to-end id; of an area's account, if one is named."""
        found = self.payments.get(end_to_end_id or "")
        return found if found is not None and area in (None, found.area) else None

    def open_items(self, area: str, end_to_end_id: str | None) -> Iterator[Item]:
        """Open items of an area, or of none, that name an end-to-end id, oldest first."""
        named = self._by_name.get(end_to_end_id or "", [])
        return (item for item in named if item.area in (area, "") and item.open)

    def post(self, area: str, draft: Draft) -> Posted:
        """Let an entry follow in an area's book."""
        self.drafts[area].append(draft)
        return Posted(area, len(self.drafts[area]) - 1)


def known(payment: Payment | None) -> KnownPayment | None:
    """A payment as records are matched with it."""
    return None if payment is None else KnownPayment(payment.status, payment.amount_cents)


def add_step(desk: Desk, item: Item, step: Step) -> None:
    """Let a step follow with an item."""
    item.steps += 1
    item.left_cents -= step.amount_cents
    item.closed = item.closed or step.what == "closed"
    desk.steps.append((item.item_id, item.steps, step))


def take_back(desk: Desk, item: Item, step: Step) -> None:
    """Take an item's money, or a part of it, off the suspense account, so that the right entry can follow."""
    assert 0 < step.amount_cents <= item.left_cents, "an item explains no more than its own money"
    cents = signed(item.direction, step.amount_cents)
    desk.post(item.area, chart.explained(item_id=item.item_id, signed_cents=cents))
    add_step(desk, item, step)


def item_id(iban: str, reference: str, part: str) -> UUID:
    """The item of a part of an entry that matches nothing."""
    return derived_id("suspense", iban, reference, part)


def suspend(desk: Desk, place: Place, detail: Detail, *, why: Why) -> None:
    """Book money that matches nothing on the suspense account and put it into the work queue.

    Where it names a payment to a resident, the account that it came from is the resident's and is not kept.
    """
    new_id = item_id(place.iban, place.reference, detail.part)
    named = desk.payment(detail.end_to_end_id)
    is_residents = named is not None and named.resident_item_id is not None
    keeps = detail.sender_iban if detail.sender_iban and not is_residents else None
    item = Item(
        *(new_id, place.area, place.direction, detail.outcome, detail.amount_cents, detail.end_to_end_id),
        *(why.value, desk.now, detail.amount_cents),
    )
    desk.lay(item)
    sender = place.seal.seal(new_id, keeps.encode()) if keeps else None
    known = {"iban": place.iban, "reference": place.reference, "part": detail.part, "booked_on": place.booked_on}
    kept = {"sealed_sender": sender, "key_id": place.seal.key_id if keeps else None, "remittance": detail.remittance}
    desk.new_items.append(_row(item) | known | kept)
    cents = signed(place.direction, detail.amount_cents)
    desk.post(place.area, chart.suspended(item_id=new_id, signed_cents=cents))


def notice_id(original: str, end_to_end_id: str) -> UUID:
    """The item of something that the bank said about a payment of a file of ours, and that is about no money."""
    return derived_id("notice", original, end_to_end_id)


def give_notice(desk: Desk, *, area: str, original: str, end_to_end_id: str, why: Why) -> bool:
    """Put something that the bank said, and that is about no money of the account, into the queue; False if known."""
    new_id = notice_id(original, end_to_end_id)
    if new_id in desk.items:
        return False
    item = Item(new_id, area, "notice", "rejected", 0, end_to_end_id, why.value, desk.now, 0)
    desk.lay(item)
    known = {"iban": "", "reference": original, "part": end_to_end_id, "booked_on": desk.now.date()}
    desk.new_items.append(_row(item) | known | {"sealed_sender": None, "key_id": None, "remittance": ""})
    return True


def _row(item: Item) -> dict[str, Any]:
    names = ("item_id", "area", "direction", "outcome", "amount_cents", "end_to_end_id", "why", "created_at")
    return {name: getattr(item, name) for name in names}


def settle(desk: Desk, payment: Payment, follows: Follows, *, reason: str | None) -> Posted:
    """Let what the bank says of a payment that fits it follow: its entry, its new state and its statement's."""
    assert match(_OUTCOME[follows.kind], payment.amount_cents, known(payment)) == follows, "a payment is paid once"
    posted = desk.post(payment.area, _draft(payment, follows.kind))
    payment.status, payment.bank_reason = follows.status, reason
    desk.changed[payment.end_to_end_id] = payment
    if payment.statement_id:
        desk.told.append((payment.statement_id, _STATEMENT_BECOMES[follows.kind]))
    elif payment.refund_id:
        desk.outcomes.append((payment.end_to_end_id, follows.status, reason))
    elif payment.item_id and follows.kind in _FAILED:
        failed = Step("return_failed", BY_FILE, reason or "no reason told", -payment.amount_cents)
        add_step(desk, desk.items[payment.item_id], failed)
    return posted


def _draft(payment: Payment, kind: EntryKind) -> Draft:
    cents = payment.amount_cents
    if payment.refund_id:
        happened, municipality = _OUTCOME[kind], payment.municipality or ""
        return chart.municipal_refund(
            happened, refund_id=payment.refund_id, municipality=municipality, amount_cents=cents
        )
    if payment.resident_item_id:
        return chart.resident_payment(kind, item_id=payment.resident_item_id, amount_cents=cents)
    if payment.item_id:
        return chart.send_back(kind, item_id=payment.item_id, amount_cents=cents)
    assert payment.statement_id is not None, "a payment pays one thing"
    assert sum(payment.sums.values()) == cents, "a payment pays its statement"
    producer_id = payment.producer_id or ""
    return chart.payment(kind, statement_id=payment.statement_id, producer_id=producer_id, sums=payment.sums)


def explain(desk: Desk, payment: Payment) -> int:
    """Let a payment's new state explain what waits under its end-to-end id; how many items it explained."""
    explained = 0
    while any(_explains(desk, payment, item) for item in desk.open_items(payment.area, payment.end_to_end_id)):
        explained += 1
    return explained


def _explains(desk: Desk, payment: Payment, item: Item) -> bool:
    why = "A later file explains it"
    if item.direction == "notice":
        if payment.status not in ("rejected", "returned"):
            return False
        add_step(desk, item, Step("closed", BY_FILE, why))
        return True
    follows = match(item.outcome, item.left_cents, known(payment))
    if isinstance(follows, Why) or item.left_cents != item.amount_cents:
        return False
    take_back(desk, item, Step("explained_by_file", BY_FILE, why, item.left_cents, payment.end_to_end_id))
    settle(desk, payment, follows, reason=item.why)
    return True
