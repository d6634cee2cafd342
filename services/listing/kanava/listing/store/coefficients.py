"""Reads and writes for the client-specific coefficient of one resident."""

from datetime import date, datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from ..commands import SetCoefficient
from ..domain.spans import Change, Span
from .choices import span_rows

_CURRENT = """
SELECT span_id, unit_id, producer_id, lower(during) AS starts_on, upper(during) AS until, origin,
    coefficient_permille
FROM span WHERE resident_id = %s AND recorded_until = 'infinity' ORDER BY lower(during)
"""
_ADD = """
INSERT INTO span (resident_id, during, unit_id, producer_id, origin, coefficient_permille, recorded_from)
SELECT %(resident_id)s, daterange(starts_on, until), unit_id, producer_id, origin, permille, %(now)s
FROM jsonb_to_recordset(%(added)s::jsonb) AS added
    (starts_on date, until date, unit_id text, producer_id text, origin text, permille int)
"""


async def lock_resident(tx: Tx, resident_id: UUID) -> DictRow | None:
    """Lock a resident's row; None when there is none."""
    return await one(
        tx, "SELECT area, listing_version FROM resident WHERE resident_id = %s FOR UPDATE", (resident_id,)
    )


async def current_spans(tx: Tx, resident_id: UUID) -> tuple[Span, ...]:
    """The history of a resident's listings as it is known now, in order."""
    return tuple(Span(**row) for row in await rows(tx, _CURRENT, (resident_id,)))


async def bounds_in_force(tx: Tx, area: str, day: date) -> DictRow | None:
    """The bounds and reasons of the coefficient in the compensation model in force in an area on a day."""
    return await one(
        tx,
        "SELECT coefficient_min_permille, coefficient_max_permille, coefficient_reasons FROM compensation_model"
        " WHERE area = %s AND valid_from <= %s ORDER BY valid_from DESC, number DESC LIMIT 1",
        (area, day),
    )


async def save(tx: Tx, resident_id: UUID, change: Change, *, version: int, now: datetime) -> None:
    """Close and add spans, and move the version of the listing on."""
    closed = "UPDATE span SET recorded_until = %s WHERE resident_id = %s AND span_id = ANY(%s)"
    await tx.execute(closed, (now, resident_id, list(change.closed)))
    await tx.execute(_ADD, {"resident_id": resident_id, "now": now, "added": span_rows(change.added)})
    await tx.execute(
        "UPDATE resident SET listing_version = %s WHERE resident_id = %s", (version, resident_id)
    )


_DECISION = """
INSERT INTO coefficient_decision (resident_id, listing_version, coefficient_permille, starts_on, reason, decided_by,
    recorded_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


async def note_decision(tx: Tx, command: SetCoefficient, *, version: int, now: datetime) -> None:
    """Keep why a version of the listing has its coefficient."""
    said = (command.coefficient_permille, command.starts_on, command.reason, command.decided_by)
    await tx.execute(_DECISION, (command.resident_id, version, *said, now))
