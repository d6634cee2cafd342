"""Incentives: earned and released are what was reserved, and a better indicator never earns less."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kanava.common.contracts.registry import IncentiveTerm
from kanava.payments.domain.incentives import (
    Measured,
    Outcome,
    Stands,
    earned_share,
    holds,
    outcome,
    parts,
    reserve_cents,
)

VALUES = st.integers(-1_000_000, 1_000_000)
CENTS = st.integers(0, 10**12)
DIRECTIONS = st.sampled_from(("higher_is_better", "lower_is_better"))


@st.composite
def any_terms(draw: st.DrawFn) -> IncentiveTerm:
    """A term with its target on the better side of its floor, or at it."""
    direction, floor = draw(DIRECTIONS), draw(VALUES)
    away = draw(st.integers(0, 1_000_000))
    target = floor + away if direction == "higher_is_better" else floor - away
    return IncentiveTerm(
        indicator="esh",
        share_permille=1000,
        direction=direction,
        floor=floor,
        target=target,
        scale=draw(st.integers(0, 3)),
    )


REFERRALS = IncentiveTerm(
    indicator="esh", share_permille=600, direction="lower_is_better", floor=100, target=50, scale=0
)


@given(CENTS, any_terms(), VALUES, st.integers(0, 3))
def test_earned_and_released_are_what_was_reserved(cents: int, term: IncentiveTerm, value: int, scale: int) -> None:
    got = outcome(cents, Measured(value, scale), term)
    assert got.earned_cents + got.released_cents == cents
    assert 0 <= got.earned_cents <= cents
    assert 0 <= earned_share(Measured(value, scale), term) <= 1


@given(CENTS, any_terms(), VALUES, st.integers(0, 1_000_000), st.integers(0, 3))
def test_a_better_value_never_earns_less(cents: int, term: IncentiveTerm, value: int, more: int, scale: int) -> None:
    better = value + more if term.direction == "higher_is_better" else value - more
    worse_cents = outcome(cents, Measured(value, scale), term).earned_cents
    assert outcome(cents, Measured(better, scale), term).earned_cents >= worse_cents


@given(any_terms())
def test_the_target_earns_all_and_the_floor_nothing(term: IncentiveTerm) -> None:
    assert earned_share(Measured(term.target, term.scale), term) == 1
    if term.floor != term.target:
        assert earned_share(Measured(term.floor, term.scale), term) == 0


@given(CENTS, st.integers(0, 1000))
def test_the_parts_of_a_reserve_are_the_reserve(cents: int, permille: int) -> None:
    shares = (permille, 1000 - permille)
    terms = [REFERRALS.model_copy(update={"share_permille": share}) for share in shares]
    assert sum(parts(cents, terms)) == cents


def test_half_way_earns_half_and_a_snapshot_is_read_by_its_own_bounds() -> None:
    assert earned_share(Measured(75, 0), REFERRALS) == Fraction(1, 2)
    assert outcome(41, Measured(750, 1), REFERRALS) == Outcome(21, 20)
    assert earned_share(Measured(75, 0, floor=80, target=70), REFERRALS) == Fraction(1, 2)
    assert earned_share(Measured(69, 0, floor=80, target=70), REFERRALS) == 1


def test_a_month_reserves_its_share_half_up_and_never_less_than_nothing() -> None:
    assert reserve_cents(14_00, 5) == 70
    assert reserve_cents(10, 5) == 1
    assert reserve_cents(9, 5) == 0
    assert reserve_cents(-14_00, 5) == 0


STEPS = st.lists(st.one_of(st.integers(-(10**9), 10**9), st.tuples(st.sampled_from("abc"), VALUES)), max_size=12)


@given(st.lists(any_terms(), min_size=3, max_size=3), st.integers(0, 1000), st.integers(0, 100), STEPS)
def test_corrections_and_frozen_indicators_in_any_order_conserve_every_cent(
    drawn: list[IncentiveTerm], permille: int, percent: int, steps: list[int | tuple[str, int]]
) -> None:
    """A whole number corrects the capitation; a pair freezes an indicator, the first time that it is told."""
    shares = (permille, 1000 - permille, 0)
    terms = [
        term.model_copy(update={"indicator": name, "share_permille": share})
        for name, term, share in zip("abc", drawn, shares, strict=True)
    ]
    stands, capitation_cents = Stands(), 0
    frozen: dict[str, Measured] = {}
    reserve_account = earned = released = reserved = 0
    for step in steps:
        if isinstance(step, int):
            capitation_cents += step
        else:
            frozen.setdefault(step[0], Measured(step[1], 0))
        now = holds(capitation_cents, percent, terms, frozen)
        reserved += now.reserved_cents - stands.reserved_cents
        reserve_account += (now.reserved_cents - stands.reserved_cents) - (now.settled_cents - stands.settled_cents)
        earned += sum(now.earned_cents(name) - stands.earned_cents(name) for name in "abc")
        released += sum(one.released_cents for one in now.outcomes.values()) - sum(
            one.released_cents for one in stands.outcomes.values()
        )
        assert holds(capitation_cents, percent, terms, frozen) == now, "what holds already is not moved again"
        stands = now
    assert reserve_account + earned + released == reserved == reserve_cents(capitation_cents, percent)
    assert min(reserve_account, earned, released) >= 0
    assert stands == holds(capitation_cents, percent, terms, frozen) or not steps, "only where it ends counts"


def test_a_floor_and_a_target_of_the_snapshot_are_in_the_scale_of_its_value() -> None:
    """7.5 between 10.0 and 5.0 of its own is half way, whatever the term of 100 and 50 says."""
    own = Measured(75, 1, floor=100, target=50)
    assert earned_share(own, REFERRALS) == Fraction(1, 2)
    assert earned_share(Measured(75, 1), REFERRALS) == 1, "by the term 7.5 is far better than 50"
