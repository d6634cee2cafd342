"""SQL that reads the trial balance at any date, also as it was known at an earlier instant, and clearing accounts."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

from ..chart_text import meaning
from ..domain.chart import CLEARING
from ..domain.trial_balance import BalanceLine, Movement, result_cents, trial_balance
from .dated import DATED_ENTRIES


@dataclass(frozen=True)
class TrialBalance:
    """The trial balance (koetase) of an area on a day as it was known at an instant; cents."""

    area: str
    on: date
    known_at: datetime
    lines: list[dict[str, object]]
    debit_cents: int
    credit_cents: int
    result_cents: int


_MOVEMENTS = f"""
SELECT p.account, coalesce(sum(p.amount_cents) FILTER (WHERE d.value_date < %(first)s), 0)::bigint AS before_cents,
       coalesce(sum(p.amount_cents) FILTER (WHERE d.value_date >= %(first)s AND p.amount_cents > 0), 0)::bigint
       AS debit_cents,
       coalesce(-sum(p.amount_cents) FILTER (WHERE d.value_date >= %(first)s AND p.amount_cents < 0), 0)::bigint
       AS credit_cents
FROM ({DATED_ENTRIES}) d JOIN posting p ON p.area = d.area AND p.seq = d.seq
WHERE d.value_date <= %(on)s AND d.booked_at <= %(known_at)s
GROUP BY p.account ORDER BY p.account
"""


async def lines_on(tx: Tx, area: str, on: date, known_at: datetime) -> tuple[BalanceLine, ...]:
    """The lines of the trial balance of an area on a day, from the entries that were booked by an instant."""
    asked = {"area": area, "first": date(on.year, 1, 1), "on": on, "known_at": known_at}
    return trial_balance([Movement(**row) for row in await rows(tx, _MOVEMENTS, asked)])


async def trial_balance_on(tx: Tx, area: str, on: date, known_at: datetime) -> TrialBalance:
    """The trial balance of an area, each account with its meaning."""
    lines = await lines_on(tx, area, on, known_at)
    return TrialBalance(
        area=area,
        on=on,
        known_at=known_at,
        lines=[{"name": meaning(line.account), **asdict(line)} for line in lines],
        debit_cents=sum(line.debit_cents for line in lines),
        credit_cents=sum(line.credit_cents for line in lines),
        result_cents=result_cents(lines),
    )


_CLEARING = f"""
SELECT p.account, p.party, d.reference, sum(p.amount_cents)::bigint AS amount_cents, min(d.value_date) AS since,
       %(on)s::date - min(d.value_date) AS age_days
FROM ({DATED_ENTRIES}) d JOIN posting p ON p.area = d.area AND p.seq = d.seq
WHERE p.account = ANY(%(accounts)s) AND d.value_date <= %(on)s
GROUP BY p.account, p.party, d.reference HAVING sum(p.amount_cents) <> 0
ORDER BY since, p.account, p.party, d.reference
"""


async def clearing(tx: Tx, area: str, on: date) -> list[DictRow]:
    """What is left on accounts that should be empty, by party and reference, the oldest first; debit positive."""
    accounts = sorted(account.value for account in CLEARING)
    return await rows(tx, _CLEARING, {"area": area, "on": on, "accounts": accounts})
