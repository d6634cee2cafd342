"""Fiscal years at their first and last instants in Helsinki, and in the order in which they close."""

import hashlib
from datetime import UTC, date, datetime

import pytest

from kanava.common.db import Pool, transaction
from kanava.common.errors import Refused
from kanava.payments.commands import CloseYear, RequestRun
from kanava.payments.errors import Reason
from kanava.payments.service.runs import request_run
from kanava.payments.service.years import close_year
from tests.payments import story
from tests.payments.test_bookkeeping import balance, journal
from tests.payments.test_payout import closed_month
from tests.payments.test_years import FEBRUARY_1, YEAR, finish, propose
from tests.support import facts as told
from tests.support.facts import at

LAST_HOUR, NEW_YEAR = datetime(2026, 12, 31, 21, 59, tzinfo=UTC), datetime(2026, 12, 31, 22, tzinfo=UTC)
"""Before and at midnight in Helsinki."""


async def close(pool: Pool, year: int) -> None:
    """Anna proposes and Bertta closes a year, in the February after it."""
    now = FEBRUARY_1.replace(year=year + 1)
    await propose(pool, now=now, year=year)
    async with transaction(pool) as tx:
        await close_year(tx, CloseYear(told.AREA, year, "bertta"), now)


async def test_a_year_is_over_at_midnight_in_helsinki(pool: Pool) -> None:
    await story.fund(pool, 10_00, at(1, 1))
    with pytest.raises(Refused) as refused:
        await propose(pool, now=LAST_HOUR)
    assert refused.value.reason is Reason.YEAR_NOT_OVER
    assert (await propose(pool, now=NEW_YEAR)).fiscal_year == 2026


async def test_the_journal_of_a_year_is_from_its_first_day_to_its_last(pool: Pool) -> None:
    await story.fund(pool, 10_00, at(1, 1), "1")
    await story.fund(pool, 20_00, at(12, 31), "12")
    await propose(pool)
    closed = await finish(pool)
    content = await journal(pool, *YEAR)
    assert closed.journal_digest == hashlib.sha256(content).hexdigest()
    assert [content.count(day) > 0 for day in (b"2026-01-01", b"2026-12-31")] == [True, True]
    assert closed.result_cents == 30_00


async def test_an_area_begins_with_the_year_of_its_first_entry_in_helsinki(pool: Pool) -> None:
    """Funded at midnight of New Year: there is no 2026 to close before 2027."""
    await story.open_area(pool)
    await story.fund(pool, 10_00, NEW_YEAR)
    await close(pool, 2027)


async def test_years_close_one_after_the_other(pool: Pool) -> None:
    await story.fund(pool, 10_00, at(1, 1))
    await close(pool, 2026)
    with pytest.raises(Refused, match="2027") as skipped:
        await propose(pool, year=2028, now=FEBRUARY_1.replace(year=2029))
    assert skipped.value.reason is Reason.YEAR_OUT_OF_ORDER
    await close(pool, 2027)
    await close(pool, 2028)


async def test_a_month_that_was_only_asked_to_be_closed_keeps_its_year_open(pool: Pool) -> None:
    await story.open_area(pool)
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, date(2026, 12, 1), "operator"), FEBRUARY_1)
    with pytest.raises(Refused) as refused:
        await propose(pool)
    assert refused.value.reason is Reason.MONTHS_OPEN


async def test_a_payment_of_new_years_night_is_in_transit_in_the_year_that_begins(pool: Pool) -> None:
    await closed_month(pool)
    await story.pay(pool, date(2026, 11, 1), NEW_YEAR)
    assert "1190" not in await balance(pool, date(2026, 12, 31))
    assert (await balance(pool, date(2027, 1, 1)))["1190"] == -31_40
