"""`./kanava bench payments`: the month of the whole country, visits, a hot account, and workers side by side."""

import asyncio
import resource
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import psycopg

from kanava.common.db import Pool, rows, transaction
from kanava.common.groupcommit import GroupCommit
from kanava.common.idempotency import IdempotencyKey
from kanava.local import databases
from kanava.local.platform import Platform
from kanava.payments.commands import PlaceFunding, PlaceTransfer, RequestRun
from kanava.payments.service.funding import place_funding
from kanava.payments.service.runs import close_next, request_run
from kanava.payments.service.transfers import place_transfers

from . import nation
from .pools import opened

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
CLOSED_ON = 5
AT_ONCE = 32
ENTRIES = 6_000
STEPS = (300_000, 1_000_000, 3_000_000, 5_500_000)
COPY = "kanava_payments_copy"

Say = Callable[[str], None]
Table = dict[str, Any]


async def months_and_hot(running: Platform, say: Say) -> Table:
    """The month of the country and the hot account; the memory is that of this process, where the workers run."""
    found: Table = await _months(running, say)
    url, app_url = _urls(running)
    async with opened(url) as owner, opened(app_url) as application:
        say(f"{AT_ONCE} at once on one area's account …")
        found["hot"] = await _hot(application, owner)
    return found | {"python_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _urls(running: Platform, database: str | None = None) -> tuple[str, str]:
    urls = (
        databases.owner_url(running.profile, running.postgres, "payments"),
        databases.app_url(running.profile, running.postgres, "payments"),
    )
    if database is None:
        return urls
    return tuple(url.rsplit("/", 1)[0] + f"/{database}" for url in urls)  # type: ignore[return-value]  # two stay two


async def _months(running: Platform, say: Say) -> Table:
    """November of 22 areas, by two workers and by one on a copy of the same database, beside a plain copy of it.

    The month's figure is that of one worker, since the yardstick has one connection.
    """
    url, app_url = _urls(running)
    say(f"Filling {nation.residents_of(nation.areas()):,} residents …")
    async with opened(url) as owner, opened(app_url) as application:
        await nation.fill(owner)
        say("Closing October …")
        await _closed(application, OCTOBER, workers=2)
        await nation.tell_late(owner)
    owner_role = databases.owner_role("payments")
    with psycopg.connect(running.postgres.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {COPY} OWNER {owner_role} TEMPLATE kanava_payments STRATEGY FILE_COPY")
        connection.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {COPY} TO {databases.app_role('payments')}")
    say("Closing November with two workers …")
    async with opened(url) as owner, opened(app_url) as application:
        two = await _closed(application, NOVEMBER, workers=2)
        digests = await _digests(application)
        say("The yardstick …")
        lines, plain = await _plain(owner)
    say("Closing November with one worker …")
    copy_url, copy_app_url = _urls(running, COPY)
    async with opened(copy_url), opened(copy_app_url) as application:
        alone = await _closed(application, NOVEMBER, workers=1)
        same = await _digests(application) == digests
    with psycopg.connect(running.postgres.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {COPY} WITH (FORCE)")
    seconds = alone["seconds"]
    month = {"seconds": seconds, "lines": lines, "yardstick_seconds": plain, "ratio": seconds / plain}
    parallel = {"same_bytes": same, "ratio": two["seconds"] / seconds, "seconds": two["seconds"]}
    return {"month": month | {"growth": alone["growth"]}, "parallel": parallel}


async def _closed(pool: Pool, first: date, *, workers: int) -> Table:
    """Close a month of every area, in the order of their codes; seconds, and how they grew with the residents."""
    now = datetime(first.year, first.month + 1, CLOSED_ON, tzinfo=UTC)
    for area in nation.areas():
        async with transaction(pool) as tx:
            await request_run(tx, RequestRun(area, first, "bench"), now)
    begun = time.perf_counter()
    done: list[tuple[int, float]] = []

    async def work() -> None:
        while await close_next(pool):
            done.append((len(done) + 1, time.perf_counter() - begun))

    await asyncio.gather(*(work() for _ in range(workers)))
    seconds = time.perf_counter() - begun
    async with transaction(pool) as tx:
        left = await rows(tx, "SELECT area, problem FROM run WHERE status <> 'closed'")
    assert not left, left
    return {"seconds": seconds, "growth": _growth(done) if workers == 1 else []}


def _growth(done: Sequence[tuple[int, float]]) -> list[Table]:
    """Residents and seconds where the sum of the areas closed first comes past each step."""
    codes = closing_order()
    passed = [{"residents": nation.residents_of(codes[:count]), "seconds": seconds} for count, seconds in done]
    return [next((one for one in passed if one["residents"] >= step), passed[-1]) for step in STEPS]


def closing_order() -> list[str]:
    """The order in which the worker takes areas of one month: by their codes."""
    return sorted(nation.areas())


async def _digests(pool: Pool) -> list[tuple[str, str]]:
    async with transaction(pool) as tx:
        found = await rows(tx, "SELECT area, digest FROM run WHERE month = %s ORDER BY area", (NOVEMBER,))
    return [(row["area"], row["digest"]) for row in found]


async def _plain(owner: Pool) -> tuple[int, float]:
    """The same lines into a bare identical table, then the same index: how many, and seconds."""
    query = "SELECT * FROM line WHERE run_id IN (SELECT run_id FROM run WHERE month = '2026-11-01')"
    begun = time.perf_counter()
    async with transaction(owner) as tx:
        await tx.execute("CREATE TABLE plain (LIKE line INCLUDING DEFAULTS)")
        lines = (await tx.execute("INSERT INTO plain " + query)).rowcount
        await tx.execute(
            "ALTER TABLE plain ADD PRIMARY KEY (resident_id, component, kind, for_month, unit_id, source, run_id)"
        )
    seconds = time.perf_counter() - begun
    async with transaction(owner) as tx:
        await tx.execute("DROP TABLE plain")
    return lines, seconds


# The hot account


async def _hot(pool: Pool, owner: Pool) -> Table:
    """Transfers from one area to the others, with all that belongs to them, against a bare update of two balances."""
    now = datetime(2026, 12, 1, tzinfo=UTC)
    async with transaction(pool) as tx:
        await place_funding(tx, PlaceFunding("03", "state", "", 10_000_000_000, now.date(), "hot"), now)
    async with transaction(owner) as tx:
        await tx.execute("CREATE TABLE balance (area text PRIMARY KEY, cents bigint CHECK (cents >= 0))")
        await tx.execute("INSERT INTO balance SELECT area, 10000000000 FROM book")
    others = [area for area in nation.areas() if area != "03"]
    plain, _ = await _rate(lambda number: _bare(owner, others[number % len(others)]))
    transfers = Transfers(pool, now)
    ours, p99 = await _rate(lambda number: transfers.place(number, others[number % len(others)]))
    return {"entries_per_second": ours, "p99_ms": p99, "bare_per_second": plain, "ratio": ours / plain}


async def _bare(pool: Pool, area: str) -> None:
    async with transaction(pool) as tx:
        await tx.execute("UPDATE balance SET cents = cents - 1 WHERE area = '03'")
        await tx.execute("UPDATE balance SET cents = cents + 1 WHERE area = %s", (area,))


class Transfers:
    """Places transfers as the route does: claimed by a key, gathered, checked, chained, said on the bus, answered."""

    def __init__(self, pool: Pool, now: datetime) -> None:
        self._now = now
        self._state = _State(pool, self)
        self._together: GroupCommit[PlaceTransfer] = GroupCommit(place_transfers, apart=lambda one: one.reference)

    async def now(self, tx: object) -> datetime:
        """This object is the clock too."""
        return self._now

    async def place(self, number: int, area: str) -> None:
        """One transfer of a cent; raises when it is refused."""
        command = PlaceTransfer("03", area, 1, f"t{number}")
        answer = await self._together.once(self._state, self._state, IdempotencyKey(f"t{number}", b"0" * 32), command)  # type: ignore[arg-type]  # stands for a request and its caller
        assert answer.status_code == 200


class _State:
    """What a gathered command reads of its request and caller."""

    method, subject = "POST", "bench"

    def __init__(self, pool: Pool, clock: object) -> None:
        self.pool, self.clock = pool, clock
        self.app = self.state = self.url = self
        self.path, self.query = "/v1/transfers", ""


async def _rate(act: Any) -> tuple[float, float]:
    """How often a second, and the 99th percentile in milliseconds, with so many at once."""
    numbers, took = iter(range(ENTRIES)), []

    async def work() -> None:
        for number in numbers:
            begun = time.perf_counter()
            await act(number)
            took.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return ENTRIES / (time.perf_counter() - begun), sorted(took)[int(0.99 * len(took))] * 1000
