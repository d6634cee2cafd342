"""A producer's way in (tuottajan hyväksyminen): application, checklist, rule book, decision."""

from datetime import datetime
from typing import Any

from kanava.common import ids
from kanava.common.auth import Caller
from kanava.common.clock import helsinki_date
from kanava.common.contracts.registry import Producer
from kanava.common.db import Tx
from kanava.common.outbox import emit
from kanava.registry import store, views
from kanava.registry.commands import AcceptRuleBook, ApplyAsProducer, DecideOnProducer, StateChecklist
from kanava.registry.domain import validity
from kanava.registry.domain.producers import (
    Application,
    ProducerRefusal,
    broken_by_account,
    broken_by_items,
    missing_items,
    refusal_to_approve,
)
from kanava.registry.errors import OwnApplication, ProducerRefused, ProducerUnknown, require


async def locked_producer(tx: Tx, producer_id: str) -> dict[str, Any]:
    """A producer, locked until the commit; `ProducerUnknown` when there is none."""
    producer = await store.lock_producer(tx, producer_id)
    if producer is None:
        raise ProducerUnknown()
    return producer


async def apply_as_producer(tx: Tx, command: ApplyAsProducer, *, caller: Caller, now: datetime) -> views.ProducerView:
    """Take the application of the caller's own organisation; anybody may apply at any time (jatkuva haku)."""
    producer_id = ids.organisation_oid(command.business_id)
    caller.must_act_for_producer(producer_id)
    require(broken_by_account(command.kind, command.iban))
    await store.lock_name(tx, f"producer {producer_id}")
    if await store.lock_producer(tx, producer_id):
        raise ProducerRefused(ProducerRefusal.APPLIED_ALREADY)
    row = {
        **command.model_dump(),
        "producer_id": producer_id,
        "version": 1,
        "status": "applied",
        "recorded_at": now,
    }
    await store.insert(tx, "producer", row)
    await emit(tx, Producer.model_validate({**row, "what": "applied"}))
    return await views.producer(tx, producer_id, caller=caller, today=helsinki_date(now))


async def state_checklist(
    tx: Tx, producer_id: str, command: StateChecklist, *, caller: Caller, now: datetime
) -> views.ProducerView:
    """Record what a producer states on the statutory items of the day; earlier statements stay as history."""
    caller.must_act_for_producer(producer_id)
    await locked_producer(tx, producer_id)
    require(broken_by_items([one.item for one in command.items], helsinki_date(now)))
    revision = await store.next_revision(tx, producer_id)
    for statement in command.items:
        row = {"producer_id": producer_id, "revision": revision, **statement.model_dump()}
        await store.insert(tx, "checklist_statement", {**row, "stated_by": caller.subject, "recorded_at": now})
    return await views.producer(tx, producer_id, caller=caller, today=helsinki_date(now))


async def _current_rule_book(tx: Tx, area: str, now: datetime) -> str | None:
    versions = [validity.PublishedVersion(**row) for row in await store.documents(tx, area, "rule_book")]
    newest = validity.current(versions, helsinki_date(now))
    return newest.document_id if newest else None


async def accept_rule_book(
    tx: Tx, producer_id: str, command: AcceptRuleBook, *, caller: Caller, now: datetime
) -> views.ProducerView:
    """Record that a producer accepts its area's current rule book; accepting it again changes nothing."""
    caller.must_act_for_producer(producer_id)
    producer = await locked_producer(tx, producer_id)
    current = await _current_rule_book(tx, producer["area"], now)
    if current is None:
        raise ProducerRefused(ProducerRefusal.NO_RULE_BOOK)
    if command.document_id != current:
        raise ProducerRefused(ProducerRefusal.NOT_THE_CURRENT_RULE_BOOK, current_rule_book=current)
    if current not in await store.accepted_rule_books(tx, producer_id):
        row = {"producer_id": producer_id, "document_id": current}
        await store.insert(tx, "rule_book_acceptance", {**row, "accepted_by": caller.subject, "recorded_at": now})
    return await views.producer(tx, producer_id, caller=caller, today=helsinki_date(now))


async def decide_on_producer(
    tx: Tx, producer_id: str, command: DecideOnProducer, *, caller: Caller, now: datetime
) -> views.ProducerView:
    """Record the organiser's decision; a rejected application stays open and may be mended.

    Nobody decides on itself: a caller whose token also acts for the producer is refused.
    """
    producer = await locked_producer(tx, producer_id)
    caller.must_be_in_area(producer["area"])
    if producer_id in caller.producers:
        raise OwnApplication()
    application = await _application(tx, producer, now)
    if application.status != "applied":
        raise ProducerRefused(ProducerRefusal.NOT_AN_APPLICANT)
    if command.verdict == "approve" and (refusal := refusal_to_approve(application)):
        raise ProducerRefused(refusal, missing=list(application.missing))
    number = await store.next_number(tx, "producer_decision", of=("producer_id", producer_id))
    row = {"producer_id": producer_id, "number": number, **command.model_dump()}
    row |= {"rule_book": application.current_rule_book, "decided_by": caller.subject, "recorded_at": now}
    await store.insert(tx, "producer_decision", row)
    if command.verdict == "approve":
        approved = await store.set_producer_status(tx, producer_id, status="approved", now=now)
        await emit(tx, Producer.model_validate({**approved, "what": "approved"}))
    return await views.producer(tx, producer_id, caller=caller, today=helsinki_date(now))


async def _application(tx: Tx, producer: dict[str, Any], now: datetime) -> Application:
    fulfilled = await store.fulfilled_items(tx, producer["producer_id"])
    return Application(
        status=producer["status"],
        missing=missing_items(fulfilled, helsinki_date(now)),
        current_rule_book=await _current_rule_book(tx, producer["area"], now),
        accepted=await store.accepted_rule_books(tx, producer["producer_id"]),
    )
