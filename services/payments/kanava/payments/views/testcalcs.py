"""SQL that reads what a test calculation needs: who is listed where, by what terms, and what services cost."""

from datetime import date

from psycopg.rows import DictRow

from kanava.common.clock import add_months
from kanava.common.contracts.registry import CompensationTerms
from kanava.common.db import Tx, one, rows

from ..prices import fee_of

MONTHS_OF_FEES = 12

_LISTED = """
SELECT area, municipality, producer_id, coefficient_permille, sex,
    extract(year FROM age(%(day)s::date, birth_date))::int AS age, sum(residents)::int AS residents
FROM (
    SELECT u.area, u.municipality, s.producer_id, s.coefficient_permille, r.sex, r.birth_date, count(*) AS residents
    FROM span s JOIN unit u USING (unit_id) JOIN resident r USING (resident_id)
    WHERE s.recorded_until = 'infinity' AND r.recorded_until = 'infinity' AND r.birth_date <= %(day)s
        AND s.starts_on <= %(day)s AND (s.until IS NULL OR s.until > %(day)s)
        AND (r.lives_until IS NULL OR r.lives_until > %(day)s)
        AND (%(area)s::text IS NULL OR u.area = %(area)s)
        AND (%(municipality)s::text IS NULL OR u.municipality = %(municipality)s)
    GROUP BY 1, 2, 3, 4, 5, 6
) born
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""
"""Birth dates are counted before they become ages: there are far fewer of them than residents."""


async def listed(tx: Tx, day: date, area: str | None, municipality: str | None) -> list[DictRow]:
    """Residents listed on a day, as known now, by producer, coefficient, sex and age in whole years."""
    await tx.execute("SET LOCAL work_mem = '256MB'")
    return await rows(tx, _LISTED, {"day": day, "area": area, "municipality": municipality})


_FEES = (
    """
SELECT u.area, u.municipality, v.producer_id, coalesce(s.coefficient_permille, 1000) AS coefficient_permille,
    sum(p.fee_cents)::bigint AS fee_cents
FROM visit v JOIN unit u USING (unit_id)
JOIN """
    + fee_of(at="'infinity'::timestamptz")
    + """ p ON p.why IS NULL
LEFT JOIN span s ON s.resident_id = v.resident_id AND s.recorded_until = 'infinity'
    AND s.starts_on <= %(day)s AND (s.until IS NULL OR s.until > %(day)s)
WHERE v.recorded_until = 'infinity' AND v.performed_on >= %(since)s AND v.performed_on < %(day)s
    AND (%(area)s::text IS NULL OR u.area = %(area)s)
    AND (%(municipality)s::text IS NULL OR u.municipality = %(municipality)s)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
)


async def fees(tx: Tx, day: date, area: str | None, municipality: str | None) -> list[DictRow]:
    """What the services of the twelve months before a day cost at their prices, by producer and coefficient."""
    since = add_months(day, -MONTHS_OF_FEES)
    return await rows(tx, _FEES, {"day": day, "since": since, "area": area, "municipality": municipality})


async def adopted(tx: Tx, day: date) -> dict[str, CompensationTerms]:
    """The terms of the model that each municipality's scheme had adopted by a day, whatever its phase."""
    found = await rows(
        tx,
        "SELECT newest.municipality, m.terms FROM (SELECT DISTINCT ON (municipality) municipality,"
        " compensation_model FROM scheme_phase WHERE entered_on <= %s AND compensation_model IS NOT NULL"
        " ORDER BY municipality, version DESC) newest JOIN model m ON m.document_id = newest.compensation_model",
        (day,),
    )
    return {row["municipality"]: CompensationTerms.model_validate(row["terms"]) for row in found}


async def model(tx: Tx, area: str, document_id: str) -> CompensationTerms | None:
    """The terms of a version of an area's compensation model."""
    row = await one(tx, "SELECT terms FROM model WHERE area = %s AND document_id = %s", (area, document_id))
    return CompensationTerms.model_validate(row["terms"]) if row else None
