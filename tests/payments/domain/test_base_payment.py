"""Base payments: whole months, parts by days, and sums that never reach into a closed month."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kanava.payments.domain.base_payment import ContractVersion, base_payment_cents, base_payments
from kanava.payments.domain.charges import Claim, changes
from tests.support.facts import at

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
MONTHS = [(OCTOBER, at(11, 2)), (NOVEMBER, at(12, 2))]
DAYS = st.dates(date(2026, 9, 1), date(2027, 1, 31))


def version(number: int, month: int, cents: int, ends_on: date | None = None) -> ContractVersion:
    """A version of a contract from 16 October, known from the 5th of a month."""
    return ContractVersion("c", number, at(month, 5), "a", date(2026, 10, 16), ends_on, cents)


def test_a_month_is_paid_whole_and_a_part_by_its_days_half_up() -> None:
    assert base_payment_cents(310_00, date(2026, 1, 1), None, OCTOBER) == 310_00
    assert base_payment_cents(310_00, date(2026, 10, 16), None, OCTOBER) == 160_00
    assert base_payment_cents(310_00, date(2026, 1, 1), date(2026, 10, 16), OCTOBER) == 150_00
    assert base_payment_cents(1, date(2026, 11, 16), None, NOVEMBER) == 1
    assert base_payment_cents(310_00, NOVEMBER, None, OCTOBER) == 0
    assert base_payment_cents(310_00, date(2026, 1, 1), OCTOBER, OCTOBER) == 0


@given(st.integers(0, 10**10), DAYS, st.integers(1, 29))
def test_two_parts_of_a_month_are_the_month_to_a_cent(cents: int, starts_on: date, days: int) -> None:
    cut = NOVEMBER + timedelta(days=days)
    parts = base_payment_cents(cents, OCTOBER, cut, NOVEMBER) + base_payment_cents(cents, cut, None, NOVEMBER)
    assert parts - cents in (0, 1), "each part is rounded once, half up"
    assert 0 <= base_payment_cents(cents, starts_on, None, NOVEMBER) <= cents


def test_a_new_sum_holds_from_the_first_open_month() -> None:
    holds = base_payments([version(1, 10, 310_00), version(2, 11, 620_00)], MONTHS)
    assert holds == {
        Claim("a", "base_payment", "c", OCTOBER): 160_00,
        Claim("a", "base_payment", "c", NOVEMBER): 620_00,
    }


def test_what_became_known_at_the_cut_off_itself_is_new_to_the_month_after() -> None:
    """A fact that came after the cut-off counts as known from it on (settled question 1)."""
    at_the_cut_off = replace(version(2, 10, 620_00), recorded_at=MONTHS[0][1])
    holds = base_payments([version(1, 10, 310_00), at_the_cut_off], MONTHS)
    assert [holds[claim] for claim in sorted(holds)] == [160_00, 620_00]


def test_a_contract_that_came_late_is_paid_by_its_oldest_sum_for_the_months_closed_before() -> None:
    """October and its cut-off were over when both versions came: the first says what was agreed for then."""
    holds = base_payments([version(1, 11, 310_00), replace(version(2, 11, 620_00), recorded_at=at(11, 6))], MONTHS)
    assert holds == {
        Claim("a", "base_payment", "c", OCTOBER): 160_00,
        Claim("a", "base_payment", "c", NOVEMBER): 620_00,
    }


def test_a_month_in_which_no_model_pays_the_contract_is_left_out() -> None:
    holds = base_payments([version(1, 10, 310_00)], MONTHS, {(OCTOBER, "c"), (NOVEMBER, "another")})
    assert holds == {Claim("a", "base_payment", "c", NOVEMBER): 310_00}


def test_days_that_became_known_late_reach_into_a_closed_month() -> None:
    late = base_payments([version(1, 11, 310_00)], MONTHS)
    assert [late[claim] for claim in sorted(late)] == [160_00, 310_00]
    ended = base_payments([version(1, 10, 310_00), version(2, 11, 310_00, date(2026, 10, 26))], MONTHS)
    assert ended == {Claim("a", "base_payment", "c", OCTOBER): 100_00}


HISTORY = st.lists(
    st.builds(
        ContractVersion,
        st.sampled_from("cd"),
        st.integers(1, 4),
        st.integers(1, 28).map(lambda day: at(11, day)),
        st.just("a"),
        DAYS,
        st.none() | DAYS,
        st.integers(0, 10**6),
    ),
    unique_by=lambda one: (one.contract_id, one.version),
    max_size=6,
)


@settings(max_examples=60)
@given(HISTORY, st.randoms(use_true_random=False))
def test_versions_in_any_order_and_months_one_by_one_hold_the_same(versions: list[ContractVersion], random) -> None:  # type: ignore[no-untyped-def]  # a Random of Hypothesis
    whole = base_payments(versions, MONTHS)
    random.shuffle(versions)
    assert base_payments(versions, MONTHS) == whole
    each = [base_payments(versions, [month]) for month in MONTHS]
    assert each[0] | each[1] == whole
    assert changes(whole, base_payments(versions, MONTHS)) == [], "told again it changes nothing"


@given(HISTORY, st.integers(0, 10**6))
def test_a_larger_sum_never_pays_less(versions: list[ContractVersion], more: int) -> None:
    larger = base_payments([replace(one, monthly_cents=one.monthly_cents + more) for one in versions], MONTHS)
    assert all(larger[claim] >= cents > 0 for claim, cents in base_payments(versions, MONTHS).items())
