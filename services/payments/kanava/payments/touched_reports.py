"""The SQL that finds the reports of earlier months that a run reads again, so that fees and vouchers read no others.

What a report earns follows from its version, its producer's contracts, the price of its node, its unit and the scheme
of that, its package and the vouchers of its resident. Where something of these became known since the previous run,
the report is touched; the first run of an area has no previous one, so that all of earlier months are.
"""

from collections.abc import Mapping

from kanava.common.db import Tx

from .lines import parameters
from .month import Month
from .prices import has_totals

_FRESH = "{t}.recorded_at >= %(since)s AND {t}.recorded_at < %(cut_off)s"
_NEWS: Mapping[str, tuple[str, str]] = {
    "fresh_node": (
        f"""
    SELECT node, min(valid_from) AS begins FROM (
        SELECT p.node, p.valid_from FROM price p WHERE p.area = %(area)s AND {_FRESH.format(t="p")}
        UNION ALL
        SELECT c.code, p.valid_from FROM price p JOIN care_criterion c ON split_part(c.package_id, ':', 1) = p.node
        WHERE p.area = %(area)s AND p.price_basis = 'package_total'
            AND (({_FRESH.format(t="p")}) OR ({_FRESH.format(t="c")}))
    ) priced GROUP BY node""",
        "v.node = n.node",
    ),
    "fresh_contract": (
        f"""
    SELECT producer_id, min(starts_on) AS begins FROM contract_version WHERE contract_id IN (
        SELECT contract_id FROM contract_version c WHERE c.area = %(area)s AND {_FRESH.format(t="c")}
    ) GROUP BY producer_id""",
        "v.producer_id = n.producer_id",
    ),
    "fresh_unit": (
        f"""
    SELECT unit_id, min(begins) AS begins FROM (
        SELECT u.unit_id, '-infinity'::date AS begins FROM unit u WHERE {_FRESH.format(t="u")}
        UNION ALL
        SELECT u.unit_id, s.entered_on FROM scheme_phase s
        JOIN unit u ON u.area <> s.area OR u.municipality = s.municipality
        WHERE s.area = %(area)s AND {_FRESH.format(t="s")}
        UNION ALL
        SELECT u.unit_id, k.month FROM kind_turned k JOIN unit u USING (producer_id, municipality)
        WHERE k.kind = 'fee'
    ) known GROUP BY unit_id""",
        "v.unit_id = n.unit_id",
    ),
    "fresh_voucher": (
        """
    SELECT resident_id, min(starts_on) AS begins, max(until) AS until FROM voucher
    WHERE area = %(area)s AND voucher_id IN (
        SELECT voucher_id FROM voucher WHERE recorded_from >= %(since)s AND recorded_from < %(cut_off)s
    ) GROUP BY voucher_id, resident_id""",
        "v.resident_id = n.resident_id AND v.performed_on < n.until",
    ),
}
"""What became known since the previous run: of what, from which day on it matters, and of which reports `v`."""

_TOUCHED_BY = """
UNION SELECT v.production_id FROM {news} n JOIN visit v ON {match} AND v.performed_on >= n.begins
WHERE v.area = %(area)s AND v.performed_on < %(first)s AND v.performed_on >= (SELECT min(begins) FROM {news})
"""
_TOUCHED = f"""
CREATE TEMP TABLE touched_report ON COMMIT DROP AS
WITH {", ".join(f"{name} AS MATERIALIZED ({query})" for name, (query, _) in _NEWS.items())}
SELECT v.production_id FROM (
    SELECT production_id, version, area, performed_on FROM visit
    WHERE recorded_from >= %(since)s AND recorded_from < %(cut_off)s OFFSET 0
) v
WHERE (v.version > 1 OR v.performed_on < %(first)s)
    AND (v.area = %(area)s OR v.version > 1 AND EXISTS (
        SELECT FROM visit o WHERE o.production_id = v.production_id AND o.area = %(area)s))
{"".join(_TOUCHED_BY.format(news=name, match=match) for name, (_, match) in _NEWS.items())}
"""
"""What was recorded is read by its times alone: the key and the area would be searched through all the years."""
_CLIENTS = """
INSERT INTO touched_report
WITH package_node AS MATERIALIZED (
    SELECT node FROM price WHERE area = %(area)s AND price_basis = 'package_total' AND recorded_at < %(cut_off)s
    UNION
    SELECT c.code FROM price p JOIN care_criterion c ON split_part(c.package_id, ':', 1) = p.node
    WHERE p.area = %(area)s AND p.price_basis = 'package_total' AND p.recorded_at < %(cut_off)s
), client AS MATERIALIZED (
    SELECT v.resident_id, v.performed_on FROM touched_report JOIN visit v USING (production_id)
    WHERE v.node IN (SELECT node FROM package_node)
    UNION
    SELECT v.resident_id, v.performed_on FROM visit v
    WHERE v.area = %(area)s AND v.performed_on >= %(first)s AND v.performed_on < %(end)s
        AND v.node IN (SELECT node FROM package_node)
)
SELECT v.production_id FROM visit v
WHERE v.area = %(area)s AND v.performed_on < %(end)s
    AND v.performed_on >= (SELECT date_trunc('year', min(performed_on))::date FROM client)
    AND v.node IN (SELECT node FROM package_node) AND v.resident_id IN (SELECT resident_id FROM client)
EXCEPT SELECT production_id FROM touched_report
"""
"""Of a client of a package, all reports of the year: which of them earns the total price depends on the others."""
KNOWN = """v.area = %(area)s AND v.recorded_from < %(cut_off)s AND v.recorded_until >= %(cut_off)s
        AND v.performed_on + 0 < %(end)s"""
"""The version of a report `v` of the area that a run sees. Its end stands apart from its beginning, since the planner
takes a range that it has no statistics of for far rarer than it is."""
_VISITS = f"""
CREATE TEMP TABLE touched_visit ON COMMIT DROP AS
SELECT v.* FROM touched_report JOIN visit v USING (production_id) WHERE {KNOWN}
"""
_BEFORE = """
CREATE TEMP TABLE touched_before ON COMMIT DROP AS
SELECT DISTINCT v.production_id, v.resident_id FROM touched_report JOIN visit v USING (production_id)
WHERE v.area = %(area)s AND v.recorded_from < %(since)s
"""


async def stage_touched_reports(tx: Tx, month: Month) -> bool:
    """Lay out `touched_report`, their versions that the run sees as `touched_visit`, and as `touched_before` whose
    they were when earlier runs saw them; whether there is any. `allowed_kinds.stage_refused_kinds` comes before.
    """
    known = parameters(month, month.first)
    # The planner takes what is new for rarer than it is, and would read the earlier months once for each contract.
    await tx.execute("SET LOCAL enable_nestloop = off")
    touched = (await tx.execute(_TOUCHED, known)).rowcount
    await tx.execute("SET LOCAL enable_nestloop = on")
    if await has_totals(tx, known):
        await tx.execute("ANALYZE touched_report")
        touched += (await tx.execute(_CLIENTS, known)).rowcount
    await tx.execute("ANALYZE touched_report")
    for staged in (_VISITS, _BEFORE):
        await tx.execute(staged, known)
    await tx.execute("ANALYZE touched_visit, touched_before")
    return touched > 0
