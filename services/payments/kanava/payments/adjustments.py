"""The SQL by which a run takes the adjustments that accepted disputes left to payments itself.

Each gives a pair, like a fact that became known later: a refund of what stood and a correction with what holds.
They are a component of their own (`adjustment`), and their source is the dispute, so that each is taken once.

An adjustment says what one line should have said, so it lives as long as that line stands. Where a run computes the
fact behind the line again and writes lines for it, those lines say what holds now: an adjustment that was taken is
taken back beside them, one that was not is not taken, and nothing is corrected twice. Of the new lines, the producer
can contest what is wrong.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from .month import Month

SAME_FACT = """
l.resident_id = a.resident_id AND l.for_month = a.for_month AND l.unit_id = a.unit_id
AND CASE WHEN a.component = 'incentive' THEN l.component = 'capitation'
         ELSE l.component = a.component AND l.source = a.source END
"""
"""Whether a line `l` is about the fact of an adjusted line `a`. Shares of an incentive move by cents with the
capitation of others, which is no fact of theirs: their fact is the resident's own capitation."""
_KEY = ("run_id", "resident_id", "component", "kind", "for_month", "unit_id", "source")
_OTHER = " AND ".join(f"o.{name} = a.{name}" for name in ("resident_id", "component", "for_month", "unit_id", "source"))
_BESIDE = f"""
SELECT EXISTS (
    SELECT FROM run later JOIN line l ON l.run_id = later.run_id AND {SAME_FACT}
    WHERE later.area = stood.area AND later.month > stood.month
) AS is_corrected, (a.kind = 'refund' AND EXISTS (
    SELECT FROM line o WHERE o.run_id = a.run_id AND {_OTHER} AND o.kind <> 'refund'
)) OR (a.component = 'adjustment' AND EXISTS (
    SELECT FROM run earlier JOIN line o ON o.run_id = earlier.run_id AND {_OTHER}
    WHERE earlier.area = stood.area AND earlier.month < stood.month
)) AS takes_back, EXISTS (
    SELECT FROM line_adjustment o JOIN run other USING (run_id) WHERE {_OTHER} AND o.run_id <> a.run_id
        AND NOT EXISTS (SELECT FROM run later JOIN line l ON l.run_id = later.run_id AND {SAME_FACT}
                        WHERE later.area = other.area AND later.month > other.month)
) AS is_adjusted, EXISTS (
    SELECT FROM incentive_reserve i JOIN unit u USING (municipality)
    WHERE u.unit_id = a.unit_id AND i.producer_id = a.producer_id AND i.for_month = a.for_month
) AS earns_incentive
FROM dispute_line a JOIN run stood USING (run_id)
WHERE {" AND ".join(f"a.{name} = %s" for name in _KEY)}
"""


async def stands_beside(tx: Tx, line: DictRow) -> DictRow:
    """What stands beside a contested line: whether a later run has corrected its fact (`is_corrected`), it only
    takes back what another line says anew (`takes_back`), an adjustment of the fact stands (`is_adjusted`), or an
    incentive is a share of it (`earns_incentive`). Whoever adjusts another line of the resident waits.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('adjusted' || %s, 0))", (str(line["resident_id"]),))
    row = await one(tx, _BESIDE, [line[name] for name in _KEY])
    assert row is not None, "the line is contested"
    return row


_DISPUTES = """
SELECT a.dispute_id, bool_or(a.recorded_at >= %(since)s::timestamptz OR a.component <> 'adjustment') AS is_due,
       coalesce(array_agg(a.source) FILTER (WHERE a.component = 'adjustment'), '{}') AS adjusts
FROM line_adjustment a JOIN run USING (run_id) WHERE a.area = %(area)s AND a.recorded_at < %(cut_off)s
GROUP BY a.dispute_id, run.month ORDER BY run.month, a.dispute_id
"""
_ADJUSTMENTS = f"""
WITH fresh AS MATERIALIZED (
    SELECT DISTINCT resident_id, component, for_month, unit_id, source FROM {{partition}}
    WHERE for_month < %(first)s
        AND resident_id IN (SELECT resident_id FROM line_adjustment WHERE dispute_id = ANY(%(disputes)s))
), moved AS (
    SELECT a.*, CASE WHEN is_old THEN -a.holds_cents ELSE -a.stood_cents END AS refund_cents,
        CASE WHEN is_old THEN a.stood_cents ELSE a.holds_cents END AS correction_cents
    FROM line_adjustment a JOIN run stood USING (run_id)
    CROSS JOIN LATERAL (SELECT a.recorded_at < %(since)s::timestamptz AS is_old) seen
    WHERE a.area = %(area)s AND a.recorded_at < %(cut_off)s AND a.dispute_id = ANY(%(disputes)s)
        AND is_old = EXISTS (SELECT FROM fresh l WHERE {SAME_FACT})
        AND NOT EXISTS (
            SELECT FROM line l JOIN run later USING (run_id)
            WHERE l.run_id = ANY(%(runs)s) AND later.month > stood.month AND {SAME_FACT})
), written AS (
    INSERT INTO {{partition}} (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days,
                             permille_days, rate_cents, amount_cents)
    SELECT %(run_id)s, m.resident_id, 'adjustment', side.kind, m.for_month, m.unit_id, m.dispute_id, m.producer_id,
           0, 0, 0, sum(side.cents)::bigint
    FROM moved m
    CROSS JOIN LATERAL (VALUES ('refund', m.refund_cents), ('correction', m.correction_cents)) AS side (kind, cents)
    GROUP BY m.resident_id, side.kind, m.for_month, m.unit_id, m.dispute_id, m.producer_id
    HAVING sum(side.cents) <> 0
)
SELECT m.dispute_id, m.producer_id, root.node, sum(m.refund_cents + m.correction_cents)::bigint AS cents
FROM moved m LEFT JOIN LATERAL (
    WITH RECURSIVE behind AS (
        SELECT m.run_id, m.component, m.source
        UNION
        SELECT p.run_id, p.component, p.source FROM behind b JOIN line_adjustment p ON b.component = 'adjustment'
            AND p.dispute_id = b.source AND p.resident_id = m.resident_id AND p.for_month = m.for_month
            AND p.unit_id = m.unit_id
    )
    SELECT min(report.node) AS node FROM behind b JOIN run USING (run_id) LEFT JOIN LATERAL (
        SELECT v.node FROM visit v WHERE v.production_id = b.source AND v.recorded_from < run.cut_off
        ORDER BY v.version DESC LIMIT 1
    ) report ON b.component = 'fee'
    WHERE b.component <> 'adjustment' HAVING count(DISTINCT coalesce(report.node, '')) = 1
) root ON true GROUP BY m.dispute_id, m.producer_id, root.node
"""
"""New and standing: taken. Seen by the previous run, so taken, and overtaken by this one: taken back. What an earlier
run overtook is done. Answers with the disputes that moved, and what it cost by the node of the report behind a fee."""


async def write_adjustments(tx: Tx, month: Month, partition: str, earlier_runs: Sequence[UUID]) -> None:
    """Write the lines of adjustments recorded before the cut-off that no earlier run has taken, and of those that
    this run's lines overtake. The lines of facts that it overtakes with are in the partition.

    Adjustments of adjustments come behind those whose lines they adjust, which are always of an earlier month.
    """
    known = {"run_id": month.run_id, "area": month.area, "cut_off": month.cut_off, "first": month.first}
    known["since"] = month.previous_cut_off.isoformat() if month.previous_cut_off else "-infinity"
    disputes = await rows(tx, _DISPUTES, known)
    moved: set[UUID] = set()
    used: Counter[tuple[str, str]] = Counter()
    for batch in filter(None, _batches(disputes, moved)):
        asked = known | {"runs": list(earlier_runs), "disputes": batch}
        for row in await rows(tx, _ADJUSTMENTS.format(partition=partition), asked):
            moved.add(row["dispute_id"])
            used[row["producer_id"], row["node"]] += row["cents"]
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO node_use (run_id, producer_id, component, node, area, amount_cents)"
            " VALUES (%s, %s, 'adjustment', %s, %s, %s)",
            [(month.run_id, *of, month.area, cents) for of, cents in used.items() if of[1] and cents],
        )


def _batches(disputes: Sequence[DictRow], moved: set[UUID]) -> Iterator[list[UUID]]:
    """The disputes to look at: first all that adjust no adjustment; then, one by one, those that do and are new or
    adjust what `moved` just now.
    """
    yield [row["dispute_id"] for row in disputes if not row["adjusts"]]
    for row in disputes:
        if row["adjusts"] and (row["is_due"] or not moved.isdisjoint(row["adjusts"])):
            yield [row["dispute_id"]]
