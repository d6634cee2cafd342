"""From when a new version may hold, and which version holds on a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from .violations import Violation


@dataclass(frozen=True)
class PublishedVersion:
    """A version of a document by its id, its number and its first day."""

    document_id: str
    number: int
    valid_from: date


class Dated(Protocol):
    """A published version: it holds from a day on until a later one does."""

    @property
    def valid_from(self) -> date:
        """The first day on which the version holds."""
        ...

    @property
    def number(self) -> int:
        """The version's number; of two with the same first day the higher holds."""
        ...


Version = TypeVar("Version", bound=Dated)


def broken_by_start(valid_from: date, today: date) -> list[Violation]:
    """A new version starts no earlier than the first of the current month, so no closed month is re-priced.

    `today` is the day in Helsinki. A closed month changes only by corrections in a later run.
    """
    earliest = today.replace(day=1)
    if valid_from >= earliest:
        return []
    detail = f"a new version holds from {earliest.isoformat()} at the earliest"
    return [Violation("/valid_from", "not_before_open_month", detail)]


def in_force(versions: Iterable[Version], day: date) -> Version | None:
    """The version that holds on `day`; None before the first one."""
    started = (version for version in versions if version.valid_from <= day)
    return max(started, key=lambda version: (version.valid_from, version.number), default=None)


def current(versions: Iterable[Version], today: date) -> Version | None:
    """The version to agree to today: the one in force, or before the first one the one that comes first."""
    known = list(versions)
    coming = min(known, key=lambda version: (version.valid_from, -version.number), default=None)
    return in_force(known, today) or coming
