"""SQL that reads what came into and what left an area's account, month by month, and what is planned to come."""

from datetime import date, timedelta

from kanava.common.clock import add_months
from kanava.common.db import Tx, rows

from ..domain.chart import CASH, EntryKind
from ..domain.expected_inflow import HORIZON, Came, Due, Payer, expected_inflow, guessed_inflow
from ..domain.forecast import Flow
from .funding import payers

_FLOWS = """
WITH moved AS (
    SELECT date_trunc('month', e.booked_at AT TIME ZONE 'Europe/Helsinki')::date AS month,
        sum(p.amount_cents) FILTER (WHERE e.kind = %(funding)s) AS inflow_cents,
        -sum(p.amount_cents) FILTER (WHERE e.kind <> %(funding)s) AS outflow_cents
    FROM entry e JOIN posting p USING (area, seq)
    WHERE e.area = %(area)s AND p.account = ANY(%(cash)s) GROUP BY 1
)
SELECT m::date AS month, coalesce(inflow_cents, 0)::bigint AS inflow_cents,
    coalesce(outflow_cents, 0)::bigint AS outflow_cents
FROM generate_series((SELECT min(month) FROM moved)::timestamp, %(until)s::timestamp - interval '1 month', '1 month') m
LEFT JOIN moved ON moved.month = m::date ORDER BY m
"""


async def flows(tx: Tx, area: str, until: date) -> list[Flow]:
    """Every month from the first in which money moved up to the one before `until`; funding against the rest."""
    known = {"area": area, "until": until, "funding": EntryKind.FUNDING, "cash": sorted(CASH)}
    return [Flow(**row) for row in await rows(tx, _FLOWS, known)]


_INCOME = """
WITH own AS (SELECT month, sum(amount_cents) AS cents FROM statement
    WHERE area = %(area)s AND producer_id = %(producer_id)s GROUP BY month)
SELECT m::date AS month, coalesce(own.cents, 0)::bigint AS cents
FROM generate_series((SELECT min(month) FROM own)::timestamp, (SELECT max(month) FROM own)::timestamp, '1 month') m
LEFT JOIN own ON own.month = m::date ORDER BY m
"""


async def income(tx: Tx, area: str, producer_id: str) -> list[tuple[date, int]]:
    """What a producer's statements of an area say month by month, from its first to its last; cents."""
    found = await rows(tx, _INCOME, {"area": area, "producer_id": producer_id})
    return [(row["month"], row["cents"]) for row in found]


_CAME = """
SELECT payer, party, date_trunc('month', received_on)::date AS month, sum(amount_cents)::bigint AS amount_cents
FROM instalment WHERE area = %(area)s AND received_on >= %(since)s AND received_on < %(until)s
GROUP BY payer, party, month ORDER BY month, payer, party
"""


async def planned_inflow(tx: Tx, area: str, first: date) -> tuple[dict[date, int], dict[date, int]]:
    """What the funding plans let expect, by month, for the year from `first` on; years without a plan are left out.

    A plan of the year before counts for what of it is overdue. The other sums are what of them payers without a plan
    are taken to pay as a year before.
    """
    planned: set[tuple[Payer, int]] = set()
    due: list[Due] = []
    for year in range(first.year - 1, add_months(first, HORIZON - 1).year + 1):
        for one in await payers(tx, area, year, first - timedelta(days=1)):
            payer = (one.payer, one.party)
            planned |= {(payer, year)} if one.version is not None else set()
            due += [
                Due(payer, part["due_on"], part["missing_cents"])  # type: ignore[arg-type]  # a view's fields
                for part in one.instalments
            ]
    asked = {"area": area, "since": add_months(first, -HORIZON), "until": first}
    came = [
        Came((row["payer"], row["party"]), row["month"], row["amount_cents"]) for row in await rows(tx, _CAME, asked)
    ]
    return expected_inflow(first, planned, due, came), guessed_inflow(first, planned, came)
