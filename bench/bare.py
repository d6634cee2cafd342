"""The yardstick of a choice: the same statements in one transaction, without token, validation, rules or answer.

Same driver, same pool, same server, a relay beside it: what is left out is everything that a choice is about.
"""

import contextlib
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

from fastapi import FastAPI, Request, Response

from kanava.common.app import beside
from kanava.common.db import make_pool, one, rows, transaction
from kanava.common.kafka import Publisher
from kanava.common.relay import Relay

NOTICE = date(2026, 10, 12)
EFFECT = date(2026, 11, 2)


def create_app() -> FastAPI:
    """A bare application on listing's database."""
    pool = make_pool(os.environ["KANAVA_DATABASE_URL"], size=16)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await pool.open(wait=True)
        publisher = Publisher(os.environ["KANAVA_KAFKA"], source="/bench")
        async with beside([Relay(pool, publisher).run()]):
            yield
        await publisher.close()
        await pool.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/bare")
    async def post_bare(request: Request) -> Response:
        body = json.loads(await request.body())
        resident, unit, now = body["resident_id"], body["unit_id"], datetime.now(UTC)
        async with transaction(pool) as tx:
            await one(tx, "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 7))", (resident,))
            read = {"resident_id": resident, "unit_id": unit, "notice_on": NOTICE}
            found = (await rows(tx, _LOAD, read))[0]
            await one(tx, _CLOSE_AND_ADD, _written(found, resident, unit, now))
            await tx.execute(
                "INSERT INTO outbox (topic, key, type, body)"
                " VALUES ('kanava.listing.listing.v1', %s, 'fi.kanava.listing.listing.chosen', %s)",
                (resident, _FACT % {"resident": resident, "unit": unit, "now": now.isoformat()}),
            )
            await tx.execute("UPDATE unit SET listed = listed + 1 WHERE unit_id = %s AND listed < capacity", (unit,))
            await tx.execute(
                "INSERT INTO idempotency (caller, key, route, body_hash, status, body)"
                " VALUES ('bare', %s, '/bare', '', 201, '')",
                (resident,),
            )
        return Response(status_code=201)

    return app


_LOAD = """
WITH wish AS MATERIALIZED (
    SELECT *, pg_advisory_xact_lock_shared(hashtextextended(unit_id, 0)) AS held FROM unit WHERE unit_id =
        %(unit_id)s
)
SELECT r.area AS resident_area, r.lives_until, r.chosen_on, r.free_choice, r.listing_version,
    (SELECT seen.listing_version FROM resident seen WHERE seen.resident_id = r.resident_id) AS seen_version,
    s.span_id, s.unit_id AS span_unit_id, s.producer_id AS span_producer_id, lower(s.during) AS starts_on,
    upper(s.during) AS until, s.origin, s.coefficient_permille,
    CASE WHEN upper_inf(s.during) AND s.unit_id <> %(unit_id)s
        THEN pg_try_advisory_xact_lock_shared(hashtextextended(s.unit_id, 0)) ELSE true END AS steady,
    u.unit_id, u.version AS unit_version, u.producer_id, u.area, u.own, u.status, u.opens_on, u.closes_on,
    u.capacity - u.listed AS places_left, p.version AS producer_version, p.status AS producer_status,
    book.months_between_choices, book.days_to_effect,
    (SELECT max(phase) FROM scheme WHERE scheme.municipality = r.municipality) AS scheme_phase
FROM resident r
LEFT JOIN wish u ON true
LEFT JOIN producer p ON p.producer_id = u.producer_id
LEFT JOIN span s ON s.resident_id = r.resident_id AND s.recorded_until = 'infinity'
LEFT JOIN LATERAL (
    SELECT b.months_between_choices, b.days_to_effect FROM rule_book b
    WHERE b.area = r.area AND b.valid_from <= %(notice_on)s ORDER BY b.valid_from DESC, b.number DESC LIMIT 1
) book ON true
WHERE r.resident_id = %(resident_id)s
FOR UPDATE OF r
"""

_CLOSE_AND_ADD = """
WITH unchanged AS (
    SELECT 1 FROM unit u JOIN producer p USING (producer_id)
    WHERE u.unit_id = %(unit_id)s AND u.version = %(unit_version)s AND p.version = %(producer_version)s
), closed AS (
    UPDATE span SET recorded_until = %(now)s
    WHERE resident_id = %(resident_id)s AND span_id = ANY(%(closed)s) AND EXISTS (SELECT FROM unchanged)
        RETURNING 1
), moved_on AS (
    UPDATE resident SET listing_version = %(listing_version)s, chosen_on = %(chosen_on)s, free_choice = false
    WHERE resident_id = %(resident_id)s AND EXISTS (SELECT FROM unchanged)
)
INSERT INTO span (resident_id, during, unit_id, producer_id, origin, coefficient_permille, recorded_from)
SELECT %(resident_id)s, daterange(starts_on, until), added.unit_id, producer_id, origin, permille, %(now)s
FROM jsonb_to_recordset(%(added)s::jsonb) AS added
    (starts_on date, until date, unit_id text, producer_id text, origin text, permille int),
    unchanged, (SELECT count(*) FROM closed) AS closed_first
RETURNING (SELECT array_agg(unit_id ORDER BY unit_id) FROM unit
    WHERE unit_id = ANY(%(touched)s) AND capacity IS NOT NULL) AS counted
"""

_FACT = (
    '{"what":"chosen","version":2,"recorded_at":"%(now)s","resident_id":"%(resident)s","spans":[{"unit_id":"%(unit)s",'
    '"producer_id":"p1","starts_on":"2026-11-02","until":null,"origin":"choice","coefficient_permille":1000}]}'
)


def _written(found: dict[str, object], resident: str, unit: str, now: datetime) -> dict[str, object]:
    """The columns of the spans that any choice writes: the old one cut short, and the new one."""
    old = {"starts_on": str(found["starts_on"]), "until": str(EFFECT), "unit_id": found["span_unit_id"]}
    new = {"starts_on": str(EFFECT), "until": None, "unit_id": unit}
    old |= {"producer_id": found["span_producer_id"], "origin": "default", "permille": 1000}
    new |= {"producer_id": found["producer_id"], "origin": "choice", "permille": 1000}
    return {
        "resident_id": resident,
        "unit_id": unit,
        "touched": [unit, found["span_unit_id"]],
        "unit_version": found["unit_version"],
        "producer_version": found["producer_version"],
        "listing_version": 2,
        "chosen_on": NOTICE,
        "now": now,
        "closed": [found["span_id"]],
        "added": json.dumps([old, new]),
    }
