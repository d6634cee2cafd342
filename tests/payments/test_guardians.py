"""From the registration feed to the ceiling: listing takes a family in, payments hears it and counts together."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from kanava.common.contracts import listing
from kanava.common.db import Pool, transaction
from kanava.listing.settings import ListingSettings
from kanava.local.postgres import Postgres
from kanava.payments.views import ceilings as views
from tests.listing.people import hetu_of, line
from tests.listing.world import World
from tests.payments import story
from tests.support import facts as told
from tests.support.databases import service_database
from tests.support.facts import at, visit

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
AINO, BERTTA = hetu_of(date(1984, 5, 17), 900), hetu_of(date(1986, 2, 3), 902)
YOUNG, GROWING = hetu_of(date(2015, 3, 1), 901), hetu_of(date(2008, 10, 15), 901)


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[World]:
    """Listing on a database of its own, beside that of payments."""
    with service_database(postgres, "listing") as database:
        async with database.pool() as pool:
            made = World(pool, ListingSettings().vault())
            await made.settle()
            yield made


def child(hetu: str, guardian: str | None) -> dict[str, Any]:
    """A line of a child that names its guardian."""
    return line(hetu) | {"guardian_hetu": guardian}


async def heard(world: World, pool: Pool) -> int:
    """Everything that listing said of residents, as payments' consumer takes it."""
    return await story.hear(pool, "listing.resident", *await world.said(listing.Resident))


async def pay(pool: Pool, number: int, of: UUID, on: date, euros: int) -> None:
    """A producer reports a client fee."""
    fee = visit(number, 1, on, recorded_at=at(10, 30), fee_cents=euros * 100)
    await story.hear(pool, "monitoring.production", fee.model_copy(update={"resident_id": of}))


async def claims(pool: Pool, month: date) -> dict[tuple[UUID, UUID], int]:
    """By how many cents a closed month changed each claim, by resident and payee."""
    async with transaction(pool) as tx:
        found = await views.claimed_in(tx, told.AREA, month)
    return {(row["resident_id"], row["payee_id"]): row["amount_cents"] for row in found}


async def test_children_of_the_feed_count_with_their_guardian_until_they_are_eighteen(world: World, pool: Pool) -> None:
    await story.open_area(pool)
    await world.feed(child(YOUNG, AINO), child(GROWING, AINO), line(AINO))
    assert await heard(world, pool) == 3
    aino, young, growing = await world.ids(AINO, YOUNG, GROWING)
    for number, (of, day) in enumerate([(aino, 2), (young, 3), (growing, 14), (growing, 15), (growing, 16)], start=1):
        await pay(pool, number, of, date(2026, 10, day), 400)
    await story.close(pool, OCTOBER, at(11, 2))
    assert await claims(pool, OCTOBER) == {(growing, aino): 1200_00 - 815_00}, "of age it pays 800 €, alone"
    await story.assert_books_agree(pool)


async def test_another_guardian_of_the_feed_moves_the_claim(world: World, pool: Pool) -> None:
    await story.open_area(pool)
    await world.feed(line(AINO), line(BERTTA), child(YOUNG, AINO))
    await heard(world, pool)
    aino, bertta, young = await world.ids(AINO, BERTTA, YOUNG)
    for number, of in enumerate((aino, bertta, young), start=1):
        await pay(pool, number, of, date(2026, 10, number), 500)
    await story.close(pool, OCTOBER, at(11, 2))
    assert await claims(pool, OCTOBER) == {(young, aino): 185_00}
    world.instant = at(11, 9)
    await world.feed(child(YOUNG, BERTTA))
    assert await heard(world, pool) == 1, "what was heard before has no second effect"
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await claims(pool, NOVEMBER) == {(young, aino): -185_00, (young, bertta): 185_00}
    await story.assert_books_agree(pool)
