"""Indicators as data: what divides by what, and what may be shown."""

from hypothesis import given
from hypothesis import strategies as st

from kanava.monitoring.domain.indicators import SENSITIVE_MEASURES, SMALL_CELL, declared, read_indicator

MEASURES = ("listed_clients", "switches_in", "switches_out", "visits", "cost_cents")
counts = st.fixed_dictionaries({name: st.integers(0, 10**9) for name in MEASURES})


def test_every_indicator_is_named_in_three_languages_and_counts_what_is_measured() -> None:
    for one in declared():
        assert all((one.fi, one.sv, one.en))
        assert {one.numerator, one.denominator or one.numerator} <= set(MEASURES)
    assert len({one.id for one in declared()}) == len(declared()) == 5


@given(counts)
def test_the_area_and_the_operator_see_every_value(measures: dict[str, int]) -> None:
    for one in declared():
        reading = read_indicator(one, measures, see_small_cells=True)
        assert not reading.suppressed
        if one.denominator is None:
            assert reading.value == measures[one.numerator]


@given(counts)
def test_nobody_else_can_tell_a_small_count(measures: dict[str, int]) -> None:
    for one in declared():
        reading = read_indicator(one, measures, see_small_cells=False)
        parts = {one.numerator, one.denominator} & SENSITIVE_MEASURES
        assert reading.suppressed == any(measures[name] < SMALL_CELL for name in parts)
        assert not (reading.suppressed and reading.value is not None)


def test_cost_per_client_is_rounded_half_up_and_empty_without_clients() -> None:
    cost = next(one for one in declared() if one.id == "cost_per_client")
    measures = dict.fromkeys(MEASURES, 0)
    assert read_indicator(cost, measures, see_small_cells=True).value is None
    measures |= {"listed_clients": 6, "cost_cents": 15}
    assert read_indicator(cost, measures, see_small_cells=True).value == 3
