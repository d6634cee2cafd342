"""How a resident reads what was spent: no cent lost, corrections in words, months whole, twelve at a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.common.clock import add_months
from kanava.payments.domain.chart import COST_OF
from kanava.payments.domain.spending import (
    COMPONENTS,
    MONTHS_AT_ONCE,
    Booked,
    Change,
    Correction,
    by_component,
    changes,
    months_of,
    shown_months,
    whole_months,
)

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
CAPITATION = Booked(
    *(OCTOBER, OCTOBER, "capitation", "original", "P", "U", "", 7_00),
    days=31,
    permille_days=31_000,
    rate_cents=84_00,
)


def refund(of: Booked, paid: date = NOVEMBER) -> Booked:
    """What takes back a line."""
    days = {"days": -of.days, "permille_days": -of.permille_days}
    return replace(of, kind="refund", paid_month=paid, amount_cents=-of.amount_cents, **days)


def correction(of: Booked, **changed: object) -> Booked:
    """What comes in its place."""
    return replace(of, kind="correction", paid_month=NOVEMBER, **changed)  # type: ignore[arg-type]  # fields of Booked


rows = st.builds(
    Booked,
    for_month=st.sampled_from([OCTOBER, NOVEMBER]),
    paid_month=st.sampled_from([NOVEMBER, DECEMBER]),
    component=st.sampled_from([*COMPONENTS, "another"]),
    kind=st.sampled_from(["original", "refund", "correction"]),
    producer_id=st.sampled_from("PQ"),
    unit_id=st.sampled_from("UV"),
    node=st.sampled_from(["", "SOS.1"]),
    amount_cents=st.integers(-100_000, 100_000),
)


@given(st.lists(rows, max_size=40))
def test_every_cent_is_in_one_matter_one_month_and_one_kind(booked: list[Booked]) -> None:
    months = months_of(booked)
    total = sum(one.amount_cents for one in booked)
    assert sum(month.amount_cents for month in months) == total
    assert sum(matter.amount_cents for month in months for matter in month.matters) == total
    assert sum(by_component(months).values()) == total
    assert [month.first for month in months] == sorted({one.for_month for one in booked}, reverse=True)


@given(st.lists(rows, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter_to_the_sums(booked: list[Booked], random: object) -> None:
    mixed = list(booked)
    random.shuffle(mixed)  # type: ignore[attr-defined]  # Hypothesis gives a Random
    sums = [[(one.first, one.amount_cents) for one in months_of(each)] for each in (booked, mixed)]
    assert sums[0] == sums[1]
    assert list(by_component(months_of(booked)).items()) == list(by_component(months_of(mixed)).items())


def test_a_pair_is_one_correction_of_one_matter() -> None:
    holds = correction(CAPITATION, days=21, permille_days=21_000, amount_cents=4_74)
    (month,) = months_of([CAPITATION, refund(CAPITATION), holds])
    (matter,) = month.matters
    assert matter.amount_cents == 4_74
    assert matter.holds == holds
    (corrected,) = matter.corrections
    assert (corrected.before_cents, corrected.after_cents) == (7_00, 4_74)
    assert corrected.paid_month == NOVEMBER


def test_what_was_corrected_twice_is_told_in_its_order() -> None:
    second = correction(CAPITATION, amount_cents=5_00)
    third = replace(second, paid_month=DECEMBER, amount_cents=6_00)
    rows = [third, refund(second, DECEMBER), second, refund(CAPITATION), CAPITATION]
    (month,) = months_of(rows)
    told = [(one.paid_month, one.before_cents, one.after_cents) for one in month.matters[0].corrections]
    assert told == [(NOVEMBER, 7_00, 5_00), (DECEMBER, 5_00, 6_00)]
    assert month.amount_cents == 6_00


def test_two_decisions_of_one_day_are_told_apart() -> None:
    first = replace(CAPITATION, component="benefit", amount_cents=40_00, decision=1)
    second = replace(correction(first, amount_cents=55_00), decision=2)
    third = replace(correction(first, amount_cents=10_00), decision=3)
    taken = [replace(refund(first), decision=2), replace(refund(second), decision=3)]
    (month,) = months_of([third, taken[1], first, second, taken[0]])
    told = [(one.before_cents, one.after_cents) for one in month.matters[0].corrections]
    assert told == [(40_00, 55_00), (55_00, 10_00)]
    assert month.matters[0].holds == third


def test_what_was_taken_back_holds_nothing_and_is_still_shown() -> None:
    (month,) = months_of([CAPITATION, refund(CAPITATION)])
    (matter,) = month.matters
    assert (matter.amount_cents, matter.holds) == (0, None)
    assert changes(matter.corrections[0]) == (Change.REMOVED,)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"days": 21, "permille_days": 21_000}, (Change.DAYS,)),
        ({"permille_days": 38_750}, (Change.COEFFICIENT,)),
        ({"rate_cents": 96_00}, (Change.RATE,)),
        ({"days": 21, "permille_days": 26_250, "rate_cents": 96_00}, (Change.DAYS, Change.RATE, Change.COEFFICIENT)),
        ({"producer_id": "Q"}, (Change.REPORT,)),
    ],
)
def test_a_corrected_capitation_says_what_changed(changed: dict[str, object], expected: tuple[Change, ...]) -> None:
    assert changes(Correction(NOVEMBER, refund(CAPITATION), correction(CAPITATION, **changed))) == expected


@pytest.mark.parametrize(
    ("component", "rate_cents", "expected"),
    [
        ("fee", 50_00, Change.PRICE),
        ("fee", 84_00, Change.REPORT),
        ("fee", None, Change.REPORT),
        ("voucher", 50_00, Change.PRICE),
        ("client_fee", 84_00, Change.REPORT),
        ("incentive", 0, Change.SHARE),
        ("performance", 0, Change.DECISION),
        ("benefit", None, Change.DECISION),
        ("adjustment", None, Change.DECISION),
    ],
)
def test_other_corrections_say_what_changed(component: str, rate_cents: int | None, expected: Change) -> None:
    stood = replace(CAPITATION, component=component)
    assert changes(Correction(NOVEMBER, refund(stood), correction(stood, rate_cents=rate_cents))) == (expected,)


def test_what_came_late_was_added() -> None:
    assert changes(Correction(NOVEMBER, None, correction(CAPITATION))) == (Change.ADDED,)


def test_a_revoked_decision_says_why() -> None:
    decided = replace(CAPITATION, component="performance", reason="Tarve kasvoi.")
    revoked = replace(refund(decided), reason="Tarve ei kasvanut.")
    (month,) = months_of([decided, revoked])
    assert month.matters[0].reasons == ("Tarve kasvoi.",)
    assert month.matters[0].corrections[0].reason == "Tarve ei kasvanut."


def test_kinds_stand_in_the_order_of_the_page_and_unknown_ones_last() -> None:
    rows = [replace(CAPITATION, component=one) for one in ("zebra", "client_fee", "fee", "capitation")]
    (month,) = months_of(rows)
    assert [one.of.component for one in month.matters] == ["capitation", "fee", "client_fee", "zebra"]
    assert list(by_component([month])) == ["capitation", "fee", "client_fee", "zebra"]


@pytest.mark.parametrize(
    ("since", "until", "shown"),
    [
        (None, None, (date(2026, 1, 1), DECEMBER)),
        (OCTOBER, None, (OCTOBER, DECEMBER)),
        (None, date(2025, 3, 1), (date(2024, 4, 1), date(2025, 3, 1))),
        (OCTOBER, NOVEMBER, (OCTOBER, NOVEMBER)),
        (NOVEMBER, OCTOBER, (OCTOBER, NOVEMBER)),
        (date(1990, 1, 1), DECEMBER, (date(2026, 1, 1), DECEMBER)),
        (OCTOBER, OCTOBER, (OCTOBER, OCTOBER)),
        (date(2027, 3, 1), None, (DECEMBER, date(2027, 3, 1))),
    ],
)
def test_the_months_that_are_shown(since: date | None, until: date | None, shown: tuple[date, date]) -> None:
    assert shown_months(since, until, date(2026, 12, 20)) == shown


months = st.dates(date(1900, 1, 1), date(2099, 12, 31))


@given(st.none() | months, st.none() | months, months)
def test_never_more_than_twelve_months_are_shown(since: date | None, until: date | None, today: date) -> None:
    first, last = shown_months(since, until, today)
    assert first <= last < add_months(first, MONTHS_AT_ONCE)
    assert (first.day, last.day) == (1, 1)


@pytest.mark.parametrize(
    ("sizes", "limit", "kept", "first"),
    [
        ((2, 3), 6, 5, OCTOBER),
        ((2, 3), 5, 2, NOVEMBER),
        ((2, 3), 3, 2, NOVEMBER),
        ((4, 0), 4, 4, NOVEMBER),
        ((0, 0), 4, 0, OCTOBER),
    ],
)
def test_a_month_is_there_as_a_whole_or_not_at_all(sizes: Sequence[int], limit: int, kept: int, first: date) -> None:
    rows = [replace(CAPITATION, for_month=month) for month, size in zip((NOVEMBER, OCTOBER), sizes, strict=True)
            for _ in range(size)]  # fmt: skip
    found, begins = whole_months(rows[:limit], OCTOBER, limit)
    assert (len(found), begins) == (kept, first)


def test_every_component_that_falls_on_residents_is_known() -> None:
    """What is charged to a producer as a whole has no resident lines; benefits are no component of a statement."""
    without_lines = {"base_payment", "effectiveness", "sanction"}
    assert set(COMPONENTS) == COST_OF.keys() - without_lines | {"benefit"}
