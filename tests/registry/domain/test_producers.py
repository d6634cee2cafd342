"""What stands between an application and its approval."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.registry.domain.producers import (
    CHECKLIST,
    Application,
    ProducerRefusal,
    broken_by_account,
    broken_by_items,
    checklist_on,
    missing_items,
    refusal_to_approve,
)

DAY = date(2026, 10, 15)
ITEMS = [one.item for one in checklist_on(DAY)]
BOOK = "03:rule_book:1"


def test_the_checklist_follows_the_law_of_the_day() -> None:
    assert "registration" in ITEMS
    assert "licence" not in ITEMS
    before = {one.item for one in checklist_on(date(2023, 12, 31))}
    assert "licence" in before
    assert "registration" not in before
    assert all(one.until is None or one.until >= one.valid_from for one in CHECKLIST)


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)))
def test_an_item_is_asked_for_from_its_first_day_to_its_last(day: date) -> None:
    asked = {one.item for one in checklist_on(day)}
    for one in CHECKLIST:
        last = one.until or day + timedelta(days=1)
        assert (one.item in asked) is (one.valid_from <= day <= last)


@given(st.sets(st.sampled_from(ITEMS)))
def test_what_is_not_stated_is_missing(stated: set[str]) -> None:
    assert set(missing_items(stated, DAY)) == set(ITEMS) - stated


def test_unknown_and_repeated_items_are_named() -> None:
    assert broken_by_items(ITEMS, DAY) == []
    broken = broken_by_items([ITEMS[0], "horoscope", ITEMS[0]], DAY)
    assert [(one.pointer, one.rule) for one in broken] == [
        ("/items/1/item", "known_item"),
        ("/items/2/item", "item_once"),
    ]


def test_only_the_own_enterprise_needs_no_account() -> None:
    assert broken_by_account("own_enterprise", None) == []
    assert broken_by_account("private", "FI2112345600000785") == []
    assert [one.pointer for one in broken_by_account("third_sector", None)] == ["/iban"]


@pytest.mark.parametrize(
    ("application", "refusal"),
    [
        (Application("applied", (), BOOK, frozenset({BOOK})), None),
        (Application("approved", (), BOOK, frozenset({BOOK})), ProducerRefusal.NOT_AN_APPLICANT),
        (Application("applied", (), None, frozenset()), ProducerRefusal.NO_RULE_BOOK),
        (
            Application("applied", ("client_data",), BOOK, frozenset({BOOK})),
            ProducerRefusal.CHECKLIST_INCOMPLETE,
        ),
        (
            Application("applied", (), "03:rule_book:2", frozenset({BOOK})),
            ProducerRefusal.RULE_BOOK_NOT_ACCEPTED,
        ),
    ],
)
def test_each_condition_of_approval_says_why(application: Application, refusal: ProducerRefusal | None) -> None:
    assert refusal_to_approve(application) is refusal
