"""SQL that reads what a test calculation needs: who is listed where, by what terms, and what services cost."""

from datetime import date

from psycopg.rows import DictRow

from kanava.common.clock import add_months
from kanava.common.contracts.registry import CompensationTerms
from kanava.common.db import Tx, one, rows

from ..allowed_kinds import fee_allowed, stage_refused_everywhere
from ..fee_contracts import EVER, NOW, contracted, stage_fee_contracts
from ..prices import fee_of, total_of
from ..vouchers import covered

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


_AREAS = "SELECT DISTINCT area FROM contract_version WHERE %(area)s::text IS NULL OR area = %(area)s"
_TOTALS = """
SELECT bool_or(total_price ->> 'counted_each' = 'year') AS by_year FROM price
WHERE price_basis = 'package_total' AND (%(area)s::text IS NULL OR area = %(area)s)
"""
_NO_TOTAL = """LATERAL (SELECT NULL::text AS price_id, NULL::bigint AS fee_cents, NULL::text AS package,
        NULL::text AS counted_each, NULL::text AS why)"""
_FEES = """
WITH priced AS (
    SELECT v.area, u.municipality, v.producer_id, v.resident_id, v.production_id, v.performed_on,
        coalesce(own.fee_cents, whole.fee_cents) AS fee_cents, whole.package, whole.counted_each
    FROM visit v JOIN unit u USING (unit_id)
    LEFT JOIN {fee} own ON true
    LEFT JOIN {total} whole ON own.price_id IS NULL
    WHERE v.recorded_until = 'infinity' AND v.performed_on >= %(counted_from)s AND v.performed_on < %(day)s
        AND (%(area)s::text IS NULL OR v.area = %(area)s)
        AND (own.price_id IS NOT NULL OR whole.price_id IS NOT NULL) AND coalesce(own.why, whole.why) IS NULL
        AND v.quantity > 0
        AND {contracted}
        AND NOT {covered} AND {allowed}
),
counted AS (
    SELECT *, package IS NULL OR row_number() OVER (PARTITION BY area, resident_id, package, counted_each,
        date_trunc(counted_each, performed_on) ORDER BY performed_on, production_id) = 1 AS is_paid
    FROM priced
)
SELECT p.area, p.municipality, p.producer_id, coalesce(s.coefficient_permille, 1000) AS coefficient_permille,
    sum(p.fee_cents)::bigint AS fee_cents
FROM counted p
LEFT JOIN span s ON s.resident_id = p.resident_id AND s.recorded_until = 'infinity'
    AND s.starts_on <= %(day)s AND (s.until IS NULL OR s.until > %(day)s)
WHERE p.is_paid AND p.performed_on >= %(since)s
    AND (%(municipality)s::text IS NULL OR p.municipality = %(municipality)s)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
"""A package that counts clients by the year is counted from its beginning on: who was paid for before is not again."""


async def fees(tx: Tx, day: date, area: str | None, municipality: str | None) -> list[DictRow]:
    """What the services of the twelve months before a day cost at their prices, by producer and coefficient.

    Asked of each report is what a run asks (contract, allowed kind, referral, weight, and that no voucher pays it), as
    known now, whether or not the scheme is in production yet. Kinds that a model refuses are known of months that are
    closed. The area is the one that pays.
    """
    since = add_months(day, -MONTHS_OF_FEES)
    asked = {"day": day, "since": since, "counted_from": since, "area": area, "municipality": municipality}
    totals = await one(tx, _TOTALS, asked)
    by_year = totals["by_year"] if totals else None
    if by_year:
        asked["counted_from"] = date(since.year, 1, 1)
    await stage_fee_contracts(tx, [(row["area"], EVER, NOW) for row in await rows(tx, _AREAS, asked)])
    await stage_refused_everywhere(tx)
    ever = "'infinity'::timestamptz"
    total = _NO_TOTAL if by_year is None else total_of(at=ever)
    conditions = {"contracted": contracted(), "covered": covered(at=ever), "allowed": fee_allowed()}
    return await rows(tx, _FEES.format(fee=fee_of(at=ever), total=total, **conditions), asked)


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
