"""What listing keeps of the registry's facts; a version that is not newer changes nothing."""

from collections.abc import Sequence
from datetime import date

from psycopg.rows import DictRow

from kanava.common.contracts import registry
from kanava.common.db import Tx, one, rows

_DOCUMENT = {
    "rule_book": """
        INSERT INTO rule_book AS d (document_id, version, area, number, valid_from, months_between_choices,
            days_to_effect)
        VALUES (%(document_id)s, %(version)s, %(area)s, %(number)s, %(valid_from)s,
            %(months_between_choices)s,
            %(days_to_effect)s)
        ON CONFLICT (document_id) DO UPDATE SET version = excluded.version, valid_from = excluded.valid_from,
            months_between_choices = excluded.months_between_choices, days_to_effect = excluded.days_to_effect
        WHERE d.version < excluded.version""",
    "compensation_model": """
        INSERT INTO compensation_model AS d (document_id, version, area, number, valid_from,
            coefficient_min_permille,
            coefficient_max_permille, coefficient_reasons)
        VALUES (%(document_id)s, %(version)s, %(area)s, %(number)s, %(valid_from)s,
            %(coefficient_min_permille)s,
            %(coefficient_max_permille)s, %(reasons)s)
        ON CONFLICT (document_id) DO UPDATE SET version = excluded.version, valid_from = excluded.valid_from,
            coefficient_min_permille = excluded.coefficient_min_permille,
            coefficient_max_permille = excluded.coefficient_max_permille,
            coefficient_reasons = excluded.coefficient_reasons
        WHERE d.version < excluded.version""",
}
_SCHEME = """
INSERT INTO scheme AS s (scheme_id, version, municipality, area, phase, entered_on, voucher_valid_months)
VALUES (%(scheme_id)s, %(version)s, %(municipality)s, %(area)s, %(phase)s, %(entered_on)s, %(voucher_valid_months)s)
ON CONFLICT (scheme_id) DO UPDATE SET version = excluded.version, municipality = excluded.municipality,
    area = excluded.area, phase = excluded.phase, entered_on = excluded.entered_on,
    voucher_valid_months = excluded.voucher_valid_months
WHERE s.version < excluded.version
"""
_PRODUCER = """
INSERT INTO producer AS p (producer_id, version, name, kind, area, status)
VALUES (%(producer_id)s, %(version)s, %(name)s, %(kind)s, %(area)s, %(status)s)
ON CONFLICT (producer_id) DO UPDATE SET version = excluded.version, name = excluded.name, kind =
    excluded.kind,
    area = excluded.area, status = excluded.status
WHERE p.version < excluded.version
"""
_UNIT = """
INSERT INTO unit AS u (unit_id, version, producer_id, area, municipality, name, own, status, capacity,
    opens_on,
    closes_on, languages)
VALUES (%(unit_id)s, %(version)s, %(producer_id)s, %(area)s, %(municipality)s, %(name)s, %(own)s, %(status)s,
    %(capacity)s, %(opens_on)s, %(closes_on)s, %(languages)s)
ON CONFLICT (unit_id) DO UPDATE SET version = excluded.version, producer_id = excluded.producer_id,
    area = excluded.area, municipality = excluded.municipality, name = excluded.name, own = excluded.own,
    status = excluded.status, capacity = excluded.capacity, opens_on = excluded.opens_on,
    closes_on = excluded.closes_on, languages = excluded.languages
WHERE u.version < excluded.version
"""
_NODES = """
INSERT INTO package_node AS n (package_id, code, version, valid_from, name_fi, choice)
SELECT %(package_id)s, code, %(version)s, %(valid_from)s, name_fi, choice
FROM unnest(%(codes)s::text[], %(names)s::text[], %(choices)s::text[]) AS node (code, name_fi, choice)
ON CONFLICT (package_id, code) DO UPDATE SET version = excluded.version, valid_from = excluded.valid_from,
    name_fi = excluded.name_fi, choice = excluded.choice
WHERE n.version < excluded.version
"""


async def keep_document(tx: Tx, fact: registry.Document) -> bool:
    """Keep what a rule book or a compensation model fixes; True when it was news.

    A service description fixes nothing here; hearing it is its whole effect.
    """
    terms = fact.rule_book or fact.compensation
    if terms is None:
        return True
    kind = "rule_book" if fact.rule_book else "compensation_model"
    row = fact.model_dump(include={"document_id", "version", "area", "number", "valid_from"})
    row["reasons"] = [one.code for one in fact.compensation.coefficient_reasons] if fact.compensation else []
    return bool((await tx.execute(_DOCUMENT[kind], row | terms.model_dump())).rowcount)


async def keep_scheme(tx: Tx, fact: registry.Scheme) -> bool:
    """Keep the phase of a scheme; True when it was news."""
    return bool((await tx.execute(_SCHEME, fact.model_dump())).rowcount)


async def keep_producer(tx: Tx, fact: registry.Producer) -> bool:
    """Keep a producer's standing; True when it was news."""
    return bool((await tx.execute(_PRODUCER, fact.model_dump())).rowcount)


async def keep_unit(tx: Tx, fact: registry.Unit) -> bool:
    """Keep a unit; True when it was news."""
    return bool((await tx.execute(_UNIT, fact.model_dump() | {"languages": list(fact.languages)})).rowcount)


async def keep_package(tx: Tx, fact: registry.Package) -> bool:
    """Keep the nodes of a package with their level of choice; True when something was news."""
    row = {
        "package_id": fact.package_id,
        "version": fact.version,
        "valid_from": fact.valid_from,
        "codes": [node.code for node in fact.nodes],
        "names": [node.name_fi for node in fact.nodes],
        "choices": [node.choice for node in fact.nodes],
    }
    return bool((await tx.execute(_NODES, row)).rowcount)


async def is_counted(tx: Tx, unit_id: str) -> bool:
    """Whether the places of a unit are counted: it is known and has a capacity."""
    row = await one(tx, "SELECT capacity FROM unit WHERE unit_id = %s", (unit_id,))
    return row is not None and row["capacity"] is not None


async def units_of(tx: Tx, producer_id: str) -> list[str]:
    """The ids of a producer's units, in order."""
    found = await rows(tx, "SELECT unit_id FROM unit WHERE producer_id = %s ORDER BY unit_id", (producer_id,))
    return [row["unit_id"] for row in found]


_HELD = """
SELECT DISTINCT ON (s.resident_id) s.resident_id, r.municipality, v.sealed,
    greatest(lower(s.during), %(ends_on)s) AS from_on
FROM span s JOIN resident r USING (resident_id) JOIN vault v USING (resident_id)
WHERE s.unit_id = ANY(%(unit_ids)s) AND s.recorded_until = 'infinity'
    AND (upper_inf(s.during) OR upper(s.during) > %(ends_on)s)
ORDER BY s.resident_id, lower(s.during)
"""
_LOCK_HELD = """
SELECT count(*) FROM
    (SELECT FROM resident WHERE resident_id = ANY(%s) ORDER BY resident_id FOR UPDATE) locked
"""
_CUT = """
INSERT INTO cut
SELECT span_id, resident_id, greatest(lower(during), %(ends_on)s), unit_id, upper_inf(during) FROM span
WHERE unit_id = ANY(%(unit_ids)s) AND recorded_until = 'infinity'
    AND (upper_inf(during) OR upper(during) > %(ends_on)s)
"""
_FALL_BACK = """
INSERT INTO added
SELECT cut.resident_id, daterange(cut.cut_on, upper(s.during)), f.unit_id, f.producer_id, 'unit_closed',
    s.coefficient_permille
FROM cut JOIN span s USING (resident_id, span_id)
JOIN unnest(%(residents)s::uuid[], %(units)s::text[], %(producers)s::text[]) AS f (resident_id, unit_id,
    producer_id)
    ON f.resident_id = cut.resident_id
"""


async def listed_after(tx: Tx, unit_ids: Sequence[str], ends_on: date) -> list[DictRow]:
    """Lock and return the residents who are listed with units on or after a day, with their sealed
    identity."""
    parameters = {"unit_ids": list(unit_ids), "ends_on": ends_on}
    found = await rows(tx, _HELD, parameters)
    await tx.execute(_LOCK_HELD, ([row["resident_id"] for row in found],))
    return await rows(tx, _HELD, parameters)


async def fill_fall_back(
    tx: Tx, unit_ids: Sequence[str], ends_on: date, fall_back: Sequence[tuple[object, str, str]]
) -> None:
    """Fill `cut` with what the units hold from a day on, and `added` with (resident, unit, producer)
    instead."""
    await tx.execute(_CUT, {"unit_ids": list(unit_ids), "ends_on": ends_on})
    columns = [list(column) for column in zip(*fall_back, strict=True)] or [[], [], []]
    await tx.execute(_FALL_BACK, dict(zip(("residents", "units", "producers"), columns, strict=True)))
