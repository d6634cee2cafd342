"""Kela's reimbursements are phased out by a dated table: class I stays, what class II frees is the areas'."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanava.payments.domain.contributions import allocate
from kanava.payments.domain.kela_phase_out import Reimbursed, percent_of, share_out
from kanava.payments.figures import class_2_percents

AREAS = {"03": 471, "05": 201, "90": 657}
CENTS = st.integers(0, 10**12)


def test_the_steps_go_down_to_nothing_year_by_year() -> None:
    steps = class_2_percents()
    assert [percent_of(year, steps) for year in range(2024, 2033)] == [100, 100, 100, 75, 50, 25, 0, 0, 0]
    assert sorted(steps.values(), reverse=True) == [steps[year] for year in sorted(steps)]


def test_what_is_freed_is_rounded_once() -> None:
    half = Reimbursed(class_1_cents=1_000, class_2_cents=101, class_2_percent=50)
    assert (half.freed_cents, half.kept_cents) == (50, 1_051)
    assert share_out(1_200, {"03": 1}, half)["03"].amount_cents == 1_200 - 1_051


def test_without_reimbursements_the_areas_get_all_that_was_collected() -> None:
    parts = share_out(1_000_01, AREAS, Reimbursed())
    assert {area: part.amount_cents for area, part in parts.items()} == allocate(1_000_01, AREAS)
    assert not any(part.gained_cents for part in parts.values())


def test_claims_above_the_collected_sum_are_refused() -> None:
    with pytest.raises(ValueError, match="more than what was collected"):
        share_out(100, AREAS, Reimbursed(60, 41))


@given(CENTS, CENTS, CENTS, st.integers(0, 100), st.integers(0, 100))
def test_a_later_step_never_takes_from_the_areas_and_no_cent_is_lost(
    rest: int, class_1: int, class_2: int, first: int, second: int
) -> None:
    total = rest + class_1 + class_2
    early = Reimbursed(class_1, class_2, max(first, second))
    late = replace(early, class_2_percent=min(first, second))
    before, after = share_out(total, AREAS, early), share_out(total, AREAS, late)
    for reimbursed, parts in ((early, before), (late, after)):
        assert sum(part.amount_cents for part in parts.values()) + reimbursed.kept_cents == total
        assert sum(part.gained_cents for part in parts.values()) == reimbursed.freed_cents
        assert reimbursed.kept_cents >= class_1, "class I stays"
    assert sum(part.amount_cents for part in after.values()) >= sum(part.amount_cents for part in before.values())
    if late.class_2_percent == 0:
        assert late.kept_cents == class_1


@settings(max_examples=60)
@given(CENTS, CENTS, CENTS, st.integers(0, 100), CENTS)
def test_the_order_of_areas_plays_no_part_and_a_larger_claim_never_gives_them_more(
    rest: int, class_1: int, class_2: int, percent: int, more: int
) -> None:
    total, claim = rest + class_1 + class_2 + more, Reimbursed(class_1, class_2, percent)
    parts = share_out(total, AREAS, claim)
    assert share_out(total, dict(reversed(AREAS.items())), claim) == parts
    shared = sum(part.amount_cents for part in parts.values())
    for larger in (replace(claim, class_1_cents=class_1 + more), replace(claim, class_2_cents=class_2 + more)):
        assert sum(part.amount_cents for part in share_out(total, AREAS, larger).values()) <= shared


@given(CENTS, st.integers(0, 100))
def test_what_is_freed_is_the_percent_no_longer_reimbursed_to_half_a_cent(class_2: int, percent: int) -> None:
    freed = Reimbursed(0, class_2, percent).freed_cents
    assert abs(100 * freed - class_2 * (100 - percent)) <= 50
