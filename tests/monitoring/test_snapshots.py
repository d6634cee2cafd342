"""Freezing indicators over HTTP, and annual orders held against what was delivered."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from kanava.common.contracts.monitoring import Snapshot
from kanava.common.db import Pool, rows, transaction
from kanava.monitoring import consumers
from tests.monitoring.test_api import make_app, ndjson, send
from tests.monitoring.tokens import bearer
from tests.monitoring.world import OTHER, OWN, PRIVATE, UNIT, annual_order, report

SHARE = {
    "indicator": "esh_referrals_per_1000",
    "subject": "producer",
    "area": "03",
    "producer_id": PRIVATE,
    "period_from": "2026-07-01",
    "period_until": "2026-10-01",
    "direction": "lower_is_better",
    "value": 5_320,
    "scale": 2,
    "numerator": 256,
    "denominator": 4_812,
    "floor": 6_000,
    "target": 5_000,
    "confirmed_by": OWN,
}


@pytest.fixture
async def client(settled: Pool) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=make_app(settled))
    async with httpx.AsyncClient(transport=transport, base_url="http://monitoring") as ours:
        yield ours


async def freeze(
    client: httpx.AsyncClient,
    body: dict[str, Any],
    by: dict[str, str] | None = None,
    key: str | None = None,
) -> httpx.Response:
    headers = (by or bearer("authority")) | {"idempotency-key": key or str(uuid4())}
    return await client.post("/v1/snapshots", json=body, headers=headers)


async def said(pool: Pool) -> list[Snapshot]:
    async with transaction(pool) as tx:
        found = await rows(tx, "SELECT body, key FROM outbox WHERE topic = 'kanava.monitoring.snapshot.v1' ORDER BY id")
    facts = [Snapshot.model_validate_json(row["body"]) for row in found]
    assert [row["key"] for row in found] == [str(fact.snapshot_id) for fact in facts]
    return facts


async def test_an_indicator_is_frozen_once_and_said_once(client: httpx.AsyncClient, settled: Pool) -> None:
    first = await freeze(client, SHARE)
    again = await freeze(client, SHARE)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    (fact,) = await said(settled)
    assert (fact.value, fact.scale, fact.floor, fact.target, fact.direction) == (
        5_320,
        2,
        6_000,
        5_000,
        "lower_is_better",
    )
    assert (fact.confirmed_by, fact.period_until, fact.version) == (OWN, date(2026, 10, 1), 1)


async def test_other_content_for_the_same_period_is_a_conflict(client: httpx.AsyncClient, settled: Pool) -> None:
    await freeze(client, SHARE)
    other = await freeze(client, SHARE | {"value": 4_900})
    assert (other.status_code, other.json()["reason"]) == (409, "frozen_already")
    next_quarter = SHARE | {"period_from": "2026-08-01"}
    assert (await freeze(client, next_quarter)).status_code == 201
    assert len(await said(settled)) == 2
    async with transaction(settled) as tx:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await tx.execute("UPDATE snapshot SET value = 1")


async def test_a_producer_freezes_nothing_of_its_own(client: httpx.AsyncClient, settled: Pool) -> None:
    assert (await freeze(client, SHARE, bearer("producer"))).status_code == 403
    both = bearer("organiser", producers=[PRIVATE])
    assert (await freeze(client, SHARE, both)).json()["rule"] == "own_indicator"
    assert (await freeze(client, SHARE, bearer("organiser", area="04"))).json()["rule"] == "own_area"
    itself = await freeze(client, SHARE | {"confirmed_by": PRIVATE})
    assert (itself.status_code, itself.json()["reason"]) == (409, "confirmed_by_itself")
    assert (await freeze(client, SHARE, bearer("organiser"))).status_code == 201
    assert len(await said(settled)) == 1


@pytest.mark.parametrize(
    ("changes", "pointer", "rule"),
    [
        ({"confirmed_by": None}, "/confirmed_by", "confirmation_required"),
        ({"target": 7_000}, "/target", "target_is_better"),
        ({"period_until": "2026-12-01"}, "/period_until", "period_is_over"),
        ({"producer_id": OTHER[:-1] + "7"}, "/producer_id", "producer_of_area"),
        ({"subject": "unit", "unit_id": UNIT[:-1] + "9"}, "/unit_id", "unit_of_area"),
        ({"subject": "area"}, "/producer_id", "id_of_subject"),
        ({"value": 53.2}, "/value", "int_type"),
        ({"denominator": 0}, "/denominator", "greater_than_equal"),
    ],
)
async def test_a_snapshot_that_breaks_a_rule_names_it(
    client: httpx.AsyncClient,
    settled: Pool,
    changes: dict[str, Any],
    pointer: str,
    rule: str,
) -> None:
    refused = await freeze(client, SHARE | changes)
    assert refused.status_code == 422
    assert (pointer, rule) in {(one["pointer"], one["rule"]) for one in refused.json()["errors"]}
    assert await said(settled) == []


async def test_everybody_reads_what_is_theirs_and_no_small_cell(client: httpx.AsyncClient) -> None:
    small = {"indicator": "t3", "direction": "higher_is_better", "floor": None, "target": None, "numerator": 4}
    for body in (SHARE, SHARE | {"producer_id": OWN, "confirmed_by": PRIVATE}, SHARE | small):
        assert (await freeze(client, body)).status_code == 201

    async def read(role: str, **claims: Any) -> list[dict[str, Any]]:
        answer = await client.get("/v1/snapshots", params={"area": "03"}, headers=bearer(role, **claims))
        found: list[dict[str, Any]] = answer.json()
        return found

    assert len(await read("authority")) == len(await read("organiser")) == 3
    assert {one["producer_id"] for one in await read("producer")} == {PRIVATE}
    hidden = [one for one in await read("municipality") if one["indicator"] == "t3"]
    assert [(one["value"], one["numerator"]) for one in hidden] == [(None, None)]
    headers = bearer("organiser", area="04")
    assert (await client.get("/v1/snapshots", params={"area": "03"}, headers=headers)).status_code == 403


async def test_an_order_is_held_against_what_was_delivered(client: httpx.AsyncClient, settled: Pool) -> None:
    async with transaction(settled) as tx:
        assert await consumers.take_orders(tx, [annual_order(), annual_order(OWN, quantity=5)]) == 2
        assert await consumers.take_orders(tx, [annual_order()]) == 0
    assert (await send(client, ndjson(report("r-1", quantity=3), report("r-2", quantity=4)))).status_code == 201
    asked = {"area": "03", "year": 2026}
    seen = (await client.get("/v1/orders/fulfilment", params=asked, headers=bearer("organiser"))).json()
    assert {(one["producer_id"], one["ordered"], one["delivered"]) for one in seen} == {(PRIVATE, 800, 7), (OWN, 5, 0)}
    own = (await client.get("/v1/orders/fulfilment", params=asked, headers=bearer("producer"))).json()
    assert [one["producer_id"] for one in own] == [PRIVATE]
    gone = annual_order(version=2, status="withdrawn", what="withdrawn")
    async with transaction(settled) as tx:
        assert await consumers.take_orders(tx, [gone]) == 1
    left = (await client.get("/v1/orders/fulfilment", params=asked, headers=bearer("organiser"))).json()
    assert [one["producer_id"] for one in left] == [OWN]
