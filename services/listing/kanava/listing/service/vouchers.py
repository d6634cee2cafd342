"""Grant vouchers (setelit) and personal budgets to residents, change their plan, annul and end them.

The reasons of a decision may tell of a person's health: they are sealed like an identity, and neither an answer of a
command nor a fact has them.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.auth import Caller
from kanava.common.clock import helsinki_date
from kanava.common.contracts import listing as contract
from kanava.common.db import Tx
from kanava.common.outbox import emit

from ..commands import AnnulVoucher, ChangePlan, EndVoucher, GrantVoucher
from ..domain.vouchers import (
    Flaw,
    VoucherRefusal,
    broken_by_days,
    broken_by_end,
    broken_by_limit,
    broken_by_nodes,
    broken_by_parts,
    broken_by_plan,
    broken_by_table,
    refusal_to_grant,
    share_of_income,
)
from ..errors import UnknownResident, UnknownVoucher, VoucherInvalid, VoucherRefused
from ..store import vouchers as store
from ..vault import Vault
from ..views_vouchers import VoucherView, seen


async def grant_voucher(tx: Tx, command: GrantVoucher, now: datetime, *, caller: Caller, vault: Vault) -> VoucherView:
    """Grant a voucher to a resident of the caller's area, from phase 4 of its municipality's scheme on."""
    resident = await store.lock_resident(tx, command.resident_id)
    if resident is None:
        raise UnknownResident
    caller.must_be_in_area(resident["area"])
    grant = command.grant
    _require(
        broken_by_parts(grant)
        + broken_by_days(grant, helsinki_date(now))
        + broken_by_limit(grant, resident["valid_months"])
        + (broken_by_plan(grant.plan, grant.sum_granted_cents or 0) if grant.plan else [])
        + await _broken_by_world(tx, command)
        + _broken_by_self_pay(command)
    )
    row = asdict(grant) | {"resident_id": command.resident_id, "node": grant.node or ""}
    if refusal := refusal_to_grant(
        grant,
        lives_until=resident["lives_until"],
        scheme_phase=resident["scheme_phase"],
        overlaps=await store.overlaps(tx, row),
    ):
        raise VoucherRefused(refusal)
    more = {"voucher_id": command.voucher_id, "area": resident["area"], "recorded_at": now}
    more |= {"self_pay": _self_pay(command), "producer_ids": list(command.producer_ids)}
    stored = await store.add(tx, row | more)
    return await _decided(tx, stored, "granted", command, vault=vault)


async def change_plan(tx: Tx, command: ChangePlan, now: datetime, *, caller: Caller, vault: Vault) -> VoucherView:
    """Set the plan of a personal budget anew, within its sum or a new one."""
    known = await _held(tx, command.voucher_id, caller)
    if known["kind"] != "personal_budget":
        raise VoucherRefused(VoucherRefusal.NO_PLAN)
    total = known["sum_granted_cents"] if command.sum_granted_cents is None else command.sum_granted_cents
    nodes = [(f"/plan/{place}/node", row.node) for place, row in enumerate(command.plan)]
    published = await store.published_nodes(tx, [node for _, node in nodes], known["starts_on"])
    _require(broken_by_plan(command.plan, total) + broken_by_nodes(nodes, published))
    changed = {"plan": [asdict(row) for row in command.plan], "sum_granted_cents": total, "recorded_at": now}
    return await _decided(tx, await store.change(tx, known | changed), "plan_changed", command, vault=vault)


async def annul_voucher(tx: Tx, command: AnnulVoucher, now: datetime, *, caller: Caller, vault: Vault) -> VoucherView:
    """Annul a voucher: it never was, so what it paid is taken back."""
    known = await _held(tx, command.voucher_id, caller)
    changed = {"status": "annulled", "ground": command.ground, "recorded_at": now}
    return await _decided(tx, await store.change(tx, known | changed), "annulled", command, vault=vault)


async def end_voucher(tx: Tx, command: EndVoucher, now: datetime, *, caller: Caller, vault: Vault) -> VoucherView:
    """End a voucher early; what it paid before stays."""
    known = await _held(tx, command.voucher_id, caller)
    _require(broken_by_end(known["starts_on"], known["until"], command.ends_on))
    changed = {"status": "ended", "until": command.ends_on, "ground": command.ground, "recorded_at": now}
    return await _decided(tx, await store.change(tx, known | changed), "ended", command, vault=vault)


async def _held(tx: Tx, voucher_id: UUID, caller: Caller) -> DictRow:
    """A voucher of the caller's area that is in force, locked."""
    known = await store.voucher(tx, voucher_id)
    if known is None:
        raise UnknownVoucher
    caller.must_be_in_area(known["area"])
    if known["status"] != "granted":
        raise VoucherRefused(VoucherRefusal.NOT_IN_FORCE)
    return known


async def _broken_by_world(tx: Tx, command: GrantVoucher) -> list[Flaw]:
    """Nodes that are not published on the first day, and producers that nobody knows."""
    grant = command.grant
    nodes = [("/node", grant.node)] if grant.node else []
    nodes += [(f"/plan/{place}/node", row.node) for place, row in enumerate(grant.plan)]
    published = await store.published_nodes(tx, [node for _, node in nodes], grant.starts_on)
    known = await store.known_producers(tx, command.producer_ids)
    return broken_by_nodes(nodes, published) + [
        Flaw(f"/producer_ids/{place}", "producer_known", "no producer has this id")
        for place, producer_id in enumerate(command.producer_ids)
        if producer_id not in known
    ]


def _broken_by_self_pay(command: GrantVoucher) -> list[Flaw]:
    """A flat share or a table with an income, by the kind of self-pay; nothing to pay without a value."""
    kind, value = command.self_pay_kind, command.grant.value_cents
    broken = []
    if (command.flat_cents is not None) != (kind == "flat"):
        broken.append(Flaw("/self_pay/share_cents", "part_of_kind", "a flat self-pay has share_cents"))
    if (command.monthly_income_cents is not None) != (kind == "income_tested"):
        broken.append(Flaw("/self_pay/monthly_income_cents", "part_of_kind", "an income-tested one has an income"))
    if kind != "none" and value is None:
        broken.append(Flaw("/self_pay/kind", "share_of_value", "without a value there is no share of it"))
    if kind == "flat" and value is not None and (command.flat_cents or 0) > value:
        broken.append(Flaw("/self_pay/share_cents", "share_within_value", f"a share is 0 to {value} cents"))
    if kind == "income_tested":
        broken += broken_by_table(command.bands, value or 0)
    elif command.bands:
        broken.append(Flaw("/self_pay/bands", "part_of_kind", "only an income-tested self-pay has a table"))
    return broken


def _self_pay(command: GrantVoucher) -> dict[str, Any]:
    """The self-pay as it is kept and said: what this resident pays for each use, and the table behind it."""
    share = command.flat_cents or 0
    if command.self_pay_kind == "income_tested":
        share = share_of_income(command.bands, command.monthly_income_cents or 0)
    assert 0 <= share <= (command.grant.value_cents or 0), "a share within the value of a use"
    return {"kind": command.self_pay_kind, "share_cents": share, "bands": [asdict(row) for row in command.bands]}


async def _decided(
    tx: Tx,
    stored: DictRow,
    what: str,
    command: GrantVoucher | ChangePlan | AnnulVoucher | EndVoucher,
    *,
    vault: Vault,
) -> VoucherView:
    """Keep why a voucher is as it is now, and say it."""
    decision = {"voucher_id": stored["voucher_id"], "version": stored["version"], "what": what}
    decision |= {"ground": stored["ground"], "decided_by": command.decided_by}
    decision["reasons_sealed"] = vault.seal(stored["resident_id"], command.reasons.encode())
    await store.note_decision(tx, decision, recorded_at=stored["recorded_at"])
    await emit(tx, contract.Voucher.model_validate({**stored, "node": stored["node"] or None, "what": what}))
    return seen(stored)


def _require(broken: Sequence[Flaw]) -> None:
    if broken:
        first = broken[0]
        errors = [{"in": "body", **asdict(one)} for one in broken]
        raise VoucherInvalid(first.detail, pointer=first.pointer, rule=first.rule, errors=errors)
