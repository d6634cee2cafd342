"""The SQL by which a run reserves incentives and pays what frozen indicators earned of earlier reserves.

A reserve is of one producer, municipality (its scheme's model says what is earned for what) and run. Each indicator
settles its part of a reserve once, in the first run that knows a snapshot of a period which holds the whole month.
"""

from collections.abc import Sequence
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import add_months
from kanava.common.contracts.registry import CompensationTerms
from kanava.common.db import Tx, rows

from .domain import chart
from .domain.chart import Draft
from .domain.incentives import Measured, outcome, parts, reserve_cents
from .lines import SCHEMES, Month

_OPEN = """
SELECT r.run_id, r.producer_id, r.municipality, r.month, r.reserved_cents, m.terms,
       ARRAY(SELECT o.indicator FROM incentive_outcome o WHERE o.reserve_run_id = r.run_id
             AND o.producer_id = r.producer_id AND o.municipality = r.municipality) AS settled
FROM incentive_reserve r JOIN model m ON m.document_id = r.model
WHERE r.area = %(area)s AND r.month < %(first)s ORDER BY r.month, r.producer_id, r.municipality
"""
_KNOWN = """
SELECT snapshot_id, producer_id, indicator, period_from, period_until, value, scale, floor, target FROM snapshot
WHERE area = %(area)s AND recorded_at < %(cut_off)s ORDER BY recorded_at, snapshot_id
"""
_LINES = """
INSERT INTO {partition} (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days,
                         permille_days, rate_cents, amount_cents)
WITH weight AS (
    SELECT l.resident_id, l.unit_id, sum(l.amount_cents) AS cents FROM line l JOIN unit u USING (unit_id)
    WHERE l.run_id = %(reserve_run_id)s AND l.component = 'capitation' AND l.producer_id = %(producer_id)s
      AND u.municipality = %(municipality)s GROUP BY l.resident_id, l.unit_id HAVING sum(l.amount_cents) > 0
), share AS (
    SELECT resident_id, unit_id, div(%(earned)s::numeric * cents, sum(cents) OVER ()) AS whole,
           mod(%(earned)s::numeric * cents, sum(cents) OVER ()) AS remainder FROM weight
), part AS (
    SELECT resident_id, unit_id, whole + (row_number() OVER (ORDER BY remainder DESC, resident_id, unit_id)
           <= %(earned)s - sum(whole) OVER ())::int AS cents FROM share
)
SELECT %(run_id)s, resident_id, 'incentive', 'original', %(month)s, unit_id, %(snapshot_id)s, %(producer_id)s, 0, 0, 0,
       cents::bigint FROM part WHERE cents > 0 ORDER BY resident_id, unit_id
"""
_OUTCOME = """
INSERT INTO incentive_outcome (reserve_run_id, producer_id, municipality, indicator, area, run_id, snapshot_id,
                               earned_cents, released_cents)
VALUES (%(reserve_run_id)s, %(producer_id)s, %(municipality)s, %(indicator)s, %(area)s, %(run_id)s, %(snapshot_id)s,
        %(earned)s, %(released)s)
"""


async def write_incentives(tx: Tx, month: Month, partition: str) -> list[Draft]:
    """Pay on residents what is newly earned of reserves; the entries that dissolve those parts of the reserves."""
    asked = {"area": month.area, "first": month.first, "cut_off": month.cut_off}
    open_reserves = await rows(tx, _OPEN, asked)
    snapshots = await rows(tx, _KNOWN, asked) if open_reserves else []
    drafts = []
    for reserve in open_reserves:
        terms = CompensationTerms.model_validate(reserve["terms"]).incentives
        for term, part_cents in zip(terms, parts(reserve["reserved_cents"], terms), strict=True):
            found = _snapshot_of(snapshots, reserve, term.indicator)
            if found is None or not part_cents or term.indicator in reserve["settled"]:
                continue
            got = outcome(part_cents, Measured(found["value"], found["scale"], found["floor"], found["target"]), term)
            fields = {"run_id": month.run_id, "area": month.area, "reserve_run_id": reserve["run_id"]} | {
                name: reserve[name] for name in ("producer_id", "municipality", "month")
            }
            fields |= {"indicator": term.indicator, "snapshot_id": found["snapshot_id"]}
            fields |= {"earned": got.earned_cents, "released": got.released_cents}
            paid = await tx.execute(_LINES.format(partition=partition), fields)
            assert bool(paid.rowcount) == bool(got.earned_cents), "what is earned is on residents"
            await tx.execute(_OUTCOME, fields)
            drafts.append(_dissolved(month.run_id, reserve["producer_id"], part_cents))
    return drafts


def _snapshot_of(snapshots: Sequence[DictRow], reserve: DictRow, indicator: str) -> DictRow | None:
    """The first known snapshot of a reserve's producer whose period holds the whole month."""
    for row in snapshots:
        is_of = (row["producer_id"], row["indicator"]) == (reserve["producer_id"], indicator)
        if is_of and row["period_from"] <= reserve["month"] and row["period_until"] >= add_months(reserve["month"], 1):
            return row
    return None


def _dissolved(run_id: UUID, producer_id: str, cents: int) -> Draft:
    return chart.reserve(chart.EntryKind.RESERVE_DISSOLVED, run_id=run_id, producer_id=producer_id, amount_cents=cents)


_EARNERS = """
SELECT DISTINCT producer_id FROM (
    SELECT DISTINCT ON (contract_id) * FROM contract_version WHERE area = %(area)s AND recorded_at < %(cut_off)s
    ORDER BY contract_id, version DESC
) c WHERE 'incentive' = ANY(compensation_kinds) AND starts_on < %(end)s AND (ends_on IS NULL OR ends_on > %(first)s)
"""
_CAPITATION = """
SELECT l.producer_id, u.municipality, sum(l.amount_cents)::bigint AS cents FROM line l JOIN unit u USING (unit_id)
WHERE l.run_id = %(run_id)s AND l.component = 'capitation' AND l.producer_id = ANY(%(producers)s)
GROUP BY l.producer_id, u.municipality ORDER BY l.producer_id, u.municipality
"""


async def reserve_incentives(tx: Tx, month: Month) -> list[Draft]:
    """Reserve what contracts and models let the run's own capitation earn; the entries of the reserves.

    Nothing is read of the lines where no contract pays incentives or no model says for what.
    """
    asked = {"area": month.area, "cut_off": month.cut_off, "end": month.end, "first": month.first}
    producers = [row["producer_id"] for row in await rows(tx, _EARNERS, asked)]
    models = {row["municipality"]: row for row in await rows(tx, SCHEMES, asked)} if producers else {}
    terms = {place: CompensationTerms.model_validate(row["terms"]) for place, row in models.items()}
    terms = {place: one for place, one in terms.items() if one.incentives and one.incentive_percent}
    if not terms:
        return []
    drafts = []
    for row in await rows(tx, _CAPITATION, {"run_id": month.run_id, "producers": producers}):
        term = terms.get(row["municipality"])
        reserved = reserve_cents(row["cents"], term.incentive_percent) if term else 0
        if reserved:
            model = models[row["municipality"]]["document_id"]
            await tx.execute(
                "INSERT INTO incentive_reserve (run_id, producer_id, municipality, area, month, model, reserved_cents)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (month.run_id, row["producer_id"], row["municipality"], month.area, month.first, model, reserved),
            )
            kind = chart.EntryKind.RESERVED
            drafts.append(
                chart.reserve(kind, run_id=month.run_id, producer_id=row["producer_id"], amount_cents=reserved)
            )
    return drafts
