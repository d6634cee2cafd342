"""Steps of a month that tests of payments tell their stories with."""

from datetime import date, datetime

from psycopg.rows import DictRow

from kanava.common.contracts import Fact
from kanava.common.db import Pool, one, rows, transaction
from kanava.payments.commands import ApproveStatements, PlaceFunding, ReleasePayout, RequestRun, SetAccountLimit
from kanava.payments.consumers import SUBSCRIPTIONS
from kanava.payments.service.account_limits import LimitSet, set_account_limit
from kanava.payments.service.funding import place_funding
from kanava.payments.service.runs import close_next, request_run
from kanava.payments.service.statements import PaidOut, approve_statements, release_payout
from kanava.payments.views import books
from tests.support import facts as told

DEBTOR = "FI2112345600000785"


async def hear(pool: Pool, topic: str, *heard: Fact) -> int:
    """Take facts over as the consumer of a topic would."""
    async with transaction(pool) as tx:
        return await SUBSCRIPTIONS[f"kanava.{topic}.v1"](tx, heard)


async def open_area(pool: Pool) -> None:
    """An area with a model, a scheme in production, two producers with a unit each, and a price."""
    await hear(pool, "registry.document", told.document())
    await hear(pool, "registry.scheme", told.scheme())
    await hear(pool, "registry.price", told.price())
    for private in (True, False):
        await hear(pool, "registry.producer", told.producer(private=private))
        await hear(pool, "registry.unit", told.unit(private=private))
        await hear(pool, "registry.contract", told.contract(private=private))


async def close(pool: Pool, month: date, now: datetime) -> DictRow:
    """Request a month's run and let the worker close it; the closed run's row."""
    async with transaction(pool) as tx:
        requested = await request_run(tx, RequestRun(told.AREA, month, "operator"), now)
    assert await close_next(pool)
    async with transaction(pool) as tx:
        run = await one(tx, "SELECT * FROM run WHERE run_id = %s", (requested.run_id,))
    assert run is not None
    return run


async def fund(pool: Pool, cents: int, now: datetime, reference: str = "1/12") -> None:
    """An instalment of the state."""
    async with transaction(pool) as tx:
        await place_funding(tx, PlaceFunding(told.AREA, "state", "", cents, now.date(), reference), now)


async def set_limit(pool: Pool, cents: int, now: datetime, *, area: str = told.AREA, by: str = "olli") -> LimitSet:
    """Olli sets the limit of an area's account."""
    command = SetAccountLimit(area, cents, "Alueen kassavaraus", by)
    async with transaction(pool) as tx:
        return await set_account_limit(tx, command, now)


async def approve(pool: Pool, month: date, now: datetime, by: str = "anna") -> None:
    """Somebody approves the statements of a month."""
    async with transaction(pool) as tx:
        await approve_statements(tx, ApproveStatements(told.AREA, month, by), now)


async def release(pool: Pool, now: datetime, by: str = "bertta") -> PaidOut:
    """Somebody releases what is approved."""
    async with transaction(pool) as tx:
        return await release_payout(tx, ReleasePayout(told.AREA, DEBTOR, by), now)


async def pay(pool: Pool, month: date, now: datetime) -> PaidOut:
    """Anna approves, Bertta releases."""
    await approve(pool, month, now)
    return await release(pool, now)


async def lines(pool: Pool, component: str | None = None) -> list[DictRow]:
    """All resident lines, in their order."""
    async with transaction(pool) as tx:
        return await rows(
            tx,
            "SELECT * FROM line WHERE %(c)s::text IS NULL OR component = %(c)s"
            " ORDER BY run_id, resident_id, component, kind, for_month, unit_id, source",
            {"c": component},
        )


async def assert_books_agree(pool: Pool) -> None:
    """The three sums agree for every component, and the trial balance is zero."""
    async with transaction(pool) as tx:
        assert all(row["equal"] for row in await books.sums(tx, told.AREA))
        assert sum(row["amount_cents"] for row in await books.trial_balance(tx, told.AREA)) == 0
