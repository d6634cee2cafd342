"""The SQL behind the days on which schemes (käyttöönotot) are in production: before phase 5 nothing is paid.

Capitation has its own look at schemes (`month.SCHEMES`), because the scheme names the model that prices it.
"""

from datetime import date

from kanava.common.db import Tx, rows

from .month import Month

_PRODUCING = """
WITH phase AS (
    SELECT municipality, phase, entered_on AS begins, coalesce(min(entered_on) OVER (
        PARTITION BY municipality ORDER BY version ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 'infinity')
        AS ends
    FROM scheme_phase WHERE area = %(area)s AND recorded_at < %(cut_off)s
), producing AS (
    SELECT municipality, begins, ends FROM phase WHERE phase >= 5 AND begins < ends
), here AS (
    SELECT unit_id, producer_id, municipality, area = %(area)s AS own FROM unit WHERE recorded_at < %(cut_off)s
)
"""
_UNITS = f"""
CREATE TEMP TABLE producing_unit ON COMMIT DROP AS
{_PRODUCING}
SELECT unit_id, lower(days) AS begins, upper(days) AS ends FROM (
    SELECT unit_id, unnest(range_agg(daterange(begins, ends))) AS days
    FROM here JOIN producing ON NOT own OR here.municipality = producing.municipality GROUP BY unit_id
) known
"""
_PRODUCERS = f"""
{_PRODUCING}
SELECT producer_id, min(begins) AS begins FROM here LEFT JOIN producing USING (municipality) WHERE own
GROUP BY producer_id
UNION ALL SELECT NULL, min(begins) FROM producing
"""


def produced(visit: str = "v") -> str:
    """Whether what a unit did on the day of a report is paid, as is known now; the others are SQL."""
    return (
        f"EXISTS (SELECT FROM unit pu JOIN scheme_phase ps ON ps.area = {visit}.area AND ps.phase >= 5"
        f" AND ps.entered_on <= {visit}.performed_on AND (pu.area <> ps.area OR pu.municipality = ps.municipality)"
        f" WHERE pu.unit_id = {visit}.unit_id)"
    )


async def stage_producing_units(tx: Tx, month: Month) -> None:
    """Lay out as `producing_unit` the days, from `begins` to before `ends`, on which what a unit does is paid.

    A unit of the area produces with its municipality's scheme, one of another area with any of the area's; one that
    is not known yet has to wait. No two stretches of a unit overlap.
    """
    await tx.execute(_UNITS, {"area": month.area, "cut_off": month.cut_off})
    await tx.execute("ANALYZE producing_unit")


async def produces_from(tx: Tx, month: Month) -> dict[str | None, date | None]:
    """From which day on each producer with a unit in the area produces; `None` names those without a unit."""
    found = await rows(tx, _PRODUCERS, {"area": month.area, "cut_off": month.cut_off})
    return {row["producer_id"]: row["begins"] for row in found}
