"""What the bank may say of a payment, and which of its numbers are missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.banking import Follows, Gap, KnownPayment, Why, gaps, match
from kanava.payments.domain.chart import EntryKind


@pytest.mark.parametrize(
    ("status", "outcome", "kind"),
    [
        ("open", "booked", EntryKind.BOOKED),
        ("open", "rejected", EntryKind.REJECTED),
        ("booked", "returned", EntryKind.RETURNED),
    ],
)
def test_what_fits_is_booked(status: str, outcome: str, kind: EntryKind) -> None:
    assert match(outcome, 5, KnownPayment(status, 5)) == Follows(kind, outcome)


@pytest.mark.parametrize(
    ("status", "outcome", "why"),
    [
        ("booked", "booked", Why.ALREADY_PAID),
        ("booked", "rejected", Why.ALREADY_PAID),
        ("open", "returned", Why.NOT_BOOKED),
        ("rejected", "booked", Why.NOT_OPEN),
        ("returned", "returned", Why.NOT_OPEN),
    ],
)
def test_what_does_not_fit_says_why(status: str, outcome: str, why: Why) -> None:
    assert match(outcome, 5, KnownPayment(status, 5)) is why


def test_another_amount_or_nobodys_payment_never_fits() -> None:
    assert match("booked", 4, KnownPayment("open", 5)) is Why.OTHER_AMOUNT
    assert match("booked", 5, None) is Why.UNKNOWN_PAYMENT
    assert match("received", 5, None) is Why.UNEXPECTED_CREDIT
    assert match("withdrawn", 5, KnownPayment("open", 5)) is Why.UNEXPECTED_DEBIT


@given(st.lists(st.sampled_from(["booked", "rejected", "returned"]), max_size=12))
def test_a_payment_is_paid_at_most_once_whatever_is_said(outcomes: list[str]) -> None:
    status, paid = "open", 0
    for outcome in outcomes:
        follows = match(outcome, 5, KnownPayment(status, 5))
        if isinstance(follows, Follows):
            status = follows.status
            paid += {"booked": 1, "returned": -1}.get(outcome, 0)
        assert paid in (0, 1)
        assert paid == (status == "booked")


@pytest.mark.parametrize(
    ("heard", "missing"),
    [
        ([], []),
        ([(2026, 7)], []),
        ([(2026, 7), (2026, 8), (2026, 8)], []),
        ([(2026, 7), (2026, 9)], [Gap(2026, 8, 8)]),
        ([(2026, 12), (2026, 7)], [Gap(2026, 8, 11)]),
        ([(2026, 250), (2027, 1)], []),
        ([(2026, 250), (2027, 3)], [Gap(2027, 1, 2)]),
        ([(2026, 250), (2027, 251)], []),
        ([(2026, 250), (2027, 253)], [Gap(2027, 251, 252)]),
    ],
)
def test_missing_numbers_are_named(heard: list[tuple[int, int]], missing: list[Gap]) -> None:
    assert gaps(heard) == missing


@given(st.sets(st.integers(1, 60), min_size=1), st.randoms())
def test_gaps_and_what_was_heard_fill_the_sequence(heard: set[int], random) -> None:
    order = [(2026, number) for number in heard]
    random.shuffle(order)
    found = {number for gap in gaps(order) for number in range(gap.first, gap.last + 1)}
    assert found | heard == set(range(min(heard), max(heard) + 1))
    assert not found & heard
