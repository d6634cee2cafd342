"""A municipality's scheme (käyttöönotto): planning, dialogue, decision, and the phases after it."""

from datetime import datetime
from typing import Any

from kanava.common.auth import Caller
from kanava.common.clock import helsinki_date
from kanava.common.contracts.registry import Scheme
from kanava.common.db import Tx
from kanava.common.outbox import emit
from kanava.registry import store, views
from kanava.registry.commands import AnswerComment, CommentOnScheme, DecideOnScheme, EnterPhase, PlanScheme
from kanava.registry.domain.municipalities import broken_by_municipality
from kanava.registry.domain.schemes import (
    ADOPTED,
    Named,
    Phase,
    SchemeRefusal,
    Standing,
    adopted_from,
    broken_by_adoption,
    refusal_to_enter,
)
from kanava.registry.errors import SchemeRefused, SchemeUnknown, require
from kanava.registry.municipalities import area_by_municipality


async def plan_scheme(tx: Tx, command: PlanScheme, *, caller: Caller, now: datetime) -> views.SchemeView:
    """Start the scheme of a municipality of the caller's area, in phase 1."""
    caller.must_be_in_area(command.area)
    require(broken_by_municipality(area_by_municipality(), command.municipality, command.area))
    await store.lock_name(tx, f"scheme {command.municipality}")
    if await store.scheme_of_municipality(tx, command.municipality):
        raise SchemeRefused(SchemeRefusal.EXISTS_ALREADY)
    row = {
        **command.model_dump(exclude={"purposes"}),
        "purposes": list(command.purposes),
        "scheme_id": f"{command.area}:{command.municipality}",
        "version": 1,
        "phase": int(Phase.PLANNING),
        "entered_on": helsinki_date(now),
    }
    stored = await store.insert(tx, "scheme", row)
    await _tell_phase(tx, stored, caller=caller, now=now)
    return await views.scheme(tx, row["scheme_id"])


async def _tell_phase(tx: Tx, scheme: dict[str, Any], *, caller: Caller, now: datetime) -> None:
    """Note the phase that a scheme has entered, and say it."""
    row = {"scheme_id": scheme["scheme_id"], "phase": scheme["phase"], "entered_on": scheme["entered_on"]}
    await store.insert(tx, "scheme_phase", {**row, "entered_by": caller.subject, "recorded_at": now})
    await emit(tx, Scheme.model_validate({**scheme, "what": "entered_phase", "recorded_at": now}))


async def _locked(tx: Tx, scheme_id: str) -> dict[str, Any]:
    scheme = await store.lock_scheme(tx, scheme_id)
    if scheme is None:
        raise SchemeUnknown()
    return scheme


async def comment_on_scheme(
    tx: Tx, scheme_id: str, command: CommentOnScheme, *, caller: Caller, now: datetime
) -> views.SchemeView:
    """Take a producer's comment in the dialogue."""
    caller.must_act_for_producer(command.producer_id)
    scheme = await _locked(tx, scheme_id)
    if scheme["phase"] != Phase.DIALOGUE:
        raise SchemeRefused(SchemeRefusal.NOT_IN_DIALOGUE)
    number = await store.next_number(tx, "scheme_comment", of=("scheme_id", scheme_id))
    row = {"scheme_id": scheme_id, "number": number, **command.model_dump(), "recorded_at": now}
    await store.insert(tx, "scheme_comment", row)
    return await views.scheme(tx, scheme_id)


async def answer_comment(
    tx: Tx, scheme_id: str, command: AnswerComment, *, number: int, caller: Caller, now: datetime
) -> views.SchemeView:
    """Answer a producer's comment, once."""
    scheme = await _locked(tx, scheme_id)
    caller.must_be_in_area(scheme["area"])
    comment = await store.comment(tx, scheme_id, number)
    if comment is None:
        raise SchemeUnknown("the scheme has no comment of that number")
    if comment["answer"] is not None:
        raise SchemeRefused(SchemeRefusal.ALREADY_ANSWERED)
    row = {"scheme_id": scheme_id, "number": number, "text": command.text}
    await store.insert(tx, "scheme_answer", {**row, "answered_by": caller.subject, "recorded_at": now})
    return await views.scheme(tx, scheme_id)


async def decide_on_scheme(
    tx: Tx, scheme_id: str, command: DecideOnScheme, *, caller: Caller, now: datetime
) -> views.SchemeView:
    """Record the decision of the scheme's own municipality, with the documents that it adopts.

    In phase 3 they hold once the scheme moves on; later, a decision adopts new versions for the scheme as it runs.
    """
    scheme = await _locked(tx, scheme_id)
    caller.must_be_in_municipality(scheme["municipality"])
    if scheme["phase"] < Phase.DECISION:
        raise SchemeRefused(SchemeRefusal.NOT_IN_DECISION)
    named = {kind: await _named(tx, getattr(command, kind)) for kind in ADOPTED}
    require(broken_by_adoption(approves=command.verdict == "approve", area=scheme["area"], named=named))
    number = await store.next_number(tx, "scheme_decision", of=("scheme_id", scheme_id))
    row = {"scheme_id": scheme_id, "number": number, **command.model_dump()}
    await store.insert(tx, "scheme_decision", {**row, "decided_by": caller.subject, "recorded_at": now})
    if scheme["phase"] > Phase.DECISION and command.verdict == "approve":
        await _adopt(tx, scheme, named, now)
    return await views.scheme(tx, scheme_id)


async def _adopt(tx: Tx, scheme: dict[str, Any], named: dict[str, Named], now: datetime) -> None:
    """Give a scheme that runs the versions that it adopts, and say from which day they hold."""
    fresh = [named[kind] for kind in ADOPTED if named[kind].document_id != scheme[kind]]
    if not fresh:
        raise SchemeRefused(SchemeRefusal.ADOPTED_ALREADY)
    running = min(scheme["phase"], Phase.PRODUCTION)
    began_on = await store.scheme_phase_entered_on(tx, scheme["scheme_id"], running)
    holds_from = adopted_from(fresh, today=helsinki_date(now), began_on=began_on)
    adopted = {kind: named[kind].document_id for kind in ADOPTED}
    told = await store.move_scheme(
        tx, scheme["scheme_id"], phase=scheme["phase"], entered_on=holds_from, adopted=adopted
    )
    await emit(tx, Scheme.model_validate({**told, "what": "adopted", "recorded_at": now}))


async def _named(tx: Tx, document_id: str | None) -> Named:
    document = await store.document(tx, document_id) if document_id else None
    if document is None:
        return Named(document_id)
    corrects = document["correction_reason"] is not None
    return Named(document_id, document["kind"], document["area"], document["valid_from"], corrects)


async def enter_phase(
    tx: Tx, scheme_id: str, command: EnterPhase, *, caller: Caller, now: datetime
) -> views.SchemeView:
    """Move a scheme of the caller's area into its next phase, if the gate is open."""
    scheme = await _locked(tx, scheme_id)
    caller.must_be_in_area(scheme["area"])
    decision = await store.latest_scheme_decision(tx, scheme_id)
    standing = Standing(
        phase=Phase(scheme["phase"]),
        comments_unanswered=await store.comments_unanswered(tx, scheme_id),
        approved_by_municipality=None if decision is None else decision["verdict"] == "approve",
        approved_producers=await store.approved_producers(tx, scheme["municipality"], scheme["area"]),
        adoption_ahead=scheme["entered_on"] > helsinki_date(now),
    )
    if refusal := refusal_to_enter(standing, command.phase):
        raise SchemeRefused(refusal)
    newly = decision if scheme["phase"] == Phase.DECISION else None
    adopted = {kind: (newly or scheme)[kind] for kind in ADOPTED}
    moved = await store.move_scheme(tx, scheme_id, phase=command.phase, entered_on=helsinki_date(now), adopted=adopted)
    await _tell_phase(tx, moved, caller=caller, now=now)
    return await views.scheme(tx, scheme_id)
