"""Effectiveness: each period once, by its first snapshot and the terms known then; more never earns less."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from kanava.common.contracts.registry import EffectivenessTerm
from kanava.payments.domain.charges import Claim, changes
from kanava.payments.domain.effectiveness import Agreed, Frozen, effectiveness, effectiveness_cents
from kanava.payments.domain.incentives import Measured

QUARTERS = (date(2026, 1, 1), date(2026, 4, 1), date(2026, 7, 1), date(2026, 10, 1))
CENTS = st.integers(1, 10**12)
INSTANTS = st.integers(1, 6).map(lambda day: datetime(2026, 11, day, tzinfo=UTC))


def term(indicator: str, amount_cents: int, floor: int = 0, target: int = 100) -> EffectivenessTerm:
    """A measure whose better direction is from floor to target."""
    direction = "higher_is_better" if floor <= target else "lower_is_better"
    return EffectivenessTerm(
        indicator=indicator, direction=direction, floor=floor, target=target, amount_cents=amount_cents
    )


TERMS = st.lists(st.builds(term, st.sampled_from("ij"), CENTS, st.integers(0, 9), st.integers(0, 9)), max_size=3)


@st.composite
def contracts(draw: st.DrawFn) -> list[Agreed]:
    """Three contracts of two producers with one to three versions each, in their order, known one after the other."""
    found = []
    for contract_id, producer_id in (("c", "p"), ("d", "p"), ("e", "q")):
        for version, at in enumerate(sorted(draw(st.lists(INSTANTS, min_size=1, max_size=3))), 1):
            days = (draw(st.sampled_from(QUARTERS)), draw(st.none() | st.sampled_from(QUARTERS)))
            found.append(Agreed(contract_id, version, at, producer_id, *days, tuple(draw(TERMS))))
    return found


@st.composite
def snapshots(draw: st.DrawFn) -> list[Frozen]:
    """Snapshots of quarters, in the order in which they were frozen; a quarter is frozen more than once."""
    instants = sorted(draw(st.lists(INSTANTS, max_size=8)))
    return [
        Frozen(
            f"s{number}",
            at,
            draw(st.sampled_from("pq")),
            draw(st.sampled_from("ij")),
            *draw(st.sampled_from(list(pairwise(QUARTERS)))),
            Measured(draw(st.integers(-2, 12)), 0),
        )
        for number, at in enumerate(instants)
    ]


def earned(value: int, one: EffectivenessTerm) -> int:
    """The cents of a measure, read the plain way: the share of the way walked, half up."""
    if one.floor == one.target:
        is_met = value >= one.floor if one.direction == "higher_is_better" else value <= one.floor
        return one.amount_cents if is_met else 0
    walked = Fraction(value - one.floor, one.target - one.floor)
    return int(one.amount_cents * min(max(walked, Fraction(0)), Fraction(1)) + Fraction(1, 2))


def plainly(versions: Sequence[Agreed], frozen: Sequence[Frozen]) -> dict[Claim, int]:
    """What holds, asked of each contract and snapshot on its own."""
    holds = {}
    for newest in {one.contract_id: one for one in versions}.values():
        own = [one for one in versions if one.contract_id == newest.contract_id]
        counts = [
            snapshot
            for snapshot in frozen
            if snapshot.producer_id == newest.producer_id
            and newest.starts_on <= snapshot.period_from
            and (newest.ends_on is None or snapshot.period_until <= newest.ends_on)
        ]
        for place, snapshot in enumerate(counts):
            same = {(one.indicator, one.period_from) for one in counts[:place]}
            if (snapshot.indicator, snapshot.period_from) in same:
                continue
            terms = ([one for one in own if one.recorded_at <= snapshot.recorded_at] or own[:1])[-1].terms
            cents = sum(earned(snapshot.measured.value, one) for one in terms if one.indicator == snapshot.indicator)
            if cents:
                source = f"{newest.contract_id}:{snapshot.snapshot_id}"
                holds[Claim(snapshot.producer_id, "effectiveness", source, snapshot.period_from)] = cents
    return holds


@settings(max_examples=60)
@given(contracts(), snapshots())
def test_a_period_is_paid_once_by_its_first_snapshot_and_the_terms_of_then(
    versions: list[Agreed], frozen: list[Frozen]
) -> None:
    assert effectiveness(versions, frozen) == plainly(versions, frozen)


@settings(max_examples=60)
@given(contracts(), snapshots(), snapshots())
def test_what_is_frozen_later_takes_nothing_of_what_holds(
    versions: list[Agreed], frozen: list[Frozen], more: list[Frozen]
) -> None:
    later = [replace(one, snapshot_id=f"later {one.snapshot_id}") for one in more]
    before, after = effectiveness(versions, frozen), effectiveness(versions, [*frozen, *later])
    assert after.items() >= before.items()
    assert changes(after, effectiveness(versions, [*frozen, *later])) == [], "told again it changes nothing"
    assert all(charge.kind == "original" for charge in changes(before, after))


@settings(max_examples=60)
@given(contracts(), snapshots())
def test_a_refused_contract_is_paid_nothing_and_the_others_what_they_were(
    versions: list[Agreed], frozen: list[Frozen]
) -> None:
    whole = effectiveness(versions, frozen)
    refused = {(QUARTERS[1], "c")}
    left = {claim: cents for claim, cents in whole.items() if (claim.for_month, claim.source[0]) not in refused}
    assert effectiveness(versions, frozen, refused) == left


@given(CENTS, st.integers(0, 9), st.integers(0, 9), st.integers(-2, 12), st.integers(0, 12))
def test_a_better_value_or_a_larger_sum_never_earns_less(
    cents: int, floor: int, target: int, value: int, more: int
) -> None:
    measure = term("i", cents, floor, target)
    better = value + more if floor <= target else value - more
    got = effectiveness_cents(Measured(value, 0), measure)
    assert got == earned(value, measure)
    assert 0 <= got <= effectiveness_cents(Measured(better, 0), measure) <= cents
    assert got <= effectiveness_cents(Measured(value, 0), measure.model_copy(update={"amount_cents": cents + more}))
