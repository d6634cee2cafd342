"""Choices of many residents in one transaction: one round trip that locks and reads, one that writes.

Locks are taken in one order everywhere: units that are wished for (shared with other choices, against the
registry's changes), residents, then the rows of units whose places are counted, each by their ids. A
statement sees what was committed before it began, so what is read stands behind the locks in the pipeline.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg.rows import DictRow

from kanava.common.db import Tx, together

from ..commands import PlaceChoice
from ..domain.choice import Chooser, RuleBook, Wish
from ..domain.spans import Change, Span

_LOCK_UNITS = """
SELECT count(pg_advisory_xact_lock_shared(hashtextextended(unit_id, 0))) FROM unnest(%(units)s::text[]) AS u (unit_id)
"""
_LOCK_RESIDENTS = """
SELECT resident_id, area, municipality, lives_until, chosen_on, free_choice, listing_version
FROM resident WHERE resident_id = ANY(%(residents)s) ORDER BY resident_id FOR UPDATE
"""
# The unit that is left is only tried: a bulk change of it may hold residents that others here wait for.
_TRY_LEFT_UNITS = """
SELECT resident_id FROM span
WHERE resident_id = ANY(%(residents)s) AND recorded_until = 'infinity' AND upper_inf(during)
    AND NOT pg_try_advisory_xact_lock_shared(hashtextextended(unit_id, 0))
"""
_SPANS = """
SELECT resident_id, span_id, unit_id, producer_id, lower(during) AS starts_on, upper(during) AS until, origin,
    coefficient_permille
FROM span WHERE resident_id = ANY(%(residents)s) AND recorded_until = 'infinity'
ORDER BY resident_id, lower(during)
"""
_COUNTED = """
SELECT unit_id, capacity - listed AS places_left FROM unit
WHERE capacity IS NOT NULL AND unit_id IN (SELECT unnest(%(units)s::text[]) UNION ALL SELECT unit_id FROM span
    WHERE resident_id = ANY(%(residents)s) AND recorded_until = 'infinity' AND upper_inf(during))
ORDER BY unit_id FOR UPDATE
"""
_UNITS = """
SELECT u.unit_id, u.producer_id, u.area, u.own, u.status, u.opens_on, u.closes_on, p.status AS producer_status
FROM unit u LEFT JOIN producer p USING (producer_id) WHERE u.unit_id = ANY(%(units)s)
"""
_RULE_BOOKS = """
SELECT DISTINCT ON (area) area, months_between_choices, days_to_effect FROM rule_book
WHERE valid_from <= %(notice_on)s ORDER BY area, valid_from DESC, number DESC
"""
_PHASES = "SELECT municipality, max(phase) AS phase FROM scheme GROUP BY municipality"

_CLOSE = """
UPDATE span SET recorded_until = %(now)s
FROM unnest(%(residents)s::uuid[], %(spans)s::bigint[]) AS closed (resident_id, span_id)
WHERE span.resident_id = closed.resident_id AND span.span_id = closed.span_id
"""
_ADD = """
INSERT INTO span (resident_id, during, unit_id, producer_id, origin, coefficient_permille, recorded_from)
SELECT resident_id, daterange(starts_on, until), unit_id, producer_id, origin, permille, %(now)s
FROM jsonb_to_recordset(%(added)s::jsonb) AS added
    (resident_id uuid, starts_on date, until date, unit_id text, producer_id text, origin text, permille int)
"""
_MOVE_ON = """
UPDATE resident SET listing_version = listing_version + 1, chosen_on = %(chosen_on)s, free_choice = false
WHERE resident_id = ANY(%(residents)s)
"""
_COUNT = """
UPDATE unit SET listed = listed + moved.places
FROM unnest(%(units)s::text[], %(places)s::int[]) AS moved (unit_id, places)
WHERE unit.unit_id = moved.unit_id AND unit.capacity IS NOT NULL
"""


class Resident(NamedTuple):
    """A resident as locked: what the rule asks of it, and whether the registry is closing its unit just now."""

    chooser: Chooser
    municipality: str
    listing_version: int
    unit_changing: bool


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the rule needs for some choices, as locked and read. `places` holds the units that are counted."""

    residents: dict[UUID, Resident]
    wishes: dict[str, Wish]
    places: dict[str, int]
    rule_books: dict[str, RuleBook]
    phases: dict[str, int]


@dataclass(frozen=True, slots=True)
class Placed:
    """A choice that was decided: what it changes for its resident."""

    resident_id: UUID
    change: Change


async def load(tx: Tx, commands: Sequence[PlaceChoice], notice_on: date) -> Loaded:
    """Lock the residents and units of choices and read all that these depend on, in one round trip."""
    named = {
        "residents": [one.resident_id for one in commands],
        "units": sorted({one.unit_id for one in commands}),
        "notice_on": notice_on,
    }
    queries = (_LOCK_UNITS, _LOCK_RESIDENTS, _TRY_LEFT_UNITS, _SPANS, _COUNTED, _UNITS, _RULE_BOOKS, _PHASES)
    _, residents, unsteady, spans, counted, units, books, phases = await together(
        tx, *((query, named) for query in queries)
    )
    places = {row["unit_id"]: row["places_left"] for row in counted}
    return Loaded(
        residents=_residents(residents, spans, {row["resident_id"] for row in unsteady}, notice_on),
        wishes={row["unit_id"]: _wish(row, places.get(row["unit_id"])) for row in units},
        places=places,
        rule_books={row["area"]: RuleBook(row["months_between_choices"], row["days_to_effect"]) for row in books},
        phases={row["municipality"]: row["phase"] for row in phases},
    )


async def save(tx: Tx, placed: Sequence[Placed], moved: dict[str, int], *, chosen_on: date, now: datetime) -> None:
    """Close and add the spans of choices, move their residents on, and count the places, in one round trip.

    `moved` says by how much each unit grows. The caller holds the locks that `load` took.
    """
    closed = [(one.resident_id, span_id) for one in placed for span_id in one.change.closed]
    added = [(one.resident_id, span) for one in placed for span in one.change.added]
    await together(
        tx,
        (_CLOSE, {"now": now, "residents": [one for one, _ in closed], "spans": [one for _, one in closed]}),
        (_ADD, {"now": now, "added": _added_rows(added)}),
        (_MOVE_ON, {"chosen_on": chosen_on, "residents": [one.resident_id for one in placed]}),
        (_COUNT, {"units": list(moved), "places": list(moved.values())}),
    )


def _residents(
    locked: Sequence[DictRow], spans: Sequence[DictRow], unsteady: set[UUID], notice_on: date
) -> dict[UUID, Resident]:
    own: dict[UUID, list[Span]] = {row["resident_id"]: [] for row in locked}
    for row in spans:
        own[row["resident_id"]].append(_span(row))
    return {
        row["resident_id"]: Resident(
            Chooser(
                row["area"],
                row["lives_until"] is None or row["lives_until"] > notice_on,
                row["chosen_on"],
                row["free_choice"],
                tuple(own[row["resident_id"]]),
            ),
            row["municipality"],
            row["listing_version"],
            row["resident_id"] in unsteady,
        )
        for row in locked
    }


def span_rows(spans: Iterable[Span]) -> str:
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


def _added_rows(added: Iterable[tuple[UUID, Span]]) -> str:
    return orjson.dumps([_span_row(span) | {"resident_id": resident_id} for resident_id, span in added]).decode()


def _span(row: DictRow) -> Span:
    return Span(
        row["unit_id"],
        row["producer_id"],
        row["starts_on"],
        row["until"],
        row["origin"],
        row["coefficient_permille"],
        row["span_id"],
    )


def _wish(row: DictRow, places_left: int | None) -> Wish:
    return Wish(
        unit_id=row["unit_id"],
        producer_id=row["producer_id"],
        area=row["area"],
        own=row["own"],
        open=row["status"] == "open",
        opens_on=row["opens_on"],
        closes_on=row["closes_on"],
        producer_approved=row["producer_status"] == "approved",
        places_left=places_left,
    )
