"""When a limit of an account can be set: at most what is there, and lowered always."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain import account_limits as rules
from kanava.payments.domain.account_limits import BOUNDS, Bounds, Standing, bounds_on, limit_refusal
from kanava.payments.errors import Reason

TODAY = date(2026, 11, 20)
cents = st.integers(BOUNDS[-1].least_cents, BOUNDS[-1].most_cents)


@given(limit_cents=cents, in_force_cents=cents, spendable_cents=cents)
def test_a_limit_takes_no_account_below_it(limit_cents: int, in_force_cents: int, spendable_cents: int) -> None:
    """What was above its limit stays so, and what was below it comes no deeper."""
    standing = Standing(in_force_cents, spendable_cents)
    reason = limit_refusal(limit_cents, standing=standing, today=TODAY)
    short_cents = max(0, in_force_cents - spendable_cents)
    if reason is None:
        assert max(0, limit_cents - spendable_cents) <= short_cents
    else:
        assert reason is Reason.LIMIT_ABOVE_BALANCE
        assert limit_cents > max(in_force_cents, spendable_cents)


@given(in_force_cents=cents, spendable_cents=cents, by_cents=st.integers(0, 10**12))
def test_lowered_it_may_always_be(in_force_cents: int, spendable_cents: int, by_cents: int) -> None:
    lower_cents = max(in_force_cents - by_cents, BOUNDS[-1].least_cents)
    assert limit_refusal(lower_cents, standing=Standing(in_force_cents, spendable_cents), today=TODAY) is None


@pytest.mark.parametrize(
    ("limit_cents", "reason"),
    [
        (0, None),
        (100_00, None),
        (100_01, Reason.LIMIT_ABOVE_BALANCE),
        (BOUNDS[-1].least_cents, None),
        (BOUNDS[-1].least_cents - 1, Reason.LIMIT_OUT_OF_BOUNDS),
        (BOUNDS[-1].most_cents, Reason.LIMIT_ABOVE_BALANCE),
        (BOUNDS[-1].most_cents + 1, Reason.LIMIT_OUT_OF_BOUNDS),
    ],
)
def test_a_limit_has_bounds(limit_cents: int, reason: Reason | None) -> None:
    assert limit_refusal(limit_cents, standing=Standing(0, 100_00), today=TODAY) is reason


def test_bounds_are_dated(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 2027 on no overdraft is agreed; until then, and before the first day of all, the first bounds hold."""
    later = Bounds(date(2027, 1, 1), least_cents=0, most_cents=5_00)
    monkeypatch.setattr(rules, "BOUNDS", (BOUNDS[0], later))
    assert [bounds_on(day) for day in (date(2020, 1, 1), date(2026, 12, 31))] == [BOUNDS[0], BOUNDS[0]]
    assert bounds_on(date(2027, 1, 1)) == later
    standing = Standing(0, 100_00)
    assert limit_refusal(-1, standing=standing, today=date(2026, 12, 31)) is None
    for cents in (-1, 5_01):
        assert limit_refusal(cents, standing=standing, today=date(2027, 1, 1)) is Reason.LIMIT_OUT_OF_BOUNDS
