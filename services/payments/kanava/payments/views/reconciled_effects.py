"""SQL that finds for each case of steering, dispute, refund and transfer what it did to money; see `reconciliation`."""

from collections.abc import Mapping

_NEWEST = "(SELECT area, max(cut_off) AS cut_off, max(month) AS month FROM run WHERE status = 'closed' GROUP BY area) n"
_OF_CONTRACTS = "component IN ('base_payment', 'effectiveness')"


def _transfers(kind: str, from_area: str, to_area: str, sign: str) -> str:
    """One side of the transfers: its area, the other, the cents, and the how-manieth it is of its reference."""
    return f"""
        SELECT e.reference, {from_area} AS from_area, {to_area} AS to_area, {sign}p.amount_cents AS cents, e.booked_at,
            e.text, row_number() OVER (PARTITION BY e.area, e.reference ORDER BY e.seq) AS number
        FROM entry e LEFT JOIN posting p ON p.area = e.area AND p.seq = e.seq AND p.account = '2700'
        WHERE e.kind = '{kind}'
    """


EFFECTS: Mapping[str, str] = {
    "sanction → charge": f"""
        SELECT name, day, NOT coalesce(later, false) AND charged_cents = due_cents AS done,
            coalesce(later, false) AS waits
        FROM (
            SELECT coalesce(s.sanction_id, c.source) AS name,
                (coalesce(s.recorded_at, n.cut_off) AT TIME ZONE 'Europe/Helsinki')::date AS day,
                n.cut_off IS NULL OR s.recorded_at >= n.cut_off OR s.effective_on >= n.month + interval '1 month'
                    AS later,
                coalesce(c.cents, 0) AS charged_cents, coalesce(d.cents, 0) AS due_cents
            FROM (SELECT DISTINCT ON (sanction_id) * FROM sanction_version ORDER BY sanction_id, version DESC) s
            FULL JOIN (SELECT area, source, sum(amount_cents) AS cents FROM charge WHERE component = 'sanction'
                       GROUP BY area, source) c ON (c.area, c.source) = (s.area, s.sanction_id)
            LEFT JOIN (SELECT source, sum(cents) AS cents FROM charge_due WHERE component = 'sanction'
                       GROUP BY source) d ON d.source = coalesce(s.sanction_id, c.source)
            LEFT JOIN {_NEWEST} ON n.area = coalesce(s.area, c.area)
            WHERE s.step = 3 OR c.source IS NOT NULL
        ) judged
    """,
    "contract → charge": f"""
        SELECT concat_ws(' ', component, source, to_char(for_month, 'YYYY-MM')) AS name,
            (coalesce(r.cut_off, n.cut_off) AT TIME ZONE 'Europe/Helsinki')::date AS day,
            coalesce(c.cents, 0) = coalesce(d.cents, 0) AS done, false AS waits
        FROM (SELECT area, producer_id, component, source, for_month, sum(amount_cents) AS cents FROM charge
              WHERE {_OF_CONTRACTS} GROUP BY area, producer_id, component, source, for_month) c
        FULL JOIN (SELECT * FROM charge_due WHERE {_OF_CONTRACTS}) d
            USING (area, producer_id, component, source, for_month)
        LEFT JOIN (SELECT area, month AS for_month, cut_off FROM run WHERE status = 'closed') r USING (area, for_month)
        LEFT JOIN {_NEWEST} USING (area)
    """,
    "frozen indicator → outcome": f"""
        SELECT concat_ws(' ', coalesce(d.indicator, o.indicator), producer_id, municipality,
                         to_char(for_month, 'YYYY-MM')) AS name,
            (coalesce(s.recorded_at, n.cut_off) AT TIME ZONE 'Europe/Helsinki')::date AS day,
            (coalesce(d.earned_cents, 0), coalesce(d.released_cents, 0))
                = (coalesce(o.earned_cents, 0), coalesce(o.released_cents, 0)) AS done, false AS waits
        FROM outcome_due d FULL JOIN (
            SELECT area, producer_id, municipality, for_month, indicator, snapshot_id,
                sum(earned_cents) AS earned_cents, sum(released_cents) AS released_cents
            FROM incentive_outcome GROUP BY area, producer_id, municipality, for_month, indicator, snapshot_id
        ) o USING (area, producer_id, municipality, for_month, snapshot_id, indicator)
        LEFT JOIN (SELECT snapshot_id, recorded_at FROM snapshot) s USING (snapshot_id)
        LEFT JOIN {_NEWEST} USING (area)
        UNION ALL
        SELECT concat_ws(' ', s.indicator, s.producer_id, s.municipality, s.period_from),
            (s.recorded_at AT TIME ZONE 'Europe/Helsinki')::date, false, true
        FROM snapshot s LEFT JOIN {_NEWEST} USING (area) WHERE n.cut_off IS NULL OR s.recorded_at >= n.cut_off
    """,
    "adjustment of a dispute → resident line": """
        SELECT concat_ws(' ', a.dispute_id, a.resident_id) AS name,
            (a.recorded_at AT TIME ZONE 'Europe/Helsinki')::date AS day,
            (a.refund_cents, a.correction_cents) = (l.refund_cents, l.correction_cents) AS done,
            NOT EXISTS (SELECT FROM run r WHERE r.area = a.area AND r.status = 'closed' AND r.cut_off > a.recorded_at)
                AS waits
        FROM (
            SELECT area, dispute_id, resident_id, max(recorded_at) AS recorded_at, -sum(stood_cents) AS refund_cents,
                sum(holds_cents) AS correction_cents
            FROM line_adjustment GROUP BY area, dispute_id, resident_id
        ) a CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_cents) FILTER (WHERE kind = 'refund'), 0) AS refund_cents,
                coalesce(sum(amount_cents) FILTER (WHERE kind = 'correction'), 0) AS correction_cents
            FROM line WHERE line.resident_id = a.resident_id AND component = 'adjustment' AND source = a.dispute_id
        ) l
    """,
    "refund decision → entry": """
        SELECT concat_ws(' ', p.area, p.municipality, p.window_until) AS name,
            (d.decided_at AT TIME ZONE 'Europe/Helsinki')::date AS day,
            EXISTS (SELECT FROM entry e JOIN posting x USING (area, seq) WHERE e.area = p.area
                    AND e.kind = 'municipal_refund' AND e.reference = p.refund_id AND x.account = '4700'
                    AND x.amount_cents = p.amount_cents) AS done,
            false AS waits
        FROM refund_decision d JOIN refund_proposal p USING (refund_id) WHERE d.approved AND p.amount_cents > 0
    """,
    "transfer → both entries": f"""
        SELECT concat_ws(' ', from_area, to_area, coalesce(o.text, i.text)) AS name,
            (coalesce(o.booked_at, i.booked_at) AT TIME ZONE 'Europe/Helsinki')::date AS day,
            coalesce(o.cents = i.cents, false) AS done,
            current_setting('kanava.area', true) <> '*' AND num_nulls(o.cents, i.cents) > 0 AS waits
        FROM ({_transfers("transfer_out", "e.area", "p.party", "")}) o
        FULL JOIN ({_transfers("transfer_in", "p.party", "e.area", "-")}) i
            USING (reference, from_area, to_area, number)
    """,
}
"""Each flow compares cents, not only whether something is there; who sees one area waits for the other's entry."""
