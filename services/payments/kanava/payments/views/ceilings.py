"""SQL that shows how far residents are from the yearly ceiling of client fees, and what goes back to them."""

from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

from ..figures import fee_ceilings
from ..vouchers import covered
from .owed import LIVE

_OF_FAMILY = f"""
WITH member AS (
    SELECT %(payee)s::uuid AS resident_id
    UNION SELECT resident_id FROM resident WHERE guardian_id = %(payee)s AND recorded_until = 'infinity'
), paid AS (
    SELECT extract(year FROM v.performed_on)::int AS year, v.client_fee_cents AS cents,
        CASE WHEN r.birth_date + interval '18 years' > v.performed_on THEN coalesce(r.guardian_id, v.resident_id)
             ELSE v.resident_id END AS payee_id
    FROM member JOIN visit v USING (resident_id)
    LEFT JOIN resident r ON r.resident_id = v.resident_id AND r.recorded_until = 'infinity'
    WHERE v.client_fee_cents > 0 AND v.recorded_until = 'infinity' AND NOT {covered(at="'infinity'::timestamptz")}
), counted AS (
    SELECT year, sum(cents)::bigint AS counted_cents FROM paid WHERE payee_id = %(payee)s GROUP BY year
), claimed AS (
    SELECT year, sum(amount_cents)::bigint AS claimed_cents FROM ceiling_claim WHERE payee_id = %(payee)s GROUP BY year
), taken AS (
    SELECT p.matter::int AS year, sum(p.amount_cents)::bigint AS taken_cents,
           coalesce(sum(p.amount_cents) FILTER (WHERE y.status = 'booked'), 0)::bigint AS paid_cents
    FROM resident_part p LEFT JOIN payment y ON y.resident_item_id = p.item_id
    WHERE p.source = 'ceiling' AND p.owed_to = %(payee)s AND {LIVE.format(item="p.item_id")} GROUP BY p.matter
)
SELECT year, coalesce(counted_cents, 0) AS counted_cents, coalesce(claimed_cents, 0) AS claimed_cents,
       coalesce(paid_cents, 0) AS paid_cents, coalesce(taken_cents - paid_cents, 0) AS in_payment_cents,
       coalesce(claimed_cents, 0) - coalesce(taken_cents, 0) AS owed_cents
FROM counted FULL JOIN claimed USING (year) FULL JOIN taken USING (year) ORDER BY year
"""


async def of_family(tx: Tx, payee_id: UUID) -> list[dict[str, object]]:
    """Client fees that count for a resident and the children with them, by year: counted, ceiling, claimed; cents.

    Only sums: which child used what stays the child's. `claimed_cents` are of closed months, and what of them is
    paid, in payment and still owed.
    """
    ceilings = fee_ceilings()
    found = await rows(tx, _OF_FAMILY, {"payee": payee_id})
    return [row | {"ceiling_cents": ceilings.get(row["year"])} for row in found]


_OF_AREA = """
SELECT resident_id, payee_id, year, max(ceiling_cents) AS ceiling_cents, sum(amount_cents)::bigint AS claimed_cents
FROM ceiling_claim WHERE area = %(area)s AND year = %(year)s AND (resident_id, payee_id) > (%(after)s, %(payee)s)
GROUP BY resident_id, payee_id, year HAVING sum(amount_cents) <> 0 ORDER BY resident_id, payee_id LIMIT %(limit)s
"""


async def of_area(tx: Tx, area: str, year: int, *, after: tuple[UUID, UUID], limit: int) -> list[DictRow]:
    """Claims of an area and year, by resident and who it is owed to; cents."""
    known = {"area": area, "year": year, "after": after[0], "payee": after[1], "limit": limit}
    return await rows(tx, _OF_AREA, known)


_CLAIMED_IN = """
SELECT resident_id, payee_id, year, amount_cents FROM ceiling_claim JOIN run USING (run_id)
WHERE run.area = %s AND run.month = %s ORDER BY resident_id, payee_id, year
"""


async def claimed_in(tx: Tx, area: str, month: date) -> list[DictRow]:
    """By how much a closed month changed each claim."""
    return await rows(tx, _CLAIMED_IN, (area, month))
