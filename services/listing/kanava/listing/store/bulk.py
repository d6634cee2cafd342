"""Set-based changes of many listings at once: what a feed file, a closed unit or a revoked producer brings.

A caller fills two temporary tables and calls `apply`: `cut` names spans that end on a day (or are annulled
when
they begin on it), `added` holds the stretches that take their place. Facts are made in SQL and equal the
contract models; a test reads each of them back.
"""

from dataclasses import dataclass
from datetime import datetime

from kanava.common.contracts import TOPIC_OF
from kanava.common.contracts.listing import Listing
from kanava.common.db import Tx, one
from kanava.common.telemetry import current_traceparent

_BULK_LOCK = 7_310_001
_LISTING = TOPIC_OF[Listing]

_TABLES = (
    "CREATE TEMP TABLE cut (span_id bigint, resident_id uuid, cut_on date, unit_id text, open boolean)"
    " ON COMMIT DROP",
    "CREATE TEMP TABLE added (resident_id uuid, during daterange, unit_id text, producer_id text,"
    " origin text, permille int) ON COMMIT DROP",
)

_SHORTEN = """
WITH closed AS (
    UPDATE span s SET recorded_until = %(now)s FROM cut
    WHERE s.resident_id = cut.resident_id AND s.span_id = cut.span_id
    RETURNING s.resident_id, s.during, cut.cut_on, s.unit_id, s.producer_id, s.origin, s.coefficient_permille
)
INSERT INTO added
SELECT resident_id, daterange(lower(during), cut_on), unit_id, producer_id, origin, coefficient_permille
FROM closed WHERE lower(during) < cut_on
"""

_ADD = """
INSERT INTO span (resident_id, during, unit_id, producer_id, origin, coefficient_permille, recorded_from)
SELECT resident_id, during, unit_id, producer_id, origin, permille, %(now)s FROM added
"""

_SAY = """
WITH touched AS (
    SELECT resident_id FROM added UNION SELECT resident_id FROM cut
), counted AS (
    UPDATE resident r SET listing_version = r.listing_version + 1, free_choice = r.free_choice OR
        %(frees_choice)s
    FROM touched WHERE r.resident_id = touched.resident_id RETURNING r.resident_id, r.listing_version
), said AS (
    SELECT c.resident_id, c.listing_version, coalesce(bool_or(upper_inf(s.during)), false) AS listed,
        coalesce(json_agg(json_build_object('unit_id', s.unit_id, 'producer_id', s.producer_id,
            'starts_on', lower(s.during), 'until', upper(s.during), 'origin', s.origin,
            'coefficient_permille', s.coefficient_permille) ORDER BY lower(s.during))
            FILTER (WHERE s.span_id IS NOT NULL), '[]'::json) AS spans
    FROM counted c LEFT JOIN span s ON s.resident_id = c.resident_id AND s.recorded_until = 'infinity'
    GROUP BY c.resident_id, c.listing_version
)
INSERT INTO outbox (topic, key, type, body, traceparent)
SELECT %(topic)s, resident_id::text, %(type)s || CASE WHEN listed THEN 'listed' ELSE 'ended' END,
    json_build_object('what', CASE WHEN listed THEN 'listed' ELSE 'ended' END, 'version', listing_version,
        'recorded_at', %(recorded_at)s::text, 'resident_id', resident_id, 'spans', spans)::text,
            %(traceparent)s
FROM said
"""

_COUNT = """
WITH moved AS (
    SELECT unit_id, sum(places)::int AS places FROM (
        SELECT unit_id, 1 AS places FROM added WHERE upper_inf(during)
        UNION ALL SELECT unit_id, -1 FROM cut WHERE open) one
    GROUP BY unit_id HAVING sum(places) <> 0
), locked AS MATERIALIZED (
    SELECT u.unit_id FROM unit u JOIN moved USING (unit_id) WHERE u.capacity IS NOT NULL ORDER BY u.unit_id
        FOR UPDATE OF u
)
UPDATE unit u SET listed = u.listed + moved.places FROM moved JOIN locked USING (unit_id) WHERE u.unit_id =
    moved.unit_id
"""

_RECOUNT = """
UPDATE unit u SET listed = (SELECT count(*) FROM span s WHERE s.unit_id = u.unit_id AND upper_inf(s.during)
    AND s.recorded_until = 'infinity')
WHERE u.unit_id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """How many spans were added (shortened ones too) and how many listings were said."""

    spans: int
    listings: int


async def take_bulk_lock(tx: Tx) -> None:
    """Wait until no other set-based change is under way; held until the commit."""
    await tx.execute("SELECT pg_advisory_xact_lock(%s)", (_BULK_LOCK,))


async def lock_units(tx: Tx, unit_ids: list[str]) -> None:
    """Wait until no choice of these units is under way, and let none begin before the commit."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(unit_id, 0)) FROM unnest(%s::text[]) AS u (unit_id)",
        (sorted(unit_ids),),
    )


async def prepare(tx: Tx) -> None:
    """Make the two temporary tables, empty, or empty them."""
    if await one(tx, "SELECT 1 WHERE to_regclass('pg_temp.cut') IS NOT NULL"):
        await tx.execute("TRUNCATE cut, added")
        return
    for statement in _TABLES:
        await tx.execute(statement)


async def apply(tx: Tx, now: datetime, *, frees_choice: bool = False) -> Applied:
    """Carry out `cut` and `added`: spans, versions, places, and one fact for each resident.

    `frees_choice` lets the residents choose anew at once. The caller holds the bulk lock.
    """
    await tx.execute(_SHORTEN, {"now": now})
    added = await tx.execute(_ADD, {"now": now})
    said = await tx.execute(
        _SAY,
        {
            "frees_choice": frees_choice,
            "topic": _LISTING.name,
            "type": _LISTING.type_of(""),
            "recorded_at": now.isoformat(),
            "traceparent": current_traceparent(),
        },
    )
    await tx.execute(_COUNT)
    return Applied(added.rowcount, said.rowcount)


async def recount(tx: Tx, unit_ids: list[str]) -> None:
    """Count anew who is in units without end; the caller holds the bulk lock and the units' locks."""
    await tx.execute(_RECOUNT, (unit_ids,))
