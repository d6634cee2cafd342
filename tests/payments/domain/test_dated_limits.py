"""A row of a dated table holds from its own day on, and the one before it until the day before."""

from datetime import date, timedelta

import pytest

from kanava.payments.domain import disputes, performance
from kanava.payments.domain.disputes import Terms, contest_until, terms_on
from kanava.payments.domain.performance import Circumstances, Limits, decision_refusal, limits_on
from kanava.payments.errors import Reason

CHANGE = date(2027, 6, 1)
EVE = CHANGE - timedelta(days=1)


def test_new_terms_for_contesting_hold_for_statements_drawn_from_their_day_on(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Terms(date(2026, 1, 1), 30, 30), Terms(CHANGE, contest_days=60, decide_days=10)
    monkeypatch.setattr(disputes, "TERMS", (old, new))
    assert [terms_on(day) for day in (date(2020, 1, 1), EVE, CHANGE, date(2030, 1, 1))] == [old, old, new, new]
    assert contest_until(CHANGE) - contest_until(EVE) >= timedelta(days=29)


def test_a_new_limit_of_performance_lines_holds_for_decisions_from_its_day_on(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Limits(date(2023, 1, 1), 100_00, 24), Limits(CHANGE, most_cents=200_00, months_back=1)
    monkeypatch.setattr(performance, "LIMITS", (old, new))
    assert [limits_on(day) for day in (date(2020, 1, 1), EVE, CHANGE)] == [old, old, new]
    known = Circumstances(is_listed=True, is_in_production=True)
    refused = [decision_refusal(day=today, amount_cents=150_00, today=today, known=known) for today in (EVE, CHANGE)]
    assert refused == [Reason.PERFORMANCE_TOO_LARGE, None]
