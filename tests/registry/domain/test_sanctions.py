"""The ladder: in order or with a reason, a sum at step 3 alone, appeals in time, outcomes that only lessen."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.registry.domain.sanctions import (
    APPEAL_DAYS,
    LADDER,
    SanctionRefusal,
    broken_by_effect,
    broken_by_sum,
    refusal_of_appeal,
    refusal_of_outcome,
    refusal_of_step,
    step_on,
)

TODAY = date(2026, 10, 15)


@given(st.integers(1, 4), st.lists(st.integers(1, 4)))
def test_a_step_follows_the_one_before_it(step: int, taken: list[int]) -> None:
    in_order = step <= max(taken, default=0) + 1
    assert refusal_of_step(step, taken, None) is (None if in_order else SanctionRefusal.OUT_OF_ORDER)
    assert refusal_of_step(step, taken, "Potilasturvallisuus vaarantui.") is None


def test_only_the_third_step_has_a_sum() -> None:
    for row in LADDER:
        assert [one.rule for one in broken_by_sum(row, 100)] == ([] if row.step == 3 else ["sum_of_step"])
        assert [one.rule for one in broken_by_sum(row, None)] == (["sum_of_step"] if row.step == 3 else [])


def test_the_ladder_begins_on_the_day_of_the_source() -> None:
    assert [row.name_fi for row in LADDER] == ["huomautus", "varoitus", "sanktio", "hyväksymisen peruutus"]
    assert step_on(1, date(2018, 12, 9)) is None
    assert step_on(5, TODAY) is None


@pytest.mark.parametrize(
    ("step", "day", "rules"),
    [
        (1, date(2026, 10, 1), []),
        (3, TODAY + timedelta(days=366), []),
        (3, date(2026, 9, 30), ["effect_in_range"]),
        (2, TODAY + timedelta(days=367), ["effect_in_range"]),
        (4, TODAY, []),
        (4, TODAY + timedelta(days=1), ["revocation_today"]),
        (4, TODAY - timedelta(days=1), ["revocation_today"]),
    ],
)
def test_a_step_takes_effect_in_an_open_month_and_a_revocation_at_once(step: int, day: date, rules: list[str]) -> None:
    assert [one.rule for one in broken_by_effect(step, day, TODAY)] == rules


def test_an_appeal_is_made_once_and_in_time() -> None:
    assert refusal_of_appeal("in_force", TODAY, TODAY + timedelta(days=APPEAL_DAYS)) is None
    late = TODAY + timedelta(days=APPEAL_DAYS + 1)
    assert refusal_of_appeal("in_force", TODAY, late) is SanctionRefusal.APPEAL_TOO_LATE
    assert refusal_of_appeal("appealed", TODAY, TODAY) is SanctionRefusal.NOT_IN_FORCE


def test_an_outcome_lessens_a_sanction_or_leaves_it() -> None:
    assert refusal_of_outcome("appealed", "upheld", sum_cents=500, upheld_cents=200) is None
    assert refusal_of_outcome("appealed", "upheld", sum_cents=None, upheld_cents=None) is None
    assert refusal_of_outcome("in_force", "withdrawn", sum_cents=500, upheld_cents=None) is None
    more = refusal_of_outcome("appealed", "upheld", sum_cents=500, upheld_cents=501)
    assert more is SanctionRefusal.SUM_NOT_SMALLER
    again = refusal_of_outcome("withdrawn", "withdrawn", sum_cents=500, upheld_cents=None)
    assert again is SanctionRefusal.WITHDRAWN_ALREADY
    early = refusal_of_outcome("in_force", "upheld", sum_cents=500, upheld_cents=None)
    assert early is SanctionRefusal.NOT_APPEALED
