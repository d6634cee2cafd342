"""When an organiser may decide on a performance line, and who may revoke it."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.performance import (
    LIMITS,
    Circumstances,
    decision_refusal,
    limits_on,
    revocation_refusal,
)
from kanava.payments.errors import Reason

TODAY = date(2026, 12, 10)
LISTED = Circumstances(is_listed=True, is_in_production=True)
MOST = LIMITS[0].most_cents


def refused(day: date = TODAY, cents: int = 100_00, known: Circumstances = LISTED) -> Reason | None:
    """Why a line is refused on 10 December 2026."""
    return decision_refusal(day=day, amount_cents=cents, today=TODAY, known=known)


def test_a_line_raises_or_lowers_within_the_limit_of_the_day() -> None:
    assert [refused(cents=cents) for cents in (1, -1, MOST, -MOST)] == [None] * 4
    assert [refused(cents=cents) for cents in (MOST + 1, -MOST - 1)] == [Reason.PERFORMANCE_TOO_LARGE] * 2
    assert limits_on(date(2000, 1, 1)) == LIMITS[0]


def test_the_month_of_the_day_has_begun_and_is_not_too_old() -> None:
    assert refused(date(2026, 12, 31)) is None, "a later day of the month that has begun"
    assert refused(date(2027, 1, 1)) is Reason.PERFORMANCE_IN_THE_FUTURE
    assert refused(date(2024, 12, 1)) is None
    assert refused(date(2024, 11, 30)) is Reason.PERFORMANCE_TOO_OLD


def test_the_scheme_is_in_production_and_the_resident_is_listed() -> None:
    nowhere = Circumstances(is_listed=False, is_in_production=True)
    too_early = Circumstances(is_listed=True, is_in_production=False)
    assert refused(known=nowhere) is Reason.NOT_LISTED_THERE
    assert refused(known=too_early) is Reason.SCHEME_NOT_IN_PRODUCTION


@given(st.integers(-800, 60), st.integers(-MOST, MOST).filter(bool))
def test_what_may_raise_may_lower_just_as_much(days: int, cents: int) -> None:
    day = TODAY + timedelta(days=days)
    assert refused(day, cents) is refused(day, -cents)


def test_somebody_else_revokes_and_once() -> None:
    first = {"is_revoked": False, "is_adjusted": False}
    assert revocation_refusal(**first, decided_by="aino", revoked_by="bertta") is None
    assert revocation_refusal(**first, decided_by="aino", revoked_by="aino") is Reason.SAME_PERSON
    again = revocation_refusal(is_revoked=True, is_adjusted=False, decided_by="aino", revoked_by="bertta")
    assert again is Reason.PERFORMANCE_REVOKED


@given(st.integers(-800, 60), st.integers(1, MOST + 100), st.integers(0, MOST), st.booleans(), st.booleans())
def test_a_smaller_line_or_a_later_day_of_the_past_is_never_refused_where_a_larger_or_older_is_not(
    days: int, cents: int, less: int, is_listed: bool, is_in_production: bool
) -> None:
    known = Circumstances(is_listed=is_listed, is_in_production=is_in_production)
    day = TODAY + timedelta(days=days)
    if refused(day, cents, known) is None:
        assert refused(day, max(cents - less, 1), known) is None
        assert refused(max(day, TODAY), cents, known) is None
    assert refused(day, cents, known) is None or refused(day, cents + less, known) is not None


def test_what_a_dispute_adjusted_is_not_revoked_as_well() -> None:
    adjusted = revocation_refusal(is_revoked=False, is_adjusted=True, decided_by="aino", revoked_by="bertta")
    assert adjusted is Reason.PERFORMANCE_ADJUSTED
