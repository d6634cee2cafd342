"""SQL that reads municipal refunds and what they rest on."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from ..domain.chart import Account
from ..domain.refund import Component, Figure, Measure, Rule
from .dated import DATED_ENTRIES


async def rules(tx: Tx) -> list[DictRow]:
    """Every rule in the order of the day from which it holds."""
    return await rows(tx, "SELECT * FROM refund_rule ORDER BY valid_from LIMIT 1000")


async def rule_on(tx: Tx, day: date) -> Rule | None:
    """The rule in force on a day."""
    query = "SELECT * FROM refund_rule WHERE valid_from <= %s ORDER BY valid_from DESC LIMIT 1"
    row = await one(tx, query, (day,))
    if row is None:
        return None
    weights = {component: row[f"{component}_permille"] for component in Component}
    return Rule(row["valid_from"], weights, row["need_share_permille"], row["cap_permille"])


async def need_rows(tx: Tx, municipality: str) -> list[DictRow]:
    """Every figure of a municipality, corrected ones too, in the order of their days and of recording."""
    query = "SELECT * FROM need_figure WHERE municipality = %s ORDER BY measured_on, component, number LIMIT 10000"
    return await rows(tx, query, (municipality,))


async def figures(tx: Tx, municipality: str) -> list[Figure]:
    """The figures of a municipality; of a day the later recorded comes later."""
    found = await need_rows(tx, municipality)
    return [Figure(Component(row["component"]), row["measured_on"], row["value_permille"]) for row in found]


async def measure_rows(tx: Tx, area: str, municipality: str | None) -> list[DictRow]:
    """Agreed measures of an area, and when they were done."""
    return await rows(
        tx,
        "SELECT m.measure_id, m.area, m.municipality, m.title, m.permille, m.agreed_on, m.agreed_by, d.done_on,"
        " d.evidence, d.confirmed_by FROM agreed_measure m LEFT JOIN measure_done d USING (measure_id)"
        " WHERE m.area = %(area)s AND (%(municipality)s::text IS NULL OR m.municipality = %(municipality)s)"
        " ORDER BY m.agreed_on, m.measure_id LIMIT 10000",
        {"area": area, "municipality": municipality},
    )


async def measures_done(tx: Tx, area: str, municipality: str, years: tuple[date, date]) -> list[Measure]:
    """The measures that were done within the years `[from, until)`."""
    found = await measure_rows(tx, area, municipality)
    done = [row for row in found if row["done_on"] is not None and years[0] <= row["done_on"] < years[1]]
    return [Measure(row["title"], row["done_on"], row["permille"]) for row in done]


_OWN_PAYMENTS = f"""
SELECT coalesce(-sum(p.amount_cents), 0)::bigint AS cents FROM ({DATED_ENTRIES}) d JOIN posting p USING (area, seq)
WHERE p.account = %(account)s AND p.party = %(municipality)s
    AND d.value_date >= %(begins)s AND d.value_date < %(ends)s
"""


async def own_payment_cents(tx: Tx, area: str, municipality: str, years: tuple[date, date]) -> int:
    """What a municipality paid into an area's account for the years `[from, until)`, whenever it was booked; cents.

    By value dates: the day of its arrival, or where it belongs to another year, that year's.
    """
    asked = {"area": area, "municipality": municipality, "begins": years[0], "ends": years[1]}
    row = await one(tx, _OWN_PAYMENTS, asked | {"account": Account.MUNICIPAL_FUNDING})
    return max(row["cents"], 0) if row else 0


_REFUNDS = """
SELECT p.*, d.approved, d.reasons, d.decided_by, d.decided_at, a.payee, a.iban, a.confirmed_by, y.end_to_end_id,
    coalesce(y.attempt, 0) AS attempts, y.paid_by, o.outcome,
    CASE WHEN d.approved IS NULL THEN 'proposed' WHEN NOT d.approved THEN 'refused'
         WHEN y.attempt IS NULL THEN 'approved' ELSE coalesce(o.outcome, 'paid') END AS status
FROM refund_proposal p LEFT JOIN refund_decision d USING (refund_id)
LEFT JOIN LATERAL (SELECT * FROM refund_account WHERE refund_id = p.refund_id ORDER BY number DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT * FROM refund_payment WHERE refund_id = p.refund_id ORDER BY attempt DESC LIMIT 1) y ON true
LEFT JOIN LATERAL (SELECT outcome FROM refund_outcome WHERE end_to_end_id = y.end_to_end_id
    ORDER BY outcome = 'booked' LIMIT 1) o ON true
WHERE (%(id)s::uuid IS NULL OR p.refund_id = %(id)s) AND (%(area)s::text IS NULL OR p.area = %(area)s)
    AND (%(municipality)s::text IS NULL OR p.municipality = %(municipality)s)
ORDER BY p.proposed_at, p.refund_id LIMIT 1000
"""
"""A booking is what a payment came to, unless it was returned after it."""
_SHOWN = (
    *("refund_id", "area", "municipality", "window_from", "window_until", "own_payment_cents", "amount_cents"),
    *("steps", "proposed_by", "proposed_at", "status", "reasons", "decided_by"),
    *("decided_at", "payee", "iban", "paid_by", "attempts"),
)


async def refunds(tx: Tx, *, area: str | None, municipality: str | None) -> list[dict[str, object]]:
    """Refunds of an area or of a municipality, with every step and how far they have come."""
    return [shown(row) for row in await rows(tx, _REFUNDS, {"id": None, "area": area, "municipality": municipality})]


async def refund_row(tx: Tx, refund_id: UUID) -> DictRow | None:
    """One refund with its decision, its newest account and its last payment."""
    return await one(tx, _REFUNDS, {"id": refund_id, "area": None, "municipality": None})


def shown(row: DictRow) -> dict[str, object]:
    """A refund as its readers see it."""
    return {name: row[name] for name in _SHOWN}


async def approved_windows(tx: Tx, municipality: str) -> Sequence[tuple[date, date]]:
    """The years for which a municipality's refund was approved."""
    found = await rows(
        tx,
        "SELECT p.window_from, p.window_until FROM refund_proposal p JOIN refund_decision d USING (refund_id)"
        " WHERE p.municipality = %s AND d.approved",
        (municipality,),
    )
    return [(row["window_from"], row["window_until"]) for row in found]


async def refund_pain001(tx: Tx, refund_id: UUID) -> bytes | None:
    """The file of the last attempt to pay a refund."""
    query = "SELECT pain001 FROM refund_payment WHERE refund_id = %s ORDER BY attempt DESC LIMIT 1"
    row = await one(tx, query, (refund_id,))
    return bytes(row["pain001"]) if row else None
