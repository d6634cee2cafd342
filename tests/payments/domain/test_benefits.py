"""Decisions on benefits add up to what the last one says."""

from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.benefits import change_cents


@given(st.lists(st.integers(0, 100_000_00), min_size=1, max_size=10))
def test_the_changes_of_a_matter_add_up_to_its_last_decision(decisions: list[int]) -> None:
    changes: list[int] = []
    for holds in decisions:
        changes.append(change_cents(changes, holds))
    assert sum(changes) == decisions[-1]
    assert change_cents(changes, decisions[-1]) == 0, "decided again it changes nothing"
