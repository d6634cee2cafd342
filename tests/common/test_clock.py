"""Time: dates of Helsinki, and the sandbox clock in a database."""

from calendar import monthrange
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kanava.common.clock import (
    HELSINKI,
    SandboxClock,
    SandboxDataRefused,
    SystemClock,
    add_months,
    choose_clock,
    days_in_month,
    first_of_month,
    helsinki_date,
    month_text,
    sandbox_clock_table,
    set_sandbox_clock,
)
from kanava.common.db import Pool, make_pool, transaction
from kanava.common.sandbox import Moment

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))
SECONDS = st.integers(0, 110 * 366 * 24 * 3600)
INSTANTS = SECONDS.map(lambda seconds: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


@given(INSTANTS)
def test_the_day_in_helsinki_is_the_one_on_its_wall(instant: datetime) -> None:
    day = helsinki_date(instant)
    midnight = datetime(day.year, day.month, day.day, tzinfo=HELSINKI).astimezone(UTC)
    following = day + timedelta(days=1)
    next_midnight = datetime(following.year, following.month, following.day, tzinfo=HELSINKI).astimezone(UTC)
    assert midnight <= instant < next_midnight


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 10, 31, 21, 59, tzinfo=UTC), date(2026, 10, 31)),
        (datetime(2026, 10, 31, 22, 0, tzinfo=UTC), date(2026, 11, 1)),
        (datetime(2026, 6, 30, 20, 59, tzinfo=UTC), date(2026, 6, 30)),
        (datetime(2026, 6, 30, 21, 0, tzinfo=UTC), date(2026, 7, 1)),
    ],
)
def test_a_day_begins_at_midnight_in_winter_and_in_summer(instant: datetime, day: date) -> None:
    assert helsinki_date(instant) == day


def test_an_instant_without_a_zone_has_no_day() -> None:
    with pytest.raises(ValueError, match="time zone"):
        helsinki_date(datetime(2026, 10, 1))  # noqa: DTZ001 - the naive instant is the point


@given(DAYS, st.integers(-600, 600))
def test_months_are_added_as_on_a_calendar(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == min(day.day, monthrange(later.year, later.month)[1])


@given(DAYS, st.integers(-100, 100), st.integers(-100, 100))
def test_firsts_of_months_are_added_in_any_order(day: date, some: int, more: int) -> None:
    first = first_of_month(day)
    assert add_months(add_months(first, some), more) == add_months(first, some + more)


@given(DAYS)
def test_a_month_ends_where_the_next_begins(day: date) -> None:
    first = first_of_month(day)
    assert first <= day < add_months(first, 1)
    assert first + timedelta(days=days_in_month(day)) == add_months(first, 1)


@given(DAYS, DAYS)
def test_written_months_sort_as_time_does(one: date, other: date) -> None:
    assert (month_text(one) <= month_text(other)) == (first_of_month(one) <= first_of_month(other))


@pytest.fixture
async def pool(empty_database: str) -> AsyncIterator[Pool]:
    """A database that has the table of the sandbox clock alone."""
    metadata = sa.MetaData()
    sandbox_clock_table(metadata)
    engine = sa.create_engine(empty_database.replace("postgresql://", "postgresql+psycopg://"))
    metadata.create_all(engine)
    engine.dispose()
    pool = make_pool(empty_database, size=2)
    await pool.open(wait=True)
    yield pool
    await pool.close()


async def test_until_it_is_moved_the_sandbox_has_the_time_of_the_machine(pool: Pool) -> None:
    async with transaction(pool) as tx:
        assert abs(await SandboxClock().now(tx) - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-20T10:00:00"])
def test_a_moment_is_of_a_calendar_that_can_be_counted_in(instant: str) -> None:
    with pytest.raises(ValidationError):
        Moment(instant=instant)  # type: ignore[arg-type]  # as JSON says it
    assert Moment(instant=datetime(2026, 11, 20, tzinfo=UTC)).instant.year == 2026


async def test_the_sandbox_clock_stands_where_it_was_set(pool: Pool) -> None:
    async with transaction(pool) as tx:
        assert await set_sandbox_clock(tx, NOON)
    async with transaction(pool) as tx:
        assert await SandboxClock().now(tx) == NOON
        assert (await SandboxClock().now(tx)).tzinfo is UTC


async def test_the_sandbox_clock_never_moves_backwards(pool: Pool) -> None:
    async with transaction(pool) as tx:
        assert await set_sandbox_clock(tx, NOON)
        assert await set_sandbox_clock(tx, NOON), "a repeat is harmless"
        assert not await set_sandbox_clock(tx, NOON - timedelta(seconds=1))
        assert await SandboxClock().now(tx) == NOON


async def test_a_move_that_is_rolled_back_did_not_happen(pool: Pool) -> None:
    async def moved_in_vain() -> None:
        async with transaction(pool) as tx:
            await set_sandbox_clock(tx, NOON)
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        await moved_in_vain()
    async with transaction(pool) as tx:
        assert isinstance(await choose_clock(tx, sandbox=False), SystemClock)


async def test_outside_the_sandbox_its_database_is_refused(pool: Pool) -> None:
    async with transaction(pool) as tx:
        await set_sandbox_clock(tx, NOON)
        assert isinstance(await choose_clock(tx, sandbox=True), SandboxClock)
        with pytest.raises(SandboxDataRefused, match="sandbox clock"):
            await choose_clock(tx, sandbox=False)


async def test_there_is_one_sandbox_clock(pool: Pool) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        async with transaction(pool) as tx:
            await tx.execute("INSERT INTO sandbox_clock (id, instant) VALUES (2, now())")
