"""The REST interface with tokens: files as producers send them, receipts, indicators, and who may do what."""

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from fastapi import FastAPI

from kanava.common.auth import routes_without_roles
from kanava.common.db import Pool, Tx, rows, transaction
from kanava.monitoring.domain.reports import FIELDS
from kanava.monitoring.main import create_app
from kanava.monitoring.settings import MonitoringSettings
from tests.monitoring import tokens
from tests.monitoring.tokens import bearer
from tests.monitoring.world import NOW, OTHER, PRIVATE, report

FILES = "/v1/production/files"


class Standing:
    """A clock that stands."""

    async def now(self, tx: Tx) -> datetime:
        """Always the same instant."""
        return NOW


def make_app(pool: Pool, **settings: Any) -> FastAPI:
    app = create_app(MonitoringSettings(**settings))
    app.state.pool, app.state.clock, app.state.verifier = pool, Standing(), tokens.verifier()
    return app


@pytest.fixture
async def client(settled: Pool) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=make_app(settled))
    async with httpx.AsyncClient(transport=transport, base_url="http://monitoring") as ours:
        yield ours


def ndjson(*reported: dict[str, Any]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in reported)


async def send(
    client: httpx.AsyncClient, body: bytes, *, key: str | None = None, **changes: Any
) -> httpx.Response:
    digest = base64.b64encode(hashlib.sha256(changes.pop("whole", body)).digest()).decode()
    headers = bearer("producer") | {
        "content-type": "application/x-ndjson",
        "content-digest": f"sha-256=:{digest}:",
    }
    headers |= {"idempotency-key": key or str(uuid4())} | changes.pop("headers", {})
    params = {"producer_id": PRIVATE} | changes
    return await client.post(
        FILES, content=body, headers={k: v for k, v in headers.items() if v}, params=params
    )


async def test_a_file_gets_a_receipt_and_its_rejected_rows_come_back(client: httpx.AsyncClient) -> None:
    sent = await send(
        client, ndjson(report(), report(), report("r-2", quantity=0), report("r-3", node="X.9"))
    )
    assert sent.status_code == 201
    receipt = sent.json()
    counted = ("rows", "accepted", "corrected", "doubled", "rejected", "version")
    assert {name: receipt[name] for name in counted} == {
        "rows": 4, "accepted": 1, "corrected": 0, "doubled": 1, "rejected": 2, "version": 1,
    }  # fmt: skip
    address = f"{FILES}/{receipt['file_id']}"
    assert (await client.get(address, headers=bearer("producer"))).json() == receipt
    back = await client.get(f"{address}/rejected", headers=bearer("producer"))
    assert back.headers["content-type"] == "application/x-ndjson"
    lines = [orjson.loads(line) for line in back.content.splitlines()]
    assert [(one["row"], one["field"], one["code"], one["value"]) for one in lines] == [
        (3, "quantity", "nothing_to_withdraw", "0"),
        (4, "node", "unknown_node", "X.9"),
    ]
    assert lines[0]["input"] == report("r-2", quantity=0)


async def test_csv_with_a_header_does_the_same(client: httpx.AsyncClient) -> None:
    row = report()
    body = f"{','.join(FIELDS)}\n{','.join(str(row[name]) for name in FIELDS)}\n".encode()
    sent = await send(client, body, headers={"content-type": "text/csv; charset=utf-8"})
    assert (sent.status_code, sent.json()["accepted"], sent.json()["format"]) == (201, 1, "csv")


async def test_the_same_key_answers_the_same_and_another_body_is_refused(client: httpx.AsyncClient) -> None:
    first, again = [await send(client, ndjson(report()), key="k") for _ in range(2)]
    assert first.content == again.content
    assert again.headers["idempotent-replay"] == "true"
    other = await send(client, ndjson(report("other")), key="k")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert (await send(client, ndjson(report()), key="k", corrects="true")).status_code == 422


async def stored(pool: Pool) -> int:
    names = ("production_file", "producer_files", "production", "rejected_row", "outbox", "idempotency")
    query = " + ".join(f"(SELECT count(*) FROM {name})" for name in names)
    async with transaction(pool) as tx:
        return int((await rows(tx, f"SELECT {query} AS n"))[0]["n"])


async def test_a_cut_or_broken_file_is_refused_whole(client: httpx.AsyncClient, settled: Pool) -> None:
    whole = ndjson(report(), report("r-2"))
    middle = whole[: len(whole) // 2 + 9]
    refusals = [
        (await send(client, middle, whole=whole), 400, "digest_differs"),
        (await send(client, middle), 400, "cut"),
        (await send(client, whole, headers={"content-digest": None}), 400, "digest_missing"),
        (await send(client, b""), 400, "empty"),
        (await send(client, whole, headers={"content-type": "text/csv"}), 422, "not_csv"),
        (await send(client, whole, headers={"content-type": "application/xml"}), 415, "content_type"),
        (await send(client, whole, headers={"idempotency-key": None}), 400, "idempotency_key"),
    ]
    for answer, status, rule in refusals:
        assert (answer.status_code, answer.json()["rule"]) == (status, rule)
        assert answer.headers["content-type"] == "application/problem+json"
    assert await stored(settled) == 0


async def test_a_file_over_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    assert (await send(client, b"x" * (32 * 1024 * 1024) + b"\n")).status_code == 413
    too_long = await send(client, b"{}\n" * 300_001)
    assert (too_long.status_code, too_long.json()["rule"]) == (422, "too_many_rows")
    assert (await send(client, (b"{}" + b" " * 2000 + b"\n") * 1000)).json()["rejected"] == 1000


async def test_a_producer_reports_for_itself_alone(client: httpx.AsyncClient) -> None:
    assert (await send(client, ndjson(report()), producer_id=OTHER)).status_code == 403
    assert (await send(client, ndjson(report()), producer_id="1.2.3")).status_code == 422
    assert (await send(client, ndjson(report()), headers=bearer("organiser"))).status_code == 403
    assert (await send(client, ndjson(report()), headers={"authorization": None})).status_code == 401


async def test_a_receipt_is_for_its_producer_its_organiser_and_the_operator(
    client: httpx.AsyncClient,
) -> None:
    receipt = (await send(client, ndjson(report()))).json()
    for address in (f"{FILES}/{receipt['file_id']}", f"{FILES}/{receipt['file_id']}/rejected"):
        answers = {
            "own": (await client.get(address, headers=bearer("producer"))).status_code,
            "other": (await client.get(address, headers=bearer("producer", producers=[OTHER]))).status_code,
            "organiser": (await client.get(address, headers=bearer("organiser"))).status_code,
            "other area": (await client.get(address, headers=bearer("organiser", area="90"))).status_code,
            "operator": (await client.get(address, headers=bearer("operator"))).status_code,
            "resident": (await client.get(address, headers=bearer("resident"))).status_code,
        }
        assert answers == {
            "own": 200, "other": 403, "organiser": 200, "other area": 403, "operator": 200, "resident": 403,
        }  # fmt: skip
    assert (await client.get(f"{FILES}/{uuid4()}", headers=bearer("operator"))).status_code == 404


async def test_indicators_by_role(client: httpx.AsyncClient) -> None:
    asked = {"area": "03", "month": "2026-11"}
    answers = {
        role: await client.get("/v1/indicators", params=asked, headers=bearer(role))
        for role in ("organiser", "authority", "operator", "municipality", "producer", "resident", "adviser")
    }
    codes = {role: answer.status_code for role, answer in answers.items()}
    assert codes == dict.fromkeys(answers, 200) | {"resident": 403, "adviser": 403}
    assert len(answers["organiser"].json()["producers"]) == 2
    assert [one["producer_id"] for one in answers["producer"].json()["producers"]] == [PRIVATE]
    hidden = {
        role: answers[role].json()["producers"][0]["values"]["visits"]["suppressed"]
        for role in answers
        if codes[role] == 200
    }
    assert hidden == {
        "organiser": False,
        "operator": False,
        "authority": True,
        "municipality": True,
        "producer": True,
    }
    for role in ("organiser", "municipality"):
        foreign = await client.get("/v1/indicators", params=asked | {"area": "90"}, headers=bearer(role))
        assert foreign.status_code == 403


@pytest.mark.parametrize(
    ("area", "month"), [("3", "2026-11"), ("03", "2026-13"), ("03", "11/2026"), ("99", "2026-11")]
)
async def test_a_wrong_area_or_month_names_the_field(
    client: httpx.AsyncClient, area: str, month: str
) -> None:
    answer = await client.get(
        "/v1/indicators", params={"area": area, "month": month}, headers=bearer("operator")
    )
    assert answer.status_code == 422
    assert answer.json()["pointer"] in ("/area", "/month")


async def test_the_bus_is_for_the_operator(client: httpx.AsyncClient) -> None:
    for address in ("/v1/bus/lag", "/v1/bus/deadletters"):
        assert (await client.get(address, headers=bearer("organiser"))).status_code == 403


async def test_brokers_that_are_away_are_a_problem_to_try_again(settled: Pool) -> None:
    app = make_app(settled, kafka="127.0.0.1:1", bus_deadline_seconds=1.0)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://monitoring"
    ) as client:
        for address in ("/v1/bus/lag", "/v1/bus/deadletters"):
            answer = await client.get(address, headers=bearer("operator"))
            assert (answer.status_code, answer.json()["retryable"]) == (503, True)


def test_every_route_names_its_roles(settled: Pool) -> None:
    assert routes_without_roles(make_app(settled)) == []
