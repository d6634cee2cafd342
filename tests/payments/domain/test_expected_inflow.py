"""What is expected to come in: nothing of a plan is lost or counted twice within the year ahead."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from kanava.common.clock import add_months
from kanava.payments.domain.expected_inflow import HORIZON, Came, Due, Payer, expected_inflow, guessed_inflow

FIRST = date(2027, 3, 1)
STATE: Payer = ("state", "")
ESPOO: Payer = ("municipality", "049")
DUE = st.lists(st.tuples(st.dates(date(2026, 1, 1), date(2028, 12, 31)), st.integers(0, 10**12)), max_size=20)


@given(DUE, st.lists(st.tuples(st.integers(1, HORIZON), st.integers(1, 10**12)), max_size=12))
def test_all_that_is_missing_before_the_end_of_the_year_ahead_is_expected_once(
    due: list[tuple[date, int]], came: list[tuple[int, int]]
) -> None:
    planned = {(STATE, year) for year in (2026, 2027, 2028)}
    paid = [Came(ESPOO, add_months(FIRST, -ago), cents) for ago, cents in came]
    paid += [Came(STATE, add_months(FIRST, -ago), cents) for ago, cents in came]
    found = expected_inflow(FIRST, planned, [Due(STATE, day, cents) for day, cents in due], paid)
    assert list(found) == [add_months(FIRST, ahead) for ahead in range(HORIZON)]
    assert sum(guessed_inflow(FIRST, planned, paid).values()) == sum(cents for _, cents in came)
    still = sum(cents for day, cents in due if day < add_months(FIRST, HORIZON))
    assert sum(found.values()) == still + sum(cents for _, cents in came), "who has a plan pays by it alone"


def test_a_year_without_any_plan_is_left_to_the_year_before() -> None:
    found = expected_inflow(
        FIRST, {(STATE, 2027)}, [Due(STATE, date(2027, 4, 2), 5)], [Came(ESPOO, date(2026, 5, 1), 7)]
    )
    assert max(found) == date(2027, 12, 1)
    assert {month: cents for month, cents in found.items() if cents} == {date(2027, 4, 1): 5, date(2027, 5, 1): 7}
    assert expected_inflow(FIRST, set(), [], []) == {}
