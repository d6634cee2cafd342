"""A payout stays within the limit, whatever the order and the batching."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.budgets import Line, Use, after, opened, standings
from kanava.payments.domain.payout import Held, Payable, select_within


def payable(number: int, cents: int, **changed: object) -> Payable:
    """A statement that could be paid."""
    fields: dict[str, object] = {
        "statement_id": UUID(int=number),
        "producer_id": f"p{number}",
        "amount_cents": cents,
        "approved_by": "anna",
        "internal": False,
        "iban": "FI21",
        "current_iban": "FI21",
    }
    return Payable(**(fields | changed))  # type: ignore[arg-type]  # a test's shorthand


AMOUNTS = st.lists(st.integers(-100, 1000), max_size=30)


@given(st.integers(-1000, 5000), AMOUNTS, st.randoms())
def test_the_limit_holds_and_the_order_of_the_input_does_not_matter(spendable: int, amounts: list[int], random) -> None:
    statements = [payable(number, cents) for number, cents in enumerate(amounts)]
    selection = select_within(spendable, statements, released_by="bertta")
    assert sum(one.amount_cents for one in selection.taken) <= max(spendable, 0)
    assert len(selection.taken) + len(selection.held) == len(statements)
    random.shuffle(statements)
    assert select_within(spendable, statements, released_by="bertta") == selection


def test_of_sixty_and_sixty_against_a_hundred_one_is_paid() -> None:
    selection = select_within(100, [payable(1, 60), payable(2, 60)], released_by="bertta")
    assert [one.amount_cents for one in selection.taken] == [60]
    assert [reason for _, reason in selection.held] == [Held.OVER_THE_LIMIT]


@given(st.integers(0, 300), st.lists(st.integers(1, 100), max_size=8))
def test_what_fits_to_the_last_cent_is_taken_in_the_order_of_ids(spendable: int, amounts: list[int]) -> None:
    left, fits = spendable, []
    for number, cents in enumerate(amounts):
        if cents <= left:
            left -= cents
            fits.append(number)
    selection = select_within(
        spendable, [payable(number, cents) for number, cents in enumerate(amounts)], released_by="bertta"
    )
    assert [one.statement_id.int for one in selection.taken] == fits


def test_who_confirmed_an_account_does_not_release_to_it() -> None:
    confirmed = payable(1, 10, confirmed_by=("cecilia", "bertta"))
    assert select_within(100, [confirmed], released_by="bertta").held == ((confirmed, Held.CONFIRMED_BY_THE_SAME),)
    assert select_within(100, [confirmed], released_by="daniel").taken == (confirmed,)


def test_each_reason_to_hold_a_statement() -> None:
    statements = [
        payable(1, 0),
        payable(2, 10, approved_by="bertta"),
        payable(3, 10, iban=None, current_iban=None),
        payable(4, 10, current_iban="FI22"),
        payable(5, 10, internal=True, iban=None, current_iban=None),
    ]
    selection = select_within(100, statements, released_by="bertta")
    assert [one.statement_id.int for one in selection.taken] == [5]
    reasons = [Held.NOTHING_TO_PAY, Held.APPROVED_BY_THE_SAME, Held.NO_ACCOUNT, Held.ACCOUNT_CHANGED]
    assert [reason for _, reason in selection.held] == reasons


def test_what_is_settled_by_internal_posting_needs_no_account_and_waits_for_none() -> None:
    """The own enterprise got an account after the approval, or lost it: nothing goes there."""
    statements = [
        payable(n, 10, internal=True, iban=old, current_iban=new)
        for n, (old, new) in enumerate([(None, "FI21"), ("FI21", None), ("FI21", "FI22")])
    ]
    assert select_within(100, statements, released_by="bertta").taken == tuple(statements)


POSTINGS = st.lists(st.tuples(st.sampled_from("pq"), st.integers(1, 100), st.sampled_from((2026, 2027))), max_size=20)


@given(POSTINGS, st.randoms())
def test_a_limit_of_the_budget_holds_within_a_batch_and_between_batches(
    postings: list[tuple[str, int, int]], random
) -> None:
    lines = [Line("1", "one_item", 150, "refuse", "p"), Line("2", "one_item", 200, "flag")]
    budgets = {2026: opened(lines, []), 2027: opened(lines, [])}
    statements = [
        payable(number, cents, uses={year: (Use(who, None, cents),)})
        for number, (who, cents, year) in enumerate(postings)
    ]
    random.shuffle(statements)
    whole = select_within(10_000, statements, released_by="bertta", budgets=budgets)
    assert {reason for _, reason in whole.held} <= {Held.BREAKS_THE_BUDGET}
    assert {line.line for _, line in whole.flagged} <= {"2"}
    ordered = sorted(statements, key=lambda one: one.statement_id)
    taken = []
    for batch in (ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]):
        selection = select_within(10_000, batch, released_by="bertta", budgets=budgets)
        taken += selection.taken
        for statement in selection.taken:
            budgets |= {year: after(budgets[year], uses) for year, uses in statement.uses.items()}
    assert tuple(taken) == whole.taken, "two batches take what one takes"
    for plan in budgets.values():
        assert standings(plan)[0].left_cents >= 0


def test_of_sixty_and_sixty_against_a_budget_of_a_hundred_one_is_paid() -> None:
    plan = opened([Line("1", "one_item", 100, "refuse")], [])
    both = [payable(number, 60, uses={2026: (Use(f"p{number}", None, 60),)}) for number in (1, 2)]
    selection = select_within(10_000, both, released_by="bertta", budgets={2026: plan})
    assert [one.amount_cents for one in selection.taken] == [60]
    assert [reason for _, reason in selection.held] == [Held.BREAKS_THE_BUDGET]


def test_a_statement_of_two_years_is_held_by_the_budget_of_either() -> None:
    budgets = {
        2026: opened([Line("1", "one_item", 50, "refuse")], []),
        2027: opened([Line("1", "one_item", 9, "flag")], []),
    }
    final = payable(1, 60, uses={2026: (Use("p1", None, 50),), 2027: (Use("p1", None, 10),)})
    paid = select_within(100, [final], released_by="bertta", budgets=budgets)
    assert [(one, line.line) for one, line in paid.flagged] == [(final, "1")]
    budgets[2026] = after(budgets[2026], [Use("p1", None, 1)])
    held = select_within(100, [final], released_by="bertta", budgets=budgets)
    assert held.held == ((final, Held.BREAKS_THE_BUDGET),)
