"""Charges move what stood to what holds, once; a sanction never pays."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.charges import Charge, Claim, Sanction, changes, deductions

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
CLAIMS = [Claim(producer, "sanction", source, NOVEMBER) for producer in "ab" for source in "xyz"]
BOOKED = st.dictionaries(st.sampled_from(CLAIMS), st.integers(-10_000, 10_000))


def sanction(status: str = "in_force", cents: int | None = 50_00, step: int = 3, on: date = NOVEMBER) -> Sanction:
    """A sanction of producer a."""
    return Sanction("s", "a", step, status, on, cents)


@given(BOOKED, BOOKED)
def test_charges_bring_what_stood_to_what_holds_and_then_there_are_none(
    stood: dict[Claim, int], holds: dict[Claim, int]
) -> None:
    after = dict(stood)
    for charge in changes(stood, holds):
        after[charge.claim] = after.get(charge.claim, 0) + charge.amount_cents
    assert {claim: cents for claim, cents in after.items() if cents} == {c: v for c, v in holds.items() if v}
    assert changes(after, holds) == []


@given(BOOKED, BOOKED)
def test_a_claim_is_charged_at_most_once_of_each_kind(stood: dict[Claim, int], holds: dict[Claim, int]) -> None:
    made = [(charge.claim, charge.kind) for charge in changes(stood, holds)]
    assert len(made) == len(set(made))
    assert all(kind != "refund" or stood[claim] for claim, kind in made)


def test_what_comes_after_a_refund_is_a_correction() -> None:
    claim = CLAIMS[0]
    assert changes({}, {claim: -5}) == [Charge(claim, "original", -5)]
    assert changes({claim: -5}, {claim: -3}) == [Charge(claim, "refund", 5), Charge(claim, "correction", -3)]
    assert changes({claim: -5}, {}) == [Charge(claim, "refund", 5)]
    assert changes({claim: 0}, {claim: -3}) == [Charge(claim, "correction", -3)]


def test_only_a_third_step_that_is_final_and_in_effect_is_deducted() -> None:
    claim = Claim("a", "sanction", "s", NOVEMBER)
    assert deductions([sanction()], {}, DECEMBER) == {claim: -50_00}
    assert deductions([sanction("upheld", 20_00)], {claim: -50_00}, DECEMBER) == {claim: -20_00}
    assert deductions([sanction("withdrawn")], {claim: -50_00}, DECEMBER) == {}
    assert deductions([sanction(step=2, cents=None)], {}, DECEMBER) == {}
    assert deductions([sanction(on=DECEMBER)], {}, DECEMBER) == {}


def test_an_appealed_sanction_takes_nothing_new_and_gives_nothing_back() -> None:
    claim = Claim("a", "sanction", "s", NOVEMBER)
    assert deductions([sanction("appealed")], {}, DECEMBER) == {}
    assert deductions([sanction("appealed")], {claim: -50_00}, DECEMBER) == {claim: -50_00}
