"""What listing can be told to do, in the imperative."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Mandate:
    """By what an adviser acts for a resident (valtuutus), and who the adviser is."""

    adviser: str
    words: str


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """Choose a unit for a resident; with a mandate where an adviser does it."""

    resident_id: UUID
    unit_id: str
    mandate: Mandate | None = None


@dataclass(frozen=True, slots=True)
class SetCoefficient:
    """Give a resident's listing a client-specific coefficient (asiakaskohtainen korjaus) from a day on."""

    resident_id: UUID
    area: str
    coefficient_permille: int
    starts_on: date


@dataclass(frozen=True, slots=True)
class TakeFile:
    """Take a file of the registration feed: NDJSON, whole or not at all."""

    feed: str
    sequence: int
    body: bytes = field(repr=False)
    digest: bytes


@dataclass(frozen=True, slots=True)
class LookUp:
    """Find the pseudonymous ids of persons by their HETU, and log the look for each."""

    hetus: tuple[str, ...] = field(repr=False)
    who: str
    role: str
    reason: str
