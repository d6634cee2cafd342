"""Payments dies between Kafka and its own database: what was acknowledged is said, and counts once."""

import contextlib
import uuid

import httpx
import pytest

from kanava.common.db import Pool, rows, transaction
from tests.failure import month
from tests.support import bus
from tests.support.cluster import Running, insist

TOPIC = "kanava.payments.account.v1"

pytestmark = pytest.mark.platform


@pytest.mark.parametrize(
    ("point", "area", "stands"), [("relay_before_publish", "05", 1), ("relay_before_mark", "06", 2)]
)
async def test_a_relay_that_dies_loses_nothing_and_what_it_says_again_counts_once(
    cluster: Running, point: str, area: str, stands: int
) -> None:
    payments = cluster.copy("payments")
    await cluster.published("payments")
    await cluster.restart(payments, KANAVA_CRASH_AT=point)
    async with cluster.client("payments", "operator") as client:
        key = uuid.uuid4().hex
        with contextlib.suppress(httpx.TransportError):  # the relay may be faster than the answer
            await client.post("/v1/funding", json=instalment(area), headers={"idempotency-key": key})
        await cluster.died(payments)
        await cluster.restart(payments)
        booked = await insist(client, "/v1/funding", instalment(area), key)
    assert booked.status_code == 201
    assert booked.headers["idempotent-replay"] == "true", "it was booked before the relay died"
    await cluster.published("payments")
    said = [one for one in await bus.records(cluster.bootstrap, TOPIC) if one.key == area.encode()]
    assert len(said) == stands
    assert len({bus.header(one, "ce_id") for one in said}) == 1
    async with cluster.pool("monitoring") as monitoring, cluster.pool("payments") as books:
        await bus.heard(monitoring, cluster.bootstrap, TOPIC)
        counted = await bus.counters(monitoring, TOPIC)
        assert counted["received"] == counted["applied"] + counted.get("duplicates", 0)
        assert await movements(monitoring, area) == [(booked.json()["entry_id"], 123_45)]
        await month.assert_sound(books, area)


def instalment(area: str) -> dict[str, object]:
    """An instalment of the state."""
    return {
        "area": area,
        "payer": "state",
        "amount_cents": 123_45,
        "received_on": "2024-11-04",
        "reference": f"instalment {area}",
    }


async def movements(pool: Pool, area: str) -> list[tuple[str, int]]:
    """What monitoring knows of an area's account."""
    async with transaction(pool) as tx:
        found = await rows(tx, "SELECT entry_id, amount_cents FROM account_movement WHERE area = %s", (area,))
    return [(str(row["entry_id"]), row["amount_cents"]) for row in found]
