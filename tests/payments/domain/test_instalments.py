"""Instalments: no cent is lost, order plays no part, and each is in its year."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.chart import Account
from kanava.payments.domain.funding_entries import funding_entries
from kanava.payments.domain.instalments import (
    FundingRule,
    InstalmentState,
    Planned,
    Received,
    YearShare,
    match,
    monthly_plan,
    rule_on,
    year_shares,
)
from tests.support.facts import resident_id

START = date(2026, 1, 1)
days = st.integers(0, 500).map(lambda n: START + timedelta(days=n))
cents = st.integers(1, 10**13)
receipts = st.lists(st.builds(Received, days, cents), max_size=20)
totals = st.integers(12, 10**13)


@given(totals, st.integers(2020, 2100), st.integers(1, 28))
def test_twelve_instalments_are_the_total_and_differ_by_a_cent_at_most(total: int, year: int, day: int) -> None:
    plan = monthly_plan(total, year, day)
    amounts = [one.amount_cents for one in plan]
    assert sum(amounts) == total
    assert max(amounts) - min(amounts) <= 1
    assert amounts == sorted(amounts, reverse=True), "the cents of rounding come first"
    assert [one.due_on for one in plan] == [date(year, month, day) for month in range(1, 13)]


@given(totals, receipts, days, st.randoms())
def test_a_matching_loses_no_cent_and_knows_no_order(total: int, received: list[Received], on: date, dice) -> None:  # type: ignore[no-untyped-def]
    plan = list(monthly_plan(total, 2026, 2))
    found = match(plan, received, on)
    came = sum(one.amount_cents for one in received if one.received_on <= on)
    assert sum(one.received_cents for one in found.instalments) + found.surplus_cents == came
    assert found.surplus_cents == max(came - total, 0)
    dice.shuffle(plan)
    dice.shuffle(received)
    assert match(plan, received, on) == found


@given(totals, receipts, st.builds(Received, days, cents), days)
def test_more_money_never_leaves_more_missing(total: int, received: list[Received], more: Received, on: date) -> None:
    plan = monthly_plan(total, 2026, 2)
    before, after = match(plan, received, on), match(plan, [*received, more], on)
    pairs = list(zip(before.instalments, after.instalments, strict=True))
    assert all(new.missing_cents <= old.missing_cents for old, new in pairs)
    assert all(new.days_late <= old.days_late for old, new in pairs)


def test_each_state_says_days_and_cents() -> None:
    plan = [Planned(n, date(2026, n, 2), 100) for n in range(1, 6)]
    received = [Received(date(2026, 1, 2), 100), Received(date(2026, 2, 12), 130)]
    found = match(plan, received, date(2026, 4, 12)).instalments
    assert [(one.state, one.missing_cents, one.days_late) for one in found] == [
        (InstalmentState.RECEIVED, 0, 0),
        (InstalmentState.LATE, 0, 10),
        (InstalmentState.SHORT, 70, 41),
        (InstalmentState.MISSING, 100, 10),
        (InstalmentState.EXPECTED, 100, 0),
    ]
    surplus = match(plan, [Received(date(2026, 1, 1), 777)], date(2026, 4, 12))
    assert surplus.surplus_cents == 277
    assert {one.state for one in surplus.instalments} == {InstalmentState.RECEIVED}


def test_the_instalment_that_is_due_first_is_filled_first_however_they_are_numbered() -> None:
    plan = [Planned(1, date(2026, 2, 2), 100), Planned(2, date(2026, 1, 2), 100)]
    found = match(plan, [Received(date(2026, 1, 2), 100)], date(2026, 1, 2)).instalments
    assert [(one.number, one.missing_cents) for one in found] == [(2, 0), (1, 100)]


def test_a_day_after_it_is_due_an_instalment_is_late() -> None:
    plan = [Planned(1, date(2026, 1, 2), 100)]
    states = [match(plan, [Received(date(2026, 1, day), 100)], date(2026, 1, 9)).instalments[0] for day in (2, 3)]
    assert [one.state for one in states] == [InstalmentState.RECEIVED, InstalmentState.LATE]
    assert [one.days_late for one in states] == [0, 1]


def share(amount: int, on: date, *, closed: tuple[int, ...] = (), missing: int = 0) -> list[tuple[int, int]]:
    """The years of an instalment, booked in March 2027."""
    shares = year_shares(
        amount, on, booked_on=date(2027, 3, 1), closed=frozenset(closed), missing_cents={2026: missing}
    )
    return [(one.fiscal_year, one.amount_cents) for one in shares]


def test_the_instalment_of_december_that_comes_in_january_belongs_to_the_old_year_while_it_is_open() -> None:
    assert share(100, date(2027, 1, 8), missing=100) == [(2026, 100)]
    assert share(100, date(2027, 1, 31), missing=60) == [(2026, 60), (2027, 40)]
    assert share(100, date(2027, 2, 1), missing=100) == [(2027, 100)], "the rule's day is over"
    assert share(100, date(2027, 1, 8), missing=100, closed=(2026,)) == [(2027, 100)], "the old year is closed"
    assert share(100, date(2026, 12, 30), missing=100) == [(2026, 100)]
    assert share(100, date(2026, 12, 30), missing=100, closed=(2026,)) == [(2027, 100)], "found later, booked later"


@given(cents, days, st.integers(0, 10**13), st.sets(st.sampled_from([2025, 2026])))
def test_the_years_of_an_instalment_sum_to_it_and_none_is_closed(
    amount: int, on: date, missing: int, closed: set[int]
) -> None:
    shares = year_shares(
        amount,
        on,
        booked_on=date(2027, 6, 1),
        closed=frozenset(closed),
        missing_cents={on.year - 1: missing},
    )
    assert sum(one.amount_cents for one in shares) == amount
    assert not {one.fiscal_year for one in shares} & closed
    assert sum(one.amount_cents for one in shares if one.fiscal_year == on.year - 1) <= missing


@given(cents, days, st.integers(0, 10**13), st.integers(0, 10**13))
def test_a_larger_instalment_or_a_larger_gap_never_gives_a_year_less(
    amount: int, on: date, missing: int, more: int
) -> None:
    def to_years(of_cents: int, of_missing: int) -> dict[int, int]:
        shares = year_shares(
            of_cents, on, booked_on=on, closed=frozenset(), missing_cents={on.year - 1: of_missing, on.year: more}
        )
        return {one.fiscal_year: one.amount_cents for one in shares}

    old, own = on.year - 1, on.year
    before, larger, emptier = (
        to_years(*each) for each in ((amount, missing), (amount + more, missing), (amount, missing + more))
    )
    assert all(larger.get(year, 0) >= before.get(year, 0) for year in (old, own))
    assert emptier.get(old, 0) >= before.get(old, 0)
    in_january = on.month == 1
    assert before.get(old, 0) == (min(amount, missing) if in_january else 0)


def test_the_rule_in_force_is_that_of_the_day() -> None:
    first, second = FundingRule(date(2023, 1, 1), 2, (1, 31)), FundingRule(date(2027, 1, 1), 15, (1, 20))
    assert rule_on(date(2026, 12, 31), (first, second)) is first
    assert rule_on(date(2027, 1, 1), (first, second)) is second
    assert rule_on(date(2020, 1, 1), (first, second)) is first


@given(st.lists(st.builds(YearShare, st.sampled_from([2025, 2026, 2027]), cents), min_size=1, max_size=3,
                unique_by=lambda one: one.fiscal_year))  # fmt: skip
def test_the_entries_of_an_instalment_clear_what_they_open(shares: list[YearShare]) -> None:
    arrived = date(2026, 6, 1)
    entries = funding_entries(
        reference=resident_id(1), payer="state", party="", shares=shares, arrived_on=arrived, text="1/12"
    )
    total: dict[Account, int] = {}
    by_year: dict[int, int] = {}
    for one in entries:
        for posting in one.draft.postings:
            total[posting.account] = total.get(posting.account, 0) + posting.amount_cents
            if posting.account is Account.STATE_FUNDING:
                year = one.value_date.year
                by_year[year] = by_year.get(year, 0) - posting.amount_cents
    came = sum(one.amount_cents for one in shares)
    assert total[Account.BANK] == came
    assert total[Account.STATE_FUNDING] == -came
    assert total.get(Account.ACCRUED_FUNDING, 0) == total.get(Account.ADVANCE_FUNDING, 0) == 0
    assert by_year == {one.fiscal_year: one.amount_cents for one in shares}, "income is in its year"
    assert sum(one.draft.cash_cents for one in entries) == came


def test_the_money_stands_on_its_day_and_the_income_on_the_nearer_end_of_its_year() -> None:
    shares = [YearShare(2025, 60), YearShare(2026, 30), YearShare(2027, 10)]
    arrived = date(2026, 1, 8)
    money, *accruals = funding_entries(
        reference=resident_id(1), payer="state", party="", shares=shares, arrived_on=arrived, text="12/12"
    )
    booked = [
        (one.value_date, {posting.account: posting.amount_cents for posting in one.draft.postings})
        for one in (money, *accruals)
    ]
    income = Account.STATE_FUNDING
    assert booked == [
        (arrived, {Account.BANK: 100, Account.ACCRUED_FUNDING: -60, income: -30, Account.ADVANCE_FUNDING: -10}),
        (date(2025, 12, 31), {Account.ACCRUED_FUNDING: 60, income: -60}),
        (date(2027, 1, 1), {Account.ADVANCE_FUNDING: 10, income: -10}),
    ]


def test_less_than_a_cent_a_month_is_no_plan() -> None:
    with pytest.raises(ValueError, match="at least a cent"):
        monthly_plan(11, 2026, 2)
