"""PostgreSQL restarts at once under a load of commands: what was acknowledged is booked, and once."""

import asyncio
import signal

import httpx
import pytest

from kanava.common.db import Pool, rows, transaction
from tests.failure import month
from tests.support import bus
from tests.support.cluster import Running, insist

AREA, TOPIC = "07", "kanava.payments.account.v1"
COMMANDS, CLIENTS, RESTARTS_AFTER = 240, 8, 60

pytestmark = pytest.mark.platform


async def test_a_restart_of_the_database_loses_and_doubles_nothing(cluster: Running) -> None:
    acknowledged: dict[int, str] = {}
    async with cluster.client("payments", "operator") as client:
        clients = [asyncio.ensure_future(place(client, first, acknowledged)) for first in range(CLIENTS)]
        await bus.wait_until(
            lambda: len(acknowledged) >= RESTARTS_AFTER, progress=lambda: len(acknowledged), what="enough commands"
        )
        server = cluster.process("postgres")
        server.send(signal.SIGQUIT)
        await bus.wait_until(lambda: not server.alive(), what="the end of the server")
        assert len(acknowledged) < COMMANDS, "the load was over before the fault"
        cluster.start_postgres()
        await asyncio.gather(*clients)
        account = (await client.get(f"/v1/accounts/{AREA}")).json()
    assert len(acknowledged) == COMMANDS
    assert len(set(acknowledged.values())) == COMMANDS, "every command has an entry of its own"
    total_cents = sum(cents(number) for number in range(COMMANDS))
    assert account["movements"] == [{"kind": "funding", "entries": COMMANDS, "amount_cents": total_cents}]
    assert account["spendable_cents"] == account["bank_cents"] == total_cents
    await assert_said_once(cluster)


async def place(client: httpx.AsyncClient, first: int, acknowledged: dict[int, str]) -> None:
    """One client: every eighth instalment, each insisted on under its own key."""
    for number in range(first, COMMANDS, CLIENTS):
        body = {
            "area": AREA,
            "payer": "state",
            "amount_cents": cents(number),
            "received_on": "2024-11-04",
            "reference": f"instalment {number}",
        }
        answer = await insist(client, "/v1/funding", body, f"restart-{number}")
        assert answer.status_code == 201, answer.text
        acknowledged[number] = answer.json()["entry_id"]


def cents(number: int) -> int:
    """The amount of an instalment; no two are equal."""
    return 10_000 + number


async def assert_said_once(cluster: Running) -> None:
    """The books are sound, and monitoring knows each movement once; the services came back by themselves."""
    await cluster.published("payments")
    said = [one for one in await bus.records(cluster.bootstrap, TOPIC) if one.key == AREA.encode()]
    assert len({bus.header(one, "ce_id") for one in said}) == COMMANDS
    async with cluster.pool("payments") as books, cluster.pool("monitoring") as monitoring:
        await month.assert_sound(books, AREA)
        await bus.wait_until(lambda: known(monitoring), progress=lambda: known(monitoring), what="a movement")
        await bus.heard(monitoring, cluster.bootstrap, TOPIC)
        assert await known(monitoring) == COMMANDS


async def known(pool: Pool) -> int:
    """How many movements of the area monitoring has."""
    async with transaction(pool) as tx:
        found = await rows(tx, "SELECT count(*) AS n FROM account_movement WHERE area = %s", (AREA,))
    return int(found[0]["n"])
