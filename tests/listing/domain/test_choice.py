"""Choices: each refusal and its order, and what a choice that may be made does."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.listing.domain.choice import ChoiceRefusal, Chooser, Decision, Refusal, RuleBook, Wish, decide
from kanava.listing.domain.default_unit import default_unit
from kanava.listing.domain.spans import Span, last_open

NOTICE = date(2026, 10, 12)
DEFAULT = Span("own", "enterprise", date(2026, 9, 1), None, "default", 1100, 1)
CHOOSER = Chooser("03", alive=True, chosen_on=None, free_choice=False, spans=(DEFAULT,))
WISH = Wish(
    unit_id="private",
    producer_id="company",
    area="03",
    own=False,
    open=True,
    opens_on=date(2026, 1, 1),
    closes_on=None,
    producer_approved=True,
    places_left=None,
)
BOOK = RuleBook(months_between_choices=12, days_to_effect=21)


def decided(
    chooser: Chooser = CHOOSER,
    wish: Wish = WISH,
    book: RuleBook | None = BOOK,
    phase: int = 4,
    on: date = NOTICE,
) -> Decision | Refusal:
    """A decision on the usual choice with something else about it."""
    return decide(chooser, wish, rule_book=book, scheme_phase=phase, notice_on=on)


def test_a_first_choice_is_free_and_ends_the_default_listing() -> None:
    decision = decided()
    assert isinstance(decision, Decision)
    assert decision.takes_effect_on == date(2026, 11, 1)
    assert decision.next_choice_from == date(2027, 10, 12)
    assert decision.ends == replace(DEFAULT, until=date(2026, 11, 1))
    assert decision.change.closed == (1,)
    assert [span.unit_id for span in decision.change.spans] == ["own", "private"]


def test_the_clients_coefficient_goes_along() -> None:
    decision = decided()
    assert isinstance(decision, Decision)
    chosen = last_open(decision.change.spans)
    assert chosen is not None
    assert chosen.coefficient_permille == 1100


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        (ChoiceRefusal.NOT_ALIVE, {"chooser": replace(CHOOSER, alive=False)}),
        (ChoiceRefusal.NO_RULE_BOOK, {"book": None}),
        (ChoiceRefusal.ALREADY_THERE, {"wish": replace(WISH, unit_id="own")}),
        (ChoiceRefusal.OTHER_AREA, {"wish": replace(WISH, area="04")}),
        (ChoiceRefusal.UNIT_NOT_OPEN, {"wish": replace(WISH, open=False)}),
        (ChoiceRefusal.UNIT_NOT_OPEN, {"wish": replace(WISH, opens_on=date(2026, 11, 2))}),
        (ChoiceRefusal.UNIT_NOT_OPEN, {"wish": replace(WISH, closes_on=date(2026, 11, 1))}),
        (ChoiceRefusal.PRODUCER_NOT_APPROVED, {"wish": replace(WISH, producer_approved=False)}),
        (ChoiceRefusal.SCHEME_NOT_READY, {"phase": 3}),
        (ChoiceRefusal.UNIT_FULL, {"wish": replace(WISH, places_left=0)}),
    ],
)
def test_each_refusal_says_why(reason: ChoiceRefusal, changes: dict[str, Any]) -> None:
    assert decided(**changes) == Refusal(reason)
    assert reason.sentence.endswith(".")


def test_an_own_unit_needs_no_scheme() -> None:
    assert isinstance(decided(wish=replace(WISH, own=True), phase=0), Decision)


@given(
    st.dates(date(2025, 1, 1), date(2028, 1, 1)), st.dates(date(2025, 1, 1), date(2028, 1, 1)), st.booleans()
)
def test_the_window_is_the_only_thing_that_time_refuses(chosen_on: date, on: date, free: bool) -> None:
    decision = decided(
        replace(CHOOSER, chosen_on=chosen_on, free_choice=free), replace(WISH, opens_on=date.min), on=on
    )
    free_from = date(
        chosen_on.year + 1, chosen_on.month, min(chosen_on.day, 28 if chosen_on.month == 2 else 31)
    )
    if not free and on < free_from:
        assert decision == Refusal(ChoiceRefusal.TOO_EARLY, free_from)
    else:
        assert isinstance(decision, Decision)


@given(st.from_regex(r"[0-9]{5}", fullmatch=True), st.lists(st.text(min_size=1), unique=True))
def test_a_postal_code_comes_to_the_same_unit_each_time(postal_code: str, units: list[str]) -> None:
    unit = default_unit(postal_code, units)
    assert unit == default_unit(postal_code, units)
    assert (unit in units) if units else unit is None
