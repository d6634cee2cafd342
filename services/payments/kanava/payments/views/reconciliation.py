"""SQL that counts, for each flow and day, what came in and what it did; each flow is a query in a table.

Days are those of Helsinki, on the clock of what is counted. A flow's query answers (day, came, done, waiting,
missing); the names of what is missing are cut after some.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from kanava.common.db import Tx, rows

from ..adjustments import SAME_FACT
from ..allowed_kinds import fee_allowed, stage_refused_everywhere
from ..domain.reconciliation import Checked, Tally, reconcile
from ..fee_contracts import as_seen_by, contracted, stage_fee_contracts
from ..month import newest_months
from ..prices import fee_of
from ..producing import produced
from ..reconciled import stage_due
from .reconciled_effects import EFFECTS

NAMED_AT_MOST = 20

_HEARD = """
SELECT topic, day, sum(received)::bigint AS came, sum(applied + duplicates + dead + unknown)::bigint AS done,
       0 AS waiting, '{}'::text[] AS missing
FROM heard_day WHERE day BETWEEN %(first)s AND %(last)s GROUP BY topic, day
"""
_SAID = """
SELECT o.topic, (o.created_at AT TIME ZONE 'Europe/Helsinki')::date AS day, count(*) AS came,
       count(*) - count(u.id) AS done, count(u.id) AS waiting, '{}'::text[] AS missing
FROM outbox o LEFT JOIN outbox_unsent u USING (id)
WHERE o.created_at >= %(first)s::date - 1 AND o.created_at < %(last)s::date + 2
    AND (o.created_at AT TIME ZONE 'Europe/Helsinki')::date BETWEEN %(first)s AND %(last)s GROUP BY 1, 2
"""
_TALLY = """
SELECT day, count(*) AS came, count(*) FILTER (WHERE done) AS done, count(*) FILTER (WHERE NOT done AND waits)
       AS waiting, (array_agg(name ORDER BY name) FILTER (WHERE NOT done AND NOT waits))[:{at_most}] AS missing
FROM ({cases}) c WHERE day BETWEEN %(first)s AND %(last)s GROUP BY day
"""
"""A flow that knows each of its cases: `name`, `day`, whether it is `done`, and whether it still `waits`.

A report that was withdrawn has had its effect when nothing of what was paid for it is left."""

_CASES: Mapping[str, str] = {
    "production report → resident line": """
        SELECT v.production_id::text AS name, (v.recorded_from AT TIME ZONE 'Europe/Helsinki')::date AS day,
            CASE WHEN v.quantity = 0 THEN coalesce((
                SELECT sum(l.amount_cents) FROM line l JOIN run r USING (run_id) WHERE r.area = v.area
                AND l.source = v.production_id AND l.resident_id = v.resident_id), 0) = 0
            ELSE EXISTS (SELECT FROM line l WHERE l.source = v.production_id AND l.resident_id = v.resident_id)
            OR EXISTS (SELECT FROM voucher_use u WHERE u.production_id = v.production_id) END AS done,
            NOT EXISTS (SELECT FROM run r WHERE r.area = v.area AND r.status = 'closed' AND r.cut_off > v.recorded_from
                        AND r.month + interval '1 month' > v.performed_on)
            """
    + f"OR v.quantity > 0 AND (NOT {contracted()} OR NOT {fee_allowed()} OR NOT {produced()}"
    + """
            OR coalesce((SELECT f.fee_cents = 0 OR f.why IS NOT NULL FROM """
    + fee_of(at="newest.cut_off")
    + """ f), true)) AS waits
        FROM visit v
        LEFT JOIN (SELECT area, max(cut_off) AS cut_off FROM run WHERE status = 'closed' GROUP BY area) newest
            ON newest.area = v.area
        WHERE v.recorded_until = 'infinity' AND v.recorded_from >= %(first)s::date - 1
            AND v.recorded_from < %(last)s::date + 2
    """,
    "performance decision → resident line": """
        SELECT d.performance_id::text AS name,
            (coalesce(r.recorded_at, d.recorded_at) AT TIME ZONE 'Europe/Helsinki')::date AS day,
            CASE WHEN r.performance_id IS NULL THEN d.amount_cents ELSE 0 END = coalesce((
                SELECT sum(l.amount_cents) FROM line l WHERE l.resident_id = d.resident_id
                AND l.component = 'performance' AND l.source = d.performance_id), 0) AS done,
            NOT EXISTS (SELECT FROM run WHERE run.area = d.area AND run.status = 'closed'
                        AND run.cut_off > coalesce(r.recorded_at, d.recorded_at)
                        AND run.month + interval '1 month' > d.performed_on) AS waits
        FROM performance_decision d LEFT JOIN performance_revocation r USING (performance_id)
    """,
    "accepted adjustment → resident line": f"""
        SELECT concat_ws(' ', k.dispute_id, k.resident_id, to_char(k.for_month, 'YYYY-MM'), k.unit_id) AS name,
            (k.recorded_at AT TIME ZONE 'Europe/Helsinki')::date AS day, k.cents = coalesce((
                SELECT sum(l.amount_cents) FROM line l WHERE l.resident_id = k.resident_id
                AND l.component = 'adjustment' AND l.source = k.dispute_id AND l.for_month = k.for_month
                AND l.unit_id = k.unit_id), 0) AS done,
            NOT EXISTS (SELECT FROM run WHERE run.area = k.area AND run.status = 'closed'
                        AND run.cut_off > k.recorded_at) AS waits
        FROM (
            SELECT a.dispute_id, a.resident_id, a.for_month, a.unit_id, a.area, max(a.recorded_at) AS recorded_at,
                sum(CASE WHEN since.corrected THEN 0 ELSE a.holds_cents - a.stood_cents END) AS cents
            FROM line_adjustment a JOIN run stood USING (run_id) CROSS JOIN LATERAL (SELECT EXISTS (
                SELECT FROM run later JOIN line l ON l.run_id = later.run_id AND {SAME_FACT}
                WHERE later.area = stood.area AND later.month > stood.month) AS corrected) since
            GROUP BY a.dispute_id, a.resident_id, a.for_month, a.unit_id, a.area
        ) k
    """,
    "closed month → entry": """
        SELECT concat_ws(' ', r.area, to_char(r.month, 'YYYY-MM'), s.producer_id, t.component) AS name,
            (r.cut_off AT TIME ZONE 'Europe/Helsinki')::date AS day,
            EXISTS (SELECT FROM entry e JOIN posting p USING (area, seq) WHERE e.area = r.area AND e.kind = 'cost'
                    AND e.reference = r.run_id AND p.party = s.producer_id AND p.component = t.component
                    AND abs(p.amount_cents) = abs(t.amount_cents)) AS done,
            false AS waits
        FROM run r JOIN statement s USING (run_id) JOIN statement_sum t USING (statement_id)
        WHERE r.status = 'closed'
    """,
    "claims above the ceiling → entry": """
        SELECT concat_ws(' ', r.area, to_char(r.month, 'YYYY-MM')) AS name,
            (r.cut_off AT TIME ZONE 'Europe/Helsinki')::date AS day,
            EXISTS (SELECT FROM entry e JOIN posting p USING (area, seq) WHERE e.area = r.area AND e.kind = 'ceiling'
                    AND e.reference = r.run_id AND p.account = '2400' HAVING -sum(p.amount_cents) = c.cents) AS done,
            false AS waits
        FROM run r JOIN (SELECT run_id, sum(amount_cents) AS cents FROM ceiling_claim GROUP BY run_id) c
            USING (run_id)
    """,
    "change by a benefit decision → entry": """
        SELECT concat_ws(' ', b.area, b.reference, b.number) AS name,
            (b.decided_at AT TIME ZONE 'Europe/Helsinki')::date AS day, coalesce(e.cents = b.cents, false) AS done,
            false AS waits
        FROM (SELECT d.*, sum(change_cents) OVER (PARTITION BY area, decided_at) AS cents FROM benefit_decision d) b
        LEFT JOIN (
            SELECT e.area, e.booked_at, -sum(p.amount_cents) AS cents FROM entry e JOIN posting p USING (area, seq)
            WHERE e.kind = 'benefit' AND p.account = '2400' GROUP BY e.area, e.booked_at
        ) e ON (e.area, e.booked_at) = (b.area, b.decided_at)
        WHERE b.change_cents <> 0
    """,
    "closed month → fact on the bus": """
        SELECT concat_ws(' ', r.area, to_char(r.month, 'YYYY-MM')) AS name,
            (r.cut_off AT TIME ZONE 'Europe/Helsinki')::date AS day,
            EXISTS (SELECT FROM said WHERE topic = 'kanava.payments.run.v1' AND key = r.run_id::text) AS done,
            false AS waits
        FROM run r WHERE r.status = 'closed'
    """,
    "version of a statement → fact on the bus": """
        SELECT concat_ws(' ', s.statement_id, 'version', number) AS name,
            (r.cut_off AT TIME ZONE 'Europe/Helsinki')::date AS day,
            EXISTS (SELECT FROM said WHERE topic = 'kanava.payments.statement.v1' AND key = s.statement_id::text
                    AND said.number = n.number::text) AS done,
            false AS waits
        FROM statement s JOIN run r USING (run_id) CROSS JOIN LATERAL generate_series(1, s.version) AS n (number)
    """,
    "entry that moves the account → fact on the bus": """
        SELECT concat_ws(' ', e.area, e.seq) AS name, (e.booked_at AT TIME ZONE 'Europe/Helsinki')::date AS day,
            EXISTS (SELECT FROM said WHERE topic = 'kanava.payments.account.v1' AND key = e.area
                    AND said.number = e.seq::text) AS done,
            false AS waits
        FROM entry e WHERE (SELECT sum(p.amount_cents) FROM posting p WHERE p.area = e.area AND p.seq = e.seq
                            AND p.account IN ('1100', '1190', '2990')) <> 0
    """,
    "payment → release entry": """
        SELECT p.end_to_end_id AS name, (o.created_at AT TIME ZONE 'Europe/Helsinki')::date AS day,
            EXISTS (SELECT FROM entry e WHERE e.area = o.area AND e.kind = 'release' AND e.reference = p.statement_id)
            AS done, false AS waits
        FROM payment p JOIN payout o USING (payout_id) WHERE p.statement_id IS NOT NULL
    """,
    "payment to a resident → release entry": """
        SELECT p.end_to_end_id AS name, (o.created_at AT TIME ZONE 'Europe/Helsinki')::date AS day,
            coalesce(e.cents = p.amount_cents AND r.cents = p.amount_cents, false) AS done, false AS waits
        FROM payment p JOIN payout o USING (payout_id)
        LEFT JOIN (
            SELECT e.area, e.reference, sum(b.amount_cents) AS cents FROM entry e JOIN posting b USING (area, seq)
            WHERE e.kind = 'release' AND b.account = '2400' GROUP BY e.area, e.reference
        ) e ON (e.area, e.reference) = (o.area, p.resident_item_id)
        LEFT JOIN (SELECT item_id, sum(amount_cents) AS cents FROM resident_part GROUP BY item_id) r
            ON r.item_id = p.resident_item_id
        WHERE p.resident_item_id IS NOT NULL
    """,
    "matched bank record → entry": """
        SELECT concat_ws(' ', b.reference, b.part, b.outcome) AS name,
            (m.received_at AT TIME ZONE 'Europe/Helsinki')::date AS day,
            EXISTS (SELECT FROM entry e WHERE e.entry_id = b.entry_id) AS done, false AS waits
        FROM bank_entry b JOIN bank_message m USING (message_id) WHERE b.matched IN ('payment', 'funding')
    """,
    "instalment → entry": """
        SELECT concat_ws(' ', i.area, i.payer, nullif(i.party, ''), i.reference) AS name,
            (i.recorded_at AT TIME ZONE 'Europe/Helsinki')::date AS day,
            EXISTS (SELECT FROM entry e JOIN posting p USING (area, seq) WHERE e.entry_id = i.instalment_id
                    AND p.account = '1100' AND p.amount_cents = i.amount_cents) AS done,
            false AS waits
        FROM instalment i
    """,
    **EFFECTS,
}
_SAID_ONCE = """
CREATE TEMP TABLE said ON COMMIT DROP AS
SELECT topic, key, body::jsonb ->> 'version' AS number FROM outbox
WHERE topic IN ('kanava.payments.run.v1', 'kanava.payments.statement.v1', 'kanava.payments.account.v1')
"""
_STORED = """
SELECT o.topic, NULL::date AS day, o.applied AS came, s.stored AS done, 0 AS waiting, '{}'::text[] AS missing
FROM (SELECT topic, sum(applied)::bigint AS applied FROM inbox_offset GROUP BY topic) o
JOIN (SELECT 'kanava.monitoring.production.v1' AS topic, count(*) AS stored FROM visit
      UNION ALL SELECT 'kanava.listing.resident.v1', count(*) FROM resident) s USING (topic)
"""


@dataclass(frozen=True)
class Reconciliation:
    """Every flow on the days that were asked for; those that lost something stand first."""

    first: date
    last: date
    is_whole: bool
    flows: list[dict[str, object]]


async def tallies(tx: Tx, first: date, last: date) -> list[Tally]:
    """Count every flow on the days from the first to the last, both included."""
    asked = {"first": first, "last": last}
    await tx.execute(_SAID_ONCE)
    await tx.execute("CREATE INDEX ON said (topic, key, number); ANALYZE said")
    await stage_fee_contracts(tx, [as_seen_by(month) for month in await newest_months(tx)])
    await stage_refused_everywhere(tx)
    await stage_due(tx)
    found = []
    for verb, query in (("records of {} → outcome", _HEARD), ("facts of {} → broker", _SAID)):
        found += [_tally(verb.format(row["topic"]), row) for row in await rows(tx, query, asked)]
    found += [_tally(f"facts applied of {row['topic']} → rows", row) for row in await rows(tx, _STORED)]
    for flow, cases in _CASES.items():
        counted = await rows(tx, _TALLY.format(cases=cases, at_most=NAMED_AT_MOST), asked)
        found += [_tally(flow, row) for row in counted]
    return found


def _tally(flow: str, row: Mapping[str, object]) -> Tally:
    return Tally(
        flow=flow,
        day=row["day"],  # type: ignore[arg-type]  # a date, or NULL
        came=int(str(row["came"])),
        done=int(str(row["done"])),
        waiting=int(str(row["waiting"])),
        missing=tuple(row["missing"] or ()),  # type: ignore[arg-type]  # a list of text
    )


async def reconciliation(tx: Tx, first: date, last: date) -> Reconciliation:
    """Reconcile every flow on the days from the first to the last."""
    checked = reconcile(await tallies(tx, first, last))
    return Reconciliation(first, last, all(one.is_whole for one in checked), [_shown(one) for one in checked])


def _shown(checked: Checked) -> dict[str, object]:
    tally = checked.tally
    return {
        "flow": tally.flow,
        "day": tally.day,
        "came": tally.came,
        "done": tally.done,
        "waiting": tally.waiting,
        "lost": checked.lost,
        "is_whole": checked.is_whole,
        "missing": list(tally.missing),
    }
