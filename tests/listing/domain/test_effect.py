"""The day of effect (settled question 12) and the window between two choices."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.listing.domain.effect import effect_date, next_choice_from

DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))


@pytest.mark.parametrize(
    ("notice_on", "effect_on"),
    [
        (date(2026, 10, 12), date(2026, 11, 1)),
        (date(2026, 10, 11), date(2026, 11, 1)),
        (date(2026, 10, 10), date(2026, 10, 31)),
        (date(2026, 10, 1), date(2026, 10, 22)),
        (date(2026, 12, 31), date(2027, 1, 1)),
    ],
)
def test_the_first_of_the_next_month_or_the_21st_day(notice_on: date, effect_on: date) -> None:
    assert effect_date(notice_on, 21) == effect_on


@given(DAYS, st.integers(1, 60))
def test_an_effect_comes_after_the_notice_and_never_too_late(notice_on: date, days: int) -> None:
    effect_on = effect_date(notice_on, days)
    assert notice_on < effect_on <= notice_on + timedelta(days=days)
    assert effect_on.day == 1 or effect_on == notice_on + timedelta(days=days)


@given(DAYS, st.integers(1, 36))
def test_the_window_is_whole_months(chosen_on: date, months: int) -> None:
    free_from = next_choice_from(chosen_on, months)
    assert (free_from.year - chosen_on.year) * 12 + free_from.month - chosen_on.month == months
    assert free_from.day <= chosen_on.day


def test_a_leap_day_is_free_on_the_last_of_february() -> None:
    assert next_choice_from(date(2024, 2, 29), 12) == date(2025, 2, 28)
