"""The limit of an area's account: set by the operator, recorded, in force at once, and right whoever waits for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from kanava.common.db import Pool, one, rows, transaction
from kanava.common.errors import Refused
from kanava.payments import ledger
from kanava.payments.bank_commands import RegisterAccount
from kanava.payments.commands import ReleasePayout, SetAccountLimit
from kanava.payments.errors import Reason
from kanava.payments.main import create_app
from kanava.payments.scope import within
from kanava.payments.service.account_limits import set_account_limit
from kanava.payments.service.accounts import register_account
from kanava.payments.service.statements import release_payout
from kanava.payments.settings import PaymentsSettings
from tests.payments import bank, clearing, story
from tests.payments.bank import debit, notification
from tests.payments.test_bad_input import Tokens
from tests.payments.test_payout import NOVEMBER, closed_month, spendable
from tests.payments.test_statement_api import Stopped
from tests.payments.test_taken_over_together import until_one_waits
from tests.support import facts as told
from tests.support.databases import ServiceDatabase
from tests.support.facts import at

PATH = f"/v1/accounts/{told.AREA}/limits"
OLLI, ANNA = "olli:operator:1", "anna:operator:1"
OWED_CENTS = 31_40 + 7_00
"""What a payout of the closed month takes."""


async def refused(pool: Pool, cents: int) -> tuple[Reason, int]:
    """Why a limit is refused, and what the answer says is spendable."""
    with pytest.raises(Refused) as told_of:
        await story.set_limit(pool, cents, at(12, 3))
    assert isinstance(told_of.value.reason, Reason)
    return told_of.value.reason, told_of.value.extra["spendable_cents"]


async def in_force(pool: Pool, area: str = told.AREA) -> tuple[int | None, list[int]]:
    """The limit that the book of an area has, and the cents of all that were set in it, the newest first."""
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, area)).broken is None
        book = await one(tx, "SELECT limit_cents FROM book WHERE area = %s", (area,))
        query = "SELECT limit_cents FROM account_limit WHERE area = %s ORDER BY number DESC"
        return book and book["limit_cents"], [row["limit_cents"] for row in await rows(tx, query, (area,))]


async def test_a_limit_is_raised_to_the_cent_that_is_there_and_no_further(pool: Pool) -> None:
    await closed_month(pool)
    assert await refused(pool, 100_01) == (Reason.LIMIT_ABOVE_BALANCE, 100_00)
    assert await in_force(pool) == (0, [])
    raised = await story.set_limit(pool, 100_00, at(12, 3))
    assert (raised.number, raised.limit_cents, raised.replaced_cents) == (1, 100_00, 0)
    paid = await story.pay(pool, NOVEMBER, at(12, 3))
    assert [held.reason for held in paid.held] == ["over_the_limit"] * 2
    lowered = await story.set_limit(pool, 100_00 - OWED_CENTS, at(12, 4))
    assert (lowered.number, lowered.replaced_cents) == (2, 100_00)
    assert (await story.release(pool, at(12, 4))).held == []
    assert await in_force(pool) == (100_00 - OWED_CENTS, [100_00 - OWED_CENTS, 100_00])
    await story.assert_books_agree(pool)


async def test_an_overdraft_that_was_agreed_pays_a_month_and_ends_with_the_next_instalment(pool: Pool) -> None:
    """38.40 are owed and 35.00 are there: with 3.40 of overdraft all is paid, and the limit rises with the money."""
    await closed_month(pool, funding_cents=35_00)
    await story.set_limit(pool, 35_00 - OWED_CENTS + 1, at(12, 3))
    assert [held.reason for held in (await story.pay(pool, NOVEMBER, at(12, 3))).held] == ["over_the_limit"]
    await story.set_limit(pool, 35_00 - OWED_CENTS, at(12, 4))
    assert (await story.release(pool, at(12, 4))).held == []
    assert await spendable(pool) == -3_40
    assert await refused(pool, 0) == (Reason.LIMIT_ABOVE_BALANCE, -3_40)
    await story.set_limit(pool, -50_00, at(12, 5))
    await story.set_limit(pool, -3_40, at(12, 5))
    await story.fund(pool, 3_40, at(12, 6), "2/12")
    await story.set_limit(pool, 0, at(12, 6))
    assert await in_force(pool) == (0, [0, -3_40, -50_00, -3_40, -3_39])
    await story.assert_books_agree(pool)


async def test_what_left_unexplained_does_not_count_and_a_limit_is_lowered_all_the_same(pool: Pool) -> None:
    """100.00 were there, and the bank took 95.00 that nobody knows of: 5.00 can be kept, and 40.00 become 20.00."""
    await story.fund(pool, 100_00, at(10, 1))
    await story.set_limit(pool, 40_00, at(10, 1))
    async with transaction(pool) as tx:
        await register_account(tx, RegisterAccount(told.AREA, bank.IBAN, "operator"), at(10, 1))
    await clearing.take(pool, notification("M1", debit("B1", ("unknown", 95_00))), at(10, 2))
    assert await refused(pool, 40_01) == (Reason.LIMIT_ABOVE_BALANCE, 5_00)
    await story.set_limit(pool, 20_00, at(10, 3))
    assert await refused(pool, 20_01) == (Reason.LIMIT_ABOVE_BALANCE, 5_00)
    await story.set_limit(pool, 4_99, at(10, 4))
    await story.set_limit(pool, 5_00, at(10, 4))
    assert await refused(pool, 5_01) == (Reason.LIMIT_ABOVE_BALANCE, 5_00)


async def test_those_who_set_it_at_once_stand_one_behind_the_other(pool: Pool) -> None:
    """Of an area that has no book yet: it is opened once, and the newest limit is the one in force."""
    wanted = range(-1, -9, -1)
    placed = await asyncio.gather(*(story.set_limit(pool, cents, at(12, 3)) for cents in wanted))
    assert sorted(one.number for one in placed) == list(range(1, 9))
    by_number = sorted(placed, key=lambda one: one.number)
    assert [one.replaced_cents for one in by_number] == [0, *(one.limit_cents for one in by_number[:-1])]
    assert await in_force(pool) == (by_number[-1].limit_cents, [one.limit_cents for one in reversed(by_number)])


async def test_of_two_limits_at_once_the_second_replaces_the_first(pool: Pool) -> None:
    await story.fund(pool, 100_00, at(10, 1))
    async with transaction(pool) as tx:
        await set_account_limit(tx, SetAccountLimit(told.AREA, 80_00, "Ensin", "olli"), at(10, 2))
        second = asyncio.create_task(story.set_limit(pool, 30_00, at(10, 2), by="anna"))
        await until_one_waits(pool)
    assert (await second).replaced_cents == 80_00
    assert await in_force(pool) == (30_00, [30_00, 80_00])


async def test_a_payout_that_waited_while_the_limit_rose_keeps_the_new_one(pool: Pool) -> None:
    await closed_month(pool)
    await story.approve(pool, NOVEMBER, at(12, 3))
    async with transaction(pool) as tx:
        await set_account_limit(tx, SetAccountLimit(told.AREA, 100_00 - 31_39, "Varaus", "olli"), at(12, 3))
        waiting = asyncio.create_task(story.release(pool, at(12, 3)))
        await until_one_waits(pool)
    paid = await waiting
    assert (paid.to_bank, paid.settled) == (0, 1), "31.40 no longer fit, 7.00 do"
    assert [held.reason for held in paid.held] == ["over_the_limit"]
    assert await spendable(pool) == 93_00
    await story.assert_books_agree(pool)


async def test_a_limit_that_waited_for_a_payout_is_measured_by_what_that_left(pool: Pool) -> None:
    await closed_month(pool)
    await story.approve(pool, NOVEMBER, at(12, 3))
    async with transaction(pool) as tx:
        await release_payout(tx, ReleasePayout(told.AREA, story.DEBTOR, "bertta"), at(12, 3))
        waiting = asyncio.create_task(refused(pool, 100_00))
        await until_one_waits(pool)
    assert await waiting == (Reason.LIMIT_ABOVE_BALANCE, 100_00 - OWED_CENTS)
    assert await in_force(pool) == (0, [])


TAMPERING = {
    "the one in force": "UPDATE book SET limit_cents = limit_cents - 1 WHERE area = '03'",
    "the one that was set": "UPDATE account_limit SET limit_cents = 0 WHERE number = 2",
    "the last one taken out": "DELETE FROM account_limit WHERE number = 2",
    "all of them taken out": "DELETE FROM account_limit",
    "one put in": "INSERT INTO account_limit VALUES ('03', 3, 0, 'Ei kenenkään', 'nobody', now())",
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_a_verifier_finds_a_limit_that_nobody_set(pool: Pool, database: ServiceDatabase, what: str) -> None:
    await closed_month(pool)
    await story.set_limit(pool, 20_00, at(12, 3))
    await story.set_limit(pool, 10_00, at(12, 4))
    assert (await in_force(pool))[0] == 10_00, "the books hold"
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        assert admin.execute(TAMPERING[what]).rowcount > 0
    async with transaction(pool) as tx:
        broken = (await ledger.verify(tx, told.AREA)).broken
    assert broken is not None
    assert (broken.entry_id, broken.reason) == (UUID(int=0), "the limit in force is not the one set last")


async def test_a_limit_of_a_book_that_never_had_one_is_found_too(pool: Pool, database: ServiceDatabase) -> None:
    await story.fund(pool, 100_00, at(10, 1))
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("UPDATE book SET limit_cents = -1")
    async with transaction(pool) as tx:
        broken = (await ledger.verify(tx, told.AREA)).broken
    assert broken is not None
    assert broken.reason == "the limit in force is not the one set last"


async def test_an_area_sees_and_sets_its_own_limits_alone(pool: Pool, plain: Pool) -> None:
    for area in (told.AREA, "05"):
        await story.set_limit(pool, -1_00, at(10, 1), area=area)
    async with within(plain, "05") as tx:
        assert await rows(tx, "SELECT area FROM account_limit") == [{"area": "05"}]
        assert (await tx.execute("UPDATE book SET limit_cents = 0 WHERE area = '03'")).rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        async with within(plain, "05") as tx:
            await set_account_limit(tx, SetAccountLimit(told.AREA, 0, "Toisen alueen", "olli"), at(10, 2))
    assert await in_force(pool) == (-1_00, [-1_00])


@pytest.fixture
async def client(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    """Payments over HTTP on 10 December, with 100.00 on the account, without bus."""
    app = create_app(PaymentsSettings())
    app.state.pool, app.state.clock, app.state.verifier = pool, Stopped(), Tokens()
    await story.fund(pool, 100_00, at(10, 1))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://payments") as opened:
        yield opened


async def post(client: httpx.AsyncClient, token: str, key: str, cents: Any, reason: str = "Varaus") -> httpx.Response:
    """Set a limit as somebody, under a key."""
    headers = {"authorization": f"Bearer {token}", "idempotency-key": key}
    return await client.post(PATH, json={"limit_cents": cents, "reason": reason}, headers=headers)


async def listed(client: httpx.AsyncClient, token: str = OLLI, **query: int) -> Any:
    """The limits of the area, as somebody sees them."""
    answer = await client.get(PATH, params=query, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_limit_is_listed_with_who_set_it_when_and_why(client: httpx.AsyncClient) -> None:
    assert await listed(client) == []
    first = await post(client, OLLI, "1", 40_00, "Kassavaraus 2026")
    assert first.status_code == 201, first.text
    when = "2026-12-10T09:00:00Z"
    assert first.json() == {
        "area": told.AREA, "number": 1, "limit_cents": 40_00, "replaced_cents": 0, "set_at": when,
    }  # fmt: skip
    assert (await post(client, ANNA, "2", -5_00, "Tilinylitysoikeus")).json()["replaced_cents"] == 40_00
    overdraft = {"number": 2, "limit_cents": -5_00, "reason": "Tilinylitysoikeus", "set_by": "anna"}
    reserve = {"number": 1, "limit_cents": 40_00, "reason": "Kassavaraus 2026", "set_by": "olli"}
    for token in (OLLI, "aino:organiser:1", "stm:authority:1"):
        shown = await listed(client, token)
        assert [{**one, "set_at": one["set_at"].replace("+00:00", "Z")} for one in shown] == [
            overdraft | {"set_at": when},
            reserve | {"set_at": when},
        ]
    assert [one["number"] for one in await listed(client, limit=1)] == [2]
    assert [one["number"] for one in await listed(client, before=2, limit=1)] == [1]
    account = await client.get(f"/v1/accounts/{told.AREA}", headers={"authorization": f"Bearer {OLLI}"})
    assert (account.json()["limit_cents"], account.json()["spendable_cents"]) == (-5_00, 100_00)


async def test_a_limit_that_is_sent_twice_is_set_once(client: httpx.AsyncClient) -> None:
    first = await post(client, OLLI, "k", 40_00)
    assert (await post(client, OLLI, "later", 20_00)).status_code == 201
    again = await post(client, OLLI, "k", 40_00)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replay"] == "true"
    assert [one["limit_cents"] for one in await listed(client)] == [20_00, 40_00], "the repeat put nothing in force"
    other = await post(client, OLLI, "k", 41_00)
    assert (other.status_code, other.json()["pointer"]) == (422, "/Idempotency-Key")


@pytest.mark.parametrize(
    ("token", "cents", "reason", "expected"),
    [
        ("aino:organiser:1", 1_00, "Oma varaus", (403, "role", None)),
        ("stm:authority:1", 1_00, "Varaus", (403, "role", None)),
        ("tuottaja:producer:1", 1_00, "Varaus", (403, "role", None)),
        ("olli:operator:of 05", 1_00, "Varaus", (403, "own_area", None)),
        (OLLI, 100_01, "Varaus", (409, "limit_above_balance", "/limit_cents")),
        (OLLI, 10**15, "Varaus", (422, "less_than_equal", "/limit_cents")),
        (OLLI, -(10**15), "Varaus", (422, "greater_than_equal", "/limit_cents")),
        (OLLI, 1_00, "Ei", (422, "string_too_short", "/reason")),
        (OLLI, 1_00, "x" * 301, (422, "string_too_long", "/reason")),
    ],
)
async def test_who_or_what_is_refused_sets_nothing(
    client: httpx.AsyncClient, token: str, cents: int, reason: str, expected: tuple[int, str, str | None]
) -> None:
    answer = await post(client, token, "k", cents, reason)
    problem = answer.json()
    assert (answer.status_code, problem["rule"], problem["pointer"]) == expected
    assert problem.get("spendable_cents") == (100_00 if expected[0] == 409 else None)
    assert await listed(client) == []
    assert (await post(client, OLLI, "k", 1_00)).status_code == 201, "the key is free and the limit still settable"
