"""The SQL by which a run claims back for residents what they paid above the yearly ceiling (maksukatto).

Fees count as reported by producers and known at the cut-off, from every area, in the order of the day of service;
a run claims what of its own area's fees lies above. Only families with fees of the month or something new since the
previous cut-off are computed, and all of a year until its first claim, since its ceiling may have become known late;
only the difference to what earlier runs claimed is written, so nothing is claimed twice and a fee that is corrected
corrects the claim. A self-pay of a voucher is no client fee (settled question 22). `domain.ceilings` is the same rule
in words.
"""

from collections.abc import Sequence
from uuid import UUID

from kanava.common.db import Tx, one

from .domain import chart
from .figures import fee_ceilings
from .month import Month
from .vouchers import covered

_FAMILIES = """
CREATE TEMP TABLE ceiling_family ON COMMIT DROP AS
WITH unclaimed AS (
    SELECT y FROM unnest(%(years)s::int[]) y WHERE NOT EXISTS (
        SELECT FROM ceiling_claim c WHERE c.area = %(area)s AND c.year = y AND c.run_id = ANY(%(runs)s))
), fresh AS (
    SELECT resident_id FROM visit
    WHERE area = %(area)s AND performed_on >= %(first)s AND performed_on < %(end)s AND client_fee_cents > 0
        AND recorded_from < %(cut_off)s
        AND NOT EXISTS (SELECT FROM unclaimed WHERE y = extract(year FROM %(first)s::date))
    UNION
    SELECT known.resident_id FROM (
        SELECT production_id FROM visit WHERE recorded_from >= %(since)s AND recorded_from < %(cut_off)s
            AND (version > 1 OR performed_on < %(first)s) OFFSET 0
    ) late CROSS JOIN LATERAL (
        SELECT resident_id FROM visit v WHERE v.production_id = late.production_id AND client_fee_cents > 0 OFFSET 0
    ) known
    UNION
    SELECT resident_id FROM unclaimed
    JOIN visit ON performed_on >= make_date(y, 1, 1) AND performed_on < make_date(y + 1, 1, 1)
    WHERE area = %(area)s AND client_fee_cents > 0 AND recorded_from < %(cut_off)s
    UNION
    SELECT resident_id FROM voucher WHERE recorded_from >= %(since)s AND recorded_from < %(cut_off)s
    UNION
    SELECT resident_id FROM resident WHERE guardian_id IS NOT NULL AND recorded_from < %(cut_off)s
        AND (recorded_from >= %(since)s OR (recorded_until >= %(since)s AND recorded_until < %(cut_off)s))
)
SELECT resident_id AS payee_id FROM fresh
UNION SELECT r.guardian_id FROM fresh JOIN resident r USING (resident_id) WHERE r.guardian_id IS NOT NULL
"""
"""A fee of the month in another area moves claims for later days alone, and those are of the month too; so of other
areas only what came late or was corrected is looked at."""
_CLAIMS = f"""
INSERT INTO ceiling_claim (run_id, area, resident_id, payee_id, year, ceiling_cents, amount_cents)
WITH member AS (
    SELECT payee_id AS resident_id FROM ceiling_family
    UNION SELECT r.resident_id FROM resident r JOIN ceiling_family f ON f.payee_id = r.guardian_id
        WHERE r.recorded_from < %(cut_off)s AND r.recorded_until >= %(cut_off)s
), paid AS (
    SELECT v.production_id, v.resident_id, v.area, v.performed_on, v.client_fee_cents::bigint AS cents,
        extract(year FROM v.performed_on)::int AS year,
        CASE WHEN r.birth_date + interval '18 years' > v.performed_on THEN coalesce(r.guardian_id, v.resident_id)
             ELSE v.resident_id END AS payee_id
    FROM member JOIN visit v USING (resident_id)
    LEFT JOIN resident r ON r.resident_id = v.resident_id
        AND r.recorded_from < %(cut_off)s AND r.recorded_until >= %(cut_off)s
    WHERE v.client_fee_cents > 0 AND v.performed_on < %(end)s
        AND v.recorded_from < %(cut_off)s AND v.recorded_until >= %(cut_off)s
        AND NOT {covered(at="%(cut_off)s")}
), over AS (
    SELECT resident_id, payee_id, year, area, ceiling_cents,
        least(cents, sum(cents) OVER (PARTITION BY payee_id, year ORDER BY performed_on, production_id)
                     - ceiling_cents) AS cents
    FROM paid JOIN ceiling_family USING (payee_id)
    JOIN unnest(%(years)s::int[], %(ceilings)s::bigint[]) AS c (year, ceiling_cents) USING (year)
), holds AS (
    SELECT resident_id, payee_id, year, max(ceiling_cents) AS ceiling_cents, sum(cents)::bigint AS cents
    FROM over WHERE area = %(area)s AND cents > 0 GROUP BY resident_id, payee_id, year
), stood AS (
    SELECT resident_id, payee_id, year, max(ceiling_cents) AS ceiling_cents, sum(amount_cents)::bigint AS cents
    FROM ceiling_claim JOIN ceiling_family USING (payee_id)
    WHERE area = %(area)s AND run_id = ANY(%(runs)s) GROUP BY resident_id, payee_id, year
)
SELECT %(run_id)s, %(area)s, resident_id, payee_id, year, coalesce(holds.ceiling_cents, stood.ceiling_cents),
       coalesce(holds.cents, 0) - coalesce(stood.cents, 0)
FROM holds FULL JOIN stood USING (resident_id, payee_id, year)
WHERE coalesce(holds.cents, 0) <> coalesce(stood.cents, 0)
"""
_SUM = """
SELECT coalesce(sum(amount_cents) FILTER (WHERE amount_cents > 0), 0)::bigint AS more_cents,
       coalesce(-sum(amount_cents) FILTER (WHERE amount_cents < 0), 0)::bigint AS less_cents,
       encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', resident_id, payee_id, year, amount_cents),
            E'\\n' ORDER BY resident_id, payee_id, year), ''), 'UTF8')), 'hex') AS digest
FROM ceiling_claim WHERE run_id = %(run_id)s
"""


async def write_ceiling_claims(tx: Tx, month: Month, earlier_runs: Sequence[UUID]) -> list[chart.Draft]:
    """Write the claims of a run and answer with the entry that books them; none where nobody's changed."""
    ceilings = fee_ceilings()
    known = {
        "run_id": month.run_id,
        "area": month.area,
        "first": month.first,
        "end": month.end,
        "cut_off": month.cut_off,
        "since": month.since,
        "runs": list(earlier_runs),
        "years": list(ceilings),
        "ceilings": list(ceilings.values()),
    }
    if not (await tx.execute(_FAMILIES, known)).rowcount or not (await tx.execute(_CLAIMS, known)).rowcount:
        return []
    row = await one(tx, _SUM, known)
    assert row is not None, "a sum has one row"
    return [chart.ceiling_claims(run_id=month.run_id, **row)]


async def flaw_of_claims(tx: Tx, draft: chart.Draft) -> str | None:
    """What is wrong with the claims behind an entry: None where they are those that it seals."""
    row = await one(tx, _SUM, {"run_id": draft.reference})
    assert row is not None, "a sum has one row"
    return None if row["digest"] == draft.lines_digest else "its claims above the ceiling were changed"


async def unsealed_claims(tx: Tx, area: str) -> bool:
    """Whether an area has claims of a run whose claims no entry books."""
    known = "SELECT FROM entry e WHERE e.area = c.area AND e.kind = 'ceiling' AND e.reference = c.run_id"
    query = f"SELECT FROM ceiling_claim c WHERE c.area = %s AND NOT EXISTS ({known}) LIMIT 1"
    return await one(tx, query, (area,)) is not None
