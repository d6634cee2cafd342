"""SQL that reads what was granted, used and is left of vouchers and personal budgets."""

from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

_VOUCHERS = """
SELECT k.voucher_id, k.resident_id, k.kind, k.status, k.starts_on, k.until, k.nodes, k.value_cents, k.self_pay_cents,
       k.uses_granted, k.sum_granted_cents, u.uses AS uses_used, u.used_cents, u.returned_cents,
       CASE WHEN k.status = 'annulled' THEN 0 ELSE k.uses_granted - u.uses END AS uses_left,
       CASE WHEN k.status = 'annulled' THEN 0 ELSE k.sum_granted_cents - u.used_cents END AS left_cents
FROM voucher k CROSS JOIN LATERAL (
    SELECT coalesce(sum(uses), 0)::int AS uses, coalesce(sum(amount_cents), 0)::bigint AS used_cents,
           coalesce(-sum(amount_cents) FILTER (WHERE kind = 'refund'), 0)::bigint AS returned_cents
    FROM voucher_use n WHERE n.voucher_id = k.voucher_id
) u
WHERE k.recorded_until = 'infinity' AND k.kind <> 'sote_centre' AND k.voucher_id > %(after)s
  AND (%(area)s::text IS NULL OR k.area = %(area)s) AND (%(resident)s::uuid IS NULL OR k.resident_id = %(resident)s)
ORDER BY k.voucher_id LIMIT %(limit)s
"""
START = UUID(int=0)


async def vouchers(
    tx: Tx, *, area: str | None = None, resident: UUID | None = None, after: UUID = START, limit: int = 100
) -> list[DictRow]:
    """Vouchers of an area or of a resident: granted, used, returned (taken back by corrections) and left."""
    return await rows(tx, _VOUCHERS, {"area": area, "resident": resident, "after": after, "limit": limit})
