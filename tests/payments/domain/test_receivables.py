"""Paying receivables off: nothing is lost, oldest first, in any order, once."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.receivables import Left, Offset, minus, pay_off, share

CENTS = st.integers(-5_000_00, 5_000_00)
SUMS = st.dictionaries(st.sampled_from(["capitation", "fee", "client_fee", "incentive"]), CENTS, max_size=4)
STATEMENTS = st.lists(st.tuples(st.integers(1, 12), SUMS), max_size=8).map(
    lambda drawn: [Left(UUID(int=n + 1), date(2026, month, 1), sums) for n, (month, sums) in enumerate(drawn)]
)


def applied(statements: Sequence[Left], offsets: Sequence[Offset]) -> list[Left]:
    """What is left of statements after what they pay off."""
    left = {one.statement_id: dict(one.sums) for one in statements}
    for one in offsets:
        left[one.statement_id] = minus(left[one.statement_id], one.sums)
        left[one.receivable_id] = minus(left[one.receivable_id], {name: -cents for name, cents in one.sums.items()})
    return [Left(one.statement_id, one.month, left[one.statement_id]) for one in statements]


def amounts(statements: Sequence[Left]) -> dict[UUID, int]:
    """The sum of each statement."""
    return {one.statement_id: one.amount_cents for one in statements}


def by_age(statements: Sequence[Left]) -> list[Left]:
    """The oldest first."""
    return sorted(statements, key=lambda one: (one.month, one.statement_id))


@given(STATEMENTS)
def test_no_cent_is_lost_and_no_debt_turns_round(statements: list[Left]) -> None:
    after = applied(statements, pay_off(statements))
    assert sum(one.amount_cents for one in after) == sum(one.amount_cents for one in statements)
    before = amounts(statements)
    for one in after:
        assert abs(one.amount_cents) <= abs(before[one.statement_id])
        assert one.amount_cents * before[one.statement_id] >= 0


@given(STATEMENTS)
def test_afterwards_nobody_both_owes_and_is_owed(statements: list[Left]) -> None:
    left = [one.amount_cents for one in applied(statements, pay_off(statements))]
    assert not (min(left, default=0) < 0 < max(left, default=0))


@given(STATEMENTS)
def test_a_statement_never_pays_more_than_it_has(statements: list[Left]) -> None:
    taken: dict[UUID, int] = {}
    for one in pay_off(statements):
        assert one.amount_cents > 0
        assert min(one.sums.values()) > 0
        taken[one.statement_id] = taken.get(one.statement_id, 0) + one.amount_cents
    assert all(taken.get(one.statement_id, 0) <= max(one.amount_cents, 0) for one in statements)


@given(STATEMENTS, st.randoms())
def test_the_order_in_which_statements_come_does_not_matter(statements: list[Left], random: object) -> None:
    shuffled = list(statements)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random of Hypothesis
    assert pay_off(shuffled) == pay_off(statements)


@given(STATEMENTS)
def test_paying_off_twice_takes_nothing(statements: list[Left]) -> None:
    assert pay_off(applied(statements, pay_off(statements))) == ()


@given(STATEMENTS)
def test_the_oldest_receivable_is_paid_first(statements: list[Left]) -> None:
    after = amounts(applied(statements, pay_off(statements)))
    open_before = False
    for one in by_age([one for one in statements if one.amount_cents < 0]):
        touched = after[one.statement_id] != one.amount_cents
        assert not (open_before and touched), "a younger one was paid while an older one was open"
        open_before = open_before or after[one.statement_id] < 0


@given(STATEMENTS)
def test_month_after_month_leaves_in_sum_what_all_at_once_leaves(statements: list[Left]) -> None:
    """Released each month as it comes, or all together at the end: the producer is owed, or owes, the same."""
    known: list[Left] = []
    for one in by_age(statements):
        known = [*known, one]
        known = applied(known, pay_off(known))
    at_once = applied(statements, pay_off(statements))
    assert sum(one.amount_cents for one in known) == sum(one.amount_cents for one in at_once)
    assert sum(one.amount_cents < 0 for one in known) == sum(one.amount_cents < 0 for one in at_once)


@given(SUMS, st.integers(0, 100))
def test_a_share_is_whole_and_within_each_component(sums: dict[str, int], percent: int) -> None:
    amount_cents = max(sum(sums.values()), 0) * percent // 100
    parts = share(sums, amount_cents)
    assert sum(parts.values()) == amount_cents
    assert all(0 < cents <= sums[name] for name, cents in parts.items())


def test_of_two_receivables_the_older_is_paid_off_and_the_rest_of_a_statement_stays() -> None:
    old, young = (Left(UUID(int=n), date(2026, n, 1), {"capitation": -40_00}) for n in (1, 2))
    paying = Left(UUID(int=3), date(2026, 3, 1), {"capitation": 30_00, "fee": 60_00, "client_fee": -20_00})
    offsets = pay_off([paying, young, old])
    assert [(one.receivable_id.int, one.amount_cents) for one in offsets] == [(1, 40_00), (2, 30_00)]
    after = {one.statement_id.int: one.amount_cents for one in applied([old, young, paying], offsets)}
    assert after == {1: 0, 2: -10_00, 3: 0}
