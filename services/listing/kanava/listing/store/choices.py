"""A choice in few statements: one that locks and reads, one that writes, and the counter of places last."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import DictRow

from kanava.common.db import Tx, one, rows

from ..domain.choice import Chooser, RuleBook, Wish
from ..domain.spans import Change, Span, last_open

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

_TAKE_PLACE = "UPDATE unit SET listed = listed + 1 WHERE unit_id = %s AND listed < capacity"
_FREE_PLACE = "UPDATE unit SET listed = listed - 1 WHERE unit_id = %s AND capacity IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the rule needs, as locked and read, and the versions by which the write knows that it still
    holds."""

    chooser: Chooser
    wish: Wish | None
    rule_book: RuleBook | None
    scheme_phase: int
    listing_version: int
    unit_version: int | None
    producer_version: int | None
    steady: bool


async def load(tx: Tx, resident_id: UUID, unit_id: str, notice_on: date) -> Loaded | None:
    """Lock a resident and read all that a choice depends on; None when there is no such resident.

    A transaction that waited for the row's lock sees the row as it is now, but spans as they were before:
        then
    the versions differ and everything is read once more, with the lock in hand.
    """
    parameters = {"resident_id": resident_id, "unit_id": unit_id, "notice_on": notice_on}
    found = await rows(tx, _LOAD, parameters)
    if found and found[0]["seen_version"] != found[0]["listing_version"]:
        found = await rows(tx, _LOAD, parameters)
    return _loaded(found, notice_on) if found else None


async def save(
    tx: Tx, loaded: Loaded, change: Change, *, resident_id: UUID, unit_id: str, chosen_on: date, now: datetime
) -> list[str] | None:
    """Close and add the spans of a choice; returns the units whose places are counted, in order of id.

    None when the unit or its producer changed since `load`: then nothing was written.
    """
    left = last_open(loaded.chooser.spans)
    row = await one(
        tx,
        _CLOSE_AND_ADD,
        {
            "resident_id": resident_id,
            "unit_id": unit_id,
            "touched": [unit_id] if left is None else [unit_id, left.unit_id],
            "unit_version": loaded.unit_version,
            "producer_version": loaded.producer_version,
            "listing_version": loaded.listing_version + 1,
            "chosen_on": chosen_on,
            "now": now,
            "closed": list(change.closed),
            "added": span_rows(change.added),
        },
    )
    return None if row is None else row["counted"] or []


def span_rows(spans: tuple[Span, ...]) -> str:
    """New spans as one JSON text, which costs less to send than an array for each column."""
    return orjson.dumps([_span_row(span) for span in spans]).decode()


def _span_row(span: Span) -> dict[str, Any]:
    return {
        "starts_on": span.starts_on,
        "until": span.until,
        "unit_id": span.unit_id,
        "producer_id": span.producer_id,
        "origin": span.origin,
        "permille": span.coefficient_permille,
    }


async def count_move(tx: Tx, counted: list[str], entered: str) -> bool:
    """Take a place in `entered` and free the one that was left; False when no place is there.

    The place that is left is free at once, although the move takes effect later: the unit will have it then.
    """
    for unit_id in counted:
        taken = await tx.execute(_TAKE_PLACE if unit_id == entered else _FREE_PLACE, (unit_id,))
        if taken.rowcount == 0:
            return False
    return True


def _loaded(found: list[DictRow], notice_on: date) -> Loaded:
    first = found[0]
    spans = tuple(
        sorted((_span(row) for row in found if row["span_id"] is not None), key=lambda s: s.starts_on)
    )
    alive = first["lives_until"] is None or first["lives_until"] > notice_on
    months = first["months_between_choices"]
    return Loaded(
        chooser=Chooser(first["resident_area"], alive, first["chosen_on"], first["free_choice"], spans),
        wish=None if first["unit_id"] is None else _wish(first),
        rule_book=None if months is None else RuleBook(months, first["days_to_effect"]),
        scheme_phase=first["scheme_phase"] or 0,
        listing_version=first["listing_version"],
        unit_version=first["unit_version"],
        producer_version=first["producer_version"],
        steady=all(row["steady"] for row in found),
    )


def _span(row: DictRow) -> Span:
    return Span(
        row["span_unit_id"],
        row["span_producer_id"],
        row["starts_on"],
        row["until"],
        row["origin"],
        row["coefficient_permille"],
        row["span_id"],
    )


def _wish(row: DictRow) -> Wish:
    return Wish(
        unit_id=row["unit_id"],
        producer_id=row["producer_id"],
        area=row["area"],
        own=row["own"],
        open=row["status"] == "open",
        opens_on=row["opens_on"],
        closes_on=row["closes_on"],
        producer_approved=row["producer_status"] == "approved",
        places_left=row["places_left"],
    )
