"""From when a new version may hold, and which version holds on a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from kanava.common.clock import add_months

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


CORRECTION_MONTHS = 36
"""How many months back a correction of an error may start."""


def broken_by_start(valid_from: date, today: date, correction_reason: str | None = None) -> list[Violation]:
    """A new version starts no earlier than the first of the current month, so no closed month is re-priced.

    `today` is the day in Helsinki. Only the correction of an error, which gives its reason, reaches further back;
    it changes a closed month by refund and correction lines in a later run.
    """
    first = today.replace(day=1)
    earliest = first if correction_reason is None else add_months(first, -CORRECTION_MONTHS)
    if valid_from >= earliest:
        return []
    detail = f"a new version holds from {earliest.isoformat()} at the earliest"
    rule = "not_before_open_month" if correction_reason is None else "correction_in_range"
    return [Violation("/valid_from", rule, detail)]


def in_force(versions: Iterable[Version], day: date) -> Version | None:
    """The version that holds on `day`; None before the first one."""
    started = (version for version in versions if version.valid_from <= day)
    return max(started, key=lambda version: (version.valid_from, version.number), default=None)


def current(versions: Iterable[Version], today: date) -> Version | None:
    """The version to agree to today: the one in force, or before the first one the one that comes first."""
    known = list(versions)
    coming = min(known, key=lambda version: (version.valid_from, -version.number), default=None)
    return in_force(known, today) or coming
