"""Spans: whatever is decided, a resident has one unit a day, and what was before stays as it was."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kanava.listing.domain.spans import Change, Span, corrected_from, last_open, replaced_from, span_on

FIRST = date(2026, 1, 1)
DAYS = st.dates(FIRST, date(2026, 12, 31))


@st.composite
def histories(draw: st.DrawFn) -> tuple[Span, ...]:
    """Spans in order, with gaps or without; the last one perhaps without end."""
    cuts = sorted(draw(st.sets(st.integers(0, 364), min_size=0, max_size=8)))
    days = [FIRST + timedelta(days=cut) for cut in cuts]
    spans = [_span(number, *pair) for number, pair in enumerate(pairwise(days))]
    kept = [span for span in spans if draw(st.booleans())]
    if days and draw(st.booleans()):
        kept.append(_span(len(spans), days[-1], None))
    return tuple(kept)


def _span(number: int, starts_on: date, until: date | None = None) -> Span:
    return Span(f"unit {number}", "producer", starts_on, until, "choice", 1000 + number, number)


@given(histories(), DAYS, st.booleans())
def test_a_successor_takes_every_day_from_its_first(
    spans: tuple[Span, ...], day: date, follows: bool
) -> None:
    successor = Span("next", "producer", day, None, "choice") if follows else None
    change = replaced_from(spans, day, successor)
    for number in range(370):
        on = FIRST + timedelta(days=number)
        found = span_on(change.spans, on)
        expected = span_on(spans, on) if on < day else successor
        assert (found and found.unit_id) == (expected and expected.unit_id)
    assert last_open(change.spans) == successor
    _holds_together(spans, change)


@given(histories(), DAYS)
def test_a_coefficient_changes_no_unit_of_any_day(spans: tuple[Span, ...], day: date) -> None:
    change = corrected_from(spans, day, 1500)
    for number in range(370):
        on = FIRST + timedelta(days=number)
        before, after = span_on(spans, on), span_on(change.spans, on)
        assert (before and before.unit_id) == (after and after.unit_id)
        if after and before:
            assert after.coefficient_permille == (before.coefficient_permille if on < day else 1500)
    _holds_together(spans, change)


def _holds_together(before: Sequence[Span], change: Change) -> None:
    """Spans are in order without overlap; what is not closed is kept as it was."""
    for earlier, later in pairwise(change.spans):
        assert earlier.until is not None
        assert earlier.until <= later.starts_on
    kept = [span for span in before if span.span_id not in change.closed]
    assert change.spans == (*kept, *change.added)
    assert all(span.span_id is None for span in change.added)
    assert all(span.until is None or span.starts_on < span.until for span in change.spans)
