"""Opening and closing units (toimipisteet), and signing contracts (sopimukset)."""

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from kanava.common import ids
from kanava.common.auth import Caller, Role
from kanava.common.clock import helsinki_date
from kanava.common.contracts.registry import Contract, Unit
from kanava.common.db import Tx
from kanava.common.outbox import emit
from kanava.registry import store, views
from kanava.registry.commands import CloseUnit, OpenUnit, SignContract
from kanava.registry.domain.compensation import broken_by_range
from kanava.registry.domain.contract_classes import broken_by_kinds, broken_by_payments, broken_by_span
from kanava.registry.domain.municipalities import broken_by_municipality
from kanava.registry.domain.producers import ProducerRefusal
from kanava.registry.domain.units import UnitRefusal, broken_by_closing
from kanava.registry.domain.violations import Violation
from kanava.registry.errors import OwnContract, ProducerRefused, UnitRefused, UnitUnknown, require
from kanava.registry.municipalities import area_by_municipality

from .producers import locked_producer


def _must_run(caller: Caller, producer: dict[str, Any]) -> None:
    """A producer runs its own units; the organiser also those of its area's own enterprise (liikelaitos)."""
    if caller.role is Role.ORGANISER and producer["kind"] == "own_enterprise":
        caller.must_be_in_area(producer["area"])
    else:
        caller.must_act_for_producer(producer["producer_id"])


async def open_unit(tx: Tx, command: OpenUnit, *, caller: Caller, now: datetime) -> views.UnitView:
    """Open a unit of a producer that has applied or is approved, in a municipality of its area."""
    producer = await locked_producer(tx, command.producer_id)
    _must_run(caller, producer)
    if producer["status"] not in ("applied", "approved"):
        raise ProducerRefused(ProducerRefusal.NOT_ACTIVE)
    require(broken_by_municipality(area_by_municipality(), command.municipality, producer["area"]))
    number = await store.next_number(tx, "unit", of=("producer_id", command.producer_id))
    row = {
        **command.model_dump(exclude={"languages"}),
        "languages": list(command.languages),
        "unit_id": ids.organisation_oid(producer["business_id"], number),
        "version": 1,
        "number": number,
        "area": producer["area"],
        "own": producer["kind"] == "own_enterprise",
        "status": "open",
        "recorded_at": now,
    }
    stored = await store.insert(tx, "unit", row)
    await emit(tx, Unit.model_validate({**stored, "what": "opened"}))
    return views.UnitView.model_validate(stored)


async def close_unit(tx: Tx, unit_id: str, command: CloseUnit, *, caller: Caller, now: datetime) -> views.UnitView:
    """Close a unit from a day on, today at the earliest; its listed residents fall to the default unit."""
    unit = await store.lock_unit(tx, unit_id)
    if unit is None:
        raise UnitUnknown()
    _must_run(caller, await locked_producer(tx, unit["producer_id"]))
    if unit["status"] == "closed":
        raise UnitRefused(UnitRefusal.CLOSED_ALREADY)
    today = helsinki_date(now)
    closes_on = command.closes_on or today
    require(broken_by_closing(closes_on, today))
    closed = await store.close_unit(tx, unit_id, closes_on=closes_on, now=now)
    await emit(tx, Unit.model_validate({**closed, "what": "closed"}))
    return views.UnitView.model_validate(closed)


async def sign_contract(tx: Tx, command: SignContract, *, caller: Caller, now: datetime) -> views.ContractView:
    """Sign a contract with an approved producer of the caller's area, with what its class allows."""
    producer = await locked_producer(tx, command.producer_id)
    caller.must_be_in_area(producer["area"])
    if command.producer_id in caller.producers:
        raise OwnContract()
    require(
        broken_by_kinds(command.contract_class, command.compensation_kinds, command.starts_on)
        + broken_by_span(command.starts_on, command.ends_on)
        + _broken_by_payments(command)
    )
    if producer["status"] != "approved":
        raise ProducerRefused(ProducerRefusal.NOT_APPROVED)
    number = await store.next_number(tx, "contract", of=("producer_id", command.producer_id))
    row = {
        **command.model_dump(exclude={"compensation_kinds", "effectiveness"}),
        "compensation_kinds": list(command.compensation_kinds),
        "effectiveness": Jsonb([one.model_dump() for one in command.effectiveness]),
        "contract_id": f"{command.producer_id}:{number}",
        "version": 1,
        "number": number,
        "area": producer["area"],
        "signed_by": caller.subject,
        "recorded_at": now,
    }
    stored = await store.insert(tx, "contract", row)
    await emit(tx, Contract.model_validate({**stored, "what": "signed"}))
    return views.ContractView.model_validate(stored)


def _broken_by_payments(command: SignContract) -> list[Violation]:
    """What is wrong with the base payment and the effectiveness terms of a contract."""
    ranges = [
        broken.under(f"/effectiveness/{place}")
        for place, one in enumerate(command.effectiveness)
        for broken in broken_by_range(one.direction, one.floor, one.target)
    ]
    return ranges + broken_by_payments(
        command.compensation_kinds,
        has_base_payment=command.monthly_base_payment_cents is not None,
        has_effectiveness=bool(command.effectiveness),
    )
