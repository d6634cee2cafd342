"""The history of one resident's listings as spans of days that never overlap.

A span holds from `starts_on` up to, not including, `until` (None: without end). A change never rewrites what
was recorded: it names the spans that stop being what is known, and the ones that take their place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

Origin = Literal["default", "choice", "move", "unit_closed"]

NO_CORRECTION_PERMILLE = 1000


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of being listed with one unit; `span_id` is None until it is stored."""

    unit_id: str
    producer_id: str
    starts_on: date
    until: date | None
    origin: Origin
    coefficient_permille: int = NO_CORRECTION_PERMILLE
    span_id: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a decision does to a history: ids that close, spans that are added, and all that hold
    afterwards."""

    closed: tuple[int, ...]
    added: tuple[Span, ...]
    spans: tuple[Span, ...]


def last_open(spans: Sequence[Span]) -> Span | None:
    """The span without end, the one that a resident is (or will be) in after all that was decided."""
    return next((span for span in spans if span.until is None), None)


def span_on(spans: Sequence[Span], day: date) -> Span | None:
    """The span that holds on a day."""
    return next((s for s in spans if s.starts_on <= day and (s.until is None or day < s.until)), None)


def coefficient_of(spans: Sequence[Span]) -> int:
    """The client-specific coefficient in permille that goes on when the unit changes: it is the client's."""
    return spans[-1].coefficient_permille if spans else NO_CORRECTION_PERMILLE


def replaced_from(spans: Sequence[Span], day: date, successor: Span | None) -> Change:
    """End everything on `day`, annul what would begin later, and let `successor` (starting on it) follow."""
    assert successor is None or successor.starts_on == day, "a successor begins where the others end"
    kept = tuple(span for span in spans if span.until is not None and span.until <= day)
    touched = spans[len(kept) :]
    shortened = tuple(replace(s, span_id=None, until=day) for s in touched if s.starts_on < day)
    added = shortened if successor is None else (*shortened, successor)
    return Change(_ids(touched), added, (*kept, *added))


def corrected_from(spans: Sequence[Span], day: date, coefficient_permille: int) -> Change:
    """Give every stretch from `day` on another coefficient; the span that holds on the day is split."""
    kept = tuple(span for span in spans if span.until is not None and span.until <= day)
    touched = spans[len(kept) :]
    added: list[Span] = []
    for span in touched:
        if span.starts_on < day:
            added.append(replace(span, span_id=None, until=day))
        begins = max(span.starts_on, day)
        added.append(replace(span, span_id=None, starts_on=begins, coefficient_permille=coefficient_permille))
    return Change(_ids(touched), tuple(added), (*kept, *added))


def _ids(spans: Sequence[Span]) -> tuple[int, ...]:
    return tuple(span.span_id for span in spans if span.span_id is not None)
