"""SQL that reads what an area owes to residents: by matter, by payee with its age, and beside the books (2400).

What is owed on a matter is what was decided less what batches took of it. A part of a batch counts as taken until
its payment is withdrawn, rejected or returned; then it is owed again, with the age that it had.
"""

from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from ..domain.resident_payments import Matter

LIVE = """
NOT EXISTS (SELECT FROM resident_step w WHERE w.item_id = {item} AND w.what = 'withdrawn')
AND NOT EXISTS (SELECT FROM payment f WHERE f.resident_item_id = {item} AND f.status IN ('rejected', 'returned'))
"""
"""Whether a payment of a batch still stands; `item` is filled in with its id."""

_LEFT = f"""
WITH claim AS (
    SELECT 'benefit' AS source, resident_id, resident_id AS owed_to, reference AS matter, number AS place,
           change_cents AS cents, decided_at AS at
    FROM benefit_decision WHERE area = %(area)s AND for_month <= %(month)s
    UNION ALL
    SELECT 'ceiling', c.resident_id, c.payee_id, c.year::text, 0, c.amount_cents, r.cut_off
    FROM ceiling_claim c JOIN run r USING (run_id) WHERE c.area = %(area)s AND r.month <= %(month)s
), running AS (
    SELECT claim.*, sum(cents) OVER (PARTITION BY source, resident_id, owed_to, matter ORDER BY at, place) AS so_far
    FROM claim
), taken AS (
    SELECT p.source, p.resident_id, p.owed_to, p.matter, sum(p.amount_cents) AS cents
    FROM resident_part p WHERE p.area = %(area)s AND {LIVE.format(item="p.item_id")} GROUP BY 1, 2, 3, 4
), left_over AS (
    SELECT r.source, r.resident_id, r.owed_to, r.matter,
           (sum(r.cents) - coalesce(max(t.cents), 0))::bigint AS cents,
           min(r.at) FILTER (WHERE r.so_far > coalesce(t.cents, 0)) AS since
    FROM running r LEFT JOIN taken t USING (source, resident_id, owed_to, matter) GROUP BY 1, 2, 3, 4
)
SELECT l.source, l.resident_id, l.owed_to, l.matter, l.cents, CASE WHEN l.cents > 0 THEN l.since END AS since,
       CASE WHEN c.birth_date + interval '18 years' > %(today)s::date THEN coalesce(c.guardian_id, l.owed_to)
            ELSE l.owed_to END AS payee_id
FROM left_over l LEFT JOIN resident c ON c.resident_id = l.owed_to AND c.recorded_until = 'infinity'
WHERE l.cents <> 0
"""
"""What is left of each matter, and who is paid: the guardian (huoltaja) of a child, else who is entitled."""


async def matters(tx: Tx, area: str, month: date, today: date) -> list[Matter]:
    """What an area owes on each matter of months up to `month` and is in no batch; cents."""
    return [Matter(**row) for row in await rows(tx, _LEFT, {"area": area, "month": month, "today": today})]


async def with_account(tx: Tx, payees: list[UUID]) -> set[UUID]:
    """Which of these residents have given an account."""
    query = "SELECT DISTINCT resident_id FROM resident_account WHERE resident_id = ANY(%s)"
    return {row["resident_id"] for row in await rows(tx, query, (payees,))}


async def dead(tx: Tx, payees: list[UUID], today: date) -> set[UUID]:
    """Which of these residents have died, as it is known now; who only moved away is paid."""
    query = (
        "SELECT resident_id FROM resident WHERE resident_id = ANY(%s) AND recorded_until = 'infinity'"
        " AND has_died AND lives_until <= %s"
    )
    return {row["resident_id"] for row in await rows(tx, query, (payees, today))}


_BY_PAYEE = f"""
SELECT * FROM (
    SELECT o.payee_id, sum(o.cents)::bigint AS owed_cents, min(o.since) AS since,
           %(today)s::date - (min(o.since) AT TIME ZONE 'Europe/Helsinki')::date AS age_days,
           sum(o.cents) FILTER (WHERE o.source = 'benefit') AS benefits_cents,
           sum(o.cents) FILTER (WHERE o.source = 'ceiling') AS ceiling_cents,
           EXISTS (SELECT FROM resident_account a WHERE a.resident_id = o.payee_id) AS has_account,
           coalesce((SELECT d.has_died AND d.lives_until <= %(today)s FROM resident d WHERE d.resident_id = o.payee_id
                     AND d.recorded_until = 'infinity'), false) AS died
    FROM ({_LEFT}) o GROUP BY o.payee_id HAVING sum(o.cents) <> 0
) p WHERE (NOT %(without_account)s OR NOT p.has_account)
  AND (coalesce(p.since, 'infinity'), p.payee_id) > (%(since)s::timestamptz, %(after)s::uuid)
ORDER BY coalesce(p.since, 'infinity'), p.payee_id LIMIT %(limit)s
"""


async def by_payee(tx: Tx, parameters: dict[str, object]) -> list[DictRow]:
    """What is owed to each payee of an area and in no batch, the longest owed first; overpaid ones last, in cents.

    `parameters`: area, month, today, without_account, since and after (behind which to go on), limit.
    """
    found = await rows(tx, _BY_PAYEE, parameters)
    parts = ("benefits_cents", "ceiling_cents")
    return [row | {name: int(row[name] or 0) for name in parts} for row in found]


_BALANCE = f"""
SELECT (SELECT coalesce(sum(change_cents), 0) FROM benefit_decision WHERE area = %(area)s)::bigint AS benefits_cents,
       (SELECT coalesce(sum(amount_cents), 0) FROM ceiling_claim WHERE area = %(area)s)::bigint AS ceiling_cents,
       (SELECT coalesce(sum(i.amount_cents), 0) FROM resident_item i WHERE i.area = %(area)s
        AND {LIVE.format(item="i.item_id")})::bigint AS in_batches_cents,
       (SELECT coalesce(sum(p.amount_cents), 0) FROM payment p JOIN payout o USING (payout_id) WHERE o.area = %(area)s
        AND p.resident_item_id IS NOT NULL AND p.status = 'open')::bigint AS at_the_bank_cents,
       (SELECT coalesce(sum(p.amount_cents), 0) FROM payment p JOIN payout o USING (payout_id) WHERE o.area = %(area)s
        AND p.resident_item_id IS NOT NULL AND p.status = 'booked')::bigint AS paid_cents,
       (SELECT coalesce(-sum(amount_cents), 0) FROM posting WHERE area = %(area)s AND account = '2400')::bigint
       AS books_cents
"""


async def balance(tx: Tx, area: str) -> dict[str, object]:
    """Decided = paid + at the bank + owed, and whether the books (2400) say the same of what is owed; cents.

    `in_batches_cents` are drawn, at the bank or paid.
    """
    row = await one(tx, _BALANCE, {"area": area})
    assert row is not None, "a sum has one row"
    decided_cents = row["benefits_cents"] + row["ceiling_cents"]
    owed_cents = decided_cents - row["paid_cents"] - row["at_the_bank_cents"]
    waiting_cents = decided_cents - row["in_batches_cents"]
    return {
        **row,
        "owed_cents": owed_cents,
        "in_no_batch_cents": waiting_cents,
        "equal": owed_cents == row["books_cents"],
    }
