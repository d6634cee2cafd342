"""Reconciliation as a rule: nothing is whole that lost something, and what lost stands first."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.reconciliation import Tally, reconcile

counts = st.integers(0, 1000)
tallies = st.lists(
    st.builds(Tally, st.text(max_size=3), st.none() | st.dates(), counts, counts, counts),
    unique_by=lambda one: (one.flow, one.day),
    max_size=20,
)


@given(tallies)
def test_every_tally_is_judged_by_its_own_count(given_tallies: list[Tally]) -> None:
    checked = reconcile(given_tallies)
    assert sorted(map(repr, given_tallies)) == sorted(repr(one.tally) for one in checked)
    for one in checked:
        assert one.is_whole == (one.tally.came == one.tally.done + one.tally.waiting)
    whole = [one.is_whole for one in checked]
    assert whole == sorted(whole), "what lost something stands first"


def test_what_is_named_as_missing_is_never_whole() -> None:
    (one,) = reconcile([Tally("a", date(2026, 11, 1), 2, 2, 0, ("x",))])
    assert (one.lost, one.is_whole) == (0, False)


def test_effects_without_a_cause_are_a_break() -> None:
    (one,) = reconcile([Tally("a", None, 1, 2, 0)])
    assert (one.lost, one.is_whole) == (-1, False)


def test_a_flow_that_stands_twice_is_refused() -> None:
    with pytest.raises(AssertionError):
        reconcile([Tally("a", None, 1, 1, 0), Tally("a", None, 1, 1, 0)])


def test_what_lost_something_stands_first_and_what_is_counted_since_the_beginning_before_its_days() -> None:
    whole = [Tally("b", date(2026, 11, 2), 1, 1, 0), Tally("a", date(2026, 11, 2), 1, 1, 0), Tally("c", None, 1, 1, 0)]
    lost = Tally("d", date(2026, 12, 1), 2, 1, 0)
    found = reconcile([*whole, lost])
    assert [(one.tally.flow, one.lost) for one in found] == [("d", 1), ("c", 0), ("a", 0), ("b", 0)]
