"""The books for bookkeepers, on a real PostgreSQL: the chart, the trial balance, clearing accounts, the journal."""

import csv
import io
import os
from datetime import UTC, date, datetime
from pathlib import Path

from arro3.io import read_parquet

from kanava.common.db import Pool, rows, transaction
from kanava.payments import chart_text
from kanava.payments.api.journal import stream
from kanava.payments.domain.chart import Account, EntryKind
from kanava.payments.views.journal import COLUMNS, Period, journal_csv, journal_parquet
from kanava.payments.views.trial_balance import clearing, trial_balance_on
from tests.payments import story
from tests.payments.bank import camt054, pain002
from tests.payments.test_funding import DECEMBER, JANUARY_8, plan, receive
from tests.payments.test_payout import closed_month, payment, tell
from tests.support import facts as told
from tests.support.facts import at
from tests.tidy.source import ROOT

CHART = ROOT / "docs" / "chart-of-accounts.md"
NOVEMBER = date(2026, 11, 1)
LATER = datetime(2027, 2, 1, tzinfo=UTC)


async def balance(pool: Pool, on: date, known_at: datetime = LATER) -> dict[str, int]:
    """The closing balances of a day, as they were known at an instant; they sum to zero."""
    async with transaction(pool) as tx:
        found = await trial_balance_on(tx, told.AREA, on, known_at)
    closing = {str(line["account"]): int(str(line["closing_cents"])) for line in found.lines}
    assert sum(closing.values()) == 0
    assert found.debit_cents == found.credit_cents
    return closing


def test_the_documented_chart_is_the_one_in_the_code() -> None:
    """Run once with KANAVA_UPDATE=1 to write it."""
    if os.environ.get("KANAVA_UPDATE"):
        CHART.write_text(chart_text.document(), encoding="utf-8")
    assert CHART.read_text(encoding="utf-8") == chart_text.document()


def test_every_account_and_kind_of_entry_says_what_it_is() -> None:
    assert set(chart_text.meanings(Account)) == {account.value for account in Account}
    assert set(chart_text.meanings(EntryKind)) == {kind.value for kind in EntryKind}
    assert "alueen tili" in chart_text.meaning(Account.BANK)


async def test_a_months_costs_belong_to_its_last_day_whenever_it_is_closed(pool: Pool) -> None:
    await closed_month(pool)
    assert await balance(pool, date(2026, 11, 29)) == {"1100": 100_00, "3100": -100_00}
    end = await balance(pool, date(2026, 11, 30))
    assert (end["4100"], end["4200"], end["4300"], end["2100"]) == (14_00, 45_00, -20_60, -38_40)


async def test_the_balance_as_it_was_known_at_an_earlier_instant(pool: Pool) -> None:
    await closed_month(pool)
    await story.pay(pool, NOVEMBER, at(12, 3))
    end = date(2026, 12, 31)
    assert await balance(pool, end, at(12, 1)) == {"1100": 100_00, "3100": -100_00}
    known = await balance(pool, end, at(12, 2))
    assert "1190" not in known
    assert known["2100"] == -38_40
    assert (await balance(pool, end, at(12, 3)))["1190"] == -31_40
    assert await balance(pool, date(2026, 9, 30)) == {}


async def test_the_old_years_income_is_in_its_balance_and_the_money_in_the_new_one(pool: Pool) -> None:
    await plan(pool, (DECEMBER, 100_00))
    await receive(pool, 100_00, JANUARY_8.date(), now=JANUARY_8)
    await receive(pool, 7_00, JANUARY_8.date(), now=JANUARY_8, fiscal_year=2028)
    assert await balance(pool, date(2026, 12, 31)) == {"1180": 100_00, "3100": -100_00}
    assert await balance(pool, date(2026, 12, 31), datetime(2026, 12, 31, 22, tzinfo=UTC)) == {}
    assert await balance(pool, date(2027, 1, 8)) == {"1100": 107_00, "1180": 0, "2180": -7_00, "2900": -100_00}
    assert await balance(pool, date(2028, 1, 1)) == {"1100": 107_00, "2180": 0, "2900": -100_00, "3100": -7_00}


async def test_what_comes_on_new_years_day_is_of_the_year_that_begins(pool: Pool) -> None:
    await receive(pool, 100_00, date(2026, 12, 31))
    new_year = date(2027, 1, 1)
    await receive(pool, 7_00, new_year)
    assert await balance(pool, date(2026, 12, 31)) == {"1100": 100_00, "3100": -100_00}
    assert await balance(pool, new_year) == {"1100": 107_00, "2900": -100_00, "3100": -7_00}
    async with transaction(pool) as tx:
        found = await trial_balance_on(tx, told.AREA, new_year, LATER)
    assert (found.debit_cents, found.credit_cents, found.result_cents) == (7_00, 7_00, 7_00)


async def left(pool: Pool, on: date) -> list[tuple[str, str, int, int]]:
    """What is left on clearing accounts."""
    async with transaction(pool) as tx:
        found = await clearing(tx, told.AREA, on)
    return [(row["account"], row["party"], row["amount_cents"], row["age_days"]) for row in found]


async def test_a_payment_in_transit_is_listed_with_its_age_until_the_bank_answers(pool: Pool) -> None:
    await closed_month(pool)
    assert await left(pool, date(2026, 12, 13)) == []
    await story.pay(pool, NOVEMBER, at(12, 3))
    assert await left(pool, date(2026, 12, 13)) == [("1190", told.PRIVATE, -31_40, 10)]
    end_to_end_id, cents = await payment(pool)
    await tell(pool, camt054("M1", [("B1", end_to_end_id, cents)]))
    assert await left(pool, date(2026, 12, 13)) == []
    assert await left(pool, date(2026, 12, 3)) == [("1190", told.PRIVATE, -31_40, 0)], "seen from the day before"


async def test_a_rejected_payment_leaves_nothing_in_transit(pool: Pool) -> None:
    await closed_month(pool)
    await story.pay(pool, NOVEMBER, at(12, 3))
    await tell(pool, pain002("M1", [await payment(pool)]))
    assert await left(pool, date(2026, 12, 31)) == []


async def test_an_advance_is_listed_until_its_year_begins(pool: Pool) -> None:
    await receive(pool, 7_00, date(2026, 12, 30), fiscal_year=2027)
    assert await left(pool, date(2026, 12, 31)) == [("2180", "", -7_00, 1)]
    assert await left(pool, date(2027, 1, 1)) == []


async def journal(pool: Pool, first: date, last: date) -> bytes:
    """The journal's CSV."""
    async with transaction(pool) as tx:
        return b"".join([chunk async for chunk in journal_csv(tx, Period(told.AREA, first, last))])


async def test_the_journal_is_every_posting_of_the_period(pool: Pool) -> None:
    await closed_month(pool)
    await story.pay(pool, NOVEMBER, at(12, 3))
    content = await journal(pool, date(2026, 1, 1), date(2026, 12, 31))
    found = list(csv.DictReader(io.StringIO(content.decode())))
    async with transaction(pool) as tx:
        postings = await rows(tx, "SELECT * FROM posting ORDER BY seq, number")
    assert [(row["seq"], row["account"]) for row in found] == [(str(p["seq"]), p["account"]) for p in postings]
    assert sum(int(row["debit_cents"]) for row in found) == sum(int(row["credit_cents"]) for row in found)
    assert [int(row["debit_cents"]) - int(row["credit_cents"]) for row in found] == [
        p["amount_cents"] for p in postings
    ]
    november = list(csv.DictReader(io.StringIO((await journal(pool, NOVEMBER, date(2026, 11, 30))).decode())))
    assert {row["kind"] for row in november} == {"cost"}
    assert await journal(pool, date(2025, 1, 1), date(2025, 12, 31)) == (",".join(COLUMNS) + "\n").encode()


async def test_the_parquet_file_says_the_same_as_the_csv(pool: Pool, tmp_path: Path) -> None:
    await closed_month(pool)
    period = Period(told.AREA, date(2026, 1, 1), date(2026, 12, 31))
    async with transaction(pool) as tx:
        made = await journal_parquet(tx, period, tmp_path)
    found = list(csv.DictReader(io.StringIO((await journal(pool, period.first, period.last)).decode())))
    table = read_parquet(str(made)).read_all()
    assert table.column_names == list(COLUMNS)
    for name in ("seq", "account", "value_date", "text", "party", "component", "reference"):
        assert [str(value or "") for value in table.column(name).to_pylist()] == [row[name] for row in found]
    instants = table.column("booked_at").to_pylist()
    assert [one.isoformat(timespec="microseconds") for one in instants] == [
        row["booked_at"].replace("Z", "+00:00") for row in found
    ]


async def test_both_files_of_the_journal_come_in_chunks(pool: Pool, tmp_path: Path) -> None:
    """As the route streams them: the CSV whole, the Parquet readable, nothing left on disk."""
    await closed_month(pool)
    period = Period(told.AREA, date(2026, 1, 1), date(2026, 12, 31))
    content = b"".join([chunk async for chunk in stream(pool, period, "csv")])
    assert content == await journal(pool, period.first, period.last)
    made = tmp_path / "sent.parquet"
    made.write_bytes(b"".join([chunk async for chunk in stream(pool, period, "parquet")]))
    assert read_parquet(str(made)).read_all().num_rows == content.count(b"\n") - 1
