"""Months that wait together, fail and are queued anew write the bytes that they would have written one by one."""

from collections.abc import Sequence
from datetime import date

from hypothesis import HealthCheck, given, settings

from kanava.common.contracts import Fact
from kanava.common.db import Pool, rows, transaction
from kanava.local.postgres import Postgres
from kanava.payments.commands import RequestRun
from kanava.payments.service.runs import close_next, request_run
from tests.payments import story
from tests.payments.test_early_or_late import AREAS, STORIES, Story, in_slots, instant, open_areas
from tests.support.databases import service_database

MONTHS = (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1))
Told = Sequence[tuple[str, Fact]]


async def ask(pool: Pool, area: str, month: date) -> None:
    """Ask for a month of an area; each has a cut-off of its own."""
    now = instant(1 + MONTHS.index(month)).replace(hour=10 + AREAS.index(area))
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(area, month, "operator"), now)


async def close_all(pool: Pool) -> int:
    """Close what can be closed; how many runs that were."""
    closed = 0
    while await close_next(pool):
        closed += 1
    return closed


async def in_turn(pool: Pool, before: Told, after: Told) -> None:
    """Each month is closed as soon as it is asked for; then more is heard."""
    for topic, fact in before:
        await story.hear(pool, topic, fact)
    for area in AREAS:
        for month in MONTHS:
            await ask(pool, area, month)
            assert await close_all(pool) == 1
    for topic, fact in after:
        await story.hear(pool, topic, fact)


async def together(pool: Pool, before: Told, after: Told) -> None:
    """All months are asked for and more is heard before any is closed; the first month of an area fails at first."""
    for topic, fact in before:
        await story.hear(pool, topic, fact)
    for area in AREAS:
        for month in MONTHS:
            await ask(pool, area, month)
    for topic, fact in after:
        await story.hear(pool, topic, fact)
    async with transaction(pool) as tx:
        await tx.execute("UPDATE run SET status = 'failed' WHERE area = %s AND month = %s", (AREAS[1], MONTHS[0]))
    assert await close_all(pool) == len(MONTHS), "the other area's; the months behind a failed one wait"
    await ask(pool, AREAS[1], MONTHS[0])
    assert await close_all(pool) == len(MONTHS)


async def written(pool: Pool) -> list[tuple[object, ...]]:
    """The digests of all runs, and what they say of the use of nodes."""
    queries = (
        "SELECT area, month, cut_off, digest FROM run",
        "SELECT run_id::text, producer_id, component, node, amount_cents FROM node_use",
    )
    found: list[tuple[object, ...]] = []
    async with transaction(pool) as tx:
        for query in queries:
            found += [tuple(row.values()) for row in await rows(tx, query)]
    return sorted(found, key=repr)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told_in=STORIES)
async def test_months_write_the_same_bytes_together_and_in_turn(
    postgres: Postgres, told_in: list[tuple[int, Story]]
) -> None:
    """Facts of the first slots come before all cut-offs, the others after them and are of no month here."""
    ordered = sorted(told_in, key=lambda pair: pair[0])
    slots = in_slots([(0 if slot < 4 else 5, one) for slot, one in ordered])
    outcomes = []
    for live in (together, in_turn):
        with service_database(postgres, "payments") as database:
            async with database.pool() as pool:
                await open_areas(pool)
                await live(pool, slots[0], slots[5])
                outcomes.append(await written(pool))
    assert outcomes[0] == outcomes[1]
