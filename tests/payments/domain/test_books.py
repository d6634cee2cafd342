"""Entries sum to zero, and the chain notices every change."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain import chart
from kanava.payments.domain.chain import GENESIS, sealed
from kanava.payments.domain.chart import Account, Draft, EntryKind, Posting
from kanava.payments.domain.funding_entries import funding_entries
from kanava.payments.domain.instalments import YearShare

NOW = datetime(2026, 12, 1, tzinfo=UTC)
COMPONENTS = st.dictionaries(st.sampled_from(["capitation", "fee", "client_fee"]), st.integers(-(10**9), 10**9)).filter(
    lambda sums: any(sums.values())
)


@given(st.sampled_from(["capitation", "fee", "client_fee"]), st.integers(-(10**12), 10**12))
def test_a_cost_is_owed_to_the_cent(component: str, cents: int) -> None:
    draft = chart.cost(run_id=UUID(int=1), producer_id="p", component=component, amount_cents=cents, lines_digest="x")
    assert sum(posting.amount_cents for posting in draft.postings) == 0
    assert draft.cash_cents == 0, "owing moves no cash"


@given(COMPONENTS)
def test_release_and_booking_take_what_rejection_gives_back(sums: dict[str, int]) -> None:
    def move(kind: EntryKind) -> Draft:
        return chart.payment(kind, statement_id=UUID(int=2), producer_id="p", sums=sums)

    total = sum(sums.values())
    assert move(EntryKind.RELEASE).cash_cents == -total
    assert move(EntryKind.BOOKED).cash_cents == 0, "what is in transit cannot be spent already"
    assert move(EntryKind.REJECTED).cash_cents == total
    assert move(EntryKind.RETURNED).cash_cents == total
    assert move(EntryKind.SETTLEMENT).cash_cents == -total


PAID = UUID(int=2)
MOVES: dict[Account, Callable[[str, int], Draft]] = {
    Account.PAYABLE: lambda what, cents: chart.payment(
        EntryKind.RELEASE if what == "paid" else EntryKind(what),
        statement_id=PAID,
        producer_id="p",
        sums={"fee": cents},
    ),
    Account.OWED_TO_RESIDENTS: lambda what, cents: chart.resident_payment(
        EntryKind.RELEASE if what == "paid" else EntryKind(what), item_id=PAID, amount_cents=cents
    ),
    Account.SUSPENSE: lambda what, cents: chart.send_back(
        EntryKind.SENT_BACK if what == "paid" else EntryKind(what), item_id=PAID, amount_cents=cents
    ),
    Account.OWED_TO_MUNICIPALITY: lambda what, cents: chart.municipal_refund(
        what, refund_id=PAID, municipality="049", amount_cents=cents
    ),
}
"""How each kind of payment moves, by the account on which it is owed."""
LIVES = (("paid",), ("paid", "booked"), ("paid", "rejected"), ("paid", "booked", "returned"))


def left(drafts: Iterable[Draft]) -> dict[Account, int]:
    """What entries leave on each account."""
    found: dict[Account, int] = {}
    for draft in drafts:
        for posting in draft.postings:
            found[posting.account] = found.get(posting.account, 0) + posting.amount_cents
    return {account: cents for account, cents in found.items() if cents}


@pytest.mark.parametrize("owed", MOVES)
@given(st.integers(1, 10**12))
def test_a_payment_is_in_transit_until_the_bank_books_it_or_it_is_owed_again(owed: Account, cents: int) -> None:
    ends = [left(MOVES[owed](what, cents) for what in life) for life in LIVES]
    assert ends == [{owed: cents, Account.IN_TRANSIT: -cents}, {owed: cents, Account.BANK: -cents}, {}, {}]


@given(st.integers(-(10**12), 10**12).filter(bool), st.integers(1, 10**12))
def test_what_matched_nothing_is_on_the_bank_until_it_is_explained(cents: int, owed: int) -> None:
    waits = chart.suspended(item_id=PAID, signed_cents=cents)
    assert left([waits]) == {Account.BANK: cents, Account.SUSPENSE: -cents}
    assert left([waits, chart.explained(item_id=PAID, signed_cents=cents)]) == {}
    decided = chart.municipal_refund("decided", refund_id=PAID, municipality="049", amount_cents=owed)
    assert left([decided]) == {Account.MUNICIPAL_REFUND: owed, Account.OWED_TO_MUNICIPALITY: -owed}


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_what_residents_are_owed_is_a_cost_and_less_of_it_gives_it_back(more: int, less: int) -> None:
    if more or less:
        draft = chart.ceiling_claims(run_id=PAID, more_cents=more, less_cents=less, digest="")
        net = {Account.CEILING_RETURN: more - less, Account.OWED_TO_RESIDENTS: less - more}
        assert left([draft]) == {account: cents for account, cents in net.items() if cents}
    if more:
        benefit = chart.benefit(reference=PAID, kind="travel", change_cents=more)
        assert left([benefit]) == {Account.BENEFIT: more, Account.OWED_TO_RESIDENTS: -more}


@given(st.integers(1, 10**12))
def test_a_debt_and_what_pays_it_off_meet_on_the_receivable(cents: int) -> None:
    def moved(kind: EntryKind, amount: int) -> Draft:
        return chart.payment(kind, statement_id=PAID, producer_id="p", sums={"fee": amount})

    assert left([moved(EntryKind.RECEIVABLE, -cents)]) == {Account.RECEIVABLE: cents, Account.PAYABLE: -cents}
    assert left([moved(EntryKind.RECEIVABLE, -cents), moved(EntryKind.OFFSET, cents)]) == {}
    assert left([moved(EntryKind.RECEIVABLE, -cents), moved(EntryKind.GATHERED, -cents)]) == {}
    assert left([moved(EntryKind.SETTLEMENT, cents)]) == {Account.PAYABLE: cents, Account.BANK: -cents}


def test_what_is_no_entry_is_refused() -> None:
    lame = (Posting(Account.BANK, 1), Posting(Account.PAYABLE, -2))
    with pytest.raises(AssertionError, match="sum to zero"):
        Draft(EntryKind.FUNDING, UUID(int=3), lame, "")
    with pytest.raises(AssertionError, match="two postings"):
        Draft(EntryKind.FUNDING, UUID(int=3), (Posting(Account.BANK, 0),), "")


def entry(cents: int = 100) -> Draft:
    """The money of an instalment, as it is booked."""
    shares = [YearShare(NOW.year, cents)]
    (one,) = funding_entries(
        reference=UUID(int=4), payer="state", party="", shares=shares, arrived_on=NOW.date(), text="1/12"
    )
    return one.draft


def test_the_seal_covers_every_field() -> None:
    place = {"area": "03", "seq": 1, "booked_at": NOW}
    seal = sealed(GENESIS, **place, draft=entry())
    assert seal == sealed(GENESIS, **place, draft=entry())
    moved_party = (entry().postings[0], replace(entry().postings[1], party="049"))
    others = [
        sealed(b"\1" * 32, **place, draft=entry()),
        sealed(GENESIS, **place | {"area": "04"}, draft=entry()),
        sealed(GENESIS, **place | {"seq": 2}, draft=entry()),
        sealed(GENESIS, **place, draft=entry(101)),
        sealed(GENESIS, **place, draft=replace(entry(), text="2/12")),
        sealed(GENESIS, **place, draft=replace(entry(), lines_digest="f")),
        sealed(GENESIS, **place, draft=replace(entry(), postings=moved_party)),
    ]
    assert seal not in others
    assert len(set(others)) == len(others)
