"""Capitation as it is stated: bands, proration, one rounding."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.common.clock import add_months
from kanava.common.contracts.registry import Proration, RateBand
from kanava.payments.domain.capitation import bands_on, capitation_cents, days_listed, days_since, days_until

NOVEMBER = date(2026, 11, 1)
BANDS = [
    RateBand(sex="any", age_from=age, annual_cents=cents) for age, cents in ((0, 200_00), (7, 80_00), (65, 300_00))
]
MONTHS = st.dates(date(2020, 1, 1), date(2035, 12, 1)).map(lambda day: day.replace(day=1))
BIRTHS = st.dates(date(1920, 1, 1), date(2035, 12, 31))
PRORATIONS = st.sampled_from(["calendar_days", "operational_days", "list_on_last_day"])


def age_on(day: date, born: date) -> int:
    """Whole years lived, counted the plain way."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@given(MONTHS, BIRTHS)
def test_the_band_is_that_of_the_age_on_the_first(first: date, born: date) -> None:
    age = max(age_on(first, born), 0)
    expected = max((band for band in BANDS if band.age_from <= age), key=lambda band: band.age_from)
    assert bands_on(first, BANDS, "male").annual_cents_of(born) == expected.annual_cents


def test_a_birthday_on_the_first_counts_and_one_on_the_second_does_not() -> None:
    bands = bands_on(NOVEMBER, BANDS, "female")
    assert bands.annual_cents_of(date(2019, 11, 1)) == 80_00
    assert bands.annual_cents_of(date(2019, 11, 2)) == 200_00


def test_a_band_of_the_other_sex_is_not_used() -> None:
    bands = [
        RateBand(sex="male", age_from=0, annual_cents=1),
        RateBand(sex="female", age_from=0, annual_cents=2),
    ]
    assert bands_on(NOVEMBER, bands, "female").annual_cents == (2,)


@pytest.mark.parametrize(
    ("proration", "days"), [("calendar_days", 31), ("operational_days", 21), ("list_on_last_day", 1)]
)
def test_december_2026_has_so_many_days(proration: Proration, days: int) -> None:
    """23 weekdays, of which Christmas Eve and Christmas Day are free."""
    counts = days_until(date(2026, 12, 1), proration)
    assert counts[-1] == days
    assert len(counts) == 32


@given(MONTHS, PRORATIONS, st.integers(-40, 40), st.integers(0, 60))
def test_days_of_two_halves_are_the_days_of_the_whole(
    first: date, proration: Proration, starts: int, length: int
) -> None:
    counts = days_until(first, proration)
    begin = first + timedelta(days=starts)
    middle, end = begin + timedelta(days=length // 2), begin + timedelta(days=length)
    halves = days_listed(first, counts, begin, middle) + days_listed(first, counts, middle, end)
    assert halves == days_listed(first, counts, begin, end)
    assert days_listed(first, counts, add_months(first, -1), None) == counts[-1]


@given(st.integers(0, 10**8), st.integers(0, 31 * 5000), st.integers(28, 31))
def test_a_line_is_rounded_once_from_the_exact_fraction(annual: int, permille_days: int, days: int) -> None:
    exact = Fraction(annual * permille_days, 12 * days * 1000)
    cents = capitation_cents(annual, permille_days, days)
    assert abs(cents - exact) <= Fraction(1, 2)
    assert cents == (2 * annual * permille_days + 12000 * days) // (24000 * days), "the SQL's integer form agrees"


@given(st.integers(0, 10**8), st.integers(0, 10**5), st.integers(28, 31))
def test_more_days_never_pay_less(annual: int, permille_days: int, days: int) -> None:
    assert capitation_cents(annual, permille_days + 1000, days) >= capitation_cents(annual, permille_days, days)


def test_a_month_without_days_that_count_pays_nothing() -> None:
    assert capitation_cents(100_00, 0, 0) == 0


@pytest.mark.parametrize(
    ("starts_on", "until", "days"),
    [
        (date(2026, 11, 30), None, 1),
        (date(2026, 11, 30), date(2026, 12, 1), 1),
        (NOVEMBER, date(2026, 11, 30), 0),
        (NOVEMBER, date(2026, 11, 29), 0),
    ],
)
def test_by_the_last_day_a_month_is_of_who_is_listed_on_it(starts_on: date, until: date | None, days: int) -> None:
    counts = days_until(NOVEMBER, "list_on_last_day")
    assert days_listed(NOVEMBER, counts, starts_on, until) == days


@pytest.mark.parametrize(
    ("pays_from", "first_half", "second_half"),
    [
        (date(2026, 9, 1), 15, 15),
        (NOVEMBER, 15, 15),
        (date(2026, 11, 6), 10, 15),
        (date(2026, 11, 30), 0, 1),
        (date(2026, 12, 1), 0, 0),
        (date(2027, 6, 1), 0, 0),
    ],
)
def test_days_before_the_scheme_pays_count_for_nobody(pays_from: date, first_half: int, second_half: int) -> None:
    counts = days_since(NOVEMBER, days_until(NOVEMBER, "calendar_days"), pays_from)
    middle = date(2026, 11, 16)
    assert days_listed(NOVEMBER, counts, NOVEMBER, middle) == first_half
    assert days_listed(NOVEMBER, counts, middle, None) == second_half
