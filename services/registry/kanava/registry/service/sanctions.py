"""The ladder of sanctions against a producer: imposed, appealed, upheld, withdrawn.

A revocation takes the producer's approval at once, and others hear it as the producer's standing: listing moves the
listed residents by that. When a revocation is withdrawn the approval stands again.
"""

from datetime import datetime
from typing import Any

from kanava.common.auth import Caller
from kanava.common.clock import helsinki_date
from kanava.common.contracts.registry import Producer
from kanava.common.contracts.steering import Sanction
from kanava.common.db import Tx
from kanava.common.outbox import emit
from kanava.registry import store, store_steering, views_steering
from kanava.registry.commands_steering import AppealSanction, DecideOnSanction, ImposeSanction
from kanava.registry.domain.sanctions import (
    SanctionRefusal,
    broken_by_effect,
    broken_by_sum,
    refusal_of_appeal,
    refusal_of_outcome,
    refusal_of_step,
    step_on,
)
from kanava.registry.domain.violations import Violation
from kanava.registry.errors import OwnSanction, SanctionRefused, SanctionUnknown, require

from .producers import locked_producer

REVOCATION = "hyvaksymisen_peruutus"


async def impose_sanction(
    tx: Tx, command: ImposeSanction, *, caller: Caller, now: datetime
) -> views_steering.SanctionView:
    """Take a step of the ladder against a producer of the caller's area, in order or with a reason for it."""
    producer = await _judged_producer(tx, command.producer_id, caller=caller)
    today = helsinki_date(now)
    step = step_on(command.step, today)
    assert step is not None, "the command knows the steps of the ladder"
    require(
        broken_by_sum(step, command.amount_cents)
        + broken_by_effect(command.step, command.effective_on, today)
        + await _broken_by_contract(tx, command)
    )
    if producer["status"] not in ("approved", "suspended"):
        raise SanctionRefused(SanctionRefusal.NOT_UNDER_CONTROL)
    taken = await store_steering.steps_taken(tx, command.producer_id)
    if refusal := refusal_of_step(command.step, taken, command.override_reason):
        raise SanctionRefused(refusal, steps_taken=sorted(taken))
    number = await store.next_number(tx, "sanction", of=("producer_id", command.producer_id))
    row = {
        **command.model_dump(),
        "sanction_id": f"{command.producer_id}:{number}",
        "version": 1,
        "number": number,
        "area": producer["area"],
        "name": step.name,
        "status": "in_force",
        "decided_on": today,
        "recorded_at": now,
    }
    stored = await store.insert(tx, "sanction", row | {"decided_by": caller.subject})
    await emit(tx, Sanction.model_validate({**stored, "what": "imposed"}))
    if step.name == REVOCATION:
        await _set_standing(tx, command.producer_id, "revoked", now)
    return await views_steering.sanction(tx, stored["sanction_id"], caller=caller)


async def appeal_sanction(
    tx: Tx, sanction_id: str, command: AppealSanction, *, caller: Caller, now: datetime
) -> views_steering.SanctionView:
    """Take a producer's appeal; the sanction is not final until it is decided."""
    sanction = await _found(tx, sanction_id)
    caller.must_act_for_producer(sanction["producer_id"])
    await locked_producer(tx, sanction["producer_id"])
    sanction = await _found(tx, sanction_id)
    if refusal := refusal_of_appeal(sanction["status"], sanction["decided_on"], helsinki_date(now)):
        raise SanctionRefused(refusal)
    return await _changed(tx, sanction, "appealed", reasons=command.reasons, caller=caller, now=now)


async def decide_on_sanction(
    tx: Tx, sanction_id: str, command: DecideOnSanction, *, caller: Caller, now: datetime
) -> views_steering.SanctionView:
    """Uphold an appealed sanction, with its sum or a smaller one, or withdraw a sanction."""
    sanction = await _found(tx, sanction_id)
    await _judged_producer(tx, sanction["producer_id"], caller=caller)
    sanction = await _found(tx, sanction_id)
    if refusal := refusal_of_outcome(
        sanction["status"],
        command.outcome,
        sum_cents=sanction["amount_cents"],
        upheld_cents=command.amount_cents,
    ):
        raise SanctionRefused(refusal)
    said = sanction | {"amount_cents": command.amount_cents or sanction["amount_cents"]}
    answer = await _changed(tx, said, command.outcome, reasons=command.reasons, caller=caller, now=now)
    if command.outcome == "withdrawn" and sanction["name"] == REVOCATION:
        await _restore(tx, sanction["producer_id"], now)
    return answer


async def _found(tx: Tx, sanction_id: str) -> dict[str, Any]:
    sanction = await store_steering.sanction(tx, sanction_id)
    if sanction is None:
        raise SanctionUnknown()
    return sanction


async def _judged_producer(tx: Tx, producer_id: str, *, caller: Caller) -> dict[str, Any]:
    """The producer, locked until the commit, if the caller may decide on its sanctions: never on its own."""
    producer = await locked_producer(tx, producer_id)
    caller.must_be_in_area(producer["area"])
    if producer_id in caller.producers:
        raise OwnSanction()
    return producer


async def _broken_by_contract(tx: Tx, command: ImposeSanction) -> list[Violation]:
    if command.contract_id is None:
        return []
    if await store_steering.contract_holder(tx, command.contract_id) == command.producer_id:
        return []
    return [Violation("/contract_id", "contract_of_producer", "the contract is not one of the producer")]


async def _changed(
    tx: Tx, sanction: dict[str, Any], what: str, *, reasons: str, caller: Caller, now: datetime
) -> views_steering.SanctionView:
    """Give a sanction its next standing, keep why, and say it."""
    stored = await store_steering.change_sanction(
        tx, sanction["sanction_id"], status=what, amount_cents=sanction["amount_cents"], now=now
    )
    assert stored["version"] == sanction["version"] + 1, "the sanction was changed beside the lock"
    change = {name: stored[name] for name in ("sanction_id", "version", "amount_cents")}
    change |= {"what": what, "reasons": reasons, "changed_by": caller.subject, "recorded_at": now}
    await store.insert(tx, "sanction_change", change)
    await emit(tx, Sanction.model_validate({**stored, "what": what}))
    return await views_steering.sanction(tx, stored["sanction_id"], caller=caller)


async def _restore(tx: Tx, producer_id: str, now: datetime) -> None:
    """Give a producer its approval back once no revocation stands against it."""
    producer = await locked_producer(tx, producer_id)
    taken = await store_steering.steps_taken(tx, producer_id)
    if producer["status"] == "revoked" and 4 not in taken:
        await _set_standing(tx, producer_id, "approved", now)


async def _set_standing(tx: Tx, producer_id: str, status: str, now: datetime) -> None:
    changed = await store.set_producer_status(tx, producer_id, status=status, now=now)
    await emit(tx, Producer.model_validate({**changed, "what": status}))
