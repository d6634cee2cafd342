"""The voucher's value: every cent of own cost is in a band, and the rates would pay for it."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kanava.payments.domain.vouchervalue import OwnBand, voucher_values

YEAR = 365
bands = st.lists(
    st.builds(
        OwnBand, st.just("any"), st.integers(0, 90), weight=st.integers(0, 10**6), resident_days=st.integers(0, 10**9)
    ),
    min_size=1,
    max_size=9,
)
cost = st.integers(0, 10**13)


def listed(found: list[OwnBand]) -> bool:
    """Whether anybody who counts was listed."""
    return sum(band.weight * band.resident_days for band in found) > 0


@given(bands, cost, st.sampled_from((YEAR, YEAR + 1)))
def test_the_parts_are_the_cost_and_the_rates_would_pay_it(found: list[OwnBand], net_cents: int, days: int) -> None:
    assume(listed(found))
    valued = voucher_values(found, net_cents, days)
    assert sum(one.cost_cents for one in valued) == net_cents
    paid = sum((Fraction(one.annual_cents * one.resident_days, days) for one in valued), Fraction(0))
    half_a_cent_each = Fraction(sum(one.resident_days for one in valued), 2 * days)
    assert abs(paid - net_cents) <= half_a_cent_each


@given(bands, cost, cost)
def test_more_cost_never_lowers_a_rate(found: list[OwnBand], net_cents: int, more: int) -> None:
    assume(listed(found))
    less, greater = (voucher_values(found, cents, YEAR) for cents in (net_cents, net_cents + more))
    assert all(one.annual_cents <= other.annual_cents for one, other in zip(less, greater, strict=True))


@given(bands, cost)
def test_a_rate_follows_the_weight_alone(found: list[OwnBand], net_cents: int) -> None:
    assume(listed(found))
    valued = sorted(voucher_values(found, net_cents, YEAR), key=lambda one: one.weight)
    rates = [one.annual_cents for one in valued]
    assert rates == sorted(rates)


def test_a_band_without_own_residents_has_a_rate_too() -> None:
    found = [OwnBand("any", 0, 2, 100 * YEAR), OwnBand("any", 65, 3, 200 * YEAR), OwnBand("any", 85, 9, 0)]
    valued = voucher_values(found, 80_000_00, YEAR)
    assert [one.cost_cents for one in valued] == [20_000_00, 60_000_00, 0]
    assert [one.annual_cents for one in valued] == [200_00, 300_00, 900_00]


def test_nobody_listed_says_nothing() -> None:
    with pytest.raises(ValueError, match="nobody was listed"):
        voucher_values([OwnBand("any", 0, 5, 0)], 1_00, YEAR)
