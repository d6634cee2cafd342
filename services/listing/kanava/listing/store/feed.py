"""The registration feed in sets: staged lines become residents, sealed identities, listings and facts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from kanava.common.contracts import TOPIC_OF
from kanava.common.contracts.listing import Resident
from kanava.common.db import Tx, one, rows
from kanava.common.telemetry import current_traceparent

_RESIDENT = TOPIC_OF[Resident]

_COLUMNS = {
    "line": "int4",
    "round": "int4",
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
}
_STAGING = f"CREATE TEMP TABLE feed_line ({', '.join(f'{n} {t}' for n, t in _COLUMNS.items())}) ON COMMIT DROP"

_LOCK_KNOWN = """
SELECT count(*) FROM (SELECT FROM resident r WHERE r.resident_id IN
    (SELECT resident_id FROM feed_line WHERE round = %s) ORDER BY r.resident_id FOR UPDATE) locked
"""

_BROKEN = """
SELECT line, rule FROM (
    SELECT l.line, CASE
        WHEN r.resident_id IS NULL AND l.fact <> 'registered' THEN 'resident_known'
        WHEN l.fact = 'moved' AND r.lives_until IS NOT NULL THEN 'resident_present'
        WHEN l.fact IN ('died', 'moved_away') AND r.lives_until < l.effective_on THEN 'resident_present'
        WHEN l.fact = 'registered' AND r.lives_until > l.effective_on THEN 'registered_after_leaving'
        END AS rule
    FROM feed_line l LEFT JOIN resident r USING (resident_id) WHERE l.round = %(round)s) checked
WHERE rule IS NOT NULL ORDER BY line LIMIT %(most)s
"""

_PLAN = """
CREATE TEMP TABLE feed_plan ON COMMIT DROP AS
SELECT l.*, CASE
    WHEN r.resident_id IS NULL THEN 'arrives'
    WHEN l.fact IN ('died', 'moved_away') THEN CASE WHEN r.lives_until = l.effective_on THEN 'nothing' ELSE 'ends' END
    WHEN r.lives_until IS NOT NULL THEN 'returns'
    WHEN r.area <> l.area THEN 'changes_area'
    WHEN r.municipality <> l.municipality THEN 'moves'
    WHEN r.protected <> l.protected THEN 'corrected'
    ELSE 'nothing' END AS action
FROM feed_line l LEFT JOIN resident r USING (resident_id) WHERE l.round = %s
"""

_SEAL = """
INSERT INTO vault (resident_id, hetu_index, sealed, key_id)
SELECT resident_id, hetu_index, sealed, %s FROM feed_plan
ON CONFLICT (resident_id) DO UPDATE SET sealed = excluded.sealed, key_id = excluded.key_id
"""

_RESIDENTS = """
WITH changed AS (
    INSERT INTO resident AS r (resident_id, version, birth_date, sex, municipality, area, protected, lives_until,
        free_choice)
    SELECT resident_id, 1, birth_date, sex, municipality, area, protected,
        CASE WHEN action = 'ends' THEN effective_on END, action IN ('moves', 'changes_area')
    FROM feed_plan WHERE action <> 'nothing'
    ON CONFLICT (resident_id) DO UPDATE SET version = r.version + 1, protected = excluded.protected,
        municipality = CASE WHEN excluded.lives_until IS NULL THEN excluded.municipality ELSE r.municipality END,
        area = CASE WHEN excluded.lives_until IS NULL THEN excluded.area ELSE r.area END,
        lives_until = excluded.lives_until, free_choice = r.free_choice OR excluded.free_choice
    RETURNING r.*
)
INSERT INTO outbox (topic, key, type, body, traceparent)
SELECT %(topic)s, resident_id::text, %(type)s || what,
    json_build_object('what', what, 'version', version, 'recorded_at', %(recorded_at)s::text,
        'resident_id', resident_id, 'birth_date', c.birth_date, 'sex', c.sex,
        'municipality', CASE WHEN NOT c.protected THEN c.municipality END, 'area', c.area,
        'protected', c.protected, 'lives_until', c.lives_until)::text, %(traceparent)s
FROM changed c JOIN (SELECT resident_id, CASE WHEN action IN ('arrives', 'returns') THEN 'registered'
    WHEN action = 'ends' THEN fact WHEN action = 'corrected' THEN 'corrected' ELSE 'moved' END AS what
    FROM feed_plan) plan USING (resident_id)
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
SELECT p.resident_id, daterange(p.effective_on, NULL), p.unit_id, p.producer_id,
    CASE WHEN p.action = 'arrives' THEN 'default' ELSE 'move' END, %(permille)s
FROM feed_plan p
WHERE p.unit_id IS NOT NULL AND (p.action IN ('arrives', 'returns', 'changes_area') OR p.action = 'moves'
    AND NOT EXISTS (SELECT FROM span s WHERE s.resident_id = p.resident_id AND s.recorded_until = 'infinity'
        AND (upper_inf(s.during) OR upper(s.during) > p.effective_on)))
"""

_SUMMARY = """
SELECT action, fact, count(*) AS lines,
    count(*) FILTER (WHERE action IN ('arrives', 'returns', 'changes_area') AND unit_id IS NULL) AS without_unit
FROM feed_plan GROUP BY action, fact
"""


async def last_file(tx: Tx, feed: str) -> DictRow | None:
    """The last file that was taken of a feed: its number and the position after it."""
    return await one(
        tx, "SELECT sequence, position FROM feed_file WHERE feed = %s ORDER BY sequence DESC LIMIT 1", (feed,)
    )


async def file_of(tx: Tx, feed: str, sequence: int) -> DictRow | None:
    """The digest and the receipt of a file that was taken."""
    return await one(
        tx, "SELECT digest, receipt FROM feed_file WHERE feed = %s AND sequence = %s", (feed, sequence)
    )


async def enter_file(
    tx: Tx, *, feed: str, sequence: int, digest: bytes, lines: int, position: int, receipt: dict[str, Any], now: datetime
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
    found = await rows(
        tx, "SELECT hetu_index, resident_id FROM vault WHERE hetu_index = ANY(%s::bytea[])", (list(indexes),)
    )
    return {row["hetu_index"]: row["resident_id"] for row in found}


async def open_staging(tx: Tx) -> None:
    """Make the temporary table of lines; identities are sealed before they come there."""
    await tx.execute(_STAGING)  # type: ignore[arg-type]  # a literal of this module


async def stage_lines(tx: Tx, lines: Sequence[tuple[Any, ...]]) -> None:
    """`COPY` lines, in the order of the columns, into the temporary table."""
    statement = f"COPY feed_line ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
    async with tx.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[arg-type]  # a literal
        copy.set_types(list(_COLUMNS.values()))
        for line in lines:
            await copy.write_row(line)


async def broken_lines(tx: Tx, number: int, most: int) -> list[DictRow]:
    """Lock the known residents of a round, then name the lines that contradict what is recorded."""
    await tx.execute(_LOCK_KNOWN, (number,))
    return await rows(tx, _BROKEN, {"round": number, "most": most})


async def plan(tx: Tx, number: int) -> list[DictRow]:
    """Decide what each line of a round does; returns how many lines do what."""
    await tx.execute("DROP TABLE IF EXISTS feed_plan")
    await tx.execute(_PLAN, (number,))
    await tx.execute("ANALYZE feed_plan")
    return await rows(tx, _SUMMARY)


async def write_residents(tx: Tx, *, key_id: str, now: datetime) -> None:
    """Seal identities, write residents, and say each that changed."""
    await tx.execute(_SEAL, (key_id,))
    parameters = {"topic": _RESIDENT.name, "type": _RESIDENT.type_of(""), "recorded_at": now.isoformat()}
    await tx.execute(_RESIDENTS, parameters | {"traceparent": current_traceparent()})


async def fill_changes(tx: Tx, *, permille: int) -> None:
    """Fill `cut` and `added` from the plan of a round."""
    await tx.execute(_CUT)
    await tx.execute(_ADDED, {"permille": permille})
