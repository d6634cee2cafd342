"""SQL that reads the work queue of the suspense account: what waits, how long, with whom, and what was done."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx, one, rows

from ..domain.banking import Why
from ..domain.chart import Account

LEFT = "i.amount_cents - coalesce((SELECT sum(s.amount_cents) FROM suspense_step s WHERE s.item_id = i.item_id), 0)"
OPEN = (
    "(CASE i.direction WHEN 'notice' THEN NOT EXISTS (SELECT FROM suspense_step s"
    f" WHERE s.item_id = i.item_id AND s.what = 'closed') ELSE {LEFT} > 0 END)"
)
ITEMS = f"SELECT i.*, ({LEFT})::bigint AS left_cents, {OPEN} AS open FROM suspense_item i"

_QUEUE = f"""
SELECT i.item_id, i.area, i.direction, i.amount_cents, ({LEFT})::bigint AS left_cents, {OPEN} AS open,
       i.end_to_end_id, i.reference, i.why, i.remittance, i.sender_iban, i.sealed_sender, i.booked_on, i.created_at,
       (SELECT s.target FROM suspense_step s WHERE s.item_id = i.item_id AND s.what = 'owned'
        ORDER BY s.number DESC LIMIT 1) AS owner,
       (SELECT s.what FROM suspense_step s WHERE s.item_id = i.item_id ORDER BY s.number DESC LIMIT 1) AS last_step
FROM suspense_item i
WHERE (%(area)s::text IS NULL OR i.area = %(area)s) AND (%(item)s::uuid IS NULL OR i.item_id = %(item)s)
  AND (%(all)s OR {OPEN})
ORDER BY i.created_at, i.item_id LIMIT %(limit)s
"""


async def queue(
    tx: Tx, now: datetime, *, area: str | None = None, item_id: UUID | None = None, everything: bool = False, limit: int
) -> list[dict[str, Any]]:
    """Items that wait, oldest first, with their age in days, owner and the reason why they match nothing."""
    named = {"area": area, "item": item_id, "all": everything or item_id is not None, "limit": limit}
    return [_aged(row, now) for row in await rows(tx, _QUEUE, named)]


def _aged(row: DictRow, now: datetime) -> dict[str, Any]:
    age_days = (helsinki_date(now) - helsinki_date(row["created_at"])).days
    return {**row, "age_days": age_days, "explanation": Why(row["why"]).sentence}


async def steps(tx: Tx, item_id: UUID) -> list[DictRow]:
    """Every step with an item, in order; to whom a return goes is sealed."""
    return await rows(
        tx,
        "SELECT number, what, amount_cents, target, payee, sealed, reason, by, at FROM suspense_step WHERE item_id = %s"
        " ORDER BY number",
        (item_id,),
    )


_BALANCE = f"""
SELECT coalesce((SELECT sum(amount_cents) FROM posting WHERE area = %(area)s AND account = '{Account.SUSPENSE}'), 0)
       ::bigint AS account_cents,
       coalesce(sum(CASE i.direction WHEN 'debit' THEN {LEFT} WHEN 'credit' THEN -({LEFT}) END), 0)::bigint
       AS items_cents,
       count(*) FILTER (WHERE {OPEN})::int AS open_items, min(i.created_at) FILTER (WHERE {OPEN}) AS oldest
FROM suspense_item i WHERE i.area = %(area)s
"""


async def balance(tx: Tx, area: str) -> dict[str, Any]:
    """The suspense account beside what its items say is left of them; debit positive, and they are equal."""
    row = await one(tx, _BALANCE, {"area": area})
    assert row is not None, "a sum has one row"
    return {**row, "equal": row["account_cents"] == row["items_cents"]}
