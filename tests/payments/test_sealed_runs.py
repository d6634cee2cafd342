"""What a closed month sealed stays: its run, its statements, and the facts it read; a verifier recomputes them."""

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import date
from itertools import chain
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from kanava.common.db import Pool, Tx, one, rows, transaction
from kanava.payments import closed_runs, ledger
from kanava.payments.commands import RequestRun
from kanava.payments.service.runs import close_next, request_run
from tests.payments import story
from tests.payments.test_finals import IN_FEBRUARY, draw, left_by, stands
from tests.payments.test_payout import closed_month
from tests.payments.test_receivables import LATER, joined, overpaid, released
from tests.support import facts as told
from tests.support.databases import ServiceDatabase
from tests.support.facts import at, listed, resident, span, visit

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
NOT_OURS = {
    "statement": (
        "amount_cents = amount_cents + 1000_00",
        "producer_id = 'x'",
        "month = '2026-10-01'",
        "kind = 'final'",
    ),
    "run": (
        "cut_off = now()",
        "month = '2026-10-01'",
        "area = '05'",
        "requested_by = 'x'",
        "sealed_in_parts = false",
    ),
    "resident": ("birth_date = '1950-01-01'", "recorded_from = now()"),
    "span": ("coefficient_permille = 2000", "recorded_from = now()"),
    "visit": ("quantity = 9", "recorded_from = now()"),
}


@pytest.mark.parametrize("table", NOT_OURS)
async def test_the_running_service_changes_only_how_far_a_thing_has_come(pool: Pool, table: str) -> None:
    await closed_month(pool)
    for attempt in (
        *(f"UPDATE {table} SET {change}" for change in NOT_OURS[table]),
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction(pool) as tx:
                await tx.execute(attempt)


async def test_a_closed_run_is_changed_by_nobody(pool: Pool, database: ServiceDatabase) -> None:
    await closed_month(pool)
    for change in ("digest = 'x'", "status = 'failed', digest = NULL", "seconds = 0"):
        with pytest.raises(psycopg.Error, match="append-only"):
            async with transaction(pool) as tx:
                await tx.execute(f"UPDATE run SET {change}")
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        for table in ("run", "statement"):
            for attempt in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
                with pytest.raises(psycopg.Error, match="append-only"):
                    owner.execute(attempt)


PUT_IN = (
    "INSERT INTO statement (statement_id, version, run_id, area, month, producer_id, amount_cents, status)"
    " SELECT {}, 1, {}, area, month, '{{other}}', 900_00, 'drawn'"
)
TAMPERING = {
    "the digest of a run": (
        "UPDATE run SET digest = 'x' WHERE month = '2026-11-01'",
        "The run of 2026-11: its digest is not that of its lines, charges and claims",
    ),
    "a charge put in": (
        "INSERT INTO charge SELECT run_id, '{private}', 'sanction', 's', month, 'original', area, -1 FROM run"
        " WHERE month = '2026-12-01'",
        "The run of 2026-12: its digest is not that of its lines, charges and claims",
    ),
    "a run opened again": (
        "UPDATE run SET status = 'failed', digest = NULL WHERE month = '2026-11-01'",
        "The run of 2026-11: it is not closed, and has entries",
    ),
    "a run taken out": ("DELETE FROM run WHERE month = '2026-11-01'", "A run with entries is missing: "),
    "a statement of more": (
        "UPDATE statement SET amount_cents = amount_cents + 1000_00 WHERE month = '2026-11-01'"
        " AND producer_id = '{private}'",
        "The run of 2026-11: the statement of {private} is not the sum of its lines and charges",
    ),
    "a statement of another month": (
        "UPDATE statement SET month = '2026-10-01' WHERE month = '2026-12-01' AND producer_id = '{own}'",
        "The run of 2026-12: the statement of {own} is not the sum of its lines and charges",
    ),
    "a component of more": (
        "UPDATE statement_sum SET amount_cents = amount_cents + 1 WHERE component = 'fee'",
        "The run of 2026-11: the statement of {private} is not the sum of its lines and charges",
    ),
    "a statement taken out": (
        "DELETE FROM statement WHERE month = '2026-12-01' AND producer_id = '{own}'",
        "The run of 2026-12: the statement of {own} is not the sum of its lines and charges",
    ),
    "a statement put in": (
        PUT_IN.format("gen_random_uuid()", "run_id") + " FROM run WHERE month = '2026-11-01'",
        "The run of 2026-11: the statement of {other} is not the sum of its lines and charges",
    ),
    "a statement of no run": (
        PUT_IN.format("'{id}'", "'{id}'") + " FROM run WHERE month = '2026-11-01'",
        "The statement {id} is of no closed run",
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_a_verifier_names_the_first_run_or_statement_that_does_not_hold(
    pool: Pool, database: ServiceDatabase, what: str
) -> None:
    await closed_month(pool)
    await story.close(pool, DECEMBER, at(12, 31, 23))
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None
    names = {"private": told.PRIVATE, "own": told.OWN, "other": "1.2.246.10.99.10.0", "id": told.resident_id(9)}
    change, reason = (text.format(**names) for text in TAMPERING[what])
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        assert admin.execute(change).rowcount == 1
    async with transaction(pool) as tx:
        verified = await ledger.verify(tx, told.AREA)
    assert verified.broken is not None
    assert verified.broken.reason.startswith(reason)
    assert verified.broken.seq == verified.entries + 1, "every entry holds"


async def test_a_final_statement_is_the_sum_of_what_it_gathered(pool: Pool, database: ServiceDatabase) -> None:
    await overpaid(pool, people=3)
    await released(pool, NOVEMBER)
    await joined(pool, 10, 1)
    await story.close(pool, DECEMBER, LATER)
    await left_by(pool, 10, 1, JANUARY)
    await stands(pool, "revoked")
    await story.close(pool, JANUARY, IN_FEBRUARY)
    final = await draw(pool, "revoked")
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("UPDATE statement SET amount_cents = 0 WHERE kind = 'final'")
    async with transaction(pool) as tx:
        broken = (await ledger.verify(tx, told.AREA)).broken
    assert broken is not None
    assert broken.reason == f"The final statement {final.statement_id} is not the sum of what it gathered"


async def test_a_month_that_waits_or_was_empty_breaks_nothing(pool: Pool) -> None:
    await story.open_area(pool)
    assert (await story.close(pool, NOVEMBER, at(12, 2)))["status"] == "closed"
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, DECEMBER, "operator"), LATER)
        assert (await ledger.verify(tx, told.AREA)).broken is None
    assert await close_next(pool)
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None
        assert await one(tx, "SELECT count(*) AS n FROM entry") == {"n": 0}


async def test_what_is_booked_beside_a_verification_breaks_nothing(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instalment arrives, and a month closes, while the entries are read."""
    await closed_month(pool)
    read = ledger._entries

    async def read_slowly(*asked: Any) -> AsyncIterator[DictRow]:
        async for row in read(*asked):
            yield row
        await story.fund(pool, 1_00, at(12, 4), "2/12")
        await story.close(pool, DECEMBER, at(12, 31, 23))

    monkeypatch.setattr(ledger, "_entries", read_slowly)
    async with transaction(pool) as tx:
        verified = await ledger.verify(tx, told.AREA)
    assert verified.broken is None
    monkeypatch.undo()
    async with transaction(pool) as tx:
        later = await ledger.verify(tx, told.AREA)
    assert later.broken is None
    assert later.entries > verified.entries


async def test_a_month_that_closes_after_its_run_was_read_breaks_nothing(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run waits when a verification reads the runs, and is closed when it reads what belongs to them."""
    await closed_month(pool)
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, DECEMBER, "operator"), at(12, 31, 23))
    read = closed_runs.rows

    async def read_then_close(tx: Tx, query: str, parameters: Any) -> list[DictRow]:
        found = await read(tx, query, parameters)
        if "digest FROM run" in query:
            assert await close_next(pool)
        return found

    monkeypatch.setattr(closed_runs, "rows", read_then_close)
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None
    monkeypatch.undo()
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None


LINE = ("resident_id", "producer_id", "component", "kind", "for_month", "unit_id", "source", "days", "permille_days",
        "rate_cents", "amount_cents")  # fmt: skip


def sha256(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


@pytest.mark.parametrize(
    ("numbers", "parts"),
    [
        ([(1, 255), (256, 257, 300), (512, 513)], 3),
        ([(256, 257), (512,)], 2),
        ([(256, 257, 511)], 1),
        ([(1, 2)], 1),
        ([(1, 255, 256, 257, 512)], 0),
    ],
)
async def test_a_run_is_sealed_by_the_digests_of_its_parts(
    pool: Pool, database: ServiceDatabase, numbers: list[tuple[int, ...]], parts: int
) -> None:
    """A part begins with each resident whose id ends in `00`; a run of before there were parts has none."""
    await story.open_area(pool)
    people = [number for part in numbers for number in part]
    await story.hear(pool, "listing.resident", *(resident(number) for number in people))
    await story.hear(pool, "listing.listing", *(listed(n, span(NOVEMBER, None, private=True)) for n in people))
    fees = [visit(n, n, date(2026, 11, 5), recorded_at=at(11, 20), fee_cents=5_00) for n in people[::2]]
    await story.hear(pool, "monitoring.production", *fees)
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, NOVEMBER, "operator"), at(12, 2))
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("UPDATE run SET sealed_in_parts = %s", (parts > 0,))
    assert await close_next(pool)
    exported = defaultdict[UUID, list[str]](list)
    for line in await story.lines(pool):
        exported[line["resident_id"]].append("|".join(str(line[name]) for name in LINE))
    digests = [sha256(chain(*(exported[told.resident_id(number)] for number in part))) for part in numbers]
    async with transaction(pool) as tx:
        entries = await rows(tx, "SELECT DISTINCT lines_digest FROM entry WHERE kind = 'cost'")
        assert entries == [{"lines_digest": sha256(digests) if parts > 1 else digests[0]}]
        assert (await ledger.verify(tx, told.AREA)).broken is None


@pytest.mark.parametrize("number", [1, 255, 256, 300, 512, 600])
async def test_a_changed_line_is_found_in_whichever_part_it_is(
    pool: Pool, database: ServiceDatabase, number: int
) -> None:
    await story.open_area(pool)
    people = (1, 255, 256, 300, 512, 600)
    await story.hear(pool, "listing.resident", *(resident(number) for number in people))
    await story.hear(pool, "listing.listing", *(listed(n, span(NOVEMBER, None, private=True)) for n in people))
    await story.close(pool, NOVEMBER, at(12, 2))
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("UPDATE line SET unit_id = 'x' WHERE resident_id = %s", (told.resident_id(number),))
    async with transaction(pool) as tx:
        broken = (await ledger.verify(tx, told.AREA)).broken
    assert broken is not None
    assert broken.reason == "its resident lines were changed"


LAST_ID = UUID(int=2**128 - 1)


@pytest.mark.parametrize("number", [1, 256])
async def test_the_lines_of_the_last_id_there_is_are_sealed_too(
    pool: Pool, database: ServiceDatabase, number: int
) -> None:
    await story.open_area(pool)
    last = visit(2, 2, date(2026, 11, 5), recorded_at=at(11, 20)).model_copy(update={"resident_id": LAST_ID})
    first = visit(1, number, date(2026, 11, 5), recorded_at=at(11, 20))
    await story.hear(pool, "monitoring.production", first, last)
    await story.close(pool, NOVEMBER, at(12, 2))
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        assert admin.execute("UPDATE line SET unit_id = 'x' WHERE resident_id = %s", (LAST_ID,)).rowcount == 1
    async with transaction(pool) as tx:
        broken = (await ledger.verify(tx, told.AREA)).broken
    assert broken is not None
    assert broken.reason == "its resident lines were changed"
