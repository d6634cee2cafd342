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
from kanava.listing.store import choices

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
            found = (await rows(tx, choices._LOAD, read))[0]
            await one(tx, choices._CLOSE_AND_ADD, _written(found, resident, unit, now))
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
