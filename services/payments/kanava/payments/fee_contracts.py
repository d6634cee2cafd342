"""The SQL behind the days on which contracts pay fees (suoritekorvaus), for whoever asks what a report is paid."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from kanava.common.db import Tx

from .month import Month

EVER, NOW = date.max, datetime.max.replace(tzinfo=UTC)
"""The month and the instant of whoever asks by all that is known."""

_STAGE = """
CREATE TEMP TABLE fee_contract ON COMMIT DROP AS
WITH asked AS (
    SELECT * FROM unnest(%(areas)s::text[], %(months)s::date[], %(cut_offs)s::timestamptz[]) a (area, first, seen_at)
), known AS (
    SELECT c.* FROM contract_version c JOIN asked USING (area) WHERE c.recorded_at < asked.seen_at
), newest AS (
    SELECT DISTINCT ON (contract_id) contract_id, producer_id, starts_on,
        greatest(coalesce(ends_on, 'infinity'), starts_on) AS ends_on
    FROM known ORDER BY contract_id, version DESC
), period AS (
    SELECT area, lag(ends) OVER (PARTITION BY area ORDER BY ends NULLS LAST) AS begins, ends, cut_off FROM (
        SELECT r.area, (r.month + interval '1 month')::date AS ends, r.cut_off
        FROM run r JOIN asked USING (area) WHERE r.month <= asked.first
        UNION ALL SELECT area, NULL, seen_at FROM asked
    ) closed
), allowed AS (
    SELECT DISTINCT ON (p.area, p.ends, k.contract_id) p.area, k.contract_id, p.begins, p.ends, k.compensation_kinds
    FROM period p JOIN known k USING (area)
    ORDER BY p.area, p.ends, k.contract_id, k.recorded_at < p.cut_off DESC,
        CASE WHEN k.recorded_at < p.cut_off THEN -k.version ELSE k.version END
)
SELECT area, producer_id, lower(days) AS begins, upper(days) AS ends FROM (
    SELECT area, producer_id, unnest(range_agg(daterange(starts_on, ends_on) * daterange(begins, ends))) AS days
    FROM newest JOIN allowed USING (contract_id) WHERE 'fee' = ANY(compensation_kinds) GROUP BY area, producer_id
) contracted
"""
"""A month is judged by the kinds that were known when it closed, months before the first run with that one, and an open
month by what is known now: a new kind never re-prices a closed month (settled question 19)."""


async def stage_fee_contracts(tx: Tx, asked: Sequence[tuple[str, date, datetime]]) -> None:
    """Lay out as `fee_contract` on which days, from `begins` to before `ends`, contracts pay a producer fees in areas.

    The days are those of the newest version, the kinds those that were known when the month closed, or were the first
    to be known. `asked` are areas, each with the newest month to look at and the instant before which a version counts
    as known. No two stretches of a producer in an area overlap.
    """
    areas, months, cut_offs = ([one[place] for one in asked] for place in range(3))
    await tx.execute(_STAGE, {"areas": areas, "months": months, "cut_offs": cut_offs})
    await tx.execute("ANALYZE fee_contract")


def as_seen_by(month: Month) -> tuple[str, date, datetime]:
    """What the run of a month asks."""
    return month.area, month.first, month.cut_off


def contracted(visit: str = "v") -> str:
    """Whether a contract that is laid out pays fees on the day of a row of reports; SQL."""
    return (
        f"EXISTS (SELECT FROM fee_contract c WHERE c.area = {visit}.area AND c.producer_id = {visit}.producer_id"
        f" AND c.begins <= {visit}.performed_on AND c.ends > {visit}.performed_on)"
    )
