"""The relay: publishes what stands in the outbox, in order for each aggregate, at least once.

A relay holds shards of the outbox by a lease with a token. It reads the unsent rows of its shards (never
"ids above the last one": sequence order is not commit order), publishes them as one gathered batch and
marks them sent only while the token is still its own. A relay that was paused and lost its lease may publish
twice; the receiver's inbox drops the second.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg
import structlog
from psycopg.rows import DictRow

from .crash import crash_point
from .db import SHARDS, Pool, Tx, one, rows, transaction
from .kafka import Publisher, PublishFailed
from .telemetry import outbox_oldest_seconds, relay_published

log = structlog.get_logger()

MOST_IDLE_SECONDS = 0.25
"""The pause between two looks grows up to this while there is nothing to publish."""
BUSY_ROWS = 50
BUSY_SECONDS = 0.5
"""After so many rows the next look waits so long: a reader takes hundreds of facts at nearly the cost of one."""

_LEASE = """
UPDATE relay_shard SET token = %(token)s, leased_until = clock_timestamp() + %(seconds)s * interval '1 second'
WHERE shard IN (SELECT shard FROM relay_shard
                WHERE leased_until < clock_timestamp() OR token = %(token)s
                ORDER BY shard FOR UPDATE SKIP LOCKED)
RETURNING shard
"""
# Shard by shard, so that each look walks the index of the queue; over all shards at once the database would sort it.
_UNSENT = """
SELECT o.id, o.shard, event_id, topic, key, type, body, headers, traceparent, created_at,
       extract(epoch FROM clock_timestamp() - created_at)::float AS age_seconds
FROM (
    SELECT due.id FROM unnest(%(shards)s::smallint[]) AS own (shard) CROSS JOIN LATERAL (
        SELECT id FROM outbox_unsent WHERE shard = own.shard ORDER BY id LIMIT %(batch)s) due
    ORDER BY due.id LIMIT %(batch)s
) next JOIN outbox o ON o.id = next.id ORDER BY o.id
"""
_MARK = """
WITH sent AS (
    DELETE FROM outbox_unsent u
    USING unnest(%(shards)s::smallint[], %(ids)s::bigint[], %(topics)s::text[]) AS done (shard, id, topic)
    WHERE u.shard = done.shard AND u.id = done.id AND done.shard IN (
        SELECT shard FROM relay_shard WHERE token = %(token)s AND leased_until > clock_timestamp() FOR SHARE)
    RETURNING done.topic
), counted AS (
    INSERT INTO outbox_sent AS s (topic, published) SELECT topic, count(*) FROM sent GROUP BY topic ORDER BY topic
    ON CONFLICT (topic) DO UPDATE SET published = s.published + excluded.published
)
SELECT count(*) AS marked FROM sent
"""


@dataclass
class Relay:
    """One relay of one process. `run` ends only by cancellation."""

    pool: Pool
    publisher: Publisher
    batch: int = 5000
    lease_seconds: float = 10.0
    idle_seconds: float = 0.05
    token: UUID = field(default_factory=uuid4)
    _shards: list[int] = field(default_factory=list, init=False)
    _renew_at: float = field(default=0.0, init=False)

    async def run(self) -> None:
        """Publish for ever. Trouble with broker or database is waited out with a growing pause."""
        pause_seconds = self.idle_seconds
        while True:
            try:
                sent = await self.publish_once()
                pause_seconds = self._pause_after(sent, pause_seconds)
            except Exception as error:  # also what nobody thought of: a relay that ended would say nothing any more
                expected = isinstance(error, (psycopg.Error, PublishFailed, TimeoutError))
                log.warning("relay_waits", error=type(error).__name__, exc_info=not expected)
                sent, pause_seconds = 0, min(2 * pause_seconds, 5.0)
            if sent < self.batch:
                await asyncio.sleep(pause_seconds)

    def _pause_after(self, sent: int, pause_seconds: float) -> float:
        if sent >= BUSY_ROWS:
            return max(self.idle_seconds, BUSY_SECONDS)
        return self.idle_seconds if sent else min(1.5 * pause_seconds, MOST_IDLE_SECONDS)

    async def publish_once(self) -> int:
        """Lease, read, publish, mark; returns how many rows were published."""
        batch = await self._claim()
        if not batch:
            return 0
        crash_point("relay_before_publish")
        await self.publisher.publish(batch)
        crash_point("relay_before_mark")
        await self._mark(batch)
        for topic in {row["topic"] for row in batch}:
            relay_published.labels(topic).inc(sum(row["topic"] == topic for row in batch))
        return len(batch)

    async def _claim(self) -> list[DictRow]:
        """The next unsent rows of the leased shards. The lease is renewed at half its time, not at each look."""
        if time.monotonic() >= self._renew_at:
            async with transaction(self.pool) as tx:
                leased = await rows(tx, _LEASE, {"token": self.token, "seconds": self.lease_seconds})
            self._shards = [row["shard"] for row in leased]
            self._renew_at = time.monotonic() + self.lease_seconds / 2
        async with transaction(self.pool) as tx:
            batch = await rows(tx, _UNSENT, {"shards": self._shards, "batch": self.batch})
        outbox_oldest_seconds.set(batch[0]["age_seconds"] if batch else 0)
        return batch

    async def _mark(self, batch: Sequence[DictRow]) -> None:
        """Take out of the queue what is still ours; after a lost lease the next look begins with a new one."""
        columns = {f"{name}s": [row[name] for row in batch] for name in ("shard", "id", "topic")}
        async with transaction(self.pool) as tx:
            found = await one(tx, _MARK, columns | {"token": self.token})
        if found is None or found["marked"] < len(batch):
            log.warning("relay_lost_its_lease", rows=len(batch) - (found["marked"] if found else 0))
            self._renew_at = 0.0


async def prepare_shards(tx: Tx) -> None:
    """Make the rows of the shards, once; called by a service when it starts."""
    await tx.execute(
        "INSERT INTO relay_shard (shard) SELECT generate_series(0, %s) ON CONFLICT DO NOTHING", (SHARDS - 1,)
    )
