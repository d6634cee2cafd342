"""SQL that reads funding: plans against what was received, and the state's funding by determinant."""

from dataclasses import dataclass, replace
from datetime import date

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from ..domain.instalments import Matched, Planned, Received, match

Payer = tuple[str, str, str]
"""Area, payer and party."""


@dataclass(frozen=True)
class PayerView:
    """A payer's plan of a year against what was received, on a day; cents and days.

    Of insurance contributions received in the year, `phase_out_gain_cents` come from the phase-out of Kela II.
    """

    payer: str
    party: str
    fiscal_year: int
    version: int | None
    reason: str | None
    planned_cents: int
    received_cents: int
    missing_cents: int
    overdue_cents: int
    surplus_cents: int
    most_days_late: int
    phase_out_gain_cents: int
    instalments: list[dict[str, object]]


_MISSING = """
SELECT coalesce((
    SELECT total_cents FROM instalment_plan
    WHERE area = %(area)s AND payer = %(payer)s AND party = %(party)s AND fiscal_year = %(year)s
    ORDER BY version DESC LIMIT 1
), 0) - coalesce((
    SELECT sum(s.amount_cents) FROM instalment i JOIN instalment_share s USING (instalment_id)
    WHERE i.area = %(area)s AND i.payer = %(payer)s AND i.party = %(party)s AND s.fiscal_year = %(year)s
), 0)::bigint AS cents
"""


async def missing_cents(tx: Tx, payer: Payer, year: int) -> int:
    """What a payer's plan of a year still misses, never negative."""
    area, kind, party = payer
    row = await one(tx, _MISSING, {"area": area, "payer": kind, "party": party, "year": year})
    assert row is not None, "a query without FROM answers one row"
    return max(int(row["cents"]), 0)


async def planned_areas(tx: Tx, year: int) -> list[str]:
    """The areas to which the state is to pay something in a year, by their newest plans."""
    found = await rows(
        tx,
        "SELECT area FROM (SELECT DISTINCT ON (area) area, total_cents FROM instalment_plan"
        " WHERE payer = 'state' AND fiscal_year = %s ORDER BY area, version DESC) newest"
        " WHERE total_cents > 0 ORDER BY area",
        (year,),
    )
    return [row["area"] for row in found]


_PLANS = """
SELECT DISTINCT ON (p.payer, p.party) p.payer, p.party, p.version, p.reason,
       ARRAY(SELECT n.due_on FROM planned_instalment n WHERE n.plan_id = p.plan_id ORDER BY n.number) AS days,
       ARRAY(SELECT n.amount_cents FROM planned_instalment n WHERE n.plan_id = p.plan_id ORDER BY n.number) AS cents
FROM instalment_plan p WHERE p.area = %(area)s AND p.fiscal_year = %(year)s
ORDER BY p.payer, p.party, p.version DESC
"""
_GAINED = """
SELECT coalesce(sum(c.gained_cents), 0)::bigint AS cents FROM contribution c JOIN instalment i USING (instalment_id)
WHERE i.area = %(area)s AND extract(year FROM i.received_on) = %(year)s AND i.received_on <= %(on)s
"""
_RECEIVED = """
SELECT i.payer, i.party, i.received_on, s.amount_cents FROM instalment i JOIN instalment_share s USING (instalment_id)
WHERE i.area = %(area)s AND s.fiscal_year = %(year)s AND i.received_on <= %(on)s
ORDER BY i.received_on, i.instalment_id
"""


async def payers(tx: Tx, area: str, year: int, on: date) -> list[PayerView]:
    """Every payer of an area in a year, with a plan or without: late, short and surplus instalments on a day."""
    asked = {"area": area, "year": year, "on": on}
    plans = {(row["payer"], row["party"]): row for row in await rows(tx, _PLANS, asked)}
    received: dict[tuple[str, str], list[Received]] = {}
    for row in await rows(tx, _RECEIVED, asked):
        received.setdefault((row["payer"], row["party"]), []).append(Received(row["received_on"], row["amount_cents"]))
    gained = await one(tx, _GAINED, asked)
    assert gained is not None, "an aggregate always answers"
    return [
        replace(
            _payer_view(key, year, plans.get(key), received.get(key, []), on=on),
            phase_out_gain_cents=gained["cents"] if key[0] == "insurance" else 0,
        )
        for key in sorted(plans.keys() | received.keys())
    ]


def _payer_view(
    key: tuple[str, str], year: int, plan: DictRow | None, received: list[Received], *, on: date
) -> PayerView:
    pairs = zip(plan["days"], plan["cents"], strict=True) if plan else ()
    planned = [Planned(n, day, cents) for n, (day, cents) in enumerate(pairs, 1)]
    matching = match(planned, received, on)
    return PayerView(
        payer=key[0],
        party=key[1],
        fiscal_year=year,
        version=plan["version"] if plan else None,
        reason=plan["reason"] if plan else None,
        planned_cents=sum(one.amount_cents for one in planned),
        received_cents=sum(one.amount_cents for one in received),
        missing_cents=sum(one.missing_cents for one in matching.instalments),
        overdue_cents=sum(one.missing_cents for one in matching.instalments if one.due_on < on),
        surplus_cents=matching.surplus_cents,
        most_days_late=max((one.days_late for one in matching.instalments), default=0),
        phase_out_gain_cents=0,
        instalments=[_instalment(one) for one in matching.instalments],
    )


def _instalment(matched: Matched) -> dict[str, object]:
    return {
        "number": matched.number,
        "due_on": matched.due_on,
        "amount_cents": matched.amount_cents,
        "received_cents": matched.received_cents,
        "missing_cents": matched.missing_cents,
        "completed_on": matched.completed_on,
        "days_late": matched.days_late,
        "state": matched.state.value,
    }


async def state_funding(tx: Tx, area: str, year: int) -> list[DictRow]:
    """What each determinant gives an area in the newest version of a year, with its share and the area's measure."""
    return await rows(
        tx,
        "SELECT version, determinant, share_thousandths, measure, amount_cents FROM state_funding_part"
        " WHERE area = %(area)s AND fiscal_year = %(year)s AND version ="
        " (SELECT max(version) FROM state_funding WHERE fiscal_year = %(year)s) ORDER BY share_thousandths DESC",
        {"area": area, "year": year},
    )


async def contributions(tx: Tx, area: str, year: int) -> list[DictRow]:
    """An area's parts of the contributions that were received in a year, with what Kela reimbursed of the whole.

    `gained_cents` of an amount are the area's because class II is no longer reimbursed in full.
    """
    return await rows(
        tx,
        "SELECT i.reference, i.received_on, i.amount_cents, c.gained_cents, c.collected_cents, c.class_1_cents,"
        " c.class_2_cents, c.class_2_percent, c.kept_cents FROM contribution c JOIN instalment i USING (instalment_id)"
        " WHERE i.area = %s AND extract(year FROM i.received_on) = %s ORDER BY i.received_on, i.reference",
        (area, year),
    )
