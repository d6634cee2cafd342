"""The SQL that prices a report: `domain.prices` for a whole month at once, and why a report is not paid."""

_FEE = """LATERAL (
    SELECT p.price_id, p.price_cents, CASE WHEN p.price_basis IN ('drg_weight', 'pdrg_weight')
            THEN (2 * p.price_cents * {visit}.quantity * {visit}.weight_ten_thousandths + 10000) / 20000
            ELSE p.price_cents * {visit}.quantity END AS fee_cents,
        CASE WHEN p.price_basis IN ('drg_weight', 'pdrg_weight') AND {visit}.weight_ten_thousandths IS NULL
            THEN 'no_weight'
            WHEN {visit}.referral_id IS NULL AND (
                SELECT c.needs_referral FROM care_criterion c WHERE c.code = {visit}.node
                    AND c.valid_from <= {visit}.performed_on
                    AND c.recorded_at < least({at}, coalesce({closed_at}, 'infinity'))
                ORDER BY c.valid_from DESC, c.number DESC LIMIT 1)
            THEN 'no_referral' END AS why
    FROM price p CROSS JOIN LATERAL (
        SELECT p.correction_reason IS NOT NULL OR p.recorded_at < coalesce({closed_at}, 'infinity') AS known) reaches
    WHERE p.area = {area} AND p.node = {visit}.node AND p.unit_of_measure = {visit}.unit_of_measure
        AND p.valid_from <= {visit}.performed_on AND p.recorded_at < {at} AND p.price_basis <> 'package_total'
    ORDER BY reaches.known DESC, CASE WHEN NOT reaches.known THEN p.recorded_at END, p.valid_from DESC, p.version DESC
    LIMIT 1
)"""


def fee_of(*, visit: str = "v", area: str = "v.area", at: str, closed_at: str) -> str:
    """A lateral table of one row, or none without a price: what a report earns as known at an instant, and `why` it
    is not paid, if it is not.

    `visit` names a row of reports, `closed_at` the cut-off of the run of its month, NULL while that is open.
    """
    return _FEE.format(visit=visit, area=area, at=at, closed_at=closed_at)
