"""A producer's way to its approval, and everything that stands in it."""

from dataclasses import replace
from typing import Any

import pytest

from kanava.common.errors import Forbidden
from kanava.registry import views
from kanava.registry.commands import AcceptRuleBook, DecideOnProducer, StateChecklist
from kanava.registry.domain.producers import ProducerRefusal, checklist_on
from kanava.registry.errors import InputRefused, OwnApplication, ProducerRefused, ProducerUnknown
from kanava.registry.service import documents, producers
from tests.registry.world import (
    APPROVE,
    CLINIC_ID,
    ENTERPRISE,
    ENTERPRISE_ID,
    FOREIGN_ORGANISER,
    IBAN,
    LIIKELAITOS,
    OPERATOR,
    ORGANISER,
    OTHER_PRODUCER,
    PRODUCER,
    RULE_BOOK,
    TODAY,
    Registry,
    application,
    checklist,
    rule_book,
)

ACCEPT = AcceptRuleBook(document_id=RULE_BOOK)
REJECT = DecideOnProducer(verdict="reject", reasons="Vastuuhenkilö puuttuu.")


async def refused_approval(registry: Registry) -> ProducerRefused:
    with pytest.raises(ProducerRefused) as refused:
        await registry.do(producers.decide_on_producer, CLINIC_ID, APPROVE, by=ORGANISER)
    return refused.value


async def test_a_producer_is_approved_and_others_hear_of_it(registry: Registry) -> None:
    await registry.publish_documents()
    producer_id = await registry.approve()
    applied, approved = await registry.facts("producer")
    assert (producer_id, applied.producer_id) == (CLINIC_ID, CLINIC_ID)
    assert (applied.what, applied.status, applied.version) == ("applied", "applied", 1)
    assert (approved.what, approved.status, approved.version) == ("approved", "approved", 2)
    assert (approved.iban, approved.kind, approved.area) == (IBAN, "private", "03")


async def test_approval_waits_for_every_condition_in_turn(registry: Registry) -> None:
    await registry.apply()
    assert (await refused_approval(registry)).reason is ProducerRefusal.NO_RULE_BOOK
    await registry.publish_documents()
    every = [one.item for one in checklist_on(TODAY)]
    refused = await refused_approval(registry)
    assert refused.reason is ProducerRefusal.CHECKLIST_INCOMPLETE
    assert refused.extra["missing"] == every
    part = checklist(without="patient_insurance")
    await registry.do(producers.state_checklist, CLINIC_ID, part, by=PRODUCER)
    assert (await refused_approval(registry)).extra["missing"] == ["patient_insurance"]
    await registry.do(producers.state_checklist, CLINIC_ID, checklist(), by=PRODUCER)
    assert (await refused_approval(registry)).reason is ProducerRefusal.RULE_BOOK_NOT_ACCEPTED
    await registry.do(producers.accept_rule_book, CLINIC_ID, ACCEPT, by=PRODUCER)
    approved = await registry.do(producers.decide_on_producer, CLINIC_ID, APPROVE, by=ORGANISER)
    assert approved.status == "approved"
    assert (await refused_approval(registry)).reason is ProducerRefusal.NOT_AN_APPLICANT


async def test_a_statement_that_is_not_fulfilled_does_not_count(registry: Registry) -> None:
    await registry.apply()
    stated: dict[str, Any] = checklist().model_dump()
    stated["items"][0]["fulfilled"] = False
    view = await registry.do(producers.state_checklist, CLINIC_ID, StateChecklist.model_validate(stated), by=PRODUCER)
    assert view.checklist_missing == (stated["items"][0]["item"],)
    mended = await registry.do(producers.state_checklist, CLINIC_ID, checklist(), by=PRODUCER)
    assert mended.checklist_missing == ()


async def test_a_new_rule_book_must_be_accepted_before_approval(registry: Registry) -> None:
    await registry.publish_documents()
    await registry.apply()
    await registry.do(producers.state_checklist, CLINIC_ID, checklist(), by=PRODUCER)
    await registry.do(producers.accept_rule_book, CLINIC_ID, ACCEPT, by=PRODUCER)
    await registry.do(documents.publish_document, rule_book(), by=ORGANISER)
    assert (await refused_approval(registry)).reason is ProducerRefusal.RULE_BOOK_NOT_ACCEPTED
    with pytest.raises(ProducerRefused) as old:
        await registry.do(producers.accept_rule_book, CLINIC_ID, ACCEPT, by=PRODUCER)
    assert old.value.extra["current_rule_book"] == "03:rule_book:2"


async def test_a_coming_rule_book_is_not_yet_current(registry: Registry) -> None:
    await registry.publish_documents()
    await registry.do(documents.publish_document, rule_book(valid_from="2026-12-01"), by=ORGANISER)
    await registry.approve()


async def test_accepting_twice_changes_nothing(registry: Registry) -> None:
    await registry.publish_documents()
    await registry.apply()
    for _ in range(2):
        view = await registry.do(producers.accept_rule_book, CLINIC_ID, ACCEPT, by=PRODUCER)
    assert view.accepted_rule_books == (RULE_BOOK,)


async def test_a_rejected_application_can_be_mended(registry: Registry) -> None:
    await registry.publish_documents()
    await registry.apply()
    view = await registry.do(producers.decide_on_producer, CLINIC_ID, REJECT, by=ORGANISER)
    assert (view.status, view.decisions[0].reasons) == ("applied", REJECT.reasons)
    await registry.do(producers.state_checklist, CLINIC_ID, checklist(), by=PRODUCER)
    await registry.do(producers.accept_rule_book, CLINIC_ID, ACCEPT, by=PRODUCER)
    approved = await registry.do(producers.decide_on_producer, CLINIC_ID, APPROVE, by=ORGANISER)
    assert [one.verdict for one in approved.decisions] == ["reject", "approve"]


async def test_nobody_approves_itself(registry: Registry) -> None:
    await registry.publish_documents()
    await registry.apply()
    both = replace(ORGANISER, producers=frozenset({CLINIC_ID}))
    for command in (APPROVE, REJECT):
        with pytest.raises(OwnApplication):
            await registry.do(producers.decide_on_producer, CLINIC_ID, command, by=both)
    with pytest.raises(Forbidden):
        await registry.do(producers.decide_on_producer, CLINIC_ID, APPROVE, by=FOREIGN_ORGANISER)


async def test_the_own_enterprise_goes_the_same_way_without_an_account(registry: Registry) -> None:
    await registry.publish_documents()
    producer_id = await registry.approve(LIIKELAITOS, ENTERPRISE, kind="own_enterprise", iban=None)
    assert producer_id == ENTERPRISE_ID
    approved = (await registry.facts("producer", "approved"))[0]
    assert (approved.kind, approved.iban) == ("own_enterprise", None)


async def test_a_producer_applies_once_for_itself_and_with_an_account(registry: Registry) -> None:
    with pytest.raises(InputRefused) as unpaid:
        await registry.do(producers.apply_as_producer, application(iban=None), by=PRODUCER)
    assert (unpaid.value.pointer, unpaid.value.rule) == ("/iban", "account_required")
    with pytest.raises(Forbidden):
        await registry.do(producers.apply_as_producer, application(), by=OTHER_PRODUCER)
    await registry.apply()
    with pytest.raises(ProducerRefused) as twice:
        await registry.apply()
    assert twice.value.reason is ProducerRefusal.APPLIED_ALREADY


async def test_others_cannot_speak_for_a_producer(registry: Registry) -> None:
    await registry.publish_documents()
    await registry.apply()
    with pytest.raises(Forbidden):
        await registry.do(producers.state_checklist, CLINIC_ID, checklist(), by=OTHER_PRODUCER)
    with pytest.raises(Forbidden):
        await registry.do(producers.accept_rule_book, CLINIC_ID, ACCEPT, by=ORGANISER)
    with pytest.raises(ProducerUnknown):
        await registry.do(producers.decide_on_producer, ENTERPRISE_ID, APPROVE, by=ORGANISER)


async def test_an_account_is_shown_to_whom_it_concerns(registry: Registry) -> None:
    await registry.apply()
    for caller, iban in (
        (PRODUCER, IBAN),
        (ORGANISER, IBAN),
        (OPERATOR, IBAN),
        (FOREIGN_ORGANISER, None),
        (OTHER_PRODUCER, None),
    ):
        view = await registry.read(views.producer, CLINIC_ID, caller=caller, today=TODAY)
        assert view.iban == iban
