"""The SQL that writes a month's resident lines: facts as known at the cut-off, integer arithmetic, one pass.

A run is a pure function of what was recorded before its cut-off. For the month itself every line is an
original. For months closed earlier it computes again what facts recorded since then have touched, and where
the outcome differs from what stands in the books it writes the pair: a refund of what stood and a correction
with what holds now (settled question 1 of the design).
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import add_months
from kanava.common.contracts.registry import CompensationTerms
from kanava.common.db import Tx, one, rows

from .allowed_kinds import not_refused
from .domain.capitation import bands_on, days_since, days_until
from .month import SCHEMES, Month

NO_SOURCE = UUID(int=0)


_TERMS = """
CREATE TEMP TABLE terms (for_month date, after date, unit_id text, born_m date[], cents_m bigint[], born_f date[],
                         cents_f bigint[], counts int[], whole int) ON COMMIT DROP
"""
_ADD_TERMS = (
    "INSERT INTO terms SELECT %s, %s, unit_id, %s::date[], %s::bigint[], %s::date[], %s::bigint[], %s::int[], %s"
    " FROM unit WHERE area = %s AND municipality = %s AND recorded_at < %s AND "
    + not_refused("capitation", month="%s", producer="unit.producer_id", municipality="unit.municipality")
)


async def stage_terms(tx: Tx, month: Month, firsts: Sequence[date]) -> list[str]:
    """Lay out the rates of each unit whose municipality's scheme pays (phase 5 or later) in some months; the units.

    A producer whose contracts are of classes to which the model pays no capitation has none (`stage_refused_kinds`).
    Days before the scheme entered phase 5 do not count.
    """
    await tx.execute("DROP TABLE IF EXISTS terms")
    await tx.execute(_TERMS)
    for first in firsts:
        known = {"area": month.area, "cut_off": month.cut_off, "end": add_months(first, 1)}
        for row in await rows(tx, SCHEMES, known):
            terms = CompensationTerms.model_validate(row["terms"])
            male, female = (bands_on(first, terms.bands, sex) for sex in ("male", "female"))
            whole = days_until(first, terms.proration)
            counts = days_since(first, whole, row["pays_from"])
            await tx.execute(
                _ADD_TERMS,
                (
                    *(first, known["end"], list(male.born_from), list(male.annual_cents), list(female.born_from)),
                    *(list(female.annual_cents), list(counts), whole[-1]),
                    *(month.area, row["municipality"], month.cut_off, first),
                ),
            )
    await tx.execute("ANALYZE terms")
    return [row["unit_id"] for row in await rows(tx, "SELECT DISTINCT unit_id FROM terms")]


_KNOWN_RESIDENT = """SELECT resident_id, birth_date, sex, lives_until FROM resident r
    WHERE r.recorded_from < %(cut_off)s AND r.recorded_until >= %(cut_off)s"""
_ONE_BY_ONE = f"CROSS JOIN LATERAL ({_KNOWN_RESIDENT} AND r.resident_id = s.resident_id LIMIT 1) r"
_AT_HOME_OR_AWAY = f"""
LEFT JOIN ({_KNOWN_RESIDENT} AND r.area = %(area)s) home ON home.resident_id = s.resident_id
LEFT JOIN LATERAL ({_KNOWN_RESIDENT} AND r.resident_id = s.resident_id AND home.resident_id IS NULL LIMIT 1) away
    ON true
JOIN LATERAL (SELECT coalesce(home.birth_date, away.birth_date) AS birth_date, coalesce(home.sex, away.sex) AS sex,
    coalesce(home.lives_until, away.lives_until) AS lives_until) r ON r.sex IS NOT NULL
"""
"""The residents of the area are read at once; who lives elsewhere and is listed here is looked up."""
_STRETCHES = """
SELECT s.resident_id, s.producer_id, s.unit_id, t.for_month, t.whole, d.days,
    d.days * s.coefficient_permille AS permille_days,
    CASE s.sex
        WHEN 'male' THEN t.cents_m[1 + width_bucket(s.birth_date, t.born_m)]
        ELSE t.cents_f[1 + width_bucket(s.birth_date, t.born_f)]
    END AS rate_cents
FROM (
    SELECT s.resident_id, s.producer_id, s.unit_id, s.starts_on, s.until, s.coefficient_permille,
        r.birth_date, r.sex, r.lives_until
    FROM span s {resident}
    WHERE s.unit_id = ANY(%(units)s) AND s.recorded_from < %(cut_off)s AND s.recorded_until >= %(cut_off)s
        AND {when}
    OFFSET 0
) s
JOIN terms t ON t.unit_id = s.unit_id
CROSS JOIN LATERAL (SELECT
    t.counts[1 + greatest(least(s.until, s.lives_until, t.after) - t.for_month, 0)]
    - t.counts[1 + greatest(s.starts_on - t.for_month, 0)] AS days) d
WHERE d.days > 0
"""
"""What spans have of the staged months. The terms, which are wide, come in last."""
_COVERING = "s.starts_on <= %(from)s AND (s.until IS NULL OR s.until >= %(before)s)"
_WITHIN = "s.starts_on < %(before)s AND (s.until IS NULL OR s.until > %(from)s)"
_COLUMNS = "resident_id, producer_id, unit_id, for_month, rate_cents, whole"


def _stretches(resident: str, when: str) -> str:
    return _STRETCHES.format(resident=resident, when=when)


def _added_up(stretches: str) -> str:
    """One row for each resident, producer, unit, month and rate."""
    return (
        f"SELECT {_COLUMNS}, sum(days)::int AS days, sum(permille_days)::int AS permille_days"
        f" FROM ({stretches}) stretch GROUP BY {_COLUMNS}"
    )


def _capitation(listed: str) -> str:
    """Half up in integers: amounts are not negative, so (2n + d) / 2d is the rounding of `money.half_up`."""
    return f"""
SELECT resident_id, producer_id, unit_id, for_month, days, permille_days, rate_cents,
       (2 * rate_cents * permille_days + 12000 * whole) / (24000 * whole) AS amount_cents
FROM ({listed}) listed
"""


_WHOLE = _stretches(_AT_HOME_OR_AWAY, _COVERING)
_PART = _stretches(_ONE_BY_ONE, f"{_WITHIN} AND (s.starts_on > %(from)s OR s.until < %(before)s)")
_MONTH = _capitation(f"SELECT {_COLUMNS}, days, permille_days FROM ({_WHOLE}) alone UNION ALL {_added_up(_PART)}")
"""Spans of a resident do not overlap, so one that covers the month is alone in it; that is nearly everybody."""
_ORIGINALS = f"""
INSERT INTO {{partition}} (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days,
                         permille_days, rate_cents, amount_cents)
SELECT %(run_id)s, resident_id, 'capitation', 'original', for_month, unit_id, %(no_source)s, producer_id, days,
       permille_days, rate_cents, amount_cents
FROM ({_MONTH}) month ORDER BY resident_id, unit_id
"""


async def write_capitation(tx: Tx, month: Month, partition: str) -> None:
    """Write the capitation lines of the month itself into the run's partition."""
    units = await stage_terms(tx, month, [month.first])
    # The planner takes the conditions on recorded times for rarer than they are and would look up every resident.
    await tx.execute("SET LOCAL work_mem = '256MB'; SET LOCAL enable_nestloop = off")
    known = parameters(month, month.first) | {"units": units, "from": month.first, "before": month.end}
    await tx.execute(_ORIGINALS.format(partition=partition), known)
    await tx.execute("SET LOCAL enable_nestloop = on")


_TOUCHED = """
CREATE TEMP TABLE touched ON COMMIT DROP AS
WITH fresh_unit AS (
    SELECT unit_id FROM unit WHERE area = %(area)s AND recorded_at < %(cut_off)s
        AND (recorded_at >= %(since)s OR municipality IN (
            SELECT s.municipality FROM scheme_phase s LEFT JOIN model m ON m.document_id = s.compensation_model
            WHERE s.area = %(area)s AND s.entered_on < %(first)s
                AND greatest(s.recorded_at, m.recorded_at) >= %(since)s
                AND greatest(s.recorded_at, m.recorded_at) < %(cut_off)s)
            OR (producer_id, municipality) IN (
                SELECT producer_id, municipality FROM kind_turned WHERE kind = 'capitation'))
)
SELECT resident_id FROM (
    SELECT resident_id FROM resident WHERE recorded_from >= %(since)s AND recorded_from < %(cut_off)s
    UNION SELECT resident_id FROM span WHERE recorded_from >= %(since)s AND recorded_from < %(cut_off)s
    UNION SELECT resident_id FROM span JOIN fresh_unit USING (unit_id)
) fresh
WHERE EXISTS (SELECT FROM span JOIN unit USING (unit_id) WHERE resident_id = fresh.resident_id AND area = %(area)s)
"""
"""Residents of whom, or of whose unit, its scheme, its model or whether that pays its producer's contracts for a closed
month, something became known since the previous run, and who ever were listed in the area."""
_AMONG_TOUCHED = _stretches(_ONE_BY_ONE, f"{_WITHIN} AND s.resident_id IN (SELECT resident_id FROM touched)")
_CORRECTIONS = f"""
INSERT INTO {{partition}} (run_id, resident_id, component, kind, for_month, unit_id, source, producer_id, days,
                         permille_days, rate_cents, amount_cents)
WITH now AS ({_capitation(_added_up(_AMONG_TOUCHED))}),
stood AS (
    SELECT resident_id, producer_id, unit_id, for_month, sum(days)::int AS days,
           sum(permille_days)::int AS permille_days,
           sum(CASE kind WHEN 'refund' THEN -rate_cents ELSE rate_cents END)::bigint AS rate_cents,
           sum(amount_cents)::bigint AS amount_cents
    FROM touched CROSS JOIN LATERAL (
        SELECT l.producer_id, l.unit_id, l.for_month, l.kind, l.days, l.permille_days, l.rate_cents, l.amount_cents
        FROM line l
        WHERE l.run_id = ANY(%(runs)s) AND l.resident_id = touched.resident_id AND l.component = 'capitation'
            AND l.amount_cents <> 0 OFFSET 0
    ) l
    GROUP BY resident_id, producer_id, unit_id, for_month HAVING sum(amount_cents) <> 0
),
changed AS (
    SELECT resident_id, unit_id, for_month, stood AS old, now AS new
    FROM stood FULL JOIN now USING (resident_id, unit_id, for_month)
    WHERE coalesce(stood.amount_cents, 0) <> coalesce(now.amount_cents, 0)
)
SELECT %(run_id)s, resident_id, 'capitation', 'refund', for_month, unit_id, %(no_source)s, (old).producer_id,
       -(old).days, -(old).permille_days, (old).rate_cents, -(old).amount_cents
FROM changed WHERE (old).amount_cents IS NOT NULL
UNION ALL
SELECT %(run_id)s, resident_id, 'capitation', 'correction', for_month, unit_id, %(no_source)s, (new).producer_id,
       (new).days, (new).permille_days, (new).rate_cents, (new).amount_cents
FROM changed WHERE (new).amount_cents IS NOT NULL
"""
"""A few residents, each looked up in the books of all months that are closed. A refund has the rate of what it takes
back, so of the rates, as of the cents, what stands is left."""


async def write_corrections(tx: Tx, month: Month, partition: str, closed: Sequence[tuple[UUID, date]]) -> None:
    """Write refund and correction lines for closed months whose facts changed since the previous cut-off.

    `closed` are the runs of the area and their months, all before this one.
    """
    if month.previous_cut_off is None:
        return
    known = parameters(month, month.first) | {"runs": [run for run, _ in closed]}
    if not (await tx.execute(_TOUCHED, known)).rowcount:
        return
    await tx.execute("ANALYZE touched")
    units = await stage_terms(tx, month, [first for _, first in closed])
    known |= {"units": units, "from": closed[0][1], "before": month.first}
    await tx.execute(_CORRECTIONS.format(partition=partition), known)


def parameters(month: Month, first: date) -> dict[str, object]:
    """The parameters of a run's statements that write lines for a month."""
    return {
        "run_id": month.run_id,
        "area": month.area,
        "cut_off": month.cut_off,
        "since": month.since,
        "first": first,
        "end": add_months(first, 1),
        "no_source": NO_SOURCE,
    }


_BEGUN = """
SELECT DISTINCT resident_id FROM line WHERE run_id = %(run_id)s AND get_byte(uuid_send(resident_id), 15) = 0
    AND coalesce((SELECT sealed_in_parts FROM run WHERE run_id = %(run_id)s), true) ORDER BY resident_id
"""
_DIGEST = """
SELECT CASE count(digest) WHEN 1 THEN min(digest)
       ELSE encode(sha256(convert_to(string_agg(digest, E'\\n' ORDER BY since), 'UTF8')), 'hex') END AS lines_digest
FROM unnest(%(since)s::uuid[], %(until)s::uuid[]) AS part (since, until) CROSS JOIN LATERAL (
    SELECT encode(sha256(convert_to(string_agg(
        concat_ws('|', resident_id, producer_id, component, kind, for_month, unit_id, source, days, permille_days,
                  rate_cents, amount_cents),
        E'\\n' ORDER BY resident_id, component, kind, for_month, unit_id, source
    ), 'UTF8')), 'hex') AS digest
    FROM line WHERE run_id = %(run_id)s AND resident_id BETWEEN since AND until
        AND (resident_id < until OR until = %(last)s)
) hashed
"""
_SUMS = """
SELECT producer_id, component, count(*)::int AS lines, sum(amount_cents)::bigint AS amount_cents,
       %(lines_digest)s::text AS lines_digest
FROM line WHERE run_id = %(run_id)s GROUP BY producer_id, component
UNION ALL
SELECT producer_id, component, 0, sum(amount_cents)::bigint,
       (SELECT encode(sha256(convert_to(string_agg(
            concat_ws('|', producer_id, component, source, for_month, kind, amount_cents),
            E'\\n' ORDER BY producer_id, component, source, for_month, kind
        ), 'UTF8')), 'hex') FROM charge WHERE run_id = %(run_id)s)
FROM charge WHERE run_id = %(run_id)s GROUP BY producer_id, component ORDER BY producer_id, component
"""
_FIRST_ID, _LAST_ID = UUID(int=0), UUID(int=2**128 - 1)


async def sums(tx: Tx, run_id: UUID) -> list[DictRow]:
    """Sums of a run for each producer and component, each with the SHA-256 of the run's canonical export: all its
    lines in the order of their index, so that nothing is sorted.

    Every cost entry of a run seals the whole run; charges, which have no resident lines, are sealed by an export of
    their own. An export of several parts is the SHA-256 of theirs, and a part begins with each resident whose id ends
    in `00` (ADR 21).
    """
    begun = [row["resident_id"] for row in await rows(tx, _BEGUN, {"run_id": run_id})]
    parts = {"since": [_FIRST_ID, *begun], "until": [*begun, _LAST_ID], "last": _LAST_ID}
    # The planner takes a part for a ninth of all lines, and would read all of them for each.
    await tx.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    sealed = await one(tx, _DIGEST, {"run_id": run_id} | parts)
    await tx.execute("SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on")
    assert sealed is not None, "an aggregate has one row"
    return await rows(tx, _SUMS, {"run_id": run_id, "lines_digest": sealed["lines_digest"]})
