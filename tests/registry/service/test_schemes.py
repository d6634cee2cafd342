"""Espoo's scheme from planning to follow-up, and every gate on the way."""

import pytest

from kanava.common.auth import Caller
from kanava.common.errors import Forbidden
from kanava.registry import views
from kanava.registry.commands import AnswerComment, CommentOnScheme, DecideOnScheme
from kanava.registry.domain.schemes import SchemeRefusal
from kanava.registry.errors import InputRefused, SchemeRefused, SchemeUnknown
from kanava.registry.service import schemes
from tests.registry.world import (
    ADOPT,
    CLINIC_ID,
    DESCRIPTION,
    ESPOO,
    FOREIGN_ORGANISER,
    MODEL,
    ORGANISER,
    OTHER_PRODUCER,
    PRODUCER,
    RULE_BOOK,
    VANTAA,
    Registry,
    plan,
)

COMMENT = CommentOnScheme(producer_id=CLINIC_ID, text="Kapitaatio on matala.")
ANSWER = AnswerComment(text="Tarkistetaan vuoden kuluttua.")
REJECT = DecideOnScheme(verdict="reject", reasons="Ei vielä.")
SCHEME = "03:049"


async def planned(registry: Registry, *, phase: int = 1) -> None:
    """Espoo's scheme with published documents, moved through empty gates up to `phase` (at most 3)."""
    await registry.publish_documents()
    await registry.do(schemes.plan_scheme, plan(), by=ORGANISER)
    for number in range(2, phase + 1):
        await registry.enter(number)


async def refusal(registry: Registry, phase: int) -> SchemeRefusal:
    with pytest.raises(SchemeRefused) as refused:
        await registry.enter(phase)
    assert isinstance(refused.value.reason, SchemeRefusal)
    return refused.value.reason


async def test_espoo_goes_through_all_six_phases(registry: Registry) -> None:
    await planned(registry, phase=2)
    await registry.do(schemes.comment_on_scheme, SCHEME, COMMENT, by=PRODUCER)
    assert await refusal(registry, 3) is SchemeRefusal.COMMENTS_UNANSWERED
    await registry.do(schemes.answer_comment, SCHEME, ANSWER, number=1, by=ORGANISER)
    await registry.enter(3)
    assert await refusal(registry, 4) is SchemeRefusal.NOT_DECIDED
    await registry.do(schemes.decide_on_scheme, SCHEME, REJECT, by=ESPOO)
    assert await refusal(registry, 4) is SchemeRefusal.DECIDED_AGAINST
    await registry.do(schemes.decide_on_scheme, SCHEME, ADOPT, by=ESPOO)
    await registry.enter(4)
    assert await refusal(registry, 5) is SchemeRefusal.NO_APPROVED_PRODUCER
    await registry.approve()
    assert await refusal(registry, 5) is SchemeRefusal.NO_APPROVED_PRODUCER
    await registry.open_unit()
    await registry.enter(5)
    scheme = await registry.enter(6)
    assert [one.phase for one in scheme.phases] == [1, 2, 3, 4, 5, 6]
    assert await refusal(registry, 6) is SchemeRefusal.NOT_THE_NEXT_PHASE


async def test_each_phase_is_said_with_the_documents_adopted(registry: Registry) -> None:
    await planned(registry, phase=3)
    await registry.do(schemes.decide_on_scheme, SCHEME, ADOPT, by=ESPOO)
    await registry.enter(4)
    facts = await registry.facts("scheme")
    assert {fact.voucher_valid_months for fact in facts} == {12}
    assert [(fact.phase, fact.version) for fact in facts] == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert facts[2].rule_book is None
    adopted = (facts[3].rule_book, facts[3].compensation_model, facts[3].service_description)
    assert adopted == (RULE_BOOK, MODEL, DESCRIPTION)
    assert {fact.scheme_id for fact in facts} == {SCHEME}


async def test_phases_are_neither_skipped_nor_taken_back(registry: Registry) -> None:
    await planned(registry, phase=2)
    for phase in (1, 2, 4, 5, 6):
        assert await refusal(registry, phase) is SchemeRefusal.NOT_THE_NEXT_PHASE


async def test_comments_belong_to_the_dialogue_and_answers_stay(registry: Registry) -> None:
    await planned(registry)
    with pytest.raises(SchemeRefused) as early:
        await registry.do(schemes.comment_on_scheme, SCHEME, COMMENT, by=PRODUCER)
    assert early.value.reason is SchemeRefusal.NOT_IN_DIALOGUE
    await registry.enter(2)
    await registry.do(schemes.comment_on_scheme, SCHEME, COMMENT, by=PRODUCER)
    await registry.do(schemes.answer_comment, SCHEME, ANSWER, number=1, by=ORGANISER)
    with pytest.raises(SchemeRefused) as twice:
        await registry.do(schemes.answer_comment, SCHEME, ANSWER, number=1, by=ORGANISER)
    assert twice.value.reason is SchemeRefusal.ALREADY_ANSWERED
    with pytest.raises(SchemeUnknown):
        await registry.do(schemes.answer_comment, SCHEME, ANSWER, number=2, by=ORGANISER)
    (comment,) = (await registry.read(views.scheme, SCHEME)).comments
    assert (comment.text, comment.answer) == (COMMENT.text, ANSWER.text)


async def test_a_decision_adopts_documents_of_the_area(registry: Registry) -> None:
    await planned(registry, phase=3)
    unknown = ADOPT.model_copy(update={"rule_book": "03:rule_book:7"})
    missing = ADOPT.model_copy(update={"compensation_model": None})
    for command, pointer in ((unknown, "/rule_book"), (missing, "/compensation_model")):
        with pytest.raises(InputRefused) as refused:
            await registry.do(schemes.decide_on_scheme, SCHEME, command, by=ESPOO)
        assert refused.value.pointer == pointer
    with pytest.raises(InputRefused):
        await registry.do(schemes.decide_on_scheme, SCHEME, ADOPT.model_copy(update={"verdict": "reject"}), by=ESPOO)


async def test_a_decision_is_taken_in_phase_three(registry: Registry) -> None:
    await planned(registry, phase=2)
    with pytest.raises(SchemeRefused) as refused:
        await registry.do(schemes.decide_on_scheme, SCHEME, ADOPT, by=ESPOO)
    assert refused.value.reason is SchemeRefusal.NOT_IN_DECISION


async def test_everybody_acts_for_their_own(registry: Registry) -> None:
    await planned(registry, phase=2)
    with pytest.raises(Forbidden):
        await registry.do(schemes.comment_on_scheme, SCHEME, COMMENT, by=OTHER_PRODUCER)
    await registry.do(schemes.comment_on_scheme, SCHEME, COMMENT, by=PRODUCER)
    with pytest.raises(Forbidden):
        await registry.do(schemes.answer_comment, SCHEME, ANSWER, number=1, by=FOREIGN_ORGANISER)
    with pytest.raises(Forbidden):
        await registry.do(schemes.decide_on_scheme, SCHEME, ADOPT, by=VANTAA)
    with pytest.raises(Forbidden):
        await registry.do(schemes.enter_phase, SCHEME, schemes.EnterPhase(phase=3), by=FOREIGN_ORGANISER)


@pytest.mark.parametrize(
    ("changes", "by", "rule"),
    [
        ({"municipality": "092"}, ORGANISER, "municipality_of_area"),
        ({"municipality": "999"}, ORGANISER, "municipality_known"),
    ],
)
async def test_a_scheme_is_for_a_municipality_of_the_area(
    registry: Registry, changes: dict[str, str], by: Caller, rule: str
) -> None:
    with pytest.raises(InputRefused) as refused:
        await registry.do(schemes.plan_scheme, plan(**changes), by=by)
    assert refused.value.rule == rule


async def test_a_municipality_has_one_scheme(registry: Registry) -> None:
    await planned(registry)
    with pytest.raises(SchemeRefused) as refused:
        await registry.do(schemes.plan_scheme, plan(), by=ORGANISER)
    assert refused.value.reason is SchemeRefusal.EXISTS_ALREADY
    with pytest.raises(SchemeUnknown):
        await registry.read(views.scheme, "03:092")
