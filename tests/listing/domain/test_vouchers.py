"""What a voucher must hold: the parts of its kind, days, a plan within its sum, a table that rises by income."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.listing.domain.vouchers import (
    BACK_DAYS,
    LONGEST_DAYS,
    Grant,
    PlanRow,
    SelfPayRow,
    VoucherKind,
    VoucherRefusal,
    broken_by_days,
    broken_by_end,
    broken_by_limit,
    broken_by_nodes,
    broken_by_parts,
    broken_by_plan,
    broken_by_table,
    refusal_to_grant,
    share_of_income,
)

TODAY = date(2026, 10, 12)
SERVICE = Grant("service", TODAY, date(2027, 4, 12), "SOS.1.1", "kaynti", 4_500, 10, None, ())
BUDGET = Grant("personal_budget", TODAY, date(2027, 4, 12), None, None, None, None, 500_00, (PlanRow("SOS", 100_00),))
CAPITATION = Grant("sote_centre", TODAY, date(2027, 4, 12), None, None, None, None, None, ())


@pytest.mark.parametrize("grant", [SERVICE, BUDGET, CAPITATION, replace(SERVICE, kind="client_voucher", value_cents=0)])
def test_each_kind_has_its_parts(grant: Grant) -> None:
    assert broken_by_parts(grant) == []


@pytest.mark.parametrize(
    ("kind", "pointers"),
    [
        ("sote_centre", ["/node", "/unit_of_measure", "/value_cents", "/uses_granted"]),
        (
            "personal_budget",
            ["/node", "/unit_of_measure", "/value_cents", "/uses_granted", "/sum_granted_cents", "/plan"],
        ),
    ],
)
def test_a_part_of_another_kind_is_a_flaw(kind: VoucherKind, pointers: list[str]) -> None:
    assert [one.pointer for one in broken_by_parts(replace(SERVICE, kind=kind))] == pointers


def test_a_voucher_holds_for_some_days_near_today() -> None:
    def days(starts_on: date, until: date) -> list[str]:
        return [one.rule for one in broken_by_days(replace(SERVICE, starts_on=starts_on, until=until), TODAY)]

    far = TODAY - timedelta(days=BACK_DAYS + 1)
    assert days(TODAY, TODAY + timedelta(days=1)) == days(TODAY, TODAY + timedelta(days=LONGEST_DAYS)) == []
    assert days(TODAY, TODAY) == days(TODAY, TODAY + timedelta(days=LONGEST_DAYS + 1)) == ["days_in_range"]
    assert days(far, TODAY) == ["start_in_range"]


@given(st.lists(st.integers(0, 10**6), max_size=6), st.integers(0, 10**6))
def test_a_plan_comes_to_no_more_than_its_sum(parts: list[int], total: int) -> None:
    plan = [PlanRow(f"MTP.{place}", cents) for place, cents in enumerate(parts)]
    assert (broken_by_plan(plan, total) == []) is (sum(parts) <= total)
    assert [one.rule for one in broken_by_plan([*plan, *plan], 10**9)] == ["node_once"] * len(plan)


@st.composite
def tables(draw: st.DrawFn) -> list[SelfPayRow]:
    """A self-pay table whose incomes and shares rise, within a value of 5,000 cents."""
    incomes = [0, *sorted(draw(st.sets(st.integers(1, 10**6), max_size=8)))]
    shares = sorted(draw(st.lists(st.integers(0, 5_000), min_size=len(incomes), max_size=len(incomes))))
    return [SelfPayRow(income, share) for income, share in zip(incomes, shares, strict=True)]


@given(tables(), st.integers(0, 2 * 10**6), st.integers(0, 10**6))
def test_a_larger_income_never_pays_less(table: list[SelfPayRow], income: int, more: int) -> None:
    assert broken_by_table(table, 5_000) == []
    assert 0 <= share_of_income(table, income) <= share_of_income(table, income + more) <= 5_000


def test_a_table_that_does_not_rise_is_a_flaw() -> None:
    assert [one.rule for one in broken_by_table([SelfPayRow(1, 0)], 100)] == ["starts_at_zero"]
    odd = [SelfPayRow(0, 50), SelfPayRow(0, 40), SelfPayRow(9, 101)]
    assert [one.rule for one in broken_by_table(odd, 100)] == ["incomes_rise", "shares_rise", "share_within_value"]


def test_a_voucher_is_granted_from_the_roll_out_on_to_the_living_once_for_a_day() -> None:
    fine = {"lives_until": None, "scheme_phase": 4, "overlaps": False}
    assert refusal_to_grant(SERVICE, **fine) is None  # type: ignore[arg-type]  # the parts of a resident
    for changes, refusal in (
        ({"lives_until": TODAY}, VoucherRefusal.NOT_ALIVE),
        ({"scheme_phase": 3}, VoucherRefusal.SCHEME_NOT_READY),
        ({"overlaps": True}, VoucherRefusal.GRANTED_ALREADY),
    ):
        assert refusal_to_grant(SERVICE, **(fine | changes)) is refusal  # type: ignore[arg-type]  # as above


def test_nodes_are_published_and_an_end_lies_within_the_days() -> None:
    assert [one.pointer for one in broken_by_nodes([("/node", "SOS.1.1"), ("/plan/0/node", "X.1")], {"SOS.1.1"})] == [
        "/plan/0/node"
    ]
    assert broken_by_end(TODAY, date(2027, 4, 12), TODAY + timedelta(days=1)) == []
    for day in (TODAY, date(2027, 4, 12)):
        assert [one.rule for one in broken_by_end(TODAY, date(2027, 4, 12), day)] == ["end_in_range"]


def test_a_voucher_holds_no_longer_than_the_scheme_lets_it() -> None:
    assert broken_by_limit(SERVICE, None) == broken_by_limit(SERVICE, 6) == []
    assert [one.rule for one in broken_by_limit(SERVICE, 5)] == ["within_time_limit"]
