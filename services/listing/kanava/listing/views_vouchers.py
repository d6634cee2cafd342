"""SQL that reads vouchers, and what the reads answer."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from kanava.common.contracts.listing import PlanItem, SelfPay
from kanava.common.db import Tx, rows
from kanava.common.web import next_cursor

from .domain.vouchers import VoucherKind, VoucherStatus
from .vault import Vault
from .views import Page


class VoucherView(BaseModel):
    """A voucher or a personal budget as it was decided; what is used of it stands in payments."""

    voucher_id: UUID
    version: int
    resident_id: UUID
    area: str
    kind: VoucherKind
    status: VoucherStatus
    starts_on: date
    until: date
    node: str | None
    unit_of_measure: str | None
    value_cents: int | None
    self_pay: SelfPay
    uses_granted: int | None
    sum_granted_cents: int | None
    plan: tuple[PlanItem, ...]
    producer_ids: tuple[str, ...]
    ground: str | None
    recorded_at: datetime


class VoucherDecision(BaseModel):
    """A decision on a voucher with its reasons."""

    version: int
    what: str
    ground: str | None
    reasons: str
    recorded_at: datetime


class VoucherWithReasons(VoucherView):
    """A voucher with every decision on it."""

    decisions: tuple[VoucherDecision, ...]


_VOUCHERS = """
SELECT * FROM voucher WHERE resident_id = %(resident_id)s
    AND (%(after)s::uuid IS NULL OR voucher_id > %(after)s)
ORDER BY voucher_id LIMIT %(limit)s
"""
_DECISIONS = """
SELECT voucher_id, version, what, ground, reasons_sealed, recorded_at FROM voucher_decision
WHERE voucher_id = ANY(%s) ORDER BY voucher_id, version
"""


def seen(row: Mapping[str, Any]) -> VoucherView:
    """A stored voucher as it is read."""
    return VoucherView.model_validate({**row, "node": row["node"] or None})


async def vouchers(
    tx: Tx, resident_id: UUID, *, after: UUID | None, limit: int, vault: Vault
) -> Page[VoucherWithReasons]:
    """A resident's vouchers in the order of their ids, with the reasons opened."""
    found = await rows(tx, _VOUCHERS, {"resident_id": resident_id, "after": after, "limit": limit})
    decided = await rows(tx, _DECISIONS, ([row["voucher_id"] for row in found],))
    items = []
    for row in found:
        own = [one for one in decided if one["voucher_id"] == row["voucher_id"]]
        opened = [one | {"reasons": vault.open(resident_id, one["reasons_sealed"]).decode()} for one in own]
        items.append(VoucherWithReasons.model_validate({**seen(row).model_dump(), "decisions": opened}))
    return Page(items=items, next_cursor=next_cursor(items, limit, lambda voucher: (voucher.voucher_id,)))
