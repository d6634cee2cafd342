"""Traces, numbers and logs, and what must never be in them."""

import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from kanava.common import telemetry, web
from kanava.common.settings import ServiceSettings
from kanava.common.telemetry import (
    LibraryLines,
    attached,
    blanked,
    count_taken,
    current_trace_id,
    current_traceparent,
    messages_applied_total,
    only_allowed_fields,
    publish_span,
    receive_spans,
    span,
)

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
KEPT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
NOT_KEPT = f"00-{TRACE_ID}-b7ad6b7169203331-00"
OTHER = "00-11111111111111111111111111111111-2222222222222222-01"
HETU = "131052-9308"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What ended in this test."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracers", [provider.get_tracer("test")])
    yield exporter
    provider.shutdown()


def trace_id(ended: ReadableSpan) -> str:
    return f"{ended.context.trace_id:032x}"


def test_outside_any_span_there_is_no_traceparent() -> None:
    assert current_traceparent() is None
    assert current_trace_id() is None


def test_a_stored_traceparent_goes_on() -> None:
    with attached(KEPT):
        assert current_traceparent() == KEPT
        assert current_trace_id() == TRACE_ID
        with attached(None):
            assert current_traceparent() is None
    assert current_traceparent() is None


@pytest.mark.parametrize(
    "text", ["", "garbage", f"01-{TRACE_ID}-b7ad6b7169203331-01", "00-0-0-00", KEPT.upper()]
)
def test_a_broken_traceparent_is_none(text: str) -> None:
    with attached(text):
        assert current_traceparent() is None


def test_spans_nest_in_an_attached_trace(spans: InMemorySpanExporter) -> None:
    with attached(KEPT), span("outer", topic="a"), span("inner"):
        pass
    inner, outer = spans.get_finished_spans()
    assert trace_id(inner) == trace_id(outer) == TRACE_ID
    assert inner.parent is not None
    assert inner.parent.span_id == outer.context.span_id
    assert outer.attributes == {"topic": "a"}


def test_an_exception_marks_a_span_without_its_message(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Virtanen"), span("fails"):
        raise ValueError("Virtanen")
    (ended,) = spans.get_finished_spans()
    assert ended.attributes == {"error": "ValueError"}
    assert "Virtanen" not in ended.to_json()


def test_attributes_that_are_not_allowed_are_left_out(spans: InMemorySpanExporter) -> None:
    with span("one", name_of_resident="Virtanen", reason=f"for {HETU}"):
        pass
    assert spans.get_finished_spans()[0].attributes == {"reason": "for [hetu]"}


def test_a_record_is_published_within_the_trace_of_its_row(spans: InMemorySpanExporter) -> None:
    with publish_span("t", KEPT) as traceparent:
        assert traceparent == current_traceparent() != KEPT
    (ended,) = spans.get_finished_spans()
    assert (ended.kind, trace_id(ended)) == (SpanKind.PRODUCER, TRACE_ID)
    for given in (None, NOT_KEPT):
        with publish_span("t", given) as traceparent:
            assert traceparent == given
    assert len(spans.get_finished_spans()) == 1


def test_a_batch_of_one_trace_goes_on_in_it(spans: InMemorySpanExporter) -> None:
    with receive_spans("t", "listing", [KEPT, KEPT]):
        assert current_trace_id() == TRACE_ID
    (ended,) = spans.get_finished_spans()
    assert (ended.kind, ended.name) == (SpanKind.CONSUMER, "receive t")


def test_a_batch_of_many_traces_is_seen_in_each_of_them(spans: InMemorySpanExporter) -> None:
    with receive_spans("t", "listing", [KEPT, OTHER, None, NOT_KEPT]):
        assert current_trace_id() not in (None, TRACE_ID)
    *each, batch = sorted(spans.get_finished_spans(), key=lambda one: one.name)
    assert {trace_id(one) for one in each} == {TRACE_ID, "1" * 32}
    assert {link.context.span_id for link in batch.links} == {one.context.span_id for one in each}


def test_an_empty_batch_is_no_error(spans: InMemorySpanExporter) -> None:
    with receive_spans("t", "listing", []):
        pass


async def test_a_request_is_one_span_in_the_trace_of_its_caller(spans: InMemorySpanExporter) -> None:
    app = FastAPI()
    web.install(app, ServiceSettings(service="test"))

    @app.get("/v1/residents/{resident}")
    async def read(resident: str) -> str | None:
        return current_traceparent()

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get(f"/v1/residents/{HETU}?name=Virtanen", headers={"traceparent": KEPT})
        problem = await client.get("/nowhere", headers={"traceparent": OTHER})
        await client.get("/healthz")
    served, missed = spans.get_finished_spans()
    assert (served.name, served.kind, trace_id(served)) == (
        "GET /v1/residents/{resident}",
        SpanKind.SERVER,
        TRACE_ID,
    )
    assert answer.json() == f"00-{TRACE_ID}-{served.context.span_id:016x}-01"
    assert HETU not in served.to_json()
    assert "Virtanen" not in served.to_json()
    assert problem.json()["trace_id"] == trace_id(missed) == "1" * 32


def test_a_log_line_has_allowed_fields_only() -> None:
    event = only_allowed_fields(
        None, "info", {"event": f"saw {HETU}", "rows": 3, "name": "Virtanen", "token": "x"}
    )
    assert event == {"event": "saw [hetu]", "rows": 3, "dropped": ["name", "token"]}


def test_an_exception_is_logged_by_class_and_place() -> None:
    try:
        raise ValueError(f"Virtanen {HETU}")
    except ValueError as error:
        event = only_allowed_fields(None, "error", {"event": "unexpected", "exc_info": error})
    assert event["error"] == "ValueError"
    assert event["traceback"][0].startswith("test_telemetry.py:")
    assert "Virtanen" not in json.dumps(event)


def test_what_libraries_log_is_cut_to_its_first_line() -> None:
    record = logging.LogRecord("lib", 40, __file__, 1, "failed for %s\nDETAIL: Virtanen", (HETU,), None)
    line = json.loads(LibraryLines([only_allowed_fields]).format(record))
    assert line["event"] == "failed for [hetu]"
    assert (line["logger"], line["level"]) == ("lib", "error")


@pytest.mark.parametrize("hetu", ["131052-931W", "010100A901X", "311299+999F", "131052Y9308", HETU])
def test_a_hetu_is_blanked_wherever_it_stands(hetu: str) -> None:
    assert hetu not in json.dumps(blanked(["x", f"a {hetu} b", {"k": hetu}]))


@pytest.mark.parametrize(
    "value", ["1.2.246.10.1234567.10.1", "FI2112345600000785", "2026-10-05T12:00:00Z", 5, True]
)
def test_other_values_stay(value: Any) -> None:
    assert blanked(value) == value


def test_a_taken_batch_is_counted() -> None:
    counter = messages_applied_total.labels("kanava.test.v1", "listing")
    before = counter._value.get()
    count_taken("kanava.test.v1", "listing", 5, Counter(applied=3, duplicates=2))
    assert counter._value.get() == before + 3


PROCESS = """
import structlog
from kanava.common.settings import ServiceSettings
from kanava.common import telemetry
started = telemetry.setup(ServiceSettings(service="probe", instance="2"))
with telemetry.attached("%s"), telemetry.span("work", rows=1):
    structlog.get_logger().info("worked", rows=1, name="Virtanen")
"""


SERVER = """
import asyncio, logging, httpx, psycopg
from fastapi import FastAPI
from kanava.common.settings import ServiceSettings
from kanava.common import telemetry, web
settings = ServiceSettings(service="probe")
telemetry.setup(settings)
app = FastAPI()
web.install(app, settings)
@app.get("/v1/names/{name}")
async def read(name: str):
    raise psycopg.IntegrityError(f"Key (name)=({name} of %s) exists")
async def main():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/v1/names/Virtanen", headers={"traceparent": "%s"})
        assert answer.status_code == 500 and "Virtanen" not in answer.json()["detail"], answer.text
    try:
        raise ValueError("Virtanen")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed")
asyncio.run(main())
"""


def test_the_unexpected_is_logged_where_it_happened_and_not_what_it_said(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    lines, complaints, _ = run_process(SERVER % ("Helsinki", KEPT), KANAVA_TRACE_FILE=str(file))
    (line,) = [one for one in lines if one["event"] == "unexpected"]
    assert (line["error"], line["trace_id"]) == ("IntegrityError", TRACE_ID)
    assert any("<string>" in place for place in line["traceback"])
    everything = json.dumps(lines) + complaints + file.read_text()
    assert '"event":"failed"' in complaints
    for secret in ("Virtanen", "Helsinki"):
        assert secret not in everything


def run_process(program: str = PROCESS % KEPT, **environment: str) -> tuple[list[dict[str, Any]], str, float]:
    """Lines that a process logs, what it complains, and how long it took."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr, time.monotonic() - started


def test_processes_share_a_trace_file_and_log_json(tmp_path: Path) -> None:
    file = tmp_path / "traces" / "spans.jsonl"
    for _ in range(2):
        lines, complaints, _ = run_process(KANAVA_TRACE_FILE=str(file))
    assert complaints == ""
    (line,) = lines
    assert (line["service"], line["instance"], line["trace_id"]) == ("probe", "2", TRACE_ID)
    assert "Virtanen" not in json.dumps(line)
    written = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(one["service"], one["name"], one["trace_id"]) for one in written] == [
        ("probe", "work", TRACE_ID)
    ] * 2


def test_an_otlp_address_that_does_not_answer_neither_delays_nor_complains() -> None:
    _, complaints, quiet_seconds = run_process()
    assert complaints == ""
    _, complaints, seconds = run_process(KANAVA_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert complaints == ""
    assert seconds < quiet_seconds + 30, "it waited for the address"
