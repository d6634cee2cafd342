"""Cents: the one rounding and the one split."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.common.money import cents_of, euros, half_up, split_by_largest_remainder

AMOUNTS = st.integers(-(10**14), 10**14)


@pytest.mark.parametrize(("amount", "cents"), [("0.5", 1), ("-0.5", -1), ("1.49", 1), ("2.5", 3), ("-2.51", -3)])
def test_a_half_goes_away_from_zero(amount: str, cents: int) -> None:
    assert half_up(Decimal(amount)) == cents


@given(AMOUNTS, st.integers(1, 10**6))
def test_rounding_is_within_half_a_cent_and_a_refund_is_exactly_minus(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assert abs(half_up(exact) - exact) <= Fraction(1, 2)
    assert half_up(-exact) == -half_up(exact)


@given(AMOUNTS, st.lists(st.integers(0, 10**6), min_size=1, max_size=50).filter(any))
def test_a_split_loses_nothing_and_each_part_is_within_a_cent(total: int, weights: list[int]) -> None:
    parts = split_by_largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.lists(st.integers(1, 100), min_size=1, max_size=10))
def test_more_to_split_gives_nobody_much_less(total: int, more: int, weights: list[int]) -> None:
    before = split_by_largest_remainder(total, weights)
    after = split_by_largest_remainder(total + more, weights)
    assert all(b - a <= 1 for a, b in zip(after, before, strict=True))


def test_nothing_splits_over_nobody_but_a_cent_does_not() -> None:
    assert split_by_largest_remainder(0, [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="nothing to split"):
        split_by_largest_remainder(1, [0, 0])
    with pytest.raises(ValueError, match="negative"):
        split_by_largest_remainder(1, [2, -1])


@pytest.mark.parametrize("text", ["1.005", "NaN", "Infinity", "1e-3"])
def test_an_amount_has_whole_cents(text: str) -> None:
    with pytest.raises(ValueError, match="whole cents"):
        cents_of(text)


@given(AMOUNTS)
def test_what_is_written_reads_back(cents: int) -> None:
    assert cents_of(euros(cents).removesuffix(" €").replace(",", "")) == cents
