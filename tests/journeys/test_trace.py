"""One trace: from the caller's own span through HTTP, outbox and Kafka to the last consumer in another service."""

import secrets
import uuid
from typing import Any

import orjson
import pytest

from tests.support import bus
from tests.support.cluster import Running

TOPIC = "kanava.payments.account.v1"

pytestmark = pytest.mark.platform


async def test_one_trace_goes_through_two_services(cluster: Running) -> None:  # the fixture of that name
    trace_id, caller = secrets.token_hex(16), secrets.token_hex(8)
    body = {
        "area": "08",
        "payer": "state",
        "amount_cents": 100,
        "received_on": "2024-11-04",
        "reference": "traced",
    }
    headers = {"idempotency-key": uuid.uuid4().hex, "traceparent": f"00-{trace_id}-{caller}-01"}
    async with cluster.client("payments", "operator") as client:
        answer = await client.post("/v1/funding", json=body, headers=headers)
    assert answer.status_code == 201, answer.text

    def spans() -> list[dict[str, Any]]:
        lines = cluster.trace_file.read_bytes().splitlines() if cluster.trace_file.exists() else []
        return [one for one in map(orjson.loads, lines) if one["trace_id"] == trace_id]

    def received() -> list[dict[str, Any]]:
        return [one for one in spans() if one["name"] == f"receive {TOPIC}"]

    await bus.wait_until(received, progress=lambda: len(spans()), what="the last consumer's span")
    (server,) = [one for one in spans() if one["kind"] == "server"]
    (publish,) = [one for one in spans() if one["kind"] == "producer"]
    (receive,) = received()
    assert (server["service"], server["parent_id"]) == ("payments", caller)
    assert (publish["service"], publish["name"]) == ("payments", f"publish {TOPIC}")
    assert publish["parent_id"] == server["span_id"]
    assert (receive["service"], receive["kind"]) == ("monitoring", "consumer")
    assert receive["parent_id"] == publish["span_id"]
    (record,) = [one for one in await bus.records(cluster.bootstrap, TOPIC) if one.key == b"08"]
    assert bus.header(record, "traceparent") == f"00-{trace_id}-{publish['span_id']}-01"


async def test_a_problem_names_its_trace(cluster: Running) -> None:  # as above
    trace_id = secrets.token_hex(16)
    headers = {"idempotency-key": uuid.uuid4().hex, "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    async with cluster.client("payments", "operator") as client:
        answer = await client.post("/v1/funding", json={}, headers=headers)
    assert answer.status_code == 422
    assert trace_id in answer.text
