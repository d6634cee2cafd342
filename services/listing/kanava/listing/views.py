"""SQL that reads, and what the reads answer."""

from datetime import date, datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

import orjson
from psycopg.rows import DictRow
from pydantic import BaseModel

from kanava.common.db import Tx, one, rows
from kanava.common.web import next_cursor

from .vault import Vault

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """A page of a list; `next_cursor` is None on the last one."""

    items: list[Item]
    next_cursor: str | None


class UnitView(BaseModel):
    """A unit to compare and choose; `places_left` None means without limit."""

    unit_id: str
    producer_id: str
    producer_name: str | None
    name: str
    area: str
    municipality: str
    own: bool
    languages: list[str]
    opens_on: date
    closes_on: date | None
    capacity: int | None
    places_left: int | None


class Client(BaseModel):
    """A resident who is listed with a unit, by the pseudonymous id."""

    resident_id: UUID
    starts_on: date
    until: date | None
    origin: Literal["default", "choice", "move", "unit_closed"]
    coefficient_permille: int


class ListingSpan(BaseModel):
    """A stretch of being listed, when it holds (`starts_on`, `until`) and when it was known
    (`recorded_*`)."""

    unit_id: str
    producer_id: str
    starts_on: date
    until: date | None
    origin: Literal["default", "choice", "move", "unit_closed"]
    coefficient_permille: int
    recorded_from: datetime
    recorded_until: datetime | None


class ListingView(BaseModel):
    """Where a resident is listed: on a day, or the whole history, as known now or at an earlier instant."""

    resident_id: UUID
    spans: list[ListingSpan]


class Identity(BaseModel):
    """The vault's content, for the person alone."""

    hetu: str
    given_names: str
    family_name: str
    street_address: str
    postal_code: str


class ResidentView(BaseModel):
    """A resident. `identity` and `guardian_id` are there for the resident alone; a protected municipality too.

    `guardian_id` is the guardian (huoltaja) with whom client fees count up to the eighteenth birthday. `lives_until` is
    the first day on which the resident is not there, `has_died` whether because it died or only moved away.
    """

    resident_id: UUID
    birth_date: date
    sex: Literal["male", "female"]
    municipality: str | None
    area: str
    protected: bool
    guardian_id: UUID | None
    lives_until: date | None
    has_died: bool
    chosen_on: date | None
    free_choice: bool
    identity: Identity | None = None


class LookView(BaseModel):
    """Somebody looked the resident up."""

    look_id: int
    who: str
    role: str
    why: str
    at: datetime


_UNITS = """
SELECT u.unit_id, u.producer_id, p.name AS producer_name, u.name, u.area, u.municipality, u.own, u.languages,
    u.opens_on, u.closes_on, u.capacity,
    CASE WHEN u.capacity IS NOT NULL THEN greatest(u.capacity - u.listed, 0) END AS places_left
FROM unit u JOIN producer p USING (producer_id)
WHERE u.status = 'open' AND p.status = 'approved'
    AND (%(municipality)s::text IS NULL OR u.municipality = %(municipality)s)
    AND (%(after)s::text IS NULL OR u.unit_id > %(after)s)
ORDER BY u.unit_id LIMIT %(limit)s
"""
_CLIENTS = """
SELECT resident_id, lower(during) AS starts_on, upper(during) AS until, origin, coefficient_permille
FROM span WHERE unit_id = %(unit_id)s AND during @> %(on)s::date AND recorded_until = 'infinity'
    AND (%(after)s::uuid IS NULL OR resident_id > %(after)s)
ORDER BY resident_id LIMIT %(limit)s
"""
_LISTING = """
SELECT unit_id, producer_id, lower(during) AS starts_on, upper(during) AS until, origin, coefficient_permille,
    recorded_from, nullif(recorded_until, 'infinity') AS recorded_until
FROM span WHERE resident_id = %(resident_id)s
    AND (%(as_of)s::date IS NULL OR during @> %(as_of)s::date)
    AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN recorded_until = 'infinity'
        ELSE recorded_from <= %(known_at)s AND recorded_until > %(known_at)s END
ORDER BY lower(during)
"""
_LOOKS = """
SELECT look_id, who, role, why, at FROM look
WHERE resident_id = %(resident_id)s AND (%(before)s::bigint IS NULL OR look_id < %(before)s)
ORDER BY look_id DESC LIMIT %(limit)s
"""
_RESIDENT = """
SELECT resident_id, birth_date, sex, municipality, area, protected, guardian_id, lives_until,
    died_on IS NOT NULL AS has_died, chosen_on, free_choice
FROM resident WHERE resident_id = %s
"""


async def units(tx: Tx, *, municipality: str | None, after: str | None, limit: int) -> Page[UnitView]:
    """Open units of approved producers, own and private in one list, in order of id."""
    found = await rows(tx, _UNITS, {"municipality": municipality, "after": after, "limit": limit})
    items = [UnitView.model_validate(row) for row in found]
    return Page(items=items, next_cursor=next_cursor(items, limit, lambda unit: (unit.unit_id,)))


async def producer_of(tx: Tx, unit_id: str) -> str | None:
    """The producer of a unit; None when there is no such unit."""
    row = await one(tx, "SELECT producer_id FROM unit WHERE unit_id = %s", (unit_id,))
    return None if row is None else row["producer_id"]


async def clients(tx: Tx, unit_id: str, *, on: date, after: UUID | None, limit: int) -> Page[Client]:
    """Who is listed with a unit on a day, in order of the pseudonymous id."""
    found = await rows(tx, _CLIENTS, {"unit_id": unit_id, "on": on, "after": after, "limit": limit})
    items = [Client.model_validate(row) for row in found]
    return Page(items=items, next_cursor=next_cursor(items, limit, lambda client: (client.resident_id,)))


async def listing(tx: Tx, resident_id: UUID, *, as_of: date | None, known_at: datetime | None) -> ListingView:
    """A resident's listing on a day (all days if none is named), as known at an instant (now if none)."""
    found = await rows(tx, _LISTING, {"resident_id": resident_id, "as_of": as_of, "known_at": known_at})
    return ListingView(resident_id=resident_id, spans=[ListingSpan.model_validate(row) for row in found])


async def resident_row(tx: Tx, resident_id: UUID) -> DictRow | None:
    """A resident's pseudonymous row; None when there is none."""
    return await one(tx, _RESIDENT, (resident_id,))


async def identity(tx: Tx, resident_id: UUID, vault: Vault) -> Identity:
    """What the vault keeps of a resident, opened."""
    row = await one(tx, "SELECT sealed FROM vault WHERE resident_id = %s", (resident_id,))
    assert row is not None, "a resident without an identity"
    return Identity.model_validate(orjson.loads(vault.open(resident_id, row["sealed"])))


async def looks(tx: Tx, resident_id: UUID, *, before: int | None, limit: int) -> Page[LookView]:
    """Who looked a resident up, newest first."""
    found = await rows(tx, _LOOKS, {"resident_id": resident_id, "before": before, "limit": limit})
    items = [LookView.model_validate(row) for row in found]
    return Page(items=items, next_cursor=next_cursor(items, limit, lambda look: (look.look_id,)))
