"""A payout stays within the limit, whatever the order and the batching."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

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
