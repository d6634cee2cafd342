"""The six phases of a scheme and their gates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.registry.domain.schemes import (
    ADOPTED,
    Named,
    Phase,
    SchemeRefusal,
    Standing,
    broken_by_adoption,
    refusal_to_enter,
)

standings = st.builds(
    Standing,
    phase=st.sampled_from(Phase),
    comments_unanswered=st.integers(0, 3),
    approved_by_municipality=st.sampled_from([None, True, False]),
    approved_producers=st.integers(0, 3),
)


def ready(phase: int, **changes: object) -> Standing:
    open_gates = {"comments_unanswered": 0, "approved_by_municipality": True, "approved_producers": 1}
    return Standing(**{"phase": Phase(phase), **open_gates, **changes})


@given(standings, st.integers(0, 8))
def test_no_phase_is_skipped_repeated_or_taken_back(standing: Standing, wanted: int) -> None:
    refusal = refusal_to_enter(standing, wanted)
    if wanted != standing.phase + 1 or wanted > 6:
        assert refusal is SchemeRefusal.NOT_THE_NEXT_PHASE
    else:
        assert refusal is not SchemeRefusal.NOT_THE_NEXT_PHASE


@given(st.lists(st.tuples(standings, st.integers(1, 7)), max_size=40))
def test_production_is_reached_only_through_every_gate(attempts: list[tuple[Standing, int]]) -> None:
    phase, passed = Phase.PLANNING, []
    for standing, wanted in attempts:
        seen = Standing(
            phase,
            standing.comments_unanswered,
            standing.approved_by_municipality,
            standing.approved_producers,
        )
        if refusal_to_enter(seen, wanted) is None:
            phase = Phase(wanted)
            passed.append(seen)
    assert [one.phase for one in passed] == list(range(1, len(passed) + 1))
    if phase >= Phase.DECISION:
        assert passed[1].comments_unanswered == 0
    if phase >= Phase.ROLL_OUT:
        assert passed[2].approved_by_municipality is True
    if phase >= Phase.PRODUCTION:
        assert passed[3].approved_producers > 0


@pytest.mark.parametrize(
    ("standing", "refusal"),
    [
        (ready(1), None),
        (ready(2), None),
        (ready(2, comments_unanswered=1), SchemeRefusal.COMMENTS_UNANSWERED),
        (ready(3, approved_by_municipality=None), SchemeRefusal.NOT_DECIDED),
        (ready(3, approved_by_municipality=False), SchemeRefusal.DECIDED_AGAINST),
        (ready(3), None),
        (ready(4, approved_producers=0), SchemeRefusal.NO_APPROVED_PRODUCER),
        (ready(4), None),
        (ready(5), None),
        (ready(6), SchemeRefusal.NOT_THE_NEXT_PHASE),
    ],
)
def test_each_gate_says_why(standing: Standing, refusal: SchemeRefusal | None) -> None:
    assert refusal_to_enter(standing, standing.phase + 1) is refusal


def test_every_refusal_is_a_sentence() -> None:
    assert all(one.sentence.endswith(".") and one.value == one.name.lower() for one in SchemeRefusal)


DOCUMENTS = {kind: Named(f"03:{kind}:1", kind, "03") for kind in ADOPTED}
NOTHING = {kind: Named(None) for kind in ADOPTED}


def test_an_approval_adopts_one_of_each_document_of_its_area() -> None:
    assert broken_by_adoption(approves=True, area="03", named=DOCUMENTS) == []
    rules = {one.rule for one in broken_by_adoption(approves=True, area="03", named=NOTHING)}
    assert rules == {"adopts_all"}
    foreign = {**DOCUMENTS, "rule_book": Named("04:rule_book:1", "rule_book", "04")}
    (one,) = broken_by_adoption(approves=True, area="03", named=foreign)
    assert (one.pointer, one.rule) == ("/rule_book", "document_of_area")
    swapped = {**DOCUMENTS, "rule_book": DOCUMENTS["compensation_model"]}
    assert broken_by_adoption(approves=True, area="03", named=swapped)


def test_a_rejection_adopts_nothing() -> None:
    assert broken_by_adoption(approves=False, area="03", named=NOTHING) == []
    assert len(broken_by_adoption(approves=False, area="03", named=DOCUMENTS)) == 3
