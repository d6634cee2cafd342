"""Capitation (kapitaatio): a resident's age band, the share of the month, and the cents of one line.

The month run computes the same in SQL over millions of rows; these functions are the rule as it is stated, and
the tests hold both against each other. Settled question 11 of the design: cents = half-up of
(annual cents × coefficient × days) ÷ (12 × days of the month), one exact fraction, rounded once per line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

import holidays

from kanava.common.clock import add_months
from kanava.common.contracts.registry import Proration, RateBand
from kanava.common.money import half_up

PERMILLE = 1000
MONTHS_PER_YEAR = 12
SATURDAY = 5


@dataclass(frozen=True)
class Bands:
    """The bands of one sex, oldest first: `born_from[i]` ascending dates and one more `annual_cents` than dates.

    A resident's band is the number of dates in `born_from` that are not after the birth date, which is what
    PostgreSQL's `width_bucket` counts: one lookup instead of an age.
    """

    born_from: tuple[date, ...]
    annual_cents: tuple[int, ...]

    def annual_cents_of(self, birth_date: date) -> int:
        """The annual rate, in cents, of a resident born on `birth_date`."""
        return self.annual_cents[sum(born <= birth_date for born in self.born_from)]


def bands_on(first_of_month: date, bands: Sequence[RateBand], sex: str) -> Bands:
    """The bands of a rate table for one sex, as they cut birth dates on the first of a month.

    Ages are those on the 1st of the month; a child born later in the month is in the youngest band.
    """
    own = sorted((band for band in bands if band.sex in (sex, "any")), key=lambda band: band.age_from)
    assert own, "a rate table has a band for each sex"
    assert own[0].age_from == 0, "a rate table starts at age 0"
    born = tuple(add_months(first_of_month, -MONTHS_PER_YEAR * band.age_from) + timedelta(days=1) for band in own[1:])
    return Bands(tuple(reversed(born)), tuple(band.annual_cents for band in reversed(own)))


def days_until(first_of_month: date, proration: Proration) -> tuple[int, ...]:
    """How many days count before each day of the month: element `d` is the count before day `d` + 1.

    The last element is the whole month. `calendar_days` counts each day, `operational_days` Monday to Friday
    without Finnish holidays, `list_on_last_day` the last day alone.
    """
    month_end = add_months(first_of_month, 1)
    days = [first_of_month + timedelta(days=n) for n in range((month_end - first_of_month).days)]
    counts = [0]
    for day in days:
        counts.append(counts[-1] + _counts(day, month_end, proration))
    return tuple(counts)


def days_since(first_of_month: date, counts: Sequence[int], pays_from: date) -> tuple[int, ...]:
    """The counts of `days_until` without the days before `pays_from`, on which a scheme paid nothing yet."""
    gone = counts[min(max((pays_from - first_of_month).days, 0), len(counts) - 1)]
    return tuple(max(count - gone, 0) for count in counts)


def _counts(day: date, month_end: date, proration: Proration) -> bool:
    match proration:
        case "calendar_days":
            return True
        case "operational_days":
            return day.weekday() < SATURDAY and day not in holidays.country_holidays("FI", years=day.year)
        case "list_on_last_day":
            return day == month_end - timedelta(days=1)


def days_listed(first_of_month: date, counts: Sequence[int], starts_on: date, until: date | None) -> int:
    """The days that count of a span `[starts_on, until)` within the month."""
    length = len(counts) - 1
    low = min(max((starts_on - first_of_month).days, 0), length)
    high = length if until is None else min(max((until - first_of_month).days, 0), length)
    return max(counts[high] - counts[low], 0) if high > low else 0


def capitation_cents(annual_cents: int, permille_days: int, days_of_month: int) -> int:
    """The cents of one line: `permille_days` is the sum of coefficient (permille) × days over the spans."""
    assert annual_cents >= 0, "a rate is not negative"
    assert permille_days >= 0, "days and coefficients are not negative"
    if days_of_month == 0:
        return 0
    return half_up(Fraction(annual_cents * permille_days, MONTHS_PER_YEAR * days_of_month * PERMILLE))
