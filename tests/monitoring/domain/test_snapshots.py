"""What a frozen indicator must hold: its subject, a period that is over, a better target, a confirmation."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.common.contracts.registry import Direction
from kanava.monitoring.domain.snapshots import (
    Frozen,
    SnapshotRefusal,
    Subject,
    broken_by_confirmation,
    broken_by_period,
    broken_by_range,
    broken_by_subject,
    refusal_to_freeze,
)

TODAY = date(2026, 11, 23)
ESH = Frozen(
    *("esh_referrals_per_1000", "producer", "03", "1.2.3", None, None, date(2026, 7, 1), date(2026, 10, 1)),
    *("lower_is_better", 5_320, 2, 256, 4_812, 6_000, 5_000, "4.5.6"),
)


@pytest.mark.parametrize(
    ("subject", "ids", "pointers"),
    [
        ("producer", {}, []),
        ("unit", {"unit_id": "1.2.4"}, []),
        ("municipality", {"producer_id": None, "municipality": "049"}, []),
        ("area", {"producer_id": None}, []),
        ("area", {}, ["/producer_id"]),
        ("unit", {"producer_id": None}, ["/producer_id", "/unit_id"]),
        ("municipality", {}, ["/producer_id", "/municipality"]),
    ],
)
def test_a_subject_is_named_by_its_own_id(subject: Subject, ids: dict[str, str | None], pointers: list[str]) -> None:
    frozen = replace(ESH, subject=subject, **ids)  # type: ignore[arg-type]  # the ids of the subject
    assert [one.pointer for one in broken_by_subject(frozen)] == pointers


def test_a_subject_has_one_id() -> None:
    assert ESH.subject_id() == "1.2.3"
    assert replace(ESH, subject="unit", unit_id="1.2.4").subject_id() == "1.2.4"
    assert replace(ESH, subject="area", producer_id=None).subject_id() == "03"


def test_a_period_is_over_and_has_days() -> None:
    def rules(period_from: date, period_until: date) -> list[str]:
        frozen = replace(ESH, period_from=period_from, period_until=period_until)
        return [one.rule for one in broken_by_period(frozen, TODAY)]

    assert rules(date(2026, 7, 1), TODAY) == []
    assert rules(date(2026, 7, 1), date(2026, 11, 24)) == ["period_is_over"]
    assert rules(TODAY, TODAY) == rules(date(2022, 1, 1), date(2026, 11, 1)) == ["period_in_range"]


@given(st.sampled_from(["higher_is_better", "lower_is_better"]), st.integers(0, 9), st.integers(0, 9))
def test_a_target_is_on_the_better_side_of_its_floor(direction: Direction, floor: int, target: int) -> None:
    better = target > floor if direction == "higher_is_better" else target < floor
    frozen = replace(ESH, direction=direction, floor=floor, target=target)
    assert (broken_by_range(frozen) == []) is better


def test_what_belongs_together_stands_together() -> None:
    assert [one.rule for one in broken_by_range(replace(ESH, floor=None))] == ["range_whole"]
    assert [one.rule for one in broken_by_range(replace(ESH, denominator=None))] == ["ratio_whole"]
    assert broken_by_range(replace(ESH, floor=None, target=None, numerator=None, denominator=None)) == []


def test_referrals_are_confirmed_and_never_by_the_producer_itself() -> None:
    unconfirmed = replace(ESH, confirmed_by=None)
    assert [one.rule for one in broken_by_confirmation(unconfirmed)] == ["confirmation_required"]
    assert broken_by_confirmation(replace(unconfirmed, indicator="t3")) == broken_by_confirmation(ESH) == []
    own = replace(ESH, confirmed_by="1.2.3")
    assert refusal_to_freeze(own, None) is SnapshotRefusal.CONFIRMED_BY_ITSELF


def test_what_is_frozen_never_changes() -> None:
    assert refusal_to_freeze(ESH, None) is refusal_to_freeze(ESH, ESH) is None
    assert refusal_to_freeze(replace(ESH, value=1), ESH) is SnapshotRefusal.FROZEN_ALREADY
