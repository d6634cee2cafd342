"""SQL that keeps the read models: the newest version of what registry, listing and payments said.

Every merge goes by version, so a fact that comes twice or too late has no effect. The hot ones (residents and
listings) are staged by `COPY` and merged set-based, thousands at a time.
"""

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from kanava.common.contracts import listing
from kanava.common.db import Tx, one, stage

_UPSERT = sql.SQL("""
INSERT INTO {table} AS known ({columns}) VALUES ({values})
ON CONFLICT ({key}) DO UPDATE SET {assignments} WHERE known.version < excluded.version
""")


async def merge_newest(tx: Tx, table: str, key: str, records: Sequence[dict[str, Any]]) -> int:
    """Upsert records of one shape by their key where the version is newer; returns how many had an effect."""
    names = list(records[0])
    assert {key, "version"} <= set(names), "a read model is merged by its key and its version"
    query = _UPSERT.format(
        table=sql.Identifier(table),
        columns=sql.SQL(", ").join(map(sql.Identifier, names)),
        values=sql.SQL(", ").join(map(sql.Placeholder, names)),
        key=sql.Identifier(key),
        assignments=sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names if name != key
        ),
    )
    async with tx.cursor() as cursor:
        await cursor.executemany(query, records)
        return cursor.rowcount


_RESIDENT_COLUMNS = (
    "resident_id uuid, birth_date date, sex text, municipality text, area text,"
    " lives_until date, version int4"
)
_MERGE_RESIDENTS = """
WITH fresh AS (
    SELECT count(*) AS facts FROM (SELECT DISTINCT resident_id, version FROM heard_resident) h
    LEFT JOIN resident known USING (resident_id) WHERE h.version > coalesce(known.version, 0)
), merged AS (
    INSERT INTO resident AS known (resident_id, birth_date, sex, municipality, area, lives_until, version)
    SELECT DISTINCT ON (resident_id) resident_id, birth_date, sex, municipality, area, lives_until, version
    FROM heard_resident ORDER BY resident_id, version DESC
    ON CONFLICT (resident_id) DO UPDATE SET birth_date = excluded.birth_date, sex = excluded.sex,
        municipality = excluded.municipality, area = excluded.area, lives_until = excluded.lives_until,
        version = excluded.version
    WHERE known.version < excluded.version
) SELECT facts FROM fresh
"""


async def merge_residents(tx: Tx, facts: Sequence[listing.Resident]) -> int:
    """Take over residents; returns how many facts were newer than what was known."""
    records = (
        (f.resident_id, f.birth_date, f.sex, f.municipality, f.area, f.lives_until, f.version) for f in facts
    )
    await stage(tx, "heard_resident", _RESIDENT_COLUMNS, records)
    return await _facts(tx, _MERGE_RESIDENTS)


_SPAN_COLUMNS = (
    "resident_id uuid, version int4, number int4, unit_id text, producer_id text, starts_on date, until date,"
    " origin text"
)
_MERGE_HEADS = """
WITH fresh AS (
    SELECT count(*) AS facts FROM (SELECT DISTINCT resident_id, version FROM heard_listing) h
    LEFT JOIN listed known USING (resident_id) WHERE h.version > coalesce(known.version, 0)
), merged AS (
    INSERT INTO listed AS known (resident_id, version)
    SELECT resident_id, max(version) FROM heard_listing GROUP BY resident_id ORDER BY resident_id
    ON CONFLICT (resident_id) DO UPDATE SET version = excluded.version WHERE known.version < excluded.version
    RETURNING resident_id
), gone AS (
    DELETE FROM listing_span old USING merged WHERE old.resident_id = merged.resident_id
) SELECT facts FROM fresh
"""
_ADD_SPANS = """
INSERT INTO listing_span (resident_id, number, unit_id, producer_id, starts_on, until, origin)
SELECT DISTINCT s.resident_id, s.number, s.unit_id, s.producer_id, s.starts_on, s.until, s.origin
FROM heard_span s JOIN listed USING (resident_id, version)
ON CONFLICT DO NOTHING
"""


async def merge_listings(tx: Tx, facts: Sequence[listing.Listing]) -> int:
    """Take over whole histories of listings; returns how many facts were newer than what was known."""
    await stage(
        tx, "heard_listing", "resident_id uuid, version int4", ((f.resident_id, f.version) for f in facts)
    )
    spans = (
        (f.resident_id, f.version, number, s.unit_id, s.producer_id, s.starts_on, s.until, s.origin)
        for f in facts
        for number, s in enumerate(f.spans, start=1)
    )
    await stage(tx, "heard_span", _SPAN_COLUMNS, spans)
    heard = await _facts(tx, _MERGE_HEADS)
    await tx.execute(_ADD_SPANS)
    return heard


async def _facts(tx: Tx, query: str) -> int:
    row = await one(tx, query)
    assert row is not None, "a count has one row"
    return int(row["facts"])


_CLOSE_OLDER_PACKAGES = """
UPDATE package SET valid_until = later.starts FROM (
    SELECT package_id, min(valid_from) OVER (
        PARTITION BY family ORDER BY number ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS starts
    FROM package) later
WHERE later.package_id = package.package_id AND package.valid_until IS DISTINCT FROM later.starts
"""


async def add_package_nodes(tx: Tx, nodes: Sequence[tuple[str, str, str, Sequence[str]]]) -> None:
    """Enter nodes (package_id, code, name_fi, units) of published versions, which never change.

    A version is in force until the first day of any later version of the same package.
    """
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO package_node (package_id, code, name_fi, units) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            nodes,
        )
    await tx.execute(_CLOSE_OLDER_PACKAGES)


_OPEN_PRODUCTION = """
UPDATE scheme SET production_from = least(production_from, %(entered_on)s) WHERE scheme_id = %(scheme_id)s
"""


async def open_production(tx: Tx, entries: Sequence[dict[str, Any]]) -> None:
    """Keep the earliest day of a scheme in phase 5 or later, in whatever order its phases are heard."""
    async with tx.cursor() as cursor:
        await cursor.executemany(_OPEN_PRODUCTION, entries)


_ADD_MOVEMENT = """
INSERT INTO account_movement (area, version, entry_id, kind, amount_cents, balance_cents, recorded_at)
VALUES (%(area)s, %(version)s, %(entry_id)s, %(kind)s, %(amount_cents)s, %(balance_cents)s, %(recorded_at)s)
ON CONFLICT DO NOTHING
"""


async def add_movements(tx: Tx, movements: Sequence[dict[str, Any]]) -> int:
    """Enter movements of the areas' accounts, each once; returns how many were new."""
    async with tx.cursor() as cursor:
        await cursor.executemany(_ADD_MOVEMENT, movements)
        return cursor.rowcount
