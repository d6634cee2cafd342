"""SQL that reads: accounts, runs, statements, resident lines, and the three sums that must agree."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from .domain.chart import Account


async def account(tx: Tx, area: str) -> DictRow | None:
    """An area's account: what it can spend, its limit, and its balance at the bank."""
    return await one(
        tx,
        "SELECT b.area, b.spendable_cents, b.limit_cents, b.next_seq - 1 AS entries,"
        " encode(b.head_hash, 'hex') AS head, (SELECT coalesce(sum(amount_cents), 0)::bigint FROM posting p"
        " WHERE p.area = b.area AND p.account = %s) AS bank_cents FROM book b WHERE b.area = %s",
        (Account.BANK, area),
    )


async def movements(tx: Tx, area: str) -> list[DictRow]:
    """Every kind of entry of an area with its number and what it did to the spendable balance, in cents."""
    return await rows(
        tx,
        "SELECT e.kind, count(DISTINCT e.seq)::int AS entries,"
        " coalesce(sum(p.amount_cents) FILTER (WHERE p.account IN ('1100', '1190')), 0)::bigint AS amount_cents"
        " FROM entry e JOIN posting p USING (area, seq) WHERE e.area = %s GROUP BY e.kind ORDER BY e.kind",
        (area,),
    )


async def trial_balance(tx: Tx, area: str) -> list[DictRow]:
    """The balance of every account of an area, debit positive; they sum to zero."""
    return await rows(
        tx,
        "SELECT account, sum(amount_cents)::bigint AS amount_cents FROM posting WHERE area = %s"
        " GROUP BY account ORDER BY account",
        (area,),
    )


async def entries(tx: Tx, area: str, after_seq: int, limit: int) -> list[DictRow]:
    """Entries of an area after a number, in order."""
    return await rows(
        tx,
        "SELECT seq, entry_id, kind, reference, booked_at, text, encode(hash, 'hex') AS hash,"
        " (SELECT sum(abs(amount_cents)) / 2 FROM posting p WHERE p.area = e.area AND p.seq = e.seq)::bigint"
        " AS amount_cents FROM entry e WHERE area = %s AND seq > %s ORDER BY seq LIMIT %s",
        (area, after_seq, limit),
    )


async def areas(tx: Tx) -> list[str]:
    """The areas that have a book."""
    return [row["area"] for row in await rows(tx, "SELECT area FROM book ORDER BY area")]


_SUM_OF_LINES = """
SELECT component, sum(amount_cents)::bigint AS cents FROM line
WHERE run_id IN (SELECT run_id FROM run WHERE area = %(area)s) GROUP BY component
"""
_SUM_OF_PRODUCERS = """
SELECT component, sum(t.amount_cents)::bigint AS cents
FROM statement_sum t JOIN statement s USING (statement_id) WHERE s.area = %(area)s GROUP BY component
"""
_SUM_OF_ACCOUNT = """
SELECT component, (-sum(amount_cents) FILTER (WHERE account = '1100'))::bigint AS left_cents,
       (-sum(amount_cents) FILTER (WHERE account IN ('1190', '2100')))::bigint AS owed_cents
FROM posting WHERE area = %(area)s AND component <> '' AND account IN ('1100', '1190', '2100') GROUP BY component
"""


async def sums(tx: Tx, area: str) -> list[dict[str, object]]:
    """Σ resident lines, Σ producer totals, and what left the account plus what is still owed, by component.

    Three queries over three tables; `equal` says whether they agree to the cent.
    """
    lines = {row["component"]: row["cents"] for row in await rows(tx, _SUM_OF_LINES, {"area": area})}
    producers = {row["component"]: row["cents"] for row in await rows(tx, _SUM_OF_PRODUCERS, {"area": area})}
    account_rows = {row["component"]: row for row in await rows(tx, _SUM_OF_ACCOUNT, {"area": area})}
    found = []
    for component in sorted(lines.keys() | producers.keys() | account_rows.keys()):
        row = account_rows.get(component, {})
        left_cents, owed_cents = row.get("left_cents") or 0, row.get("owed_cents") or 0
        three = (lines.get(component, 0), producers.get(component, 0), left_cents + owed_cents)
        found.append(
            {
                "component": component,
                "lines_cents": three[0],
                "producers_cents": three[1],
                "account_cents": three[2],
                "left_cents": left_cents,
                "owed_cents": owed_cents,
                "equal": len(set(three)) == 1,
            }
        )
    return found


_STATEMENTS = """
SELECT s.statement_id, s.version, s.run_id, s.area, to_char(s.month, 'YYYY-MM') AS month, s.producer_id,
       p.name AS producer, s.amount_cents, s.status, s.approved_by, s.released_by,
       (SELECT json_object_agg(component, json_build_object('lines', lines, 'amount_cents', amount_cents))
        FROM statement_sum t WHERE t.statement_id = s.statement_id) AS sums
FROM statement s LEFT JOIN producer p USING (producer_id)
WHERE (%(area)s::text IS NULL OR s.area = %(area)s) AND (%(month)s::date IS NULL OR s.month = %(month)s)
  AND (%(producers)s::text[] IS NULL OR s.producer_id = ANY(%(producers)s))
  AND (%(id)s::uuid IS NULL OR s.statement_id = %(id)s)
ORDER BY s.month, s.producer_id LIMIT 1000
"""


async def statements(
    tx: Tx,
    *,
    area: str | None = None,
    month: date | None = None,
    producers: Sequence[str] | None = None,
    statement_id: UUID | None = None,
) -> list[DictRow]:
    """Statements with the sums of their components."""
    known = {"area": area, "month": month, "producers": list(producers) if producers is not None else None}
    return await rows(tx, _STATEMENTS, known | {"id": statement_id})


_LINES = """
SELECT l.resident_id, l.component, l.kind, to_char(l.for_month, 'YYYY-MM') AS for_month, l.unit_id, l.producer_id,
       nullif(l.source, '00000000-0000-0000-0000-000000000000') AS source, l.days, l.permille_days, l.rate_cents,
       l.amount_cents
FROM line l WHERE l.run_id = %(run_id)s AND l.producer_id = %(producer_id)s
  AND (l.resident_id, l.component, l.kind, l.for_month, l.unit_id, l.source)
      > (%(resident)s, %(component)s, %(kind)s, %(for_month)s::date, %(unit)s, %(source)s)
ORDER BY l.resident_id, l.component, l.kind, l.for_month, l.unit_id, l.source LIMIT %(limit)s
"""
FIRST_LINE = [
    "00000000-0000-0000-0000-000000000000",
    "",
    "",
    "0001-01-01",
    "",
    "00000000-0000-0000-0000-000000000000",
]


async def statement_lines(tx: Tx, *, run_id: UUID, producer_id: str, after: Sequence[str], limit: int) -> list[DictRow]:
    """Resident lines of a statement after a place in their order."""
    names = ("resident", "component", "kind", "for_month", "unit", "source")
    place = dict(zip(names, after, strict=True))
    return await rows(tx, _LINES, place | {"run_id": run_id, "producer_id": producer_id, "limit": limit})


async def resident_costs(tx: Tx, resident_id: UUID) -> list[DictRow]:
    """What was spent for a resident, by month, producer and component; cents."""
    return await rows(
        tx,
        "SELECT to_char(for_month, 'YYYY-MM') AS month, producer_id, component,"
        " sum(amount_cents)::bigint AS amount_cents FROM line WHERE resident_id = %s"
        " GROUP BY for_month, producer_id, component ORDER BY for_month, producer_id, component",
        (resident_id,),
    )


async def unpriced(tx: Tx, area: str) -> list[DictRow]:
    """Reports that no price in force covers: they wait and are paid once there is one."""
    return await rows(
        tx,
        "SELECT v.node, v.unit_of_measure, count(*)::int AS reports, min(v.performed_on) AS oldest FROM visit v"
        " WHERE v.area = %s AND v.recorded_until = 'infinity' AND NOT EXISTS (SELECT FROM price p WHERE"
        " p.area = v.area AND p.node = v.node AND p.unit_of_measure = v.unit_of_measure"
        " AND p.valid_from <= v.performed_on) GROUP BY v.node, v.unit_of_measure ORDER BY v.node",
        (area,),
    )


async def pain001(tx: Tx, payout_id: UUID) -> bytes | None:
    """The pain.001 file of a payout, if it paid anybody by bank."""
    row = await one(tx, "SELECT pain001 FROM payout WHERE payout_id = %s", (payout_id,))
    return bytes(row["pain001"]) if row and row["pain001"] else None
