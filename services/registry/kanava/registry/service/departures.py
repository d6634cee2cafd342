"""How a producer's time ends: its contracts end, it is suspended and comes back, and at last it leaves."""

from datetime import datetime

from kanava.common.auth import Caller
from kanava.common.clock import helsinki_date
from kanava.common.contracts.registry import Contract, Producer
from kanava.common.db import Tx
from kanava.common.outbox import emit
from kanava.registry import store, views
from kanava.registry.commands import ChangeStanding, EndContract
from kanava.registry.domain.contract_classes import broken_by_end
from kanava.registry.domain.producers import STANDING_AFTER, refusal_to_change
from kanava.registry.errors import ContractUnknown, OwnContract, ProducerRefused, StandingOfItself, require

from .producers import locked_producer


async def end_contract(
    tx: Tx, contract_id: str, command: EndContract, *, caller: Caller, now: datetime
) -> views.ContractView:
    """End a contract of the caller's area on a day, or sooner than it would; `ends_on` is its first day no longer.

    A day that has passed is a fact that became known late, which payments corrects (settled question 19).
    """
    contract = await store.lock_contract(tx, contract_id)
    if contract is None:
        raise ContractUnknown()
    caller.must_be_in_area(contract["area"])
    if contract["producer_id"] in caller.producers:
        raise OwnContract()
    require(broken_by_end(contract["starts_on"], contract["ends_on"], command.ends_on))
    ended = await store.end_contract(tx, contract_id, ends_on=command.ends_on, now=now)
    await emit(tx, Contract.model_validate({**ended, "what": "ended"}))
    return views.ContractView.model_validate(ended)


async def change_standing(
    tx: Tx, producer_id: str, command: ChangeStanding, *, caller: Caller, now: datetime
) -> views.ProducerView:
    """Suspend a producer of the caller's area, reinstate it, or record that it leaves; nobody decides on itself."""
    producer = await locked_producer(tx, producer_id)
    caller.must_be_in_area(producer["area"])
    if producer_id in caller.producers:
        raise StandingOfItself()
    today = helsinki_date(now)
    under_contract = await store.is_under_contract(tx, producer_id, today)
    if refusal := refusal_to_change(producer["status"], command.verdict, under_contract=under_contract):
        raise ProducerRefused(refusal)
    number = await store.next_number(tx, "producer_decision", of=("producer_id", producer_id))
    row = {"producer_id": producer_id, "number": number, **command.model_dump(), "rule_book": None}
    await store.insert(tx, "producer_decision", row | {"decided_by": caller.subject, "recorded_at": now})
    status = STANDING_AFTER[command.verdict]
    changed = await store.set_producer_status(tx, producer_id, status=status, now=now)
    await emit(tx, Producer.model_validate({**changed, "what": status}))
    return await views.producer(tx, producer_id, caller=caller, today=today)
