"""From when a version holds, and which version holds on a day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kanava.registry.domain.validity import PublishedVersion, broken_by_start, current, in_force

days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
versions = st.lists(days, max_size=8).map(
    lambda starts: [PublishedVersion(f"03:rule_book:{n}", n, day) for n, day in enumerate(starts, 1)]
)


@given(days, days)
def test_a_version_starts_in_the_current_month_or_later(start: date, today: date) -> None:
    closed_month = (start.year, start.month) < (today.year, today.month)
    assert bool(broken_by_start(start, today)) is closed_month


@given(versions, days)
def test_the_version_in_force_has_started_and_none_later_has(known: list[PublishedVersion], day: date) -> None:
    found = in_force(known, day)
    started = [version for version in known if version.valid_from <= day]
    assert (found is None) == (not started)
    if found:
        assert all((v.valid_from, v.number) <= (found.valid_from, found.number) for v in started)


@given(versions, days)
def test_before_the_first_version_the_coming_one_is_current(known: list[PublishedVersion], day: date) -> None:
    found = current(known, day)
    assert (found is None) == (not known)
    if found and found.valid_from > day:
        assert found.valid_from == min(version.valid_from for version in known)
        assert in_force(known, found.valid_from - timedelta(days=1)) is None
