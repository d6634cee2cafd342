"""The level review: the rate follows the cost, within its bounds, and stays where nothing differs."""

from hypothesis import given
from hypothesis import strategies as st

from kanava.common.money import half_up
from kanava.payments.domain.levels import Bounds, Observed, Reviewed, Verdict, review

money = st.integers(0, 10**12)
BOUNDS = Bounds(20, 100)


@st.composite
def bounds(draw: st.DrawFn) -> Bounds:
    """A tolerance within what a rate may change."""
    most = draw(st.integers(0, 1000))
    return Bounds(draw(st.integers(0, most)), most)


def one(annual: int, paid: int, cost: int, limits: Bounds = BOUNDS) -> Reviewed:
    """One band reviewed."""
    return review([Observed("any", 0, annual, paid, cost)], limits)[0]


@given(money, money, bounds())
def test_cost_that_is_what_was_paid_changes_nothing(annual: int, paid: int, limits: Bounds) -> None:
    found = one(annual, paid, paid, limits)
    assert (found.proposed_cents, found.effect_cents) == (annual, 0)
    assert found.verdict is (Verdict.KEPT if paid else Verdict.NO_BASIS)


@given(money, money, money, money, bounds())
def test_more_cost_never_proposes_less(annual: int, paid: int, cost: int, more: int, limits: Bounds) -> None:
    less, greater = one(annual, paid, cost, limits), one(annual, paid, cost + more, limits)
    assert less.proposed_cents <= greater.proposed_cents
    assert less.effect_cents <= greater.effect_cents


@given(money, money, money, bounds())
def test_a_rate_stays_within_its_bounds(annual: int, paid: int, cost: int, limits: Bounds) -> None:
    found = one(annual, paid, cost, limits)
    assert 2000 * abs(found.proposed_cents - annual) <= 2 * annual * limits.most_permille + 1000
    if found.verdict is Verdict.FOLLOWED:
        assert abs(found.proposed_cents * paid - annual * cost) * 2 <= paid, "within half a cent of cost over paid"


@given(st.lists(st.builds(Observed, st.just("any"), st.integers(0, 90), money, money, money), max_size=6), bounds())
def test_bands_are_reviewed_each_by_itself(bands: list[Observed], limits: Bounds) -> None:
    assert review(bands, limits) == [each for band in bands for each in review([band], limits)]


def test_the_four_verdicts_in_euros() -> None:
    bands = [
        Observed("any", 0, 180_00, 1_000_00, 1_020_00),
        Observed("any", 7, 84_00, 1_000_00, 1_050_00),
        Observed("any", 65, 240_00, 1_000_00, 700_00),
        Observed("any", 85, 500_00, 0, 700_00),
    ]
    found = review(bands, BOUNDS)
    assert [each.verdict for each in found] == [Verdict.KEPT, Verdict.FOLLOWED, Verdict.BOUNDED, Verdict.NO_BASIS]
    assert [each.proposed_cents for each in found] == [180_00, 88_20, 216_00, 500_00]
    assert [each.difference_permille for each in found] == [20, 50, -300, 0]
    assert [each.effect_cents for each in found] == [0, 50_00, -100_00, 0]
    assert half_up(found[1].annual_cents * 1050) == 1000 * found[1].proposed_cents


def test_as_far_as_a_review_may_go_the_rate_still_follows() -> None:
    assert [one(84_00, 1_000_00, cost).verdict for cost in (900_00, 1_100_00)] == [Verdict.FOLLOWED] * 2
    assert [one(84_00, 1_000_00, cost).verdict for cost in (899_99, 1_100_01)] == [Verdict.BOUNDED] * 2
