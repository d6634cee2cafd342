"""SQL that reads statements, reports without a price, and files for the bank."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from ..prices import fee_of, total_of
from ..producing import produced

_STATEMENTS = """
SELECT s.statement_id, s.version, s.run_id, pay.status AS bank_status, pay.bank_reason, s.area,
       to_char(s.month, 'YYYY-MM') AS month, s.producer_id,
       p.name AS producer, s.kind, s.amount_cents, s.status, s.approved_by, s.released_by,
       (SELECT json_object_agg(component, json_build_object('lines', lines, 'amount_cents', amount_cents))
        FROM statement_sum t WHERE t.statement_id = s.statement_id) AS sums
FROM statement s LEFT JOIN producer p USING (producer_id)
LEFT JOIN LATERAL (
    SELECT payment.status, payment.bank_reason FROM payment JOIN payout USING (payout_id)
    WHERE payment.statement_id = s.statement_id ORDER BY payout.created_at DESC, payment.end_to_end_id DESC LIMIT 1
) pay ON true
WHERE (%(area)s::text IS NULL OR s.area = %(area)s) AND (%(month)s::date IS NULL OR s.month = %(month)s)
  AND (%(producers)s::text[] IS NULL OR s.producer_id = ANY(%(producers)s))
  AND (%(id)s::uuid IS NULL OR s.statement_id = %(id)s)
  AND (s.month, s.producer_id, s.statement_id) > (%(after_month)s::date, %(after_producer)s, %(after_id)s::uuid)
ORDER BY s.month, s.producer_id, s.statement_id LIMIT %(limit)s
"""


START = (date.min, "", UUID(int=0))
"""The place before the first statement: month, producer and id."""


async def statements(
    tx: Tx,
    *,
    area: str | None = None,
    month: date | None = None,
    producers: Sequence[str] | None = None,
    statement_id: UUID | None = None,
    after: tuple[date, str, UUID] = START,
    limit: int = 1000,
) -> list[DictRow]:
    """Statements behind a place (month, producer, id), with the sums of their components and the bank's answer."""
    known = {"area": area, "month": month, "producers": list(producers) if producers is not None else None}
    place = dict(zip(("after_month", "after_producer", "after_id"), after, strict=True))
    return await rows(tx, _STATEMENTS, known | place | {"id": statement_id, "limit": limit})


_NO_FEE_CONTRACT = """
NOT EXISTS (SELECT FROM contract_version c WHERE c.producer_id = v.producer_id AND c.area = v.area
            AND 'fee' = ANY(c.compensation_kinds) AND c.starts_on <= v.performed_on
            AND (c.ends_on IS NULL OR c.ends_on > v.performed_on)
            AND NOT EXISTS (SELECT FROM contract_version n WHERE n.contract_id = c.contract_id
                            AND n.version > c.version))
AND NOT EXISTS (SELECT FROM voucher_use n WHERE n.production_id = v.production_id)
"""
"""What a voucher stood for is no fee, and is listed with the voucher."""


async def unpriced(tx: Tx, area: str) -> list[DictRow]:
    """Reports that wait, with the `reason`.

    No scheme in production on the day, no price in force, no DRG weight, no referral where one is asked for, or no
    contract with fees on the day.
    """
    ever = "'infinity'::timestamptz"
    fee, total = fee_of(at=ever), total_of(at=ever)
    return await rows(
        tx,
        f"SELECT v.node, v.unit_of_measure, CASE WHEN NOT {produced()} THEN 'no_scheme' WHEN f.price_id IS NULL"
        " THEN 'no_price' ELSE coalesce(f.why, 'no_fee_contract') END AS reason, count(*)::int AS reports,"
        f" min(v.performed_on) AS oldest FROM visit v LEFT JOIN LATERAL (SELECT * FROM {fee} own"
        f" UNION ALL SELECT * FROM {total} whole LIMIT 1) f ON true"
        " WHERE v.area = %s AND v.recorded_until = 'infinity' AND v.quantity > 0"
        f" AND (f.price_id IS NULL OR f.why IS NOT NULL OR NOT {produced()} OR ({_NO_FEE_CONTRACT}))"
        " GROUP BY v.node, v.unit_of_measure, reason ORDER BY v.node, v.unit_of_measure, reason",
        (area,),
    )


async def payout_file(tx: Tx, payout_id: UUID) -> DictRow | None:
    """The pain.001 file of a payout, as it is or `sealed`; without either nobody was paid by bank."""
    return await one(tx, "SELECT pain001, sealed FROM payout WHERE payout_id = %s", (payout_id,))
