"""SQL that reads what models paid, by component, for the share of fixed compensation."""

from dataclasses import dataclass
from datetime import date

from kanava.common.clock import add_months
from kanava.common.db import Tx, rows
from kanava.common.fixed_share import guard_on

from ..domain.fixed_share import PAY, FixedShare, Paid, fixed_share, fixed_shares
from .pricing import pricing_of


@dataclass(frozen=True)
class FixedShares:
    """The share of fixed compensation (kiinteä osuus) of some months by model, and of the whole area.

    `least` is the share to warn under, as `2/3`, with its source; None where no guard is in force.
    """

    least: str | None
    source: str | None
    models: list[FixedShare]
    whole: FixedShare
    warnings: list[str]


_LINES = """
SELECT l.for_month AS month, u.municipality, l.component, sum(l.amount_cents)::bigint AS amount_cents
FROM run r JOIN line l USING (run_id) LEFT JOIN unit u USING (unit_id)
WHERE r.area = %(area)s AND r.status = 'closed' AND r.month >= %(since)s
  AND l.for_month >= %(since)s AND l.for_month < %(before)s AND l.component = ANY(%(pay)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_CHARGES = """
SELECT c.for_month AS month, c.producer_id, c.component, sum(c.amount_cents)::bigint AS amount_cents,
       ARRAY(SELECT DISTINCT u.municipality FROM unit u WHERE u.area = %(area)s AND u.producer_id = c.producer_id)
       AS municipalities
FROM run r JOIN charge c USING (run_id)
WHERE r.area = %(area)s AND r.status = 'closed' AND r.month >= %(since)s
  AND c.for_month >= %(since)s AND c.for_month < %(before)s AND c.component = ANY(%(pay)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
"""A charge is on a producer: it is earned wherever the producer has units in the area."""


async def fixed_shares_of(tx: Tx, area: str, since: date, until: date) -> FixedShares:
    """What closed months, `until` included, cost by the model that priced them, corrections with their month."""
    before = add_months(until, 1)
    asked = {"area": area, "since": since, "before": before, "pay": sorted(PAY)}
    paid = [
        Paid(row["month"], frozenset({row["municipality"]} - {None}), row["component"], row["amount_cents"])
        for row in await rows(tx, _LINES, asked)
    ]
    paid += [
        Paid(row["month"], frozenset(row["municipalities"]), row["component"], row["amount_cents"])
        for row in await rows(tx, _CHARGES, asked)
    ]
    guard = guard_on(until)
    models = fixed_shares(paid, await pricing_of(tx, area, (since, before)), guard)
    least = None if guard is None else str(guard.least)
    return FixedShares(
        least=least,
        source=None if guard is None else guard.source,
        models=models,
        whole=fixed_share(None, paid, guard),
        warnings=[f"{one.model}: {one.fixed_permille} permille, less than {least}" for one in models if _warns(one)],
    )


def _warns(share: FixedShare) -> bool:
    return share.is_below and share.model is not None
