"""Deadlines of contesting and deciding, and who may decide."""

from datetime import date, timedelta

import holidays
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kanava.payments.domain.disputes import (
    MAX_LINES,
    OWNER_OF,
    TERMS,
    Adjusted,
    Remedy,
    adjustment_refusal,
    contest_refusal,
    contest_until,
    deadline,
    decide_until,
    decision_refusal,
    terms_on,
)
from kanava.payments.domain.finals import STANDINGS, Exit, Ground, refusal
from kanava.payments.errors import Reason

DAYS = st.dates(date(2026, 1, 1), date(2035, 12, 31))


@given(DAYS, st.integers(1, 90))
def test_a_time_never_ends_early_nor_on_a_day_off(day: date, days: int) -> None:
    last = deadline(day, days)
    assert last >= day + timedelta(days=days)
    assert last - day - timedelta(days=days) <= timedelta(days=5), "Christmas and Easter are four days off"
    assert last.weekday() < 5
    assert last not in holidays.country_holidays("FI", years=last.year)


def plainly(day: date, days: int) -> date:
    """The first working day that is not before the last day of a time."""
    off = holidays.country_holidays("FI", years=(2026, 2027))
    later = (day + timedelta(days=days + n) for n in range(10))
    return next(one for one in later if one.weekday() < 5 and one not in off)


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(1, 90))
def test_a_time_ends_on_its_last_day_or_the_next_working_day(day: date, days: int) -> None:
    assert deadline(day, days) == plainly(day, days)


@given(DAYS, DAYS, st.integers(1, 90))
def test_who_begins_later_ends_no_earlier(one: date, other: date, days: int) -> None:
    assert deadline(min(one, other), days) <= deadline(max(one, other), days)


@given(DAYS)
def test_a_statement_can_be_contested_on_its_last_day_and_not_after(drawn_on: date) -> None:
    last = contest_until(drawn_on)
    assert contest_refusal(drawn_on=drawn_on, today=last, lines=1) is None
    late = contest_refusal(drawn_on=drawn_on, today=last + timedelta(days=1), lines=1)
    assert late is Reason.CONTESTED_TOO_LATE


@pytest.mark.parametrize("lines", [1, MAX_LINES])
def test_a_case_of_one_line_or_of_the_most_is_opened(lines: int) -> None:
    day = date(2026, 12, 2)
    assert contest_refusal(drawn_on=day, today=day, lines=lines) is None


@pytest.mark.parametrize("lines", [0, MAX_LINES + 1])
def test_a_case_has_some_lines_and_not_all(lines: int) -> None:
    day = date(2026, 12, 2)
    assert contest_refusal(drawn_on=day, today=day, lines=lines) is Reason.TOO_MANY_LINES


def test_the_terms_are_dated_and_in_order() -> None:
    assert list(TERMS) == sorted(TERMS, key=lambda terms: terms.valid_from)
    assert terms_on(date(2000, 1, 1)) == TERMS[0]
    assert terms_on(date(2999, 1, 1)) == TERMS[-1]
    assert decide_until(date(2026, 12, 10)) == date(2027, 1, 11)


def test_every_remedy_has_an_owner() -> None:
    assert set(OWNER_OF) == set(Remedy)
    assert set(OWNER_OF.values()) == {"registry", "listing", "monitoring", "payments"}


def test_who_had_a_hand_in_it_does_not_decide() -> None:
    hands = ("anna", None, "tuottaja")
    for who in ("anna", "tuottaja"):
        assert decision_refusal(status="open", decided_by=who, hands=hands) is Reason.DECIDED_BY_THE_SAME
    assert decision_refusal(status="open", decided_by="cecilia", hands=hands) is None
    assert decision_refusal(status="rejected", decided_by="cecilia", hands=hands) is Reason.DISPUTE_DECIDED


TODAY = date(2026, 12, 10)
CENTS = st.integers(-10_000_00, 10_000_00)


@example(0, 5_00, "original")
@given(CENTS, CENTS, st.sampled_from(["original", "refund", "correction"]))
def test_an_adjusted_line_keeps_its_sign_and_a_refund_takes_back_at_most_what_stood(
    stood: int, holds: int, kind: str
) -> None:
    if stood == holds:
        return
    reason = adjustment_refusal(Adjusted("fee", kind, stood, holds), TODAY)
    keeps = (holds >= 0 if stood >= 0 else holds <= 0) and (kind != "refund" or abs(holds) < abs(stood))
    assert reason is (None if keeps else Reason.HOLDS_TURN_THE_LINE)


def test_what_is_counted_elsewhere_or_corrected_already_is_not_adjusted() -> None:
    refused = {
        name: adjustment_refusal(Adjusted(name, "original", 2, 1), TODAY) for name in ("client_fee", "voucher", "fee")
    }
    assert refused == {"client_fee": Reason.COUNTED_ELSEWHERE, "voucher": Reason.COUNTED_ELSEWHERE, "fee": None}
    earning = Adjusted("capitation", "original", 7_00, 1_00, earns_incentive=True)
    assert adjustment_refusal(earning, TODAY) is Reason.COUNTED_ELSEWHERE
    assert adjustment_refusal(Adjusted("capitation", "original", 7_00, 1_00), TODAY) is None
    for beside, reason in (
        ("is_revoked", Reason.LINE_REVOKED),
        ("is_own", Reason.SAME_PERSON),
        ("is_corrected", Reason.LINE_CORRECTED_SINCE),
        ("takes_back", Reason.TAKES_BACK),
        ("is_adjusted", Reason.ADJUSTED_BEFORE),
    ):
        assert adjustment_refusal(Adjusted("performance", "original", 7_00, 1_00, **{beside: True}), TODAY) is reason


def test_a_dispute_is_no_way_around_the_limit_of_a_performance_line() -> None:
    for holds, reason in ((10_000_00, None), (10_000_01, Reason.PERFORMANCE_TOO_LARGE)):
        assert adjustment_refusal(Adjusted("performance", "original", 9_000_00, holds), TODAY) is reason
    assert adjustment_refusal(Adjusted("fee", "original", 9_000_00, 10_000_01), TODAY) is None


READY = {
    "already_drawn": False,
    "still_listed": False,
    "payments_at_the_bank": 0,
    "open_disputes": 0,
    "waiting_corrections": 0,
    "open_statements": 1,
}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"already_drawn": True}, Reason.FINAL_ALREADY_DRAWN),
        ({"still_listed": True}, Reason.MONTHS_STILL_OPEN),
        ({"payments_at_the_bank": 1}, Reason.PAYMENT_AT_THE_BANK),
        ({"open_disputes": 1}, Reason.DISPUTE_OPEN),
        ({"waiting_corrections": 1}, Reason.CORRECTION_WAITS),
        ({"open_statements": 0}, Reason.NOTHING_TO_SETTLE),
        ({}, None),
    ],
)
def test_what_a_final_statement_waits_for(changed: dict[str, object], reason: Reason | None) -> None:
    exit_ = Exit(standing="left", **(READY | changed))  # type: ignore[arg-type]  # the fields as they are named
    assert refusal(exit_, "left") is reason


@pytest.mark.parametrize("ground", STANDINGS)
def test_an_approved_producer_stays(ground: Ground) -> None:
    assert refusal(Exit(standing="approved", **READY), ground) is Reason.PRODUCER_STAYS  # type: ignore[arg-type]  # as above
