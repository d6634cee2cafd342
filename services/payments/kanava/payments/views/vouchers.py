"""SQL that reads what was granted, used and is left of vouchers and personal budgets, and what they did not pay."""

from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

from ..domain.vouchers import NotPaid, explanation

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


_NOT_PAID = """
SELECT u.production_id, v.report_id, u.area, u.producer_id, u.unit_id, u.node, v.performed_on, v.quantity,
       to_char(r.month, 'YYYY-MM') AS closed_month, u.why AS reason
FROM voucher_use u JOIN run r USING (run_id)
JOIN visit v ON v.production_id = u.production_id AND v.recorded_until = 'infinity'
WHERE u.area = %(area)s AND u.producer_id = %(producer_id)s AND u.why IS NOT NULL
  AND NOT EXISTS (SELECT FROM voucher_use later JOIN run l USING (run_id)
                  WHERE later.production_id = u.production_id AND l.month > r.month)
  AND (v.performed_on, u.production_id) > (%(day)s::date, %(after)s::uuid)
ORDER BY v.performed_on, u.production_id LIMIT %(limit)s
"""
FIRST_REPORT = (date.min, UUID(int=0))
"""The place before the first report: its day and id."""


async def not_paid(
    tx: Tx, *, area: str, producer_id: str, after: tuple[date, UUID] = FIRST_REPORT, limit: int = 100
) -> list[dict[str, object]]:
    """Reports of a producer that a voucher stood for and did not pay, each with the reason that holds now."""
    place = {"day": after[0], "after": after[1], "limit": limit}
    found = await rows(tx, _NOT_PAID, {"area": area, "producer_id": producer_id} | place)
    return [row | {"explanation": explanation(NotPaid(row["reason"]))} for row in found]
