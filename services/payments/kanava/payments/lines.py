"""The SQL that writes a month's resident lines: facts as known at the cut-off, integer arithmetic, one pass.

A run is a pure function of what was recorded before its cut-off. For the month itself every line is an
original. For months closed earlier it computes again what facts recorded since then have touched, and where
the outcome differs from what stands in the books it writes the pair: a refund of what stood and a correction
with what holds now (settled question 1 of the design).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kanava.common.clock import add_months
from kanava.common.contracts.registry import CompensationTerms
from kanava.common.db import Tx, rows

from .domain.capitation import bands_on, days_until

NO_SOURCE = UUID(int=0)


@dataclass(frozen=True)
class Month:
    """A month of an area as a run sees it; `previous_cut_off` is None for the first run of the area."""

    run_id: UUID
    area: str
    first: date
    cut_off: datetime
    previous_cut_off: datetime | None

    @property
    def end(self) -> date:
        """The first day after the month."""
        return add_months(self.first, 1)


SCHEMES = """
SELECT newest.municipality, m.terms, m.document_id
FROM (SELECT DISTINCT ON (municipality) municipality, phase, compensation_model FROM scheme_phase
      WHERE area = %(area)s AND recorded_at < %(cut_off)s AND entered_on < %(end)s
      ORDER BY municipality, version DESC) newest
JOIN model m ON m.document_id = newest.compensation_model AND m.recorded_at < %(cut_off)s
WHERE newest.phase >= 5
"""


async def stage_terms(tx: Tx, month: Month, first: date) -> None:
    """Lay out, for one month, the rate arrays of each municipality whose scheme pays (phase 5 or later)."""
    await tx.execute("DROP TABLE IF EXISTS terms")
    await tx.execute(
        "CREATE TEMP TABLE terms (municipality text, born_m date[], cents_m bigint[], born_f date[], cents_f bigint[],"
        " counts int[], whole int) ON COMMIT DROP"
    )
    known = {"area": month.area, "cut_off": month.cut_off, "end": add_months(first, 1)}
    for row in await rows(tx, SCHEMES, known):
        terms = CompensationTerms.model_validate(row["terms"])
        male, female = (bands_on(first, terms.bands, sex) for sex in ("male", "female"))
        counts = days_until(first, terms.proration)
        await tx.execute(
            "INSERT INTO terms VALUES (%s, %s::date[], %s::bigint[], %s::date[], %s::bigint[], %s::int[], %s)",
            (
                *(row["municipality"], list(male.born_from), list(male.annual_cents)),
                *(list(female.born_from), list(female.annual_cents), list(counts), counts[-1]),
            ),
        )


_STRETCH = """
SELECT s.resident_id, s.producer_id, s.unit_id, t.whole, d.days, d.days * s.coefficient_permille AS permille_days,
    CASE r.sex
        WHEN 'male' THEN t.cents_m[1 + width_bucket(r.birth_date, t.born_m)]
        ELSE t.cents_f[1 + width_bucket(r.birth_date, t.born_f)]
    END AS rate_cents
FROM span s
JOIN (SELECT unit_id, terms.* FROM unit JOIN terms USING (municipality) WHERE area = %(area)s) t
    ON t.unit_id = s.unit_id
JOIN resident r ON r.resident_id = s.resident_id
    AND r.recorded_from < %(cut_off)s AND r.recorded_until >= %(cut_off)s
CROSS JOIN LATERAL (SELECT
    t.counts[1 + greatest(least(s.until, r.lives_until, %(end)s) - %(first)s, 0)]
    - t.counts[1 + greatest(s.starts_on - %(first)s, 0)] AS days) d
WHERE s.recorded_from < %(cut_off)s AND s.recorded_until >= %(cut_off)s AND {when} AND d.days > 0 {among}
"""
_WHOLE_MONTH = "s.starts_on <= %(first)s AND (s.until IS NULL OR s.until >= %(end)s)"
_PART_OF_MONTH = "s.starts_on < %(end)s AND s.until > %(first)s AND (s.starts_on > %(first)s OR s.until < %(end)s)"
_FROM_WITHIN = "s.starts_on > %(first)s AND s.starts_on < %(end)s AND s.until IS NULL"


def capitation(among: str = "") -> str:
    """The query of a month's capitation lines: one for each resident, producer, unit and rate.

    Spans of a resident do not overlap, so one that covers the month is alone in it and needs no adding up; that is
    nearly everybody. Half up in integers: amounts are not negative, so (2n + d) / 2d is the rounding of
    `money.half_up`.
    """
    whole = _STRETCH.format(when=_WHOLE_MONTH, among=among)
    part = _STRETCH.format(when=f"({_PART_OF_MONTH} OR {_FROM_WITHIN})", among=among)
    return f"""
SELECT resident_id, producer_id, unit_id, days, permille_days, rate_cents,
       (2 * rate_cents * permille_days + 12000 * whole) / (24000 * whole) AS amount_cents
FROM (
    SELECT resident_id, producer_id, unit_id, rate_cents, whole, days, permille_days FROM ({whole}) alone
    UNION ALL
    SELECT resident_id, producer_id, unit_id, rate_cents, whole, sum(days)::int, sum(permille_days)::int
    FROM ({part}) stretch GROUP BY resident_id, producer_id, unit_id, rate_cents, whole
) listed
"""


_ORIGINALS = (
    """
INSERT INTO {partition} (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days,
                         permille_days, rate_cents, amount_cents)
SELECT %(run_id)s, resident_id, 'capitation', 'original', %(first)s, unit_id, %(no_source)s, producer_id, days,
       permille_days, rate_cents, amount_cents
FROM ("""
    + capitation()
    + """) month ORDER BY resident_id, unit_id
"""
)


async def write_capitation(tx: Tx, month: Month, partition: str) -> None:
    """Write the capitation lines of the month itself into the run's partition."""
    await stage_terms(tx, month, month.first)
    # The planner takes the conditions on recorded times for rarer than they are and would look up every resident.
    await tx.execute("SET LOCAL work_mem = '256MB'; SET LOCAL enable_nestloop = off")
    await tx.execute(_ORIGINALS.format(partition=partition), parameters(month, month.first))
    await tx.execute("SET LOCAL enable_nestloop = on")


_TOUCHED = """
CREATE TEMP TABLE touched ON COMMIT DROP AS
SELECT resident_id FROM resident WHERE recorded_from >= %(since)s AND recorded_from < %(cut_off)s
UNION SELECT resident_id FROM span WHERE recorded_from >= %(since)s AND recorded_from < %(cut_off)s
"""
_CORRECTIONS = (
    """
INSERT INTO {partition} (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days,
                         permille_days, rate_cents, amount_cents)
WITH now AS ("""
    + capitation("AND s.resident_id IN (SELECT resident_id FROM touched)")
    + """),
stood AS (
    SELECT resident_id, producer_id, unit_id, sum(days)::int AS days, sum(permille_days)::int AS permille_days,
           max(rate_cents) AS rate_cents, sum(amount_cents)::bigint AS amount_cents
    FROM line WHERE run_id = ANY(%(runs)s) AND component = 'capitation' AND for_month = %(first)s
        AND resident_id IN (SELECT resident_id FROM touched)
    GROUP BY resident_id, producer_id, unit_id HAVING sum(amount_cents) <> 0
),
changed AS (
    SELECT resident_id, unit_id, stood AS old, now AS new
    FROM stood FULL JOIN now USING (resident_id, unit_id)
    WHERE coalesce(stood.amount_cents, 0) <> coalesce(now.amount_cents, 0)
)
SELECT %(run_id)s, resident_id, 'capitation', 'refund', %(first)s, unit_id, %(no_source)s, (old).producer_id,
       -(old).days, -(old).permille_days, (old).rate_cents, -(old).amount_cents
FROM changed WHERE (old).amount_cents IS NOT NULL
UNION ALL
SELECT %(run_id)s, resident_id, 'capitation', 'correction', %(first)s, unit_id, %(no_source)s, (new).producer_id,
       (new).days, (new).permille_days, (new).rate_cents, (new).amount_cents
FROM changed WHERE (new).amount_cents IS NOT NULL
"""
)


async def write_corrections(tx: Tx, month: Month, partition: str, closed: Sequence[tuple[UUID, date]]) -> None:
    """Write refund and correction lines for closed months whose facts changed since the previous cut-off.

    `closed` are the runs of the area and their months, all before this one.
    """
    if month.previous_cut_off is None:
        return
    await tx.execute(_TOUCHED, {"since": month.previous_cut_off, "cut_off": month.cut_off})
    runs = [run_id for run_id, _ in closed]
    for _, first in closed:
        await stage_terms(tx, month, first)
        await tx.execute(_CORRECTIONS.format(partition=partition), parameters(month, first) | {"runs": runs})


def parameters(month: Month, first: date) -> dict[str, object]:
    """The parameters of a run's statements that write lines for a month."""
    return {
        "run_id": month.run_id,
        "area": month.area,
        "cut_off": month.cut_off,
        "first": first,
        "end": add_months(first, 1),
        "no_source": NO_SOURCE,
    }


SUMS = """
SELECT producer_id, component, count(*)::int AS lines, sum(amount_cents)::bigint AS amount_cents,
       (SELECT encode(sha256(convert_to(string_agg(
            concat_ws('|', resident_id, producer_id, component, kind, for_month, unit_id, source, days, permille_days,
                      rate_cents, amount_cents),
            E'\\n' ORDER BY resident_id, component, kind, for_month, unit_id, source
        ), 'UTF8')), 'hex') FROM line WHERE run_id = %(run_id)s) AS lines_digest
FROM line WHERE run_id = %(run_id)s GROUP BY producer_id, component
UNION ALL
SELECT producer_id, component, 0, sum(amount_cents)::bigint,
       (SELECT encode(sha256(convert_to(string_agg(
            concat_ws('|', producer_id, component, source, for_month, kind, amount_cents),
            E'\\n' ORDER BY producer_id, component, source, for_month, kind
        ), 'UTF8')), 'hex') FROM charge WHERE run_id = %(run_id)s)
FROM charge WHERE run_id = %(run_id)s GROUP BY producer_id, component ORDER BY producer_id, component
"""
"""Sums for each producer and component, each with the SHA-256 of the run's canonical export: all its lines in the
order of their index, so that nothing is sorted. Every cost entry of a run seals the whole run; charges, which have no
resident lines, are sealed by an export of their own."""
