"""SQL that shows a resident's benefits."""

from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

from .owed import LIVE

_OF_RESIDENT = f"""
SELECT d.area, d.reference, d.kind, d.month, d.amount_cents, d.reasons, d.decided_at,
       t.paid_cents, t.taken_cents - t.paid_cents AS in_payment_cents, d.amount_cents - t.taken_cents AS owed_cents
FROM (
    SELECT DISTINCT ON (area, reference) area, reference, kind, to_char(for_month, 'YYYY-MM') AS month,
           holds_cents AS amount_cents, reasons, decided_at
    FROM benefit_decision WHERE resident_id = %(resident)s ORDER BY area, reference, number DESC LIMIT 1000
) d CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount_cents), 0)::bigint AS taken_cents,
           coalesce(sum(p.amount_cents) FILTER (WHERE y.status = 'booked'), 0)::bigint AS paid_cents
    FROM resident_part p LEFT JOIN payment y ON y.resident_item_id = p.item_id
    WHERE p.area = d.area AND p.source = 'benefit' AND p.resident_id = %(resident)s AND p.matter = d.reference
      AND {LIVE.format(item="p.item_id")}
) t ORDER BY d.area, d.reference
"""


async def of_resident(tx: Tx, resident_id: UUID) -> list[DictRow]:
    """A resident's benefits, as the newest decision on each matter says; cents.

    `amount_cents` = paid + in payment + owed; negative `owed_cents` were paid before a decision was lowered.
    """
    return await rows(tx, _OF_RESIDENT, {"resident": resident_id})
