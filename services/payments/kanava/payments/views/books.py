"""SQL that reads the books: balances, movements, the journal, and the three sums that must agree."""

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from ..domain.chart import Account


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
        " coalesce(sum(p.amount_cents) FILTER (WHERE p.account IN ('1100', '1190', '2990')), 0)::bigint AS amount_cents"
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
UNION ALL
SELECT component, sum(amount_cents)::bigint FROM charge WHERE area = %(area)s GROUP BY component
"""
_SUM_OF_PRODUCERS = """
SELECT component, sum(t.amount_cents)::bigint AS cents
FROM statement_sum t JOIN statement s USING (statement_id) WHERE s.area = %(area)s GROUP BY component
"""
_SUM_OF_ACCOUNT = """
SELECT component, (-sum(amount_cents) FILTER (WHERE account = '1100'))::bigint AS left_cents,
       (-sum(amount_cents) FILTER (WHERE account IN ('1190', '1300', '2100')))::bigint AS owed_cents
FROM posting WHERE area = %(area)s AND component <> '' AND account IN ('1100', '1190', '1300', '2100')
GROUP BY component
"""


async def sums(tx: Tx, area: str) -> list[dict[str, object]]:
    """Σ resident lines, Σ producer totals, and what left the account plus what is still owed, by component.

    Three queries over three tables; `equal` says whether they agree to the cent. A component without resident lines
    (a sanction, a base payment) has its charges in their place.
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
