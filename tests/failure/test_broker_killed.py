"""One broker of three dies while statements are paid out and the bank answers: each payment once, nothing lost."""

import asyncio
import signal
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from kanava.common.contracts import Fact
from kanava.common.contracts.payments import Statement
from kanava.common.db import Pool, rows, transaction
from kanava.local.platform import Options
from tests.failure import month
from tests.failure.month import NOVEMBER_CLOSES
from tests.payments.bank import camt054, pain002
from tests.support import bus
from tests.support import facts as told
from tests.support.cluster import Running, commanded, started
from tests.support.facts import at

PRODUCERS, FILE_OF, REJECTED = 200, 20, 7
TOPIC = "kanava.payments.statement.v1"
APPROVER, RELEASER = "anna", "bertta"

pytestmark = pytest.mark.platform


@pytest.fixture
def three_brokers() -> Iterator[Running]:
    """Payments and monitoring on three brokers."""
    wanted = Options(brokers=3, sandbox=True, tied=True, only=("payments", "monitoring"))
    with started("three", wanted) as running:
        yield running


async def test_a_broker_dies_during_the_payout(three_brokers: Running) -> None:
    cluster = three_brokers
    async with cluster.pool("payments") as books, cluster.pool("monitoring") as monitoring:
        await close_november(cluster, books)
        async with cluster.client("payments", "operator", sub=RELEASER) as releaser:
            paid = await commanded(releaser, "/v1/payouts", {"area": told.AREA})
            assert paid["to_bank"] == PRODUCERS, paid["held"]
            cluster.process("kafka-2").send(signal.SIGKILL)
            await bank_answers(releaser, await payments(books))
        await cluster.published("payments")
        await assert_each_paid_once(books, paid["to_bank_cents"])
        await assert_all_arrived(cluster, books, monitoring)
        await month.assert_sound(books)


def facts() -> list[Fact]:
    """Many private producers with a unit, a contract and a resident each."""
    made = month.setting()
    for n in range(PRODUCERS):
        own = {"producer_id": f"1.2.246.10.{n}.10.0"}
        unit = {"unit_id": f"1.2.246.10.{n}.10.1"}
        stretch = told.span(date(2026, 9, 1), private=True).model_copy(update=own | unit)
        made += [
            told.producer(private=True).model_copy(update=own | {"name": f"Tuottaja {n} Oy"}),
            told.unit(private=True).model_copy(update=own | unit),
            told.contract(private=True).model_copy(update=own | {"contract_id": f"C-{n}"}),
            told.resident(n, date(1936 + n % 80, 5, 1)),
            told.listed(n, stretch),
        ]
    return made


async def close_november(cluster: Running, books: Pool) -> None:
    """Everything up to the approval: facts heard, the area funded, the month closed, its statements approved."""
    said = facts()
    await cluster.set_clock("payments", at(12, 1))
    await bus.say(cluster.bootstrap, *said)
    for topic, own in month.by_topic(said).items():
        await bus.taken(books, topic, len(own))
    instalment = {"area": told.AREA, "payer": "state", "amount_cents": 10**9, "received_on": "2026-11-02"}
    async with cluster.client("payments", "operator", sub=APPROVER) as approver:
        await commanded(approver, "/v1/funding", instalment | {"reference": "11/12"})
        await cluster.set_clock("payments", NOVEMBER_CLOSES)
        run = await commanded(approver, "/v1/runs", {"area": told.AREA, "month": "2026-11"}, status=202)

        async def closed() -> bool:
            answer = await approver.get(f"/v1/runs/{run['run_id']}")
            return bool(answer.json()["status"] == "closed")

        await bus.wait_until(closed, what="the closed run")
        await commanded(approver, "/v1/approvals", {"area": told.AREA, "month": "2026-11"}, status=200)


async def payments(books: Pool) -> list[dict[str, Any]]:
    """The payments that the bank was given."""
    async with transaction(books) as tx:
        return list(await rows(tx, "SELECT end_to_end_id, amount_cents, status FROM payment ORDER BY end_to_end_id"))


async def bank_answers(client: httpx.AsyncClient, given: list[dict[str, Any]]) -> None:
    """A few are rejected, the others booked in several files, each file sent twice, all at the same time.

    The last file of bookings never comes: its payments stay open.
    """
    pairs = [(one["end_to_end_id"], one["amount_cents"]) for one in given]
    files = [pain002("REJECTS", pairs[:REJECTED])]
    for first in range(REJECTED, len(pairs) - FILE_OF, FILE_OF):
        booked = [(f"B-{id_}", id_, cents) for id_, cents in pairs[first : first + FILE_OF]]
        files.append(camt054(f"CAMT-{first}", booked))

    async def send(number: int, content: bytes) -> None:
        headers = {"idempotency-key": f"bank-{number}", "content-type": "application/xml"}
        answer = await client.post("/v1/bank/messages", content=content, headers=headers)
        assert answer.status_code == 200, answer.text

    await asyncio.gather(*(send(number, content) for number, content in enumerate(files + files)))


async def assert_each_paid_once(books: Pool, released_cents: int) -> None:
    """Invariant 7: each end-to-end id once; released = booked + rejected + open."""
    query = (
        "SELECT p.end_to_end_id, p.status, p.amount_cents,"
        " (SELECT count(*) FROM bank_entry b WHERE b.end_to_end_id = p.end_to_end_id AND b.matched = 'payment')"
        " + (SELECT count(*) FROM bank_status s WHERE s.end_to_end_id = p.end_to_end_id AND s.status = 'RJCT') AS told"
        " FROM payment p"
    )
    async with transaction(books) as tx:
        known = await rows(tx, query)
        entries = await rows(
            tx, "SELECT kind, count(DISTINCT reference) AS n, count(*) AS entries FROM entry GROUP BY kind"
        )
    cents = {status: sum(one["amount_cents"] for one in known if one["status"] == status) for status in STATES}
    assert len(known) == PRODUCERS
    assert released_cents == sum(cents.values())
    assert min(cents.values()) > 0, "some were booked, some rejected, some are open"
    assert all(one["told"] == (one["status"] != "open") for one in known)
    assert all(row["n"] == row["entries"] for row in entries if row["kind"] != "cost"), "no statement moved twice"


STATES = ("booked", "rejected", "open")


async def assert_all_arrived(cluster: Running, books: Pool, monitoring: Pool) -> None:
    """Every statement event stands on the two brokers that are left, and monitoring knows the last state of each."""
    async with transaction(books) as tx:
        query = "SELECT event_id::text AS event FROM outbox WHERE topic = %s"
        emitted = {row["event"] for row in await rows(tx, query, (TOPIC,))}
        last = "SELECT statement_id, version, status, amount_cents FROM statement ORDER BY statement_id"
        expected = await rows(tx, last)
    stood = await bus.records(cluster.bootstrap, TOPIC)
    assert {bus.header(one, "ce_id") for one in stood} == emitted
    assert_in_order([Statement.model_validate_json(one.value or b"") for one in stood])
    counted = await bus.taken(monitoring, TOPIC, len(stood))
    assert counted["applied"] == len(emitted)
    async with transaction(monitoring) as tx:
        assert await rows(tx, last) == expected


def assert_in_order(said: list[Statement]) -> None:
    """The versions of each statement stand in order where they first stand."""
    newest: dict[object, int] = {}
    for one in said:
        assert one.version <= newest.get(one.statement_id, 0) + 1
        newest[one.statement_id] = max(one.version, newest.get(one.statement_id, 0))
