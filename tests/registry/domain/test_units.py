"""When a unit may close."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from kanava.registry.domain.units import broken_by_closing


@given(st.dates(), st.dates())
def test_a_unit_closes_today_at_the_earliest(closes_on: date, today: date) -> None:
    assert (broken_by_closing(closes_on, today) == []) is (closes_on >= today)
