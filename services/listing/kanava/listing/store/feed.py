"""The registration feed in sets: staged lines become residents, sealed identities, listings and facts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from kanava.common.contracts import TOPIC_OF
from kanava.common.contracts.listing import Listing, Resident
from kanava.common.db import Tx, one, rows
from kanava.common.telemetry import current_traceparent

from ..vault import INDEX_BYTES

_RESIDENT = TOPIC_OF[Resident]
_LISTING = TOPIC_OF[Listing]

_COLUMNS = {
    "line": "int4",
    "round": "int4",
    "known": "bool",
    "resident_id": "uuid",
    "hetu_index": "bytea",
    "sealed": "bytea",
    "birth_date": "date",
    "sex": "text",
    "municipality": "text",
    "area": "text",
    "protected": "bool",
    "fact": "text",
    "effective_on": "date",
    "unit_id": "text",
    "producer_id": "text",
    "guardian_told": "bool",
    "guardian_id": "uuid",
}
_STAGING = f"CREATE TEMP TABLE feed_line ({', '.join(f'{n} {t}' for n, t in _COLUMNS.items())}) ON COMMIT DROP"

_ARRIVALS = (
    """
INSERT INTO vault (resident_id, hetu_index, sealed, key_id)
SELECT resident_id, hetu_index, sealed, %(key_id)s FROM feed_line WHERE NOT known
""",
    """
INSERT INTO resident (resident_id, version, listing_version, birth_date, sex, municipality, area, protected,
    guardian_id)
SELECT resident_id, 1, (unit_id IS NOT NULL)::int, birth_date, sex, municipality, area, protected, guardian_id
FROM feed_line WHERE NOT known
""",
    """
INSERT INTO span (resident_id, during, unit_id, producer_id, origin, recorded_from)
SELECT resident_id, daterange(effective_on, NULL), unit_id, producer_id, 'default', %(now)s
FROM feed_line WHERE NOT known AND unit_id IS NOT NULL
""",
    """
INSERT INTO outbox (topic, key, type, body, traceparent)
SELECT %(resident_topic)s, resident_id::text, %(resident_type)s,
    '{"what":"registered","version":1,"recorded_at":"' || %(recorded_at)s || '","resident_id":"'
        || resident_id
        || '","birth_date":"' || birth_date || '","sex":"' || sex || '","municipality":'
        || CASE WHEN protected THEN 'null' ELSE '"' || municipality || '"' END || ',"area":"' || area
        || '","protected":' || protected || ',"lives_until":null,"has_died":false'
        || coalesce(',"guardian_id":"' || guardian_id || '"', '') || '}', %(traceparent)s
FROM feed_line WHERE NOT known
""",
    """
INSERT INTO outbox (topic, key, type, body, traceparent)
SELECT %(listing_topic)s, resident_id::text, %(listing_type)s,
    '{"what":"listed","version":1,"recorded_at":"' || %(recorded_at)s || '","resident_id":"' || resident_id
        || '","spans":[{"unit_id":' || to_json(unit_id) || ',"producer_id":' || to_json(producer_id)
        || ',"starts_on":"' || effective_on
            || '","until":null,"origin":"default","coefficient_permille":1000}]}',
    %(traceparent)s
FROM feed_line WHERE NOT known AND unit_id IS NOT NULL
""",
)
_COUNT_ARRIVALS = """
UPDATE unit u SET listed = u.listed + arrived.residents
FROM (SELECT unit_id, count(*)::int AS residents FROM feed_line WHERE NOT known GROUP BY unit_id) arrived
JOIN (SELECT unit_id FROM unit WHERE capacity IS NOT NULL ORDER BY unit_id FOR UPDATE) locked USING (unit_id)
WHERE u.unit_id = arrived.unit_id
"""
_ARRIVED = """
SELECT count(*) AS registered, count(unit_id) AS listed FROM feed_line WHERE NOT known
"""

# One parameter of bytes: as an array it would cost more than all else that is done with a line.
_KNOWN = f"""
SELECT v.hetu_index, v.resident_id FROM generate_series(0, %(count)s - 1) AS number
JOIN vault v ON v.hetu_index = substring(%(all)b::bytea FROM number * {INDEX_BYTES} + 1 FOR {INDEX_BYTES})
"""

_LOCK_KNOWN = """
SELECT count(*) FROM (SELECT FROM resident r WHERE r.resident_id IN
    (SELECT resident_id FROM feed_line WHERE known AND round = %s) ORDER BY r.resident_id FOR UPDATE) locked
"""

_BROKEN = """
SELECT line, rule FROM (
    SELECT l.line, CASE
        WHEN l.fact = 'moved' AND r.lives_until IS NOT NULL THEN 'resident_present'
        WHEN l.fact = 'moved_away' AND r.lives_until < l.effective_on THEN 'resident_present'
        WHEN l.fact = 'died' AND r.died_on = r.lives_until AND r.died_on < l.effective_on THEN 'resident_present'
        WHEN l.fact = 'registered' AND greatest(r.lives_until, r.died_on) > l.effective_on
            THEN 'registered_after_leaving'
        END AS rule
    FROM feed_line l JOIN resident r USING (resident_id) WHERE l.known AND l.round = %(round)s) checked
WHERE rule IS NOT NULL ORDER BY line LIMIT %(most)s
"""
"""Who left stays gone from the earlier day, so a later one is refused; but who moved away may die on any day."""

_PLAN = """
CREATE TEMP TABLE feed_plan ON COMMIT DROP AS
SELECT l.*, CASE
    WHEN l.fact = 'died' THEN CASE WHEN r.died_on = l.effective_on THEN 'nothing' ELSE 'ends' END
    WHEN l.fact = 'moved_away' THEN CASE WHEN r.lives_until = l.effective_on
        AND r.died_on IS DISTINCT FROM l.effective_on THEN 'nothing' ELSE 'ends' END
    WHEN r.lives_until IS NOT NULL THEN 'returns'
    WHEN r.area <> l.area THEN 'changes_area'
    WHEN r.municipality <> l.municipality THEN 'moves'
    WHEN r.protected <> l.protected OR l.guardian_told AND r.guardian_id IS DISTINCT FROM l.guardian_id
        THEN 'corrected'
    ELSE 'nothing' END AS action
FROM feed_line l JOIN resident r USING (resident_id) WHERE l.known AND l.round = %s
"""
"""Of a death and a move away on the same day the later line says which it was."""

_SEAL_ANEW = """
UPDATE vault v SET sealed = p.sealed, key_id = %s FROM feed_plan p WHERE v.resident_id = p.resident_id
"""

_RESIDENTS = """
WITH changed AS (
    UPDATE resident r SET version = r.version + 1, protected = p.protected,
        municipality = CASE WHEN p.action = 'ends' THEN r.municipality ELSE p.municipality END,
        area = CASE WHEN p.action = 'ends' THEN r.area ELSE p.area END,
        lives_until = CASE WHEN p.action = 'ends' THEN least(r.lives_until, p.effective_on) END,
        died_on = CASE WHEN p.action = 'ends' AND p.fact = 'died' THEN p.effective_on
            WHEN p.action = 'ends' THEN nullif(r.died_on, p.effective_on) END,
        guardian_id = CASE WHEN p.guardian_told AND p.action <> 'ends' THEN p.guardian_id ELSE r.guardian_id END,
        free_choice = r.free_choice OR p.action IN ('moves', 'changes_area')
    FROM feed_plan p WHERE r.resident_id = p.resident_id AND p.action <> 'nothing'
    RETURNING r.*, CASE p.action WHEN 'returns' THEN 'registered' WHEN 'ends' THEN p.fact
        WHEN 'corrected' THEN 'corrected' ELSE 'moved' END AS what
)
INSERT INTO outbox (topic, key, type, body, traceparent)
SELECT %(topic)s, resident_id::text, %(type)s || what,
    json_build_object('what', what, 'version', version, 'recorded_at', %(recorded_at)s::text,
        'resident_id', resident_id, 'birth_date', birth_date, 'sex', sex,
        'municipality', CASE WHEN NOT protected THEN municipality END, 'area', area,
        'protected', protected, 'lives_until', lives_until,
        'has_died', died_on IS NOT NULL, 'guardian_id', guardian_id)::text,
    %(traceparent)s
FROM changed
"""

_CUT = """
INSERT INTO cut
SELECT s.span_id, s.resident_id, p.effective_on, s.unit_id, upper_inf(s.during)
FROM feed_plan p JOIN span s USING (resident_id)
WHERE p.action IN ('ends', 'returns', 'changes_area') AND s.recorded_until = 'infinity'
    AND (upper_inf(s.during) OR upper(s.during) > p.effective_on)
"""

_ADDED = """
INSERT INTO added
SELECT p.resident_id, daterange(p.effective_on, NULL), p.unit_id, p.producer_id, 'move', 1000
FROM feed_plan p
WHERE p.unit_id IS NOT NULL AND (p.action IN ('returns', 'changes_area') OR p.action = 'moves'
    AND NOT EXISTS (SELECT FROM span s WHERE s.resident_id = p.resident_id AND s.recorded_until = 'infinity'
        AND (upper_inf(s.during) OR upper(s.during) > p.effective_on)))
"""

_SUMMARY = """
SELECT action, fact, count(*) AS lines,
    count(*) FILTER (WHERE action IN ('returns', 'changes_area') AND unit_id IS NULL) AS without_unit
FROM feed_plan GROUP BY action, fact
"""


async def last_file(tx: Tx, feed: str) -> DictRow | None:
    """The last file that was taken of a feed: its number and the position after it."""
    return await one(
        tx, "SELECT sequence, position FROM feed_file WHERE feed = %s ORDER BY sequence DESC LIMIT 1", (feed,)
    )


async def file_of(tx: Tx, feed: str, sequence: int) -> DictRow | None:
    """The digest and the receipt of a file that was taken."""
    return await one(tx, "SELECT digest, receipt FROM feed_file WHERE feed = %s AND sequence = %s", (feed, sequence))


async def enter_file(
    tx: Tx,
    *,
    feed: str,
    sequence: int,
    digest: bytes,
    lines: int,
    position: int,
    receipt: dict[str, Any],
    now: datetime,
) -> None:
    """Write down that a file was taken and how far the feed has come."""
    await tx.execute(
        "INSERT INTO feed_file (feed, sequence, digest, lines, position, receipt, received_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (feed, sequence, digest, lines, position, Jsonb(receipt, dumps=orjson.dumps), now),
    )


async def own_units(tx: Tx) -> list[DictRow]:
    """The areas' own units, open and approved, in order of id, for default listings."""
    return await rows(
        tx,
        "SELECT u.unit_id, u.producer_id, u.area, u.municipality, u.opens_on, u.closes_on FROM unit u"
        " JOIN producer p USING (producer_id) WHERE u.own AND u.status = 'open' AND p.status = 'approved'"
        " ORDER BY u.unit_id",
    )


async def known_residents(tx: Tx, indexes: Sequence[bytes]) -> dict[bytes, UUID]:
    """The resident ids of HETU indexes that the vault has."""
    found = await rows(tx, _KNOWN, {"all": b"".join(indexes), "count": len(indexes)})
    return {row["hetu_index"]: row["resident_id"] for row in found}


async def open_staging(tx: Tx) -> None:
    """Make the temporary table of lines; identities are sealed before they come there."""
    await tx.execute(_STAGING)


async def stage_lines(tx: Tx, lines: Sequence[tuple[Any, ...]]) -> None:
    """`COPY` lines, in the order of the columns, into the temporary table."""
    statement = f"COPY feed_line ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
    async with tx.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(_COLUMNS.values()))
        for line in lines:
            await copy.write_row(line)


async def broken_lines(tx: Tx, number: int, most: int) -> list[DictRow]:
    """Lock the residents of a round, then name the lines that contradict what is recorded."""
    await tx.execute(_LOCK_KNOWN, (number,))
    return await rows(tx, _BROKEN, {"round": number, "most": most})


async def plan(tx: Tx, number: int) -> list[DictRow]:
    """Decide what each line of a round does; returns how many lines do what."""
    await tx.execute("DROP TABLE IF EXISTS feed_plan")
    await tx.execute(_PLAN, (number,))
    return await rows(tx, _SUMMARY)


async def write_arrivals(tx: Tx, *, key_id: str, now: datetime) -> DictRow:
    """Write persons who were not known: vault, resident, default listing and both facts; returns their
    counts.

    Nothing of theirs exists yet, so this needs no comparison; it is how a whole city arrives.
    """
    parameters = {
        "key_id": key_id,
        "now": now,
        "recorded_at": now.isoformat(),
        "resident_topic": _RESIDENT.name,
        "resident_type": _RESIDENT.type_of("registered"),
        "listing_topic": _LISTING.name,
        "listing_type": _LISTING.type_of("listed"),
        "traceparent": current_traceparent(),
    }
    for statement in _ARRIVALS:
        await tx.execute(statement, parameters)
    await tx.execute(_COUNT_ARRIVALS)
    counted = await one(tx, _ARRIVED)
    assert counted is not None, "a count answers a row"
    return counted


async def write_residents(tx: Tx, *, key_id: str, now: datetime) -> None:
    """Seal identities of known residents anew, write what changed, and say each that changed."""
    await tx.execute(_SEAL_ANEW, (key_id,))
    parameters = {"topic": _RESIDENT.name, "type": _RESIDENT.type_of(""), "recorded_at": now.isoformat()}
    await tx.execute(_RESIDENTS, parameters | {"traceparent": current_traceparent()})


async def fill_changes(tx: Tx) -> None:
    """Fill `cut` and `added` from the plan of a round."""
    await tx.execute(_CUT)
    await tx.execute(_ADDED)
