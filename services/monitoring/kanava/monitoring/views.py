"""SQL that reads: receipts, rejected rows and the measures that indicators are made of."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict

from kanava.common.clock import add_months, month_text
from kanava.common.db import Pool, Tx, one, rows, transaction

from .domain.indicators import declared, read_indicator
from .errors import FileUnknown

REJECTED_PAGE_ROWS = 5_000


class Receipt(BaseModel):
    """The receipt of a production file; `version` numbers the files of its producer from 1."""

    model_config = ConfigDict(frozen=True)

    file_id: UUID
    producer_id: str
    version: int
    format: str
    corrects: bool
    received_at: datetime
    rows: int
    accepted: int
    corrected: int
    doubled: int
    rejected: int


class IndicatorNames(BaseModel):
    """An indicator as it is declared."""

    id: str
    fi: str
    sv: str
    en: str
    numerator: str
    denominator: str | None
    unit: str
    direction: str


class IndicatorValue(BaseModel):
    """A value, whole; None when it is suppressed for being a small cell or has nothing to be divided by."""

    value: int | None
    suppressed: bool


class ProducerIndicators(BaseModel):
    """The indicators of one producer, by their ids."""

    producer_id: str
    name: str
    kind: str
    values: dict[str, IndicatorValue]


class IndicatorReport(BaseModel):
    """The indicators of an area's producers for a month, own production measured like any other."""

    area: str
    month: str
    indicators: list[IndicatorNames]
    producers: list[ProducerIndicators]


async def receipt_of(tx: Tx, file_id: UUID) -> Receipt:
    """The receipt of a file; `FileUnknown` when there is none."""
    row = await one(tx, "SELECT * FROM production_file WHERE file_id = %s", (file_id,))
    if row is None:
        raise FileUnknown()
    return Receipt.model_validate(row)


async def area_of_producer(tx: Tx, producer_id: str) -> str | None:
    """The area of a producer, None when it is not known."""
    row = await one(tx, "SELECT area FROM producer WHERE producer_id = %s", (producer_id,))
    return row["area"] if row else None


async def rejected_lines(pool: Pool, file_id: UUID) -> AsyncIterator[bytes]:
    """Rejected rows as NDJSON in the order of the file: number, field, code, value, and what was kept."""
    after = 0
    while True:
        async with transaction(pool) as tx:
            page = await rows(
                tx,
                "SELECT row, field, code, value, kept FROM rejected_row WHERE file_id = %s AND row > %s"
                " ORDER BY row LIMIT %s",
                (file_id, after, REJECTED_PAGE_ROWS),
            )
        if not page:
            return
        after = page[-1]["row"]
        yield b"".join(orjson.dumps(_rejected(row), option=orjson.OPT_APPEND_NEWLINE) for row in page)


def _rejected(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "row": row["row"],
        "field": row["field"],
        "code": row["code"],
        "value": row["value"],
        "input": row["kept"],
    }


_MEASURES = """
WITH area_unit AS (
    SELECT unit_id FROM unit WHERE area = %(area)s
), clients AS (
    SELECT s.producer_id, count(*) AS listed_clients FROM listing_span s JOIN area_unit USING (unit_id)
    WHERE s.starts_on < %(next_month)s AND (s.until IS NULL OR s.until >= %(next_month)s)
    GROUP BY s.producer_id
), switch AS (
    SELECT s.producer_id AS into_producer, s.unit_id AS into_unit, b.producer_id AS from_producer,
        b.unit_id AS from_unit
    FROM listing_span s
    LEFT JOIN listing_span b
        ON b.resident_id = s.resident_id AND b.number = s.number - 1 AND b.until = s.starts_on
    WHERE s.origin = 'choice' AND s.starts_on >= %(month)s AND s.starts_on < %(next_month)s
        AND b.producer_id IS DISTINCT FROM s.producer_id
), entered AS (
    SELECT into_producer AS producer_id, count(*) AS switches_in FROM switch
    WHERE into_unit IN (SELECT unit_id FROM area_unit) GROUP BY into_producer
), left_behind AS (
    SELECT from_producer AS producer_id, count(*) AS switches_out FROM switch
    WHERE from_unit IN (SELECT unit_id FROM area_unit) GROUP BY from_producer
), performed AS (
    SELECT producer_id, sum(quantity) AS visits FROM production
    WHERE area = %(area)s AND performed_on >= %(month)s AND performed_on < %(next_month)s
        AND unit_of_measure = 'kaynti' GROUP BY producer_id
), cost AS (
    SELECT producer_id, sum((component ->> 'amount_cents')::bigint) AS cost_cents
    FROM statement, jsonb_array_elements(sums) component
    WHERE area = %(area)s AND month = %(month_text)s GROUP BY producer_id
)
SELECT p.producer_id, p.name, p.kind, coalesce(listed_clients, 0)::bigint AS listed_clients,
    coalesce(switches_in, 0)::bigint AS switches_in, coalesce(switches_out, 0)::bigint AS switches_out,
    coalesce(visits, 0)::bigint AS visits, coalesce(cost_cents, 0)::bigint AS cost_cents
FROM producer p LEFT JOIN clients USING (producer_id) LEFT JOIN entered USING (producer_id)
    LEFT JOIN left_behind USING (producer_id) LEFT JOIN performed USING (producer_id)
    LEFT JOIN cost USING (producer_id)
WHERE (p.area = %(area)s OR listed_clients > 0 OR visits > 0)
    AND (%(only)s::text[] IS NULL OR p.producer_id = ANY(%(only)s))
ORDER BY p.producer_id
"""


async def indicators(
    tx: Tx, area: str, month: date, *, only: list[str] | None, see_small_cells: bool
) -> IndicatorReport:
    """The indicators of an area for the month that begins on `month`; `only` keeps the named producers."""
    parameters = {
        "area": area,
        "month": month,
        "next_month": add_months(month, 1),
        "month_text": month_text(month),
        "only": only,
    }
    found = await rows(tx, _MEASURES, parameters)
    return IndicatorReport(
        area=area,
        month=month_text(month),
        indicators=[IndicatorNames(**vars(one_of)) for one_of in declared()],
        producers=[_producer(row, see_small_cells=see_small_cells) for row in found],
    )


def _producer(row: dict[str, Any], *, see_small_cells: bool) -> ProducerIndicators:
    values = {
        one_of.id: IndicatorValue(**vars(read_indicator(one_of, row, see_small_cells=see_small_cells)))
        for one_of in declared()
    }
    return ProducerIndicators(
        producer_id=row["producer_id"], name=row["name"], kind=row["kind"], values=values
    )
