"""SQL that reads frozen indicators and how orders are fulfilled, and what the reads answer."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from kanava.common.contracts.registry import Direction
from kanava.common.db import Tx, rows

from .domain.indicators import SMALL_CELL
from .domain.snapshots import Subject

MOST_SNAPSHOTS = 2_000


class SnapshotView(BaseModel):
    """A frozen indicator: numbers are whole ones of 10^-`scale`; `period_until` is not included.

    A value that rests on fewer than five people is None for a municipality, like what it rests on.
    """

    model_config = ConfigDict(frozen=True)

    snapshot_id: UUID
    indicator: str
    subject: Subject
    area: str
    producer_id: str | None
    unit_id: str | None
    municipality: str | None
    period_from: date
    period_until: date
    direction: Direction
    value: int | None
    scale: int
    numerator: int | None
    denominator: int | None
    floor: int | None
    target: int | None
    confirmed_by: str | None
    recorded_at: datetime


class FulfilledLine(BaseModel):
    """A line of an annual order: what was ordered, and what was reported of it in the year so far."""

    order_id: str
    producer_id: str
    node: str
    unit_of_measure: str
    ordered: int
    delivered: int


_SNAPSHOTS = """
SELECT * FROM snapshot WHERE area = %(area)s AND (%(indicator)s::text IS NULL OR indicator = %(indicator)s)
    AND (%(only)s::text[] IS NULL OR producer_id = ANY(%(only)s))
ORDER BY period_from DESC, indicator, snapshot_id LIMIT %(limit)s
"""
_FULFILMENT = """
SELECT o.order_id, o.producer_id, line ->> 'node' AS node, line ->> 'unit_of_measure' AS unit_of_measure,
    (line ->> 'quantity')::bigint AS ordered,
    coalesce((SELECT sum(p.quantity) FROM production p
        WHERE p.producer_id = o.producer_id AND p.area = o.area AND p.unit_of_measure = line ->> 'unit_of_measure'
            AND (p.node = line ->> 'node' OR starts_with(p.node, (line ->> 'node') || '.'))
            AND p.performed_on >= make_date(o.year, 1, 1) AND p.performed_on < make_date(o.year + 1, 1, 1)), 0)::bigint
        AS delivered
FROM year_order o, jsonb_array_elements(o.content -> 'lines') line
WHERE o.kind = 'annual_order' AND o.status = 'in_force' AND o.area = %(area)s AND o.year = %(year)s
    AND (%(only)s::text[] IS NULL OR o.producer_id = ANY(%(only)s))
ORDER BY o.order_id, node, unit_of_measure
"""


def as_seen(row: dict[str, Any]) -> SnapshotView:
    """A stored snapshot as it is read."""
    return SnapshotView.model_validate(row)


async def snapshots(
    tx: Tx, area: str, *, indicator: str | None, only: list[str] | None, see_small_cells: bool
) -> list[SnapshotView]:
    """The newest frozen indicators of an area; `only` keeps those of the named producers."""
    asked = {"area": area, "indicator": indicator, "only": only, "limit": MOST_SNAPSHOTS}
    found = [as_seen(row) for row in await rows(tx, _SNAPSHOTS, asked)]
    return found if see_small_cells else [_without_small_cells(one) for one in found]


def _without_small_cells(seen: SnapshotView) -> SnapshotView:
    rests_on = [count for count in (seen.numerator, seen.denominator) if count is not None]
    if all(count >= SMALL_CELL for count in rests_on):
        return seen
    return seen.model_copy(update={"value": None, "numerator": None, "denominator": None})


async def fulfilment(tx: Tx, area: str, year: int, *, only: list[str] | None) -> list[FulfilledLine]:
    """The lines of an area's annual orders with what was delivered; `only` keeps the named producers."""
    found = await rows(tx, _FULFILMENT, {"area": area, "year": year, "only": only})
    return [FulfilledLine.model_validate(row) for row in found]
