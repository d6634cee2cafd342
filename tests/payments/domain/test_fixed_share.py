"""The share of fixed compensation: exact against the guard, nothing lost between models, no share of nothing."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.common.fixed_share import guard_on
from kanava.payments.domain.fixed_share import FIXED, PAY, Paid, fixed_share, fixed_shares

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
ESPOO, KAUNIAINEN = "049", "235"
PRICING = {(OCTOBER, ESPOO): "m1", (NOVEMBER, ESPOO): "m2", (OCTOBER, KAUNIAINEN): "m1", (NOVEMBER, KAUNIAINEN): "m1"}
GUARD = guard_on(OCTOBER)


def paid(component: str, cents: int, month: date = OCTOBER, *municipalities: str) -> Paid:
    """Cents of a component in Espoo, or elsewhere."""
    return Paid(month, frozenset(municipalities or {ESPOO}), component, cents)


@pytest.mark.parametrize(
    ("fixed", "fee", "is_below"), [(200, 100, False), (199, 100, True), (0, 1, True), (1, 0, False)]
)
def test_two_thirds_are_enough_and_less_are_not(fixed: int, fee: int, is_below: bool) -> None:
    share = fixed_share("m1", [paid("capitation", fixed), paid("fee", fee)], GUARD)
    assert (share.fixed_cents, share.pay_cents, share.is_below) == (fixed, fixed + fee, is_below)


def test_more_taken_back_than_paid_has_no_share_and_two_thirds_are_told_as_667() -> None:
    less = fixed_share("m1", [paid("capitation", -200), paid("fee", 100)], GUARD)
    assert (less.pay_cents, less.fixed_permille, less.is_below) == (-100, None, False)
    assert fixed_share("m1", [paid("capitation", 200), paid("fee", 100)], GUARD).fixed_permille == 667


def test_there_is_no_share_of_nothing_and_no_warning_before_the_guard() -> None:
    nothing = fixed_share("m1", [paid("fee", 100), paid("fee", -100)], GUARD)
    assert (nothing.fixed_permille, nothing.is_below) == (None, False)
    before = guard_on(date(2018, 3, 7))
    assert before is None
    assert fixed_share("m1", [paid("fee", 100)], before).is_below is False


def test_a_month_counts_for_the_model_that_priced_it_and_what_has_several_for_none() -> None:
    found = fixed_shares(
        [
            paid("capitation", 100),
            paid("base_payment", 50, NOVEMBER, KAUNIAINEN),
            paid("fee", 7, NOVEMBER),
            paid("effectiveness", 30, OCTOBER, ESPOO, KAUNIAINEN),
            paid("effectiveness", 40, NOVEMBER, ESPOO, KAUNIAINEN),
            paid("voucher", 5, OCTOBER, "091"),
        ],
        PRICING,
        GUARD,
    )
    assert [(one.model, one.fixed_cents, one.pay_cents, one.fixed_permille) for one in found] == [
        ("m1", 150, 180, 833),
        ("m2", 0, 7, 0),
        (None, 0, 45, 0),
    ]


parts = st.builds(
    Paid,
    st.sampled_from([OCTOBER, NOVEMBER]),
    st.frozensets(st.sampled_from([ESPOO, KAUNIAINEN, "091"])),
    st.sampled_from(sorted(PAY)),
    st.integers(0, 10**9),
)


@given(st.lists(parts, max_size=30), st.randoms())
def test_the_models_share_out_what_was_paid_in_any_order(given_parts: list[Paid], random: object) -> None:
    found = fixed_shares(given_parts, PRICING, GUARD)
    assert sum(one.fixed_cents for one in found) == sum(p.amount_cents for p in given_parts if p.component in FIXED)
    random.shuffle(given_parts)  # type: ignore[attr-defined]  # Hypothesis' random
    assert fixed_shares(given_parts, PRICING, GUARD) == found


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(1, 10**9))
def test_more_variable_pay_never_raises_the_share(fixed: int, fee: int, more: int) -> None:
    before = fixed_share("m1", [paid("capitation", fixed), paid("fee", fee)], GUARD)
    after = fixed_share("m1", [paid("capitation", fixed), paid("fee", fee + more)], GUARD)
    assert Fraction(after.fixed_cents, after.pay_cents) <= Fraction(before.fixed_cents, before.pay_cents)
    assert after.is_below or not before.is_below
