"""The books prove themselves: append-only with the service's own credential, chained, checked to the cent."""

import hashlib
from datetime import UTC, date

import psycopg
import pytest
from psycopg.rows import DictRow

from kanava.common.db import Pool, one, transaction
from kanava.common.errors import Refused
from kanava.payments import ledger
from kanava.payments.commands import PlaceFunding
from kanava.payments.domain import chart
from kanava.payments.domain.chain import GENESIS
from kanava.payments.service.funding import place_funding
from tests.payments import story
from tests.payments.test_payout import closed_month
from tests.support import facts as told
from tests.support.databases import ServiceDatabase
from tests.support.facts import at

BOOKS = (
    *("entry", "posting", "line", "line_03_202611", "statement_sum", "payout", "bank_entry", "suspense_step"),
    "account_limit",
)
COLUMNS = {"entry": "text", "posting": "party", "payout": "released_by", "bank_entry": "outcome"}
COLUMNS |= {"suspense_step": "reason", "account_limit": "set_by"}
NOVEMBER = date(2026, 11, 1)


@pytest.mark.parametrize("table", BOOKS)
async def test_the_running_service_cannot_change_the_books(pool: Pool, table: str) -> None:
    await closed_month(pool)
    column = COLUMNS.get(table, "amount_cents")
    value = "0" if column == "amount_cents" else "'x'"
    tries = (
        f"UPDATE {table} SET {column} = {value}",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"DROP TABLE {table}",
    )
    for attempt in tries:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction(pool) as tx:
                await tx.execute(attempt)


async def test_even_the_owner_meets_the_triggers(pool: Pool, database: ServiceDatabase) -> None:
    await closed_month(pool)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        for table in ("entry", "posting", "line"):
            for attempt in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
                with pytest.raises(psycopg.Error, match="append-only"):
                    owner.execute(attempt)


async def test_an_entry_that_does_not_sum_to_zero_does_not_commit(pool: Pool) -> None:
    await closed_month(pool)
    with pytest.raises(psycopg.Error, match="sum to"):
        async with transaction(pool) as tx:
            await tx.execute("INSERT INTO posting SELECT area, seq, 9, account, '', '', 1 FROM posting LIMIT 1")


async def test_a_sealed_month_takes_no_more_lines(pool: Pool) -> None:
    await closed_month(pool)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with transaction(pool) as tx:
            await tx.execute("INSERT INTO line_03_202611 SELECT * FROM line LIMIT 1")


TAMPERING = {
    "a cent moved between two residents": (
        "UPDATE line_03_202612 SET amount_cents = amount_cents + CASE WHEN resident_id = '{first}' THEN 1 ELSE -1 END"
        " WHERE resident_id IN ('{first}', '{second}')",
        "its resident lines were changed",
    ),
    "a line with more cents": (
        "UPDATE line_03_202611 SET amount_cents = amount_cents + 1 WHERE component = 'fee'",
        "its resident lines were changed",
    ),
    "a line taken out": ("DELETE FROM line_03_202611 WHERE component = 'fee'", "its resident lines were changed"),
    "an amount": ("UPDATE posting SET amount_cents = amount_cents * 2 WHERE seq = 2", "hash does not seal"),
    "a party": ("UPDATE posting SET party = 'other' WHERE seq = 2 AND number = 1", "hash does not seal"),
    "an entry taken out": (
        "DELETE FROM posting WHERE seq = 2; DELETE FROM entry WHERE seq = 2",
        "entry 2 is missing",
    ),
    "the last entry taken out": (
        "DELETE FROM posting WHERE seq = (SELECT max(seq) FROM entry);"
        " DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)",
        "points beyond the last entry",
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_a_verifier_names_the_first_broken_entry(pool: Pool, database: ServiceDatabase, what: str) -> None:
    await closed_month(pool)
    await story.hear(pool, "listing.listing", *[told.listed(n, told.span(date(2026, 9, 1))) for n in (3, 4)])
    await story.hear(pool, "listing.resident", told.resident(3), told.resident(4))
    await story.close(pool, date(2026, 12, 1), at(12, 31, 23))
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None
    statement, reason = TAMPERING[what]
    people = {"first": told.resident_id(3), "second": told.resident_id(4)}
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        for one in statement.format(**people).split("; "):
            assert admin.execute(one).rowcount > 0
    async with transaction(pool) as tx:
        broken = (await ledger.verify(tx, told.AREA)).broken
    assert broken is not None
    assert reason in broken.reason


@pytest.mark.parametrize("limit_cents", [0, 4_00, -4_00])
async def test_an_account_falls_to_its_limit_and_never_below(pool: Pool, limit_cents: int) -> None:
    await story.open_area(pool)
    await story.fund(pool, 10_00, at(10, 1))
    await story.set_limit(pool, limit_cents, at(10, 1))

    async def spend(cents: int) -> None:
        draft = chart.payment(
            chart.EntryKind.SETTLEMENT, statement_id=told.resident_id(1), producer_id=told.OWN, sums={"fee": cents}
        )
        async with transaction(pool) as tx:
            await ledger.post(tx, told.AREA, [draft], at(10, 2))

    with pytest.raises(Refused):
        await spend(10_01 - limit_cents)
    await spend(10_00 - limit_cents)
    with pytest.raises(Refused):
        await spend(1)
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).entries == 2


DAYS = {
    "changed": "UPDATE entry_value SET value_date = '2025-12-30'",
    "taken out": "DELETE FROM entry_value",
    "put in": "INSERT INTO entry_value SELECT area, seq, '2025-12-31' FROM entry WHERE kind = 'settlement'",
}


@pytest.mark.parametrize("what", DAYS)
async def test_the_day_of_an_entry_is_in_its_seal(pool: Pool, database: ServiceDatabase, what: str) -> None:
    """An instalment of the old year, and a payment of the new one: no day can be changed, removed or put beside."""
    await story.open_area(pool)
    placed = PlaceFunding(told.AREA, "state", "", 100_00, date(2026, 1, 9), "12/12", fiscal_year=2025)
    async with transaction(pool) as tx:
        await place_funding(tx, placed, at(1, 9))
        draft = chart.payment(
            chart.EntryKind.SETTLEMENT, statement_id=told.resident_id(1), producer_id=told.OWN, sums={"capitation": 1}
        )
        await ledger.post(tx, told.AREA, [draft], at(1, 10))
        assert (await ledger.verify(tx, told.AREA)).broken is None
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        assert admin.execute(DAYS[what]).rowcount == 1
    async with transaction(pool) as tx:
        broken = (await ledger.verify(tx, told.AREA)).broken
    assert broken is not None
    assert (broken.seq, broken.reason) == (3 if what == "put in" else 2, "its hash does not seal its content")


async def test_entries_sealed_before_days_were_still_hold(pool: Pool, database: ServiceDatabase) -> None:
    """The hash of an entry booked before stays; once days are sealed, nothing without one is taken any more."""
    await story.open_area(pool)
    await story.fund(pool, 1_00, at(10, 1))
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT * FROM entry")
        assert row is not None
    old = {"hash": without_day(row), "id": row["entry_id"]}
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("UPDATE entry SET hash = %(hash)s WHERE entry_id = %(id)s", old)
        admin.execute("UPDATE book SET head_hash = %(hash)s", old)
    await story.fund(pool, 2_00, at(10, 2), "2/12")
    async with transaction(pool) as tx:
        verified = await ledger.verify(tx, told.AREA)
    assert (verified.entries, verified.broken) == (2, None)


def without_day(row: DictRow) -> bytes:
    """The hash of a first instalment as it was sealed before."""
    booked_at = row["booked_at"].astimezone(UTC).isoformat()
    text = f"{row['area']}|1|{booked_at}|funding|{row['reference']}|{row['text']}"
    postings = ("1100|||100", "3100|||-100")
    return hashlib.sha256(GENESIS + "\n".join((text, "", *postings)).encode()).digest()
