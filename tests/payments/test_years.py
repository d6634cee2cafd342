"""A fiscal year is closed by two persons, with its balance and its journal, and stays as it was."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime

import psycopg
import pytest

from kanava.common.db import Pool, one, rows, transaction
from kanava.common.errors import Refused
from kanava.payments import ledger
from kanava.payments.commands import CloseYear, PlaceFunding, PlanInstalments, ProposeYearEnd
from kanava.payments.domain import chart
from kanava.payments.domain.chart import Account, EntryKind
from kanava.payments.errors import Reason
from kanava.payments.service.dating import date_entries
from kanava.payments.service.funding import place_funding
from kanava.payments.service.funding_plans import plan_instalments
from kanava.payments.service.years import YearClosed, YearProposed, close_year, propose_year_end
from kanava.payments.views import years as views
from kanava.payments.views.trial_balance import lines_on
from tests.payments import story
from tests.payments.test_bookkeeping import journal
from tests.payments.test_incentives import october, snapshot
from tests.payments.test_payout import closed_month
from tests.support import facts as told
from tests.support.databases import ServiceDatabase
from tests.support.facts import at, visit

DECEMBER = date(2026, 12, 1)
JANUARY_4, FEBRUARY_1 = datetime(2027, 1, 4, 9, tzinfo=UTC), datetime(2027, 2, 1, 9, tzinfo=UTC)
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


async def whole_year(pool: Pool) -> None:
    """November paid, December closed in January."""
    await closed_month(pool)
    await story.pay(pool, date(2026, 11, 1), at(12, 3))
    await story.close(pool, DECEMBER, JANUARY_4)


async def december_above_the_ceiling(pool: Pool) -> None:
    """December closed in January: its residents' incentives reserved, October's earned, and 85 € above the ceiling."""
    await october(pool)
    await story.close(pool, date(2026, 11, 1), at(12, 2))
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(12, 10)))
    fees = [visit(n, 1, date(2026, 12, n), recorded_at=at(12, 20), fee_cents=300_00) for n in (1, 2, 3)]
    await story.hear(pool, "monitoring.production", *fees)
    await story.close(pool, DECEMBER, JANUARY_4)


async def closing_cents(pool: Pool, on: date, *accounts: str) -> dict[str, int]:
    """What stands on accounts at the end of a day."""
    async with transaction(pool) as tx:
        found = {line.account: line.closing_cents for line in await lines_on(tx, told.AREA, on, FEBRUARY_1)}
    return {account: found.get(account, 0) for account in accounts}


async def propose(pool: Pool, by: str = "anna", now: datetime = FEBRUARY_1, year: int = 2026) -> YearProposed:
    """Propose to close a year."""
    async with transaction(pool) as tx:
        return await propose_year_end(tx, ProposeYearEnd(told.AREA, year, by), now)


async def finish(pool: Pool, by: str = "bertta", now: datetime = FEBRUARY_1) -> YearClosed:
    """Close 2026."""
    async with transaction(pool) as tx:
        return await close_year(tx, CloseYear(told.AREA, 2026, by), now)


async def place(pool: Pool, on: date, now: datetime, fiscal_year: int | None = None) -> list[tuple[int, int]]:
    """An instalment of 10 € and the years that it was booked into."""
    async with transaction(pool) as tx:
        command = PlaceFunding(told.AREA, "state", "", 10_00, on, "12/12", fiscal_year)
        funded = await place_funding(tx, command, now)
    return [(one.fiscal_year, one.amount_cents) for one in funded.years]


async def test_a_year_closes_with_its_balance_and_its_journal(pool: Pool) -> None:
    await whole_year(pool)
    proposed = await propose(pool)
    assert [(row["account"], row["age_days"]) for row in proposed.clearing] == [("1190", 28)]
    closed = await finish(pool)
    assert closed.journal_digest == proposed.journal_digest
    assert closed.journal_digest == hashlib.sha256(await journal(pool, *YEAR)).hexdigest()
    assert closed.result_cents == 100_00 - (14_00 + 45_00 - 20_60) - 14_00
    async with transaction(pool) as tx:
        (kept,) = await views.closed(tx, told.AREA)
        assert list(closed.trial_balance) == list(await lines_on(tx, told.AREA, YEAR[1], FEBRUARY_1))
    assert (kept["proposed_by"], kept["closed_by"], kept["head"]) == ("anna", "bertta", closed.head)
    assert sum(line["closing_cents"] for line in kept["trial_balance"]) == 0
    assert len(kept["trial_balance"]) == len(closed.trial_balance)


async def test_reserves_of_december_belong_to_its_year(pool: Pool) -> None:
    """December closed in January reserves 0.70 € and settles 0.42 € of November, both on the last day of the year."""
    await october(pool)
    november = {"period_from": date(2026, 11, 1), "period_until": DECEMBER}
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(12, 20), **november))
    await story.close(pool, date(2026, 11, 1), at(12, 2))
    await story.close(pool, DECEMBER, JANUARY_4)
    async with transaction(pool) as tx:
        lines = {line.account: line for line in await lines_on(tx, told.AREA, YEAR[1], FEBRUARY_1)}
        next_year = await lines_on(tx, told.AREA, date(2027, 12, 31), FEBRUARY_1)
    held = lines[Account.RESERVED]
    assert (held.credit_cents, held.debit_cents, held.closing_cents) == (3 * 70, 42, 42 - 3 * 70)
    assert lines[Account.INCENTIVE].closing_cents == 21
    assert {line.account for line in next_year if line.debit_cents or line.credit_cents} == set()


async def test_nothing_is_posted_into_a_closed_year(pool: Pool) -> None:
    await whole_year(pool)
    await propose(pool)
    closed = await finish(pool)
    assert await place(pool, date(2026, 12, 30), FEBRUARY_1) == [(2027, 10_00)], "found later, booked when found"
    with pytest.raises(Refused) as refused:
        await place(pool, date(2027, 1, 4), FEBRUARY_1, fiscal_year=2026)
    assert refused.value.reason is Reason.YEAR_CLOSED
    assert await place(pool, date(2025, 6, 1), FEBRUARY_1) == [(2027, 10_00)], "nor into a year before a closed one"
    plan = PlanInstalments(told.AREA, "state", "", 2026, ((DECEMBER, 1),), "Myöhässä", "operator")
    with pytest.raises(Refused):
        async with transaction(pool) as tx:
            await plan_instalments(tx, plan, FEBRUARY_1)
    async with transaction(pool) as tx:
        entry = await one(tx, "SELECT entry_id FROM entry ORDER BY seq DESC LIMIT 1")
    assert entry is not None
    with pytest.raises(Refused):
        async with transaction(pool) as tx:
            await date_entries(tx, told.AREA, [(entry["entry_id"], date(2026, 12, 31))])
    assert hashlib.sha256(await journal(pool, *YEAR)).hexdigest() == closed.journal_digest


async def test_the_database_itself_refuses_an_entry_of_a_closed_year(pool: Pool) -> None:
    await whole_year(pool)
    await propose(pool)
    await finish(pool)
    run_id = (await story.lines(pool))[0]["run_id"]
    drafts = {
        "booked then": (
            chart.payment(EntryKind.RELEASE, statement_id=run_id, producer_id=told.OWN, sums={"fee": 1}),
            at(12, 30),
        ),
        "a cost of its month": (
            chart.cost(run_id=run_id, producer_id=told.OWN, component="fee", amount_cents=1, lines_digest=""),
            FEBRUARY_1,
        ),
    }
    for draft, now in drafts.values():
        with pytest.raises(psycopg.Error, match="fiscal year that is closed"):
            async with transaction(pool) as tx:
                await ledger.post(tx, told.AREA, [draft], now)
    with pytest.raises(psycopg.Error, match="is closed in area"):
        async with transaction(pool) as tx:
            await tx.execute("INSERT INTO entry_value VALUES ('03', 1, '2026-06-01')")
    with pytest.raises(psycopg.Error, match="is closed in area"):
        async with transaction(pool) as tx:
            await tx.execute("INSERT INTO entry_value VALUES ('03', 1, '2024-06-01')")


async def test_what_decembers_fees_lie_above_the_ceiling_belongs_to_december(pool: Pool) -> None:
    """The fees are December's income, so what goes back of them is December's too, though it is claimed in January."""
    await december_above_the_ceiling(pool)
    end = await closing_cents(pool, YEAR[1], "4300", "4310", "2400")
    assert end == {"4300": -900_00, "4310": 85_00, "2400": -85_00}
    assert await closing_cents(pool, date(2026, 12, 30), "4300", "4310") == {"4300": 0, "4310": 0}
    assert await closing_cents(pool, date(2027, 1, 31), "4310", "2400") == {"4310": 0, "2400": -85_00}


async def test_reserves_belong_to_the_month_that_made_or_settled_them(pool: Pool) -> None:
    """0.70 € for each of three months, of which the indicator of October settled 0.42 € in December's run."""
    await december_above_the_ceiling(pool)
    parts = ("2500", "4630", "4620")
    assert await closing_cents(pool, date(2026, 11, 30), *parts) == dict(zip(parts, (-1_40, 1_40, 0), strict=True))
    assert await closing_cents(pool, YEAR[1], *parts) == dict(zip(parts, (-1_68, 1_68, 21), strict=True))
    await propose(pool)
    closed = await finish(pool)
    assert {"2500": -1_68, "4630": 1_68, "4310": 85_00}.items() <= {
        line.account: line.closing_cents for line in closed.trial_balance
    }.items()


@pytest.mark.parametrize("kind", ["reserved", "reserve_dissolved", "ceiling"])
async def test_a_month_of_a_closed_year_takes_no_reserve_and_no_claim(pool: Pool, kind: str) -> None:
    await december_above_the_ceiling(pool)
    await propose(pool)
    await finish(pool)
    async with transaction(pool) as tx:
        run = await one(tx, "SELECT run_id FROM run WHERE month = %s", (DECEMBER,))
    assert run is not None
    draft = chart.reserve(chart.EntryKind.RESERVED, run_id=run["run_id"], producer_id=told.PRIVATE, amount_cents=1)
    with pytest.raises(psycopg.Error, match="fiscal year that is closed"):
        async with transaction(pool) as tx:
            await ledger.post(tx, told.AREA, [replace(draft, kind=chart.EntryKind(kind))], FEBRUARY_1)


async def test_four_eyes_and_the_order_of_things(pool: Pool) -> None:
    await closed_month(pool)
    reasons = []
    for now, step in ((at(12, 31, 12), propose), (FEBRUARY_1, propose)):
        with pytest.raises(Refused) as refused:
            await step(pool, now=now)
        reasons.append(refused.value.reason)
    assert reasons == [Reason.YEAR_NOT_OVER, Reason.MONTHS_OPEN]
    await story.close(pool, DECEMBER, JANUARY_4)
    with pytest.raises(Refused, match="propose the closing"):
        await finish(pool)
    await propose(pool)
    with pytest.raises(Refused) as same:
        await finish(pool, by="anna")
    assert same.value.reason is Reason.SAME_PERSON
    with pytest.raises(Refused) as skipped:
        await propose(pool, year=2027, now=datetime(2028, 1, 2, tzinfo=UTC))
    assert skipped.value.reason is Reason.YEAR_OUT_OF_ORDER
    await finish(pool)
    for again in (propose, finish):
        with pytest.raises(Refused) as closed:
            await again(pool)
        assert closed.value.reason is Reason.YEAR_CLOSED


async def test_what_entered_the_year_after_the_proposal_asks_for_a_new_one(pool: Pool) -> None:
    await whole_year(pool)
    await propose(pool)
    assert await place(pool, date(2027, 1, 29), FEBRUARY_1) == [(2027, 10_00)]
    assert await place(pool, date(2026, 12, 31), FEBRUARY_1) == [(2026, 10_00)]
    with pytest.raises(Refused) as moved:
        await finish(pool)
    assert moved.value.reason is Reason.BOOKS_MOVED
    assert (await propose(pool)).version == 2
    assert (await finish(pool)).fiscal_year == 2026


async def test_broken_books_close_no_year(pool: Pool, database: ServiceDatabase) -> None:
    await whole_year(pool)
    await propose(pool)
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("UPDATE posting SET amount_cents = amount_cents * 2 WHERE seq = 2")
    with pytest.raises(Refused) as broken:
        await finish(pool)
    assert broken.value.reason is Reason.BOOKS_BROKEN
    async with transaction(pool) as tx:
        assert await rows(tx, "SELECT 1 FROM year_end") == []


async def test_the_database_wants_two_persons(pool: Pool) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="year_end_four_eyes"):
        async with transaction(pool) as tx:
            await tx.execute("INSERT INTO year_end VALUES ('03', 2020, 'anna', 'anna', now(), 0, '', '')")


KEPT = {
    "entry_value": "value_date = '2026-01-01'",
    "instalment": "amount_cents = 1",
    "instalment_share": "amount_cents = 1",
    "instalment_plan": "total_cents = 1",
    "planned_instalment": "amount_cents = 1",
    "state_funding": "total_cents = 1",
    "state_funding_part": "amount_cents = 1",
    "year_proposal": "proposed_by = 'x'",
    "year_end": "closed_by = 'x'",
    "year_end_balance": "closing_cents = 1",
    "heard_day": "applied = 1",
}


@pytest.mark.parametrize("table", KEPT)
async def test_the_running_service_cannot_change_what_it_kept(pool: Pool, table: str) -> None:
    for attempt in (
        f"UPDATE {table} SET {KEPT[table]}",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"DROP TABLE {table}",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} DISABLE TRIGGER ALL",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction(pool) as tx:
                await tx.execute(attempt)


async def test_even_the_owner_meets_the_triggers_of_what_was_closed(pool: Pool, database: ServiceDatabase) -> None:
    await whole_year(pool)
    await place(pool, date(2026, 12, 31), FEBRUARY_1)
    await propose(pool)
    await finish(pool)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        for table in ("year_end", "year_end_balance", "year_proposal", "instalment", "instalment_share", "entry_value"):
            for attempt in (f"UPDATE {table} SET area = '05'", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
                with pytest.raises(psycopg.Error, match="append-only"):
                    owner.execute(attempt)
