"""Entries sum to zero, and the chain notices every change."""

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
