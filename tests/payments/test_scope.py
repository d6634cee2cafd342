"""Rows of another area are invisible in an area's transaction, on connections that are used by turns."""

import asyncio
from collections.abc import Sequence
from datetime import date

import httpx
import psycopg
import pytest
from fastapi import FastAPI, Request

from kanava.common.auth import Caller, Role
from kanava.common.db import Pool, Tx, make_pool, one, rows, transaction
from kanava.payments.bank_commands import ConfirmAccount
from kanava.payments.commands import PlaceFunding, TakeBankMessage
from kanava.payments.scope import COUNTRY, RequestScope, narrow, national, within
from kanava.payments.service.bank import take_bank_message
from kanava.payments.service.funding import place_funding
from kanava.payments.service.payees import confirm_account
from kanava.payments.settings import PaymentsSettings
from tests.payments import refund_story, story
from tests.payments.bank import Numbered, Part, credit, notification, pain002
from tests.payments.test_bank_accounts import NEW
from tests.payments.test_disputes import contest, decide
from tests.payments.test_payout import closed_month, tell
from tests.support import facts as told
from tests.support.databases import ServiceDatabase
from tests.support.facts import at

OTHER = "05"
BOOKS = (
    *("book", "entry", "posting", "line", "run", "statement", "statement_sum", "payout", "payment"),
    *("entry_value", "instalment", "instalment_share", "instalment_plan", "planned_instalment"),
    *("state_funding_part", "year_proposal", "year_end", "year_end_balance"),
)
CHILDREN = (
    *("dispute_line", "dispute_decision", "account_confirmation", "bank_entry", "bank_report", "bank_status"),
    *("measure_done", "refund_decision", "refund_account", "refund_payment", "refund_outcome"),
)
"""Tables without an area of their own: their rows are the area's to which what they belong to belongs."""
_FACT = "the bus tells of every area, and the run of the area that pays reads what others know of it"
_PUBLIC = "published for the whole country"
_PLATFORM = "the service's own traffic, which no route shows by area"
OPEN = {
    "resident": _FACT,
    "span": _FACT,
    "visit": _FACT,
    "producer": _FACT,
    "unit": _FACT,
    "scheme_phase": _PUBLIC,
    "model": _PUBLIC,
    "price": _PUBLIC,
    "node_name": _PUBLIC,
    "care_criterion": _PUBLIC,
    "refund_rule": _PUBLIC,
    "need_figure": "a statistic of a municipality, published with its source",
    "state_funding": "the sum of the whole country; an area's part has its policy",
    "resident_account": "sealed, and the newest counts in every area that owes the resident money",
    "reference_wish": "a producer's own, for all areas that pay it: which kind of reference, and nothing else",
    "bank_message": "a file of the bank may hold the accounts of several areas: its name and its counts alone",
    "idempotency": "a caller's own answers, found by the caller and the key",
    **dict.fromkeys(("inbox", "inbox_offset", "heard_day", "relay_shard", "sandbox_clock"), _PLATFORM),
    **dict.fromkeys(("outbox", "outbox_sent", "outbox_unsent", "alembic_version"), _PLATFORM),
}
"""Tables without a policy, each with its reason."""


async def two_areas(pool: Pool) -> None:
    """Area 03 with a closed and paid month, area 05 with an instalment."""
    await closed_month(pool)
    await story.pay(pool, date(2026, 11, 1), at(12, 3))
    async with transaction(pool) as tx:
        await place_funding(tx, PlaceFunding(OTHER, "state", "", 500_00, date(2026, 10, 1), "1/12"), at(10, 1))


async def counts(tx: Tx, tables: Sequence[str] = BOOKS) -> dict[str, int]:
    """How many rows of each table are visible."""
    query = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS n FROM {name}" for name in tables)
    return {row["name"]: row["n"] for row in await rows(tx, query)}


async def areas(tx: Tx) -> set[str]:
    """The areas of the entries that are visible."""
    return {row["area"] for row in await rows(tx, "SELECT DISTINCT area FROM entry")}


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


async def children_of_an_area(pool: Pool) -> dict[str, int]:
    """Area 03 with a row and more of each table without an area; how many of each."""
    await closed_month(pool)
    opened = await contest(pool, "fee")
    await decide(pool, opened.dispute_id)
    await story.approve(pool, date(2026, 11, 1), at(12, 3))
    producer = told.producer(private=True, iban=NEW, version=2)
    await story.hear(pool, "registry.producer", producer)
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT statement_id FROM statement WHERE producer_id = %s", (told.PRIVATE,))
        assert row is not None
        await confirm_account(tx, ConfirmAccount(row["statement_id"], NEW, "Soitettu", "cecilia"), at(12, 3))
    await story.release(pool, at(12, 3))
    await tell(pool, notification("M1", credit("B1", Part("E-1", 5_00)), how=Numbered(number=1)))
    await refund_story.four_years(pool)
    refund_id = (await refund_story.propose(pool)).refund_id
    await refund_story.decide(pool, refund_id)
    await refund_story.pay(pool, refund_id)
    async with transaction(pool) as tx:
        (paid,) = await rows(tx, "SELECT end_to_end_id, amount_cents FROM refund_payment")
    await tell(pool, pain002("M2", [(paid["end_to_end_id"], paid["amount_cents"])]))
    async with transaction(pool) as tx:
        return await counts(tx, CHILDREN)


async def test_what_belongs_to_a_thing_of_an_area_is_the_areas_too(pool: Pool, plain: Pool) -> None:
    whole = await children_of_an_area(pool)
    assert all(whole.values()), "each table has a row"
    seen = []
    for area in ("03", OTHER, COUNTRY):
        async with within(plain, area) as tx:
            seen.append(await counts(tx, CHILDREN))
    async with transaction(plain) as tx:
        seen.append(await counts(tx, CHILDREN))
    nothing = dict.fromkeys(CHILDREN, 0)
    assert seen == [whole, nothing, whole, nothing]


WRITTEN = {
    "dispute_decision": "VALUES (%s, 'rejected', 'x', 'd', now(), NULL, NULL)",
    "account_confirmation": "VALUES (%s, 9, 'FI00', 'x', 'd', now())",
    "refund_account": "VALUES (%s, 9, 'x', 'FI00', 'd', now())",
    "bank_report": "VALUES (%s, 'camt.054', 2030, 1, 1, true, 'x', now(), 0, 0, now())",
}


@pytest.mark.parametrize("table", WRITTEN)
async def test_an_area_adds_nothing_to_what_belongs_to_another(pool: Pool, plain: Pool, table: str) -> None:
    await children_of_an_area(pool)
    async with transaction(pool) as tx:
        (row,) = await rows(tx, f"SELECT * FROM {table} LIMIT 1")
    key = next(iter(row.values()))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        async with within(plain, OTHER) as tx:
            await tx.execute(f"INSERT INTO {table} {WRITTEN[table]}", (key,))


async def test_the_bank_may_name_a_payment_that_nobody_knows(pool: Pool, plain: Pool) -> None:
    """What it says of such a one is kept; an area sees what was said of its own payments."""
    await closed_month(pool)
    accepted = TakeBankMessage(pain002("M1", [], accepted=["unknown"]))
    async with within(plain, "03") as tx:
        await take_bank_message(tx, accepted, at(12, 4), seal=PaymentsSettings().payee_seal())
    async with transaction(pool) as tx:
        assert (await counts(tx, ["bank_status"]))["bank_status"] == 1
    async with within(plain, "03") as tx:
        assert (await counts(tx, ["bank_status"]))["bank_status"] == 0


async def test_every_table_has_a_policy_or_a_reason_for_none(pool: Pool) -> None:
    async with transaction(pool) as tx:
        found = await rows(
            tx,
            "SELECT c.relname AS name, c.relrowsecurity AS held, EXISTS (SELECT FROM pg_policies p"
            " WHERE p.tablename = c.relname) AS has_policy FROM pg_class c"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace",
        )
        owned = await one(
            tx,
            "SELECT count(*) AS n FROM pg_class WHERE relowner = current_user::regrole"
            " AND relnamespace = 'public'::regnamespace",
        )
        bypass = await one(tx, "SELECT rolbypassrls OR rolsuper AS yes FROM pg_roles WHERE rolname = current_user")
    assert {row["name"] for row in found if not (row["held"] and row["has_policy"])} == OPEN.keys()
    assert {row["name"] for row in found} >= {*BOOKS, *CHILDREN}
    assert owned == {"n": 0}, "the application's role owns nothing"
    assert bypass == {"yes": False}


async def test_narrowing_ends_with_the_transaction_of_the_services_own_connection(pool: Pool) -> None:
    await two_areas(pool)
    async with transaction(pool) as tx:
        await narrow(tx, OTHER)
        assert await areas(tx) == {OTHER}
    async with transaction(pool) as tx:
        assert await areas(tx) == {"03", OTHER}
