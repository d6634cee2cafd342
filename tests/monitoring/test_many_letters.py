"""More dead letters than a page has, on a real broker: the operator sees, finds and drives all of them."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from kanava.common.db import Pool, rows, transaction
from kanava.common.deadletter import DeadLetter
from kanava.local import commands_dlq
from kanava.local.kafka import Kafka
from kanava.monitoring import bus
from tests.monitoring.test_api import make_app
from tests.monitoring.tokens import bearer
from tests.support.bus import fresh_topics

TOPIC = "kanava.registry.order.v1"
REASON = "/order_id: missing"
MANY = 2_100
LETTERS = "/v1/bus/deadletters"
pytestmark = pytest.mark.platform


def letter(number: int) -> DeadLetter:
    """The n-th letter, of a topic that is this file's own."""
    return DeadLetter(
        letter_id=uuid4(), service="payments", topic=TOPIC, partition=0, offset=number, reason=REASON,
        key_base64=base64.b64encode(b"o1").decode(), value_base64=base64.b64encode(b'{"n": %d}' % number).decode(),
        headers={"ce_id": str(UUID(int=number)), "ce_type": "fi.kanava.registry.order.placed"},
    )  # fmt: skip


async def bury(bootstrap: str, letters: list[DeadLetter]) -> None:
    """Put letters on their topic as the relay does: keyed by their ids."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20) as producer:
        await asyncio.gather(
            *[
                await producer.send(f"{TOPIC}.dlq", orjson.dumps(asdict(one)), key=str(one.letter_id).encode())
                for one in letters
            ]
        )


@pytest.fixture
async def buried(kafka: Kafka) -> list[DeadLetter]:
    """Many letters of one reason, oldest first, alone on their topic."""
    await fresh_topics(kafka.bootstrap, TOPIC)
    letters = [letter(number) for number in range(MANY)]
    await bury(kafka.bootstrap, letters)
    return letters


@pytest.fixture
async def client(pool: Pool, kafka: Kafka) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(pool, kafka=kafka.bootstrap)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://monitoring") as ours:
        yield ours


@pytest.fixture
def command(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`./kanava dlq …` in a thread, asking this monitoring."""

    async def run(*words: str) -> str:
        loop = asyncio.get_running_loop()

        def ask(name: str, service: str, method: str, path: str, *, told: Any = None) -> Any:
            headers = bearer("operator") | {"idempotency-key": str(uuid4())}
            asked = client.request(method, path, json=told, headers=headers)
            answer = asyncio.run_coroutine_threadsafe(asked, loop).result()
            assert answer.is_success, answer.text
            return answer.json()

        monkeypatch.setattr(commands_dlq, "ask", ask)
        result = await asyncio.to_thread(CliRunner().invoke, commands_dlq.app, list(words), catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    return run


async def driven(pool: Pool) -> list[int]:
    """The numbers of the originals in the outbox, in its order."""
    async with transaction(pool) as tx:
        found = await rows(tx, "SELECT body FROM outbox WHERE topic = %s ORDER BY id", (TOPIC,))
    return [orjson.loads(row["body"])["n"] for row in found]


async def test_every_letter_stands_on_one_page_and_a_page_stays_as_it_is(
    client: httpx.AsyncClient, kafka: Kafka, buried: list[DeadLetter]
) -> None:
    pages, cursor = [], ""
    while cursor is not None:
        answer = await client.get(LETTERS + cursor, headers=bearer("operator"))
        pages.append(answer.json())
        ours = [group for group in pages[-1]["groups"] if group["topic"] == TOPIC]
        assert sum(group["letters"] for group in ours) <= pages[-1]["most_per_topic"] == 500
        cursor = pages[-1]["next_cursor"] and f"?cursor={pages[-1]['next_cursor']}"
    seen = [one for page in pages for group in page["groups"] if group["topic"] == TOPIC for one in group["letter_ids"]]
    assert len(seen) == MANY
    assert set(seen) == {str(one.letter_id) for one in buried}
    await bury(kafka.bootstrap, [letter(MANY)])
    again = await client.get(f"{LETTERS}?cursor={pages[0]['cursor']}", headers=bearer("operator"))
    assert again.json() == pages[0]


async def test_the_oldest_letter_is_found_and_driven_without_a_page_and_on_its_own(
    client: httpx.AsyncClient, kafka: Kafka, pool: Pool, buried: list[DeadLetter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "SEARCHED_AT_ONCE", 700)
    wanted = [buried[place] for place in (1_500, 0)]
    found = await bus.find_letters(kafka.bootstrap, [one.letter_id for one in wanted], most=500, deadline_seconds=10)
    assert found == wanted[::-1], "in the order in which they were buried"
    body: dict[str, Any] = {"letter_ids": [str(buried[0].letter_id)], "reason": "the reader was mended"}
    headers = bearer("operator") | {"idempotency-key": str(uuid4())}
    assert (await client.post(f"{LETTERS}/redrive", json=body, headers=headers)).status_code == 200
    assert await driven(pool) == [0]
    page = (await client.get(LETTERS, headers=bearer("operator"))).json()
    headers = bearer("operator") | {"idempotency-key": str(uuid4())}
    elsewhere = await client.post(f"{LETTERS}/redrive", json=body | {"cursor": page["cursor"]}, headers=headers)
    assert (elsewhere.status_code, elsewhere.json()["letter_ids"]) == (404, body["letter_ids"])


async def test_a_whole_group_is_driven_from_the_oldest_on_and_only_once(
    pool: Pool, kafka: Kafka, buried: list[DeadLetter], command: Any
) -> None:
    oldest = str(buried[0].letter_id)
    assert f"{MANY:,}" in await command("list")
    told = await command("show", oldest)
    assert f"letters: {MANY}" in told
    assert told.splitlines()[-1].strip() == oldest
    words = ("redrive", oldest, "--reason", "the reader was mended")
    assert "1 letters are on their way" in await command(*words)
    told = await command(*words, "--group")
    assert f"{MANY - 1:,} letters are on their way" in told
    assert "1 were driven before" in told
    assert await driven(pool) == list(range(MANY))
    assert "0 letters are on their way" in await command(*words, "--group")
    assert len(await driven(pool)) == MANY


@pytest.mark.parametrize("cursor", ["bm8", "W1stMV1d", "WzFd", "W1sxXV0", "x" * 2000])
async def test_a_cursor_of_no_page_is_refused(client: httpx.AsyncClient, kafka: Kafka, cursor: str) -> None:
    answer = await client.get(f"{LETTERS}?cursor={cursor}", headers=bearer("operator"))
    assert (answer.status_code, answer.json()["rule"]) == (422, "cursor")
