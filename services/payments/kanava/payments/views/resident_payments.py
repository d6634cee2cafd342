"""SQL that shows payments to residents: batches with their payments for the operator, and a resident's own."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from .owed import LIVE

ACCOUNT = """
SELECT DISTINCT ON (resident_id) * FROM resident_account
WHERE resident_id = ANY(%(ids)s) ORDER BY resident_id, number DESC
"""


async def accounts(tx: Tx, resident_ids: Sequence[UUID]) -> dict[UUID, DictRow]:
    """The newest account of each resident that has given one, sealed."""
    return {row["resident_id"]: row for row in await rows(tx, ACCOUNT, {"ids": list(resident_ids)})}


STATE = f"""
CASE WHEN y.status = 'open' THEN 'released' WHEN y.status IS NOT NULL THEN y.status
     WHEN NOT ({LIVE.format(item="i.item_id")}) THEN 'withdrawn'
     WHEN EXISTS (SELECT FROM resident_step s WHERE s.item_id = i.item_id) THEN 'approved' ELSE 'drawn' END
"""
"""Where a payment of a batch is: drawn, approved, released, booked, rejected, returned or withdrawn."""

_BATCHES = f"""
SELECT b.batch_id, b.area, b.number, to_char(b.month, 'YYYY-MM') AS month, b.drawn_by, b.drawn_at,
       coalesce(json_object_agg(i.state, json_build_object('payments', i.payments, 'amount_cents', i.cents)), '{{}}')
       AS states
FROM resident_batch b CROSS JOIN LATERAL (
    SELECT {STATE} AS state, count(*) AS payments, sum(i.amount_cents) AS cents
    FROM resident_item i LEFT JOIN payment y ON y.resident_item_id = i.item_id
    WHERE i.batch_id = b.batch_id GROUP BY 1) i
WHERE b.area = %(area)s AND b.number < %(before)s
GROUP BY b.batch_id ORDER BY b.number DESC LIMIT %(limit)s
"""


async def batches(tx: Tx, area: str, *, before: int, limit: int) -> list[DictRow]:
    """The batches of an area, the newest first, with the number and cents of their payments by state."""
    return await rows(tx, _BATCHES, {"area": area, "before": before, "limit": limit})


_ITEMS = f"""
SELECT i.item_id, i.payee_id, i.amount_cents, {STATE} AS state, y.end_to_end_id, y.bank_reason, a.number AS account_now,
       a.given_at AS account_given_at, a.given_role AS account_given_by,
       (SELECT json_agg(json_build_object('source', p.source, 'matter', p.matter, 'resident_id', p.resident_id,
               'amount_cents', p.amount_cents) ORDER BY p.source, p.matter, p.resident_id)
        FROM resident_part p WHERE p.item_id = i.item_id) AS parts,
       (SELECT json_agg(json_build_object('what', s.what, 'account_number', s.account_number, 'reason', s.reason,
               'by', s.by, 'at', s.at) ORDER BY s.number) FROM resident_step s WHERE s.item_id = i.item_id) AS steps
FROM resident_item i LEFT JOIN payment y ON y.resident_item_id = i.item_id
LEFT JOIN LATERAL (SELECT * FROM resident_account a WHERE a.resident_id = i.payee_id ORDER BY number DESC LIMIT 1) a
    ON true
WHERE i.batch_id = %(batch)s AND i.item_id > %(after)s ORDER BY i.item_id LIMIT %(limit)s
"""


async def items(tx: Tx, batch_id: UUID, *, after: UUID, limit: int) -> list[DictRow]:
    """The payments of a batch: where each is, the matters that it pays, the number of its payee's account now."""
    return await rows(tx, _ITEMS, {"batch": batch_id, "after": after, "limit": limit})


_TO_RESIDENT = f"""
SELECT i.item_id, b.area, to_char(b.month, 'YYYY-MM') AS month, i.amount_cents, {STATE} AS state, b.drawn_at,
       o.created_at AS released_at,
       (SELECT sum(p.amount_cents) FROM resident_part p WHERE p.item_id = i.item_id AND p.source = 'benefit')::bigint
       AS benefits_cents,
       (SELECT sum(p.amount_cents) FROM resident_part p WHERE p.item_id = i.item_id AND p.source = 'ceiling')::bigint
       AS ceiling_cents
FROM resident_item i JOIN resident_batch b USING (batch_id)
LEFT JOIN payment y ON y.resident_item_id = i.item_id LEFT JOIN payout o USING (payout_id)
WHERE i.payee_id = %(resident)s ORDER BY b.drawn_at DESC, i.item_id LIMIT 1000
"""


async def to_resident(tx: Tx, resident_id: UUID) -> list[DictRow]:
    """The payments to a resident, the newest first; those for the resident's children are in the same sums."""
    return await rows(tx, _TO_RESIDENT, {"resident": resident_id})


async def file_of(tx: Tx, payout_id: UUID) -> DictRow | None:
    """The sealed file of a release."""
    return await one(tx, "SELECT sealed, key_id FROM resident_file WHERE payout_id = %s", (payout_id,))


async def batch_row(tx: Tx, batch_id: UUID) -> DictRow | None:
    """A batch."""
    return await one(tx, "SELECT * FROM resident_batch WHERE batch_id = %s", (batch_id,))


async def last_batch(tx: Tx, area: str) -> tuple[int, date]:
    """Number and month of the newest batch of an area; 0 and the beginning of time where there is none."""
    query = "SELECT number, month FROM resident_batch WHERE area = %s ORDER BY number DESC LIMIT 1"
    row = await one(tx, query, (area,))
    return (row["number"], row["month"]) if row else (0, date.min)
