"""Charges move what stood to what holds, once; a sanction never pays."""

from dataclasses import replace
from datetime import date
from random import Random

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


SANCTIONS = st.lists(
    st.builds(
        Sanction,
        st.sampled_from("xyz"),
        st.sampled_from("ab"),
        st.sampled_from((1, 2, 3, 4)),
        st.sampled_from(("in_force", "upheld", "appealed", "withdrawn")),
        st.sampled_from((date(2026, 10, 31), NOVEMBER, date(2026, 11, 30), DECEMBER)),
        st.none() | st.integers(0, 10_000),
    ),
    max_size=5,
    unique_by=lambda one: one.sanction_id,
)


def plainly(sanctions: list[Sanction], stood: dict[Claim, int]) -> dict[Claim, int]:
    """What sanctions take by December, each looked at on its own."""
    holds = {}
    for one in sanctions:
        if one.step == 3 and one.status == "appealed":
            holds.update({claim: cents for claim, cents in stood.items() if claim.source == one.sanction_id})
        elif one.step == 3 and one.status != "withdrawn" and one.effective_on <= date(2026, 11, 30):
            claim = Claim(one.producer_id, "sanction", one.sanction_id, one.effective_on.replace(day=1))
            holds[claim] = -(one.amount_cents or 0)
    return holds


DEDUCTED = st.dictionaries(st.sampled_from(CLAIMS), st.integers(-10_000, 0))


@given(SANCTIONS, DEDUCTED, st.randoms(use_true_random=False))
def test_deductions_are_the_ladder_in_any_order_and_once(
    sanctions: list[Sanction], stood: dict[Claim, int], random: Random
) -> None:
    holds = deductions(sanctions, stood, DECEMBER)
    assert holds == plainly(sanctions, stood)
    random.shuffle(sanctions)
    assert deductions(sanctions, stood, DECEMBER) == holds
    assert changes(holds, deductions(sanctions, holds, DECEMBER)) == [], "what was taken is not taken again"


@given(SANCTIONS, DEDUCTED, st.integers(0, 10_000))
def test_a_larger_sanction_never_takes_less_and_a_later_month_forgets_none(
    sanctions: list[Sanction], stood: dict[Claim, int], more: int
) -> None:
    larger = [replace(one, amount_cents=(one.amount_cents or 0) + more) for one in sanctions]
    now, then = deductions(sanctions, stood, DECEMBER), deductions(larger, stood, DECEMBER)
    assert then.keys() == now.keys()
    assert all(then[claim] <= now[claim] <= 0 for claim in now)
    assert deductions(sanctions, stood, date(2027, 1, 1)).items() >= now.items()


@given(BOOKED, BOOKED, st.sampled_from(CLAIMS), st.integers(0, 10_000))
def test_what_holds_more_is_never_charged_less(
    stood: dict[Claim, int], holds: dict[Claim, int], claim: Claim, more: int
) -> None:
    raised = holds | {claim: holds.get(claim, 0) + more}
    charged = [sum(one.amount_cents for one in changes(stood, each)) for each in (holds, raised)]
    assert charged[1] - charged[0] == more
