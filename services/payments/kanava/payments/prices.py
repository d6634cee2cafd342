"""The SQL that prices a report: `domain.prices` for a whole month at once, and why a report is not paid."""

from kanava.common.db import Tx, one

_CLOSED = """(
        SELECT coalesce(min(r.cut_off), 'infinity') AS at FROM run r
        WHERE r.area = {area} AND r.month >= date_trunc('month', {visit}.performed_on)::date OFFSET 0
    )"""
_NEEDS_REFERRAL = """coalesce((
            SELECT c.needs_referral FROM care_criterion c WHERE c.code = {visit}.node
                AND c.valid_from <= {visit}.performed_on
                AND c.recorded_at < least({at}, closed.at)
            ORDER BY c.valid_from DESC, c.number DESC LIMIT 1), false)"""
_RATE = (
    f"""
    SELECT p.price_id, p.price_cents, p.price_basis, p.node AS package,
        p.total_price ->> 'counted_each' AS counted_each, {_NEEDS_REFERRAL} AS needs_referral
    FROM {_CLOSED} closed CROSS JOIN price p"""
    + """
    CROSS JOIN LATERAL (
        SELECT p.correction_reason IS NOT NULL OR p.recorded_at < closed.at AS known) reaches
    WHERE p.area = {area} AND {matches}
        AND p.valid_from <= {visit}.performed_on AND p.recorded_at < {at}
    ORDER BY reaches.known DESC, CASE WHEN NOT reaches.known THEN p.recorded_at END, p.valid_from DESC, p.version DESC
    LIMIT 1
"""
)
"""The price in force for a node, a unit of measure and a day: the same for all reports that agree in these."""

_OWN = "p.node = {visit}.node AND p.unit_of_measure = {visit}.unit_of_measure AND p.price_basis <> 'package_total'"

_EARNED = """
        CASE WHEN {rate}.price_basis = 'package_total' THEN {rate}.price_cents
            WHEN {rate}.price_basis IN ('drg_weight', 'pdrg_weight')
            THEN (2 * {rate}.price_cents * {visit}.quantity * {visit}.weight_ten_thousandths + 10000) / 20000
            ELSE {rate}.price_cents * {visit}.quantity END AS fee_cents,
        CASE WHEN {rate}.price_basis IN ('drg_weight', 'pdrg_weight') AND {visit}.weight_ten_thousandths IS NULL
            THEN 'no_weight'
            WHEN {visit}.referral_id IS NULL AND {rate}.needs_referral THEN 'no_referral' END AS why
"""
"""What a report earns by a rate, and why it does not."""

_FEE = "LATERAL (SELECT rate.*, " + _EARNED.format(rate="rate", visit="{visit}") + f" FROM ({_RATE}) rate)"


def closed_at(*, visit: str = "v", area: str = "v.area") -> str:
    """A table of one row: the instant `at` from which what becomes known comes late for the month of a report.

    That is the cut-off of the month's own run, or of the area's first run where that has a later month.
    """
    return _CLOSED.format(visit=visit, area=area)


def needs_referral(*, visit: str = "v", at: str) -> str:
    """Whether a report's node asks for a referral, as known at an instant; `closed` is a row of `closed_at`."""
    return _NEEDS_REFERRAL.format(visit=visit, at=at)


def fee_of(*, visit: str = "v", area: str = "v.area", at: str) -> str:
    """A lateral table of one row, or none without a price: what a report, a row named `visit`, earns as known at an
    instant, and `why` it is not paid, if it is not."""
    return _FEE.format(visit=visit, area=area, at=at, matches=_OWN.format(visit=visit))


def total_of(*, visit: str = "v", area: str = "v.area", at: str) -> str:
    """As `fee_of`, by the total price (kokonaishinta) of the package that the report's node belongs to."""
    package = (
        f"p.price_basis = 'package_total' AND (p.node = {visit}.node OR p.node IN (SELECT"
        f" split_part(c.package_id, ':', 1) FROM care_criterion c WHERE c.code = {visit}.node"
        f" AND c.recorded_at < {at}))"
    )
    return _FEE.format(visit=visit, area=area, at=at, matches=package)


_RATES = """
    SELECT asked.*, rate.* FROM (
        SELECT DISTINCT node, unit_of_measure, performed_on FROM {visits} v WHERE {reported}
    ) asked
    CROSS JOIN LATERAL ({rate}) rate
"""


def rates_of(visits: str, reported: str) -> str:
    """The price in force of each node, unit of measure and day among the reports `v` of a table that meet a condition.

    Thousands of reports share a rate, so it is looked up once and joined.
    """
    own = _OWN.format(visit="asked")
    rate = _RATE.format(visit="asked", area="%(area)s", at="%(cut_off)s", matches=own)
    return _RATES.format(visits=visits, reported=reported, rate=rate)


def earned(*, visit: str, rate: str) -> str:
    """A lateral table of one row: what a report earns at a rate of `rates_of`, and `why` it is not paid."""
    return f"LATERAL (SELECT {_EARNED.format(visit=visit, rate=rate)})"


_TREATED = """
    UNION ALL
    SELECT resident_id, unit_id, producer_id, source, node, for_month, price_cents,
        CASE WHEN row_number() OVER (PARTITION BY resident_id, package, counted_each,
            date_trunc(counted_each, performed_on) ORDER BY performed_on, source) = 1 THEN fee_cents ELSE 0 END,
        client_fee_cents
    FROM (
        SELECT v.resident_id, v.unit_id, v.producer_id, v.production_id AS source, v.node, v.performed_on,
            date_trunc('month', v.performed_on)::date AS for_month, -v.client_fee_cents::bigint AS client_fee_cents,
            p.price_cents, p.fee_cents, p.package, p.counted_each
        FROM touched_visit v
        JOIN {total} p ON p.why IS NULL
        WHERE {reported} AND NOT EXISTS (SELECT FROM {fee} f)
    ) package_report
"""


async def has_totals(tx: Tx, month: dict[str, object]) -> bool:
    """Whether the area of a run, whose parameters are `month`, has a total price that it knows."""
    known = "SELECT FROM price WHERE area = %(area)s AND price_basis = 'package_total' AND recorded_at < %(cut_off)s"
    return await one(tx, f"{known} LIMIT 1", month) is not None


async def treated_clients(tx: Tx, month: dict[str, object], reported: str) -> str:
    """The part of a month's claims that counts treated clients: each once in each month or year of a package, with
    the first service; the others earn no more. Empty where the area has no total price. All reports that count are
    among those touched.

    `reported` are the conditions by which reports `v` count in the run whose parameters are `month`.
    """
    if not await has_totals(tx, month):
        return ""
    at = "%(cut_off)s"
    return _TREATED.format(total=total_of(at=at), fee=fee_of(at=at), reported=reported)
