"""What charges and settled incentives should be as of the newest closed month of each area, laid out to be compared.

The rules are those of the run: asked again for a month that it closed, they find nothing to change.
"""

from dataclasses import replace

from kanava.common.db import Tx, rows

from .charges import charged_before, holds_of
from .incentives import outcomes_due
from .month import Month

_STAGE = """
CREATE TEMP TABLE charge_due (area text, producer_id text, component text, source text, for_month date, cents bigint)
    ON COMMIT DROP;
CREATE TEMP TABLE outcome_due (area text, producer_id text, municipality text, for_month date, indicator text,
    snapshot_id uuid, earned_cents bigint, released_cents bigint) ON COMMIT DROP
"""
_NEWEST = """
SELECT DISTINCT ON (area) run_id, area, month AS first, cut_off, NULL AS previous_cut_off FROM run
WHERE status = 'closed' ORDER BY area, month DESC
"""


async def stage_due(tx: Tx) -> None:
    """Lay out `charge_due` and `outcome_due`, of every area that is visible."""
    await tx.execute(_STAGE)
    for month in [Month(**run) for run in await rows(tx, _NEWEST)]:
        await _stage_charges(tx, month)
        await _stage_outcomes(tx, month)


async def _stage_charges(tx: Tx, month: Month) -> None:
    charged = await charged_before(tx, replace(month, first=month.end))
    due = await holds_of(tx, month, charged)
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO charge_due VALUES (%s, %s, %s, %s, %s, %s)",
            [(month.area, c.producer_id, c.component, c.source, c.for_month, cents) for c, cents in due.items()],
        )


async def _stage_outcomes(tx: Tx, month: Month) -> None:
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO outcome_due VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    *(month.area, key.producer_id, key.municipality, key.for_month),
                    *(indicator, snapshot_id, outcome.earned_cents, outcome.released_cents),
                )
                for key, indicator, snapshot_id, outcome in await outcomes_due(tx, month)
            ],
        )
