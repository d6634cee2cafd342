"""A hundred residents choose the last five places of a unit at once, through two copies of listing."""

import asyncio
import uuid
from collections import Counter
from datetime import date

import httpx
import pytest

from kanava.common.contracts.listing import Listing
from kanava.common.db import rows, transaction
from tests.failure import vantaa
from tests.support import bus
from tests.support.cluster import Running

CHOOSERS, PLACES = 100, 5
UNIT = "1.2.246.10.32213481.10.5"

pytestmark = pytest.mark.platform


async def test_a_hundred_choices_for_five_places(cluster: Running) -> None:
    await vantaa.open_unit(cluster, UNIT, PLACES)
    hetus = [vantaa.hetu(date(1970, 1, 1 + n // 50), 900 + n % 50) for n in range(CHOOSERS)]
    fed = await vantaa.feed(cluster, "race", 1, [vantaa.person(one) for one in hetus])
    assert fed.status_code == 201, fed.text
    residents = await vantaa.ids_of(cluster, hetus)
    answers = await all_at_once(cluster, residents)
    outcomes = Counter("chosen" if one.status_code == 201 else one.json()["reason"] for one in answers)
    assert outcomes == {"chosen": PLACES, "unit_full": CHOOSERS - PLACES}
    winners = {one.json()["resident_id"] for one in answers if one.status_code == 201}
    await assert_said(cluster, winners)
    again = await all_at_once(cluster, residents)
    assert [one.text for one in again if one.status_code == 201] == [
        one.text for one in answers if one.status_code == 201
    ], "the stored answers, and no place more"


async def all_at_once(cluster: Running, residents: list[str]) -> list[httpx.Response]:
    """Every resident chooses the unit, each under a key of its own, through the copies in turn."""
    limits = httpx.Limits(max_connections=CHOOSERS)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:

        async def choose(number: int, resident: str) -> httpx.Response:
            headers = cluster.token("resident", resident=resident, sub=resident)
            headers["idempotency-key"] = str(uuid.uuid5(uuid.NAMESPACE_OID, resident))
            url = cluster.copy("listing", 1 + number % 2).url
            return await client.post(f"{url}/v1/choices", json={"unit_id": UNIT}, headers=headers)

        return await asyncio.gather(*(choose(number, one) for number, one in enumerate(residents)))


async def assert_said(cluster: Running, winners: set[str]) -> None:
    """The facts on the bus, the spans and the counter all name the same five."""
    await cluster.published("listing")
    said = await bus.records(cluster.bootstrap, "kanava.listing.listing.v1")
    facts = [Listing.model_validate_json(one.value or b"") for one in said if b'"chosen"' in (one.value or b"")]
    chosen = [str(one.resident_id) for one in facts if one.spans[-1].unit_id == UNIT]
    assert sorted(chosen) == sorted(winners)
    async with cluster.pool("listing") as pool, transaction(pool) as tx:
        query = "SELECT resident_id FROM span WHERE unit_id = %s AND recorded_until = 'infinity'"
        listed = [str(row["resident_id"]) for row in await rows(tx, query, (UNIT,))]
    assert sorted(listed) == sorted(winners)
