"""Rows of another area are invisible in an area's transaction, on connections that are used by turns."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import httpx
import psycopg
import pytest
from fastapi import FastAPI, Request

from kanava.common.auth import Caller, Role
from kanava.common.db import Pool, Tx, make_pool, one, rows, transaction
from kanava.payments.commands import PlaceFunding
from kanava.payments.scope import COUNTRY, RequestScope, narrow, national, within
from kanava.payments.service.funding import place_funding
from tests.payments import story
from tests.payments.test_payout import closed_month
from tests.support.databases import ServiceDatabase
from tests.support.facts import at

OTHER = "05"
BOOKS = (
    *("book", "entry", "posting", "line", "run", "statement", "statement_sum", "payout", "payment"),
    *("entry_value", "instalment", "instalment_share", "instalment_plan", "planned_instalment"),
    *("state_funding_part", "year_proposal", "year_end", "year_end_balance"),
)
FACTS = ("resident", "visit", "unit", "producer", "contract", "scheme_phase", "price", "model")
"""What the bus told of every area, merged in batches that mix areas: not books, and read by the month's run."""


async def two_areas(pool: Pool) -> None:
    """Area 03 with a closed and paid month, area 05 with an instalment."""
    await closed_month(pool)
    await story.pay(pool, date(2026, 11, 1), at(12, 3))
    async with transaction(pool) as tx:
        await place_funding(tx, PlaceFunding(OTHER, "state", "", 500_00, date(2026, 10, 1), "1/12"), at(10, 1))


async def counts(tx: Tx) -> dict[str, int]:
    """How many rows of each table of the books are visible."""
    query = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS n FROM {name}" for name in BOOKS)
    return {row["name"]: row["n"] for row in await rows(tx, query)}


async def areas(tx: Tx) -> set[str]:
    """The areas of the entries that are visible."""
    return {row["area"] for row in await rows(tx, "SELECT DISTINCT area FROM entry")}


@pytest.fixture
async def plain(database: ServiceDatabase) -> AsyncIterator[Pool]:
    """One connection with the application's role and nothing set, used again and again."""
    pool = make_pool(database.app_url, size=1)
    await pool.open(wait=True)
    yield pool
    await pool.close()


async def test_a_pooled_connection_shows_each_transaction_its_own_area(pool: Pool, plain: Pool) -> None:
    await two_areas(pool)
    async with transaction(pool) as tx:
        whole = await counts(tx)
    seen, connections = [], set()
    for area in ("03", OTHER, COUNTRY, OTHER):
        async with within(plain, area) as tx:
            seen.append((await areas(tx), await counts(tx)))
            connections.add(tx.info.backend_pid)
    async with transaction(plain) as tx:
        assert await areas(tx) == set(), "without an area nothing is visible"
        assert set((await counts(tx)).values()) == {0}
        connections.add(tx.info.backend_pid)
    assert len(connections) == 1, "it was one connection"
    assert [found for found, _ in seen] == [{"03"}, {OTHER}, {"03", OTHER}, {OTHER}]
    own, other, country, _ = (counted for _, counted in seen)
    assert country == whole
    assert {name: own[name] + other[name] for name in BOOKS} == whole
    assert all(own[name] for name in ("line", "statement_sum", "payment", "payout")), "area 03 sees what is its own"
    assert (other["line"], other["statement"], other["payment"]) == (0, 0, 0)


@pytest.mark.parametrize("area", ["03", OTHER, COUNTRY])
async def test_a_part_of_the_lines_cannot_be_named_past_the_policy(pool: Pool, plain: Pool, area: str) -> None:
    await two_areas(pool)
    async with within(plain, area) as tx:
        parts = await rows(tx, "SELECT inhrelid::regclass::text AS name FROM pg_inherits JOIN pg_class c"
                               " ON c.oid = inhparent WHERE c.relname = 'line'")  # fmt: skip
        seen = await rows(tx, "SELECT DISTINCT tableoid::regclass::text AS name FROM line")
    assert [row["name"] for row in parts] == ["line_03_202611"]
    assert seen == ([] if area == OTHER else parts), "through the whole an area sees its own"
    for attempt in ("SELECT FROM line_03_202611", "INSERT INTO line_03_202611 SELECT * FROM line"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with within(plain, area) as tx:
                await tx.execute(attempt)


async def test_a_rollback_leaves_no_area_behind(pool: Pool, plain: Pool) -> None:
    await two_areas(pool)
    with pytest.raises(ZeroDivisionError):
        async with within(plain, "03"):
            raise ZeroDivisionError
    async with transaction(plain) as tx:
        assert await areas(tx) == set()


async def test_an_area_writes_into_its_own_book_only(pool: Pool, plain: Pool) -> None:
    await two_areas(pool)
    command = PlaceFunding(OTHER, "state", "", 1_00, date(2026, 10, 2), "2/12")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        async with within(plain, "03") as tx:
            await tx.execute("INSERT INTO entry SELECT '05', 99, gen_random_uuid(), kind, reference, booked_at, text,"
                             " lines_digest, hash FROM entry LIMIT 1")  # fmt: skip
    async with within(plain, "03") as tx:
        assert (await tx.execute("UPDATE book SET spendable_cents = 0 WHERE area = '05'")).rowcount == 0
    async with within(plain, OTHER) as tx:
        await place_funding(tx, command, at(10, 2))


async def test_areas_beside_each_other_on_one_pool_never_mix(pool: Pool, database: ServiceDatabase) -> None:
    await two_areas(pool)
    shared = make_pool(database.app_url, size=3)
    await shared.open(wait=True)

    async def look(area: str) -> bool:
        async with within(shared, area) as tx:
            await asyncio.sleep(0)
            return await areas(tx) == {area}

    try:
        assert all(await asyncio.gather(*(look(("03", OTHER)[n % 2]) for n in range(60))))
    finally:
        await shared.close()


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (Caller("a", Role.ORGANISER, area="03"), {"03"}),
        (Caller("b", Role.ORGANISER, area=OTHER), {OTHER}),
        (Caller("c", Role.OPERATOR), {"03", OTHER}),
        (Caller("d", Role.AUTHORITY, area="03"), {"03"}),
    ],
)
async def test_a_route_that_forgets_the_area_shows_the_callers_own(
    pool: Pool, database: ServiceDatabase, caller: Caller, expected: set[str]
) -> None:
    await two_areas(pool)
    ours = national(make_pool(database.app_url, size=1))
    await ours.open(wait=True)
    app = FastAPI()
    app.add_middleware(RequestScope)

    @app.get("/forgetful")
    async def forgetful(request: Request) -> list[str]:
        request.state.caller = caller
        async with transaction(ours) as tx:
            return sorted(await areas(tx))

    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kanava") as client:
            found = (await client.get("/forgetful")).json()
        async with transaction(ours) as tx:
            assert await areas(tx) == {"03", OTHER}, "outside of a request the service sees the country"
    finally:
        await ours.close()
    assert set(found) == expected


async def test_every_table_with_an_area_has_a_policy_or_is_a_fact(pool: Pool) -> None:
    async with transaction(pool) as tx:
        found = await rows(
            tx,
            "SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'area'"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relrowsecurity",
        )
        owned = await one(
            tx,
            "SELECT count(*) AS n FROM pg_class WHERE relowner = current_user::regrole"
            " AND relnamespace = 'public'::regnamespace",
        )
        bypass = await one(tx, "SELECT rolbypassrls OR rolsuper AS yes FROM pg_roles WHERE rolname = current_user")
    assert {row["name"] for row in found} == set(FACTS)
    assert owned == {"n": 0}, "the application's role owns nothing"
    assert bypass == {"yes": False}


async def test_narrowing_ends_with_the_transaction_of_the_services_own_connection(pool: Pool) -> None:
    await two_areas(pool)
    async with transaction(pool) as tx:
        await narrow(tx, OTHER)
        assert await areas(tx) == {OTHER}
    async with transaction(pool) as tx:
        assert await areas(tx) == {"03", OTHER}
