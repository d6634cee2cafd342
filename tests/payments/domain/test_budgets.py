"""A line of the budget: which postings draw on it, what orders reserve of it, and when it breaks."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.budgets import (
    Line,
    Ordered,
    Plan,
    Use,
    after,
    broken_lines,
    covers,
    draws_on,
    is_limit,
    opened,
    standings,
)

OWN, PRIVATE = "own", "private"
NODES = ("MTP", "MTP.3", "MTP.3.1", "MTP.30", "PVO", "SOS.1.1")

LINES = (
    Line("1", "one_item", 1_000, "refuse", OWN),
    Line("2", "package", 500, "flag", None, ("MTP",)),
    Line("3", "strategic_focus", 300, "refuse", None, ("MTP.3", "SOS.1.1")),
    Line("4", "one_item", 2_000, "flag"),
)
USES = st.lists(
    st.builds(Use, st.sampled_from((OWN, PRIVATE)), st.none() | st.sampled_from(NODES), st.integers(-400, 600)),
    max_size=25,
)
ORDERS = st.lists(
    st.builds(
        Ordered,
        st.sampled_from([line.line for line in LINES]),
        st.sampled_from((OWN, PRIVATE)),
        st.sampled_from(NODES),
        st.integers(0, 500),
    ),
    max_size=5,
)


def test_a_node_covers_itself_and_what_lies_below() -> None:
    """The examples of registry's rule: the two services read a budget in the same way."""
    assert [covers("MTP", node) for node in ("MTP", "MTP.3.1", "PVO")] == [True, True, False]
    assert [covers("MTP.3", node) for node in ("MTP.30", "MTP")] == [False, False]


def test_a_posting_draws_on_lines_of_its_producer_and_node() -> None:
    drawn = {
        (producer, node): [line.line for line in LINES if draws_on(Use(producer, node, 1), line)]
        for producer in (OWN, PRIVATE)
        for node in (None, "MTP", "MTP.3.1", "PVO")
    }
    assert drawn == {
        (OWN, None): ["1", "4"],
        (OWN, "MTP"): ["1", "2", "4"],
        (OWN, "MTP.3.1"): ["1", "2", "3", "4"],
        (OWN, "PVO"): ["1", "4"],
        (PRIVATE, None): ["4"],
        (PRIVATE, "MTP"): ["2", "4"],
        (PRIVATE, "MTP.3.1"): ["2", "3", "4"],
        (PRIVATE, "PVO"): ["4"],
    }


def test_one_producers_one_item_is_a_limit_and_other_lines_are_what_they_say() -> None:
    assert [is_limit(line) for line in LINES] == [True, False, True, False]
    assert is_limit(Line("5", "one_item", 1, "flag", OWN))


@given(ORDERS, USES)
def test_every_cent_of_a_line_is_used_encumbered_or_left(orders: list[Ordered], uses: list[Use]) -> None:
    found = standings(opened(LINES, orders, uses))
    assert [one.line for one in found] == list(LINES)
    for one in found:
        assert one.used_cents == sum(use.amount_cents for use in uses if draws_on(use, one.line))
        assert 0 <= one.encumbered_cents <= sum(order.amount_cents for order in orders if order.line == one.line.line)
        assert one.used_cents + one.encumbered_cents + one.left_cents == one.line.amount_cents


@given(ORDERS, USES, st.integers(0, 25), st.randoms(use_true_random=False))
def test_the_order_and_the_batches_of_the_uses_do_not_matter(
    orders: list[Ordered], uses: list[Use], cut: int, random: Random
) -> None:
    whole = standings(opened(LINES, orders, uses))
    shuffled = list(uses)
    random.shuffle(shuffled)
    assert standings(after(opened(LINES, orders, shuffled[:cut]), shuffled[cut:])) == whole


@given(ORDERS, st.lists(USES, max_size=12))
def test_limits_hold_whatever_is_posted(orders: list[Ordered], postings: list[list[Use]]) -> None:
    """Taking only what breaks no limit, a line's use never grows beyond its amount."""
    plan = opened(LINES, orders)
    for posting in postings:
        if any(is_limit(line) for line in broken_lines(plan, posting)):
            continue
        before, plan = plan, after(plan, posting)
        for stood, stands in zip(standings(before), standings(plan), strict=True):
            grew = stands.used_cents > stood.used_cents
            assert not (is_limit(stands.line) and grew and stands.used_cents > stands.line.amount_cents)


def standing(plan: Plan, line: str) -> tuple[int, int, int]:
    """Used, encumbered and left of a line."""
    return next((s.used_cents, s.encumbered_cents, s.left_cents) for s in standings(plan) if s.line.line == line)


def test_an_order_encumbers_until_it_is_delivered() -> None:
    plan = opened(LINES, [Ordered("2", PRIVATE, "MTP", 400)])
    assert standing(plan, "2") == (0, 400, 100)
    delivered = after(plan, [Use(PRIVATE, "MTP.3.1", 150)])
    assert standing(delivered, "2") == (150, 250, 100)
    assert standing(after(delivered, [Use(PRIVATE, "MTP", 300)]), "2") == (450, 0, 50)
    assert standing(after(delivered, [Use(PRIVATE, "MTP.3.1", -150)]), "2") == (0, 400, 100)


def test_a_use_delivers_on_the_order_that_names_its_node_most_closely() -> None:
    orders = [Ordered("2", PRIVATE, "MTP", 400), Ordered("4", PRIVATE, "MTP.3", 300), Ordered("4", OWN, "MTP.3.1", 9)]
    plan = opened(LINES, orders, [Use(PRIVATE, "MTP.3.1", 100), Use(PRIVATE, "MTP.30", 50)])
    assert [standing(plan, line)[1] for line in ("2", "4")] == [350, 200 + 9]


def test_nobody_takes_what_is_reserved_for_another() -> None:
    plan = opened(LINES, [Ordered("2", PRIVATE, "MTP", 400)])
    assert [line.line for line in broken_lines(plan, [Use(OWN, "MTP", 101)])] == ["2"]
    assert broken_lines(plan, [Use(OWN, "MTP", 100)]) == []
    assert broken_lines(plan, [Use(PRIVATE, "MTP", 500)]) == []
    assert [line.line for line in broken_lines(plan, [Use(PRIVATE, "MTP", 501)])] == ["2"]


def test_of_orders_for_more_than_the_line_no_more_than_the_line_is_taken() -> None:
    """What was ordered is reserved for its producer, but an order makes no money: a line is never passed."""
    plan = opened(LINES, [Ordered("2", PRIVATE, "MTP", 600)])
    assert standing(plan, "2") == (0, 600, -100)
    assert broken_lines(plan, [Use(PRIVATE, "MTP", 500)]) == []
    assert [line.line for line in broken_lines(plan, [Use(PRIVATE, "MTP", 501)])] == ["2"]
    assert [line.line for line in broken_lines(plan, [Use(OWN, "MTP", 1)])] == ["2"], "all of it is reserved"


def test_a_posting_whose_parts_cancel_out_breaks_no_line_that_is_overdrawn() -> None:
    plan = opened(LINES, [], [Use(OWN, None, 1_500)])
    assert broken_lines(plan, [Use(OWN, None, 7), Use(OWN, None, -7)]) == []


def test_a_refund_never_breaks_a_line_that_is_overdrawn() -> None:
    plan = opened(LINES, [], [Use(OWN, None, 1_500)])
    assert broken_lines(plan, [Use(OWN, None, -1)]) == []
    assert [line.line for line in broken_lines(plan, [Use(OWN, None, 1)])] == ["1"]


@given(ORDERS, USES, USES, st.integers(0, 500))
def test_a_larger_line_or_less_use_never_breaks_more(
    orders: list[Ordered], uses: list[Use], posting: list[Use], more: int
) -> None:
    broken = {line.line for line in broken_lines(opened(LINES, orders, uses), posting)}
    larger = [replace(line, amount_cents=line.amount_cents + more) for line in LINES]
    assert {line.line for line in broken_lines(opened(larger, orders, uses), posting)} <= broken
    dearer = [replace(use, amount_cents=use.amount_cents + more) for use in posting]
    assert {line.line for line in broken_lines(opened(LINES, orders, uses), dearer)} >= broken


@given(ORDERS, USES, st.builds(Use, st.sampled_from((OWN, PRIVATE)), st.none() | st.sampled_from(NODES),
                               st.integers(0, 600)))  # fmt: skip
def test_more_cost_never_leaves_more(orders: list[Ordered], uses: list[Use], more: Use) -> None:
    stood, stands = (standings(opened(LINES, orders, each)) for each in (uses, [*uses, more]))
    for before, after_more in zip(stood, stands, strict=True):
        assert after_more.used_cents >= before.used_cents
        assert after_more.encumbered_cents <= before.encumbered_cents
        assert after_more.used_cents - before.used_cents in (0, more.amount_cents)
