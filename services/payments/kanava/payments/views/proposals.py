"""SQL that reads what proposed rates rest on: capitation paid, own production, and the proposals themselves."""

from collections.abc import Collection
from datetime import date

from psycopg.rows import DictRow

from kanava.common.clock import add_months
from kanava.common.db import Tx, one, rows

_PAID = """
SELECT r.sex, greatest(extract(year FROM age(l.for_month, r.birth_date))::int, 0) AS age,
    sum(l.amount_cents)::bigint AS paid_cents
FROM line l JOIN run USING (run_id) JOIN unit u ON u.unit_id = l.unit_id
JOIN unnest(%(months)s::date[], %(municipalities)s::text[]) priced (for_month, municipality)
    ON priced.for_month = l.for_month AND priced.municipality = u.municipality
JOIN resident r ON r.resident_id = l.resident_id AND r.recorded_until = 'infinity'
WHERE run.area = %(area)s AND run.status = 'closed' AND l.component = 'capitation'
GROUP BY 1, 2 ORDER BY 1, 2
"""


async def closed_until(tx: Tx, area: str) -> date:
    """The first day that no closed month of an area covers; months close in order."""
    row = await one(tx, "SELECT max(month) AS month FROM run WHERE area = %s AND status = 'closed'", (area,))
    return add_months(row["month"], 1) if row and row["month"] else date.min


async def paid(tx: Tx, area: str, priced: Collection[tuple[date, str]]) -> list[DictRow]:
    """Capitation in the books for months in municipalities, corrections with it, by sex and age on the 1st."""
    months, municipalities = [month for month, _ in priced], [municipality for _, municipality in priced]
    return await rows(tx, _PAID, {"area": area, "months": months, "municipalities": municipalities})


_OWN_DAYS = """
SELECT r.sex, greatest(extract(year FROM age(m.first, r.birth_date))::int, 0) AS age, sum(d.days)::bigint AS days
FROM (SELECT first::date AS first, (first + interval '1 month')::date AS end_of
      FROM generate_series(%(from)s::timestamp, %(until)s::timestamp - interval '1 month', '1 month') first) m
JOIN span s ON s.recorded_until = 'infinity' AND s.starts_on < m.end_of AND (s.until IS NULL OR s.until > m.first)
JOIN unit u ON u.unit_id = s.unit_id AND u.own AND u.area = %(area)s
JOIN resident r ON r.resident_id = s.resident_id AND r.recorded_until = 'infinity'
CROSS JOIN LATERAL (SELECT least(s.until, r.lives_until, m.end_of) - greatest(s.starts_on, m.first) AS days) d
WHERE d.days > 0 GROUP BY 1, 2 ORDER BY 1, 2
"""


async def own_days(tx: Tx, area: str, period: tuple[date, date]) -> list[DictRow]:
    """Days that residents were listed with own units in a period, as known now, by sex and age on the 1st."""
    return await rows(tx, _OWN_DAYS, {"area": area, "from": period[0], "until": period[1]})


async def own_client_fees_cents(tx: Tx, area: str, period: tuple[date, date]) -> int:
    """Client fees that own units collected for months of a period, as in the books; cents, positive."""
    row = await one(
        tx,
        "SELECT coalesce(-sum(l.amount_cents), 0)::bigint AS cents FROM line l JOIN run USING (run_id)"
        " JOIN unit u ON u.unit_id = l.unit_id WHERE run.area = %s AND u.own AND l.component = 'client_fee'"
        " AND l.for_month >= %s AND l.for_month < %s",
        (area, *period),
    )
    return row["cents"] if row else 0


async def proposals(tx: Tx, area: str) -> list[DictRow]:
    """Proposed rates of an area, newest first."""
    return await rows(
        tx,
        "SELECT proposal_id, area, kind, model, period_from, period_until, source, result, proposed_by, proposed_at"
        " FROM rate_proposal WHERE area = %s ORDER BY proposed_at DESC, proposal_id LIMIT 1000",
        (area,),
    )
