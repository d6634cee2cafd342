"""Facts that `listing` states: pseudonymous residents and where each is listed. Never an identity."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from .base import Fact, Part

Origin = Literal["default", "choice", "move", "unit_closed"]


class Resident(Fact):
    """A pseudonymous resident. `lives_until` is the first day on which the resident is no longer there.

    `protected` is the safety prohibition (turvakielto): then `municipality` is None, like the address.
    """

    aggregate: ClassVar[str] = "resident"
    what: Literal["registered", "moved", "moved_away", "died", "corrected"]
    resident_id: UUID
    birth_date: date
    sex: Literal["male", "female"]
    municipality: str | None
    area: str
    protected: bool
    lives_until: date | None = None


class Span(Part):
    """A stretch of being listed with one unit: from `starts_on` up to, not including, `until`."""

    unit_id: str
    producer_id: str
    starts_on: date
    until: date | None
    origin: Origin
    coefficient_permille: int = 1000


class Listing(Fact):
    """Where one resident is listed (listautuminen), the whole history, in order and without overlap."""

    aggregate: ClassVar[str] = "listing"
    what: Literal["listed", "chosen", "ended", "coefficient_set"]
    resident_id: UUID
    spans: tuple[Span, ...]
