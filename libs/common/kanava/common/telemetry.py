"""One trace through HTTP, outbox and Kafka; numbers for Prometheus; logs that can be shown to anybody.

Spans and log lines carry allow-listed fields only. What is not on the list is dropped, a HETU inside an
allowed text is blanked, and of an exception only its class and its places in the code are
written, never its message.
"""

import logging
import re
import time
from collections import Counter as Tally
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import structlog
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .settings import ServiceSettings

_FIELD_NAMES = (
    "event level logger timestamp service instance trace_id span_id traceback dropped aggregate applied "
    "area attempt bytes check code count dead delay_seconds duplicates duration_ms entry_id error "
    "event_id free group job kind lag lease letter_id limit message_id method month number offset "
    "partition pause_seconds port problem queue reason received records role route rows rule run_id "
    "seconds shard statement_id status step table task topic total type unknown version "
)
LOG_FIELDS = frozenset(_FIELD_NAMES.split())
"""Names that a log line or a span may have; a value under another name is dropped and the name listed."""

_HETU = re.compile(r"\b\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]\b")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
_LINKS_AT_MOST = 128

requests_seconds = Histogram(
    "kanava_http_request_seconds",
    "Time from a request to the end of its response, in seconds",
    ("method", "route", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
messages_received_total = Counter(
    "kanava_messages_received_total", "Records taken from Kafka", ("topic", "service")
)
messages_applied_total = Counter(
    "kanava_messages_applied_total", "Events that had an effect", ("topic", "service")
)
duplicates_total = Counter("kanava_duplicates_total", "Events that were known already", ("topic", "service"))
unknown_total = Counter(
    "kanava_unknown_total", "Events of a type that is not known here", ("topic", "service")
)
dead_letters_total = Counter(
    "kanava_dead_letters_total", "Records sent to the dead letters", ("topic", "service")
)
relay_published = Counter("kanava_relay_published_total", "Outbox rows that Kafka acknowledged", ("topic",))
outbox_oldest_seconds = Gauge(
    "kanava_outbox_oldest_seconds", "Age of the oldest unsent outbox row, in seconds"
)


def count_taken(topic: str, service: str, received: int, counts: "Tally[str]") -> None:
    """Count a batch that was taken and committed; `counts`: applied, duplicates, unknown and dead."""
    messages_received_total.labels(topic, service).inc(received)
    messages_applied_total.labels(topic, service).inc(counts["applied"])
    duplicates_total.labels(topic, service).inc(counts["duplicates"])
    unknown_total.labels(topic, service).inc(counts["unknown"])
    dead_letters_total.labels(topic, service).inc(counts["dead"])


# Traces


class FileSpans(SpanExporter):
    """Adds spans to a file as lines of JSON; several processes may share it, each line is one write."""

    def __init__(self, path: Path, service: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._service = service

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write one line for each span."""
        for ended in spans:
            self._file.write(orjson.dumps(_as_record(ended, self._service), default=str) + b"\n")
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the file."""
        self._file.close()


def _as_record(ended: ReadableSpan, service: str) -> dict[str, Any]:
    own = ended.get_span_context()
    assert own is not None, "a span that ended has no context"
    return {
        "service": service,
        "name": ended.name,
        "kind": ended.kind.name.lower(),
        "trace_id": f"{own.trace_id:032x}",
        "span_id": f"{own.span_id:016x}",
        "parent_id": f"{ended.parent.span_id:016x}" if ended.parent else None,
        "links": [f"{link.context.span_id:016x}" for link in ended.links],
        "start_ns": ended.start_time,
        "end_ns": ended.end_time,
        "status": ended.status.status_code.name.lower(),
        "attributes": dict(ended.attributes or {}),
    }


class Telemetry:
    """What `setup` started, to be shut down at the end of the process."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def add(self, processor: SpanProcessor) -> None:
        """Let another processor see every span, an in-memory one in a test for instance."""
        self._provider.add_span_processor(processor)

    def shutdown(self) -> None:
        """Send what was not sent yet, for at most two seconds, and close."""
        self._provider.force_flush(2_000)
        self._provider.shutdown()


def setup(settings: ServiceSettings) -> Telemetry:
    """Start logs and traces of this process; call it once, in the composition root.

    Without an OTLP address and a trace file nothing is exported and new traces are not recorded, though ids
    of traces that others began still travel on.
    """
    _configure_logs(settings)
    processors = _processors(settings)
    root = TraceIdRatioBased(settings.trace_ratio) if processors else ALWAYS_OFF
    names = {"service.name": settings.service, "service.instance.id": settings.instance}
    provider = TracerProvider(sampler=ParentBased(root), resource=Resource(names))
    for processor in processors:
        provider.add_span_processor(processor)
    _use(provider)
    return Telemetry(provider)


# The provider stays out of OpenTelemetry's global one: FastAPI makes spans of its own as soon as it finds one
# there, with paths, queries and messages in them, and takes 90 µs for it.
_tracers: list[trace.Tracer] = [trace.NoOpTracer()]


def _use(provider: trace.TracerProvider) -> None:
    _tracers[0] = provider.get_tracer("kanava")


def _processors(settings: ServiceSettings) -> list[SpanProcessor]:
    processors: list[SpanProcessor] = []
    if settings.otlp_endpoint:
        # The exporter tries again for as long as its timeout allows; its warnings are silenced below.
        exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces", timeout=2)
        processors.append(BatchSpanProcessor(exporter, max_queue_size=8_192, max_export_batch_size=1_024))
    if settings.trace_file:
        processors.append(SimpleSpanProcessor(FileSpans(Path(settings.trace_file), settings.service)))
    return processors


def _tracer() -> trace.Tracer:
    return _tracers[0]


def _written(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags) & 1:02x}"


def _remote_context(traceparent: str | None) -> otel_context.Context:
    """The context of a stored or received traceparent; an empty one when it is none."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is None:
        return otel_context.Context()
    remote = SpanContext(
        int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(int(match[3], 16))
    )
    return trace.set_span_in_context(NonRecordingSpan(remote), otel_context.Context())


def is_sampled(traceparent: str | None) -> bool:
    """Whether a stored traceparent belongs to a trace that is kept."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return match is not None and bool(int(match[3], 16) & 1)


def current_traceparent() -> str | None:
    """The W3C traceparent of the span that is open here, or None outside any."""
    context = trace.get_current_span().get_span_context()
    return _written(context) if context.is_valid else None


def current_trace_id() -> str | None:
    """The trace id of the span that is open here, 32 hexadecimal digits, or None."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


@contextmanager
def attached(traceparent: str | None) -> Iterator[None]:
    """Go on in the trace of a stored traceparent; without one, in none."""
    token = otel_context.attach(_remote_context(traceparent))
    try:
        yield
    finally:
        otel_context.detach(token)


@contextmanager
def span(name: str, *, kind: SpanKind = SpanKind.INTERNAL, **attributes: Any) -> Iterator[Span]:
    """Open a span here. An exception marks it with its class alone: a message may hold a name."""
    with _tracer().start_as_current_span(
        name,
        kind=kind,
        attributes=_allowed(attributes),
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except Exception as error:
            opened.set_attribute("error", type(error).__name__)
            opened.set_status(Status(StatusCode.ERROR))
            raise


@contextmanager
def publish_span(topic: str, traceparent: str | None) -> Iterator[str | None]:
    """A producer's span in the trace of an outbox row; yields the traceparent that the record carries."""
    if not is_sampled(traceparent):
        yield traceparent
        return
    with attached(traceparent), span(f"publish {topic}", kind=SpanKind.PRODUCER, topic=topic):
        yield current_traceparent()


@contextmanager
def receive_spans(topic: str, service: str, traceparents: Sequence[str | None]) -> Iterator[None]:
    """Consumer's spans of a batch: one in each kept trace, over the time that the whole batch takes.

    What is done inside goes on in the record's trace when the batch has one trace only, otherwise in a trace
    of the batch that links to up to 128 of them.
    """
    name = f"receive {topic}"
    sampled = [one for one in dict.fromkeys(traceparents) if is_sampled(one)]
    if len(set(traceparents)) == 1:
        with (
            attached(traceparents[0]),
            span(name, kind=SpanKind.CONSUMER, topic=topic, count=len(traceparents)),
        ):
            yield
        return
    attributes: dict[str, str | int] = {"topic": topic, "count": len(traceparents)}
    opened = [
        _tracer().start_span(
            name, context=_remote_context(one), kind=SpanKind.CONSUMER, attributes=attributes
        )
        for one in sampled
    ]
    links = [trace.Link(one.get_span_context()) for one in opened[:_LINKS_AT_MOST]]
    batch = _tracer().start_span(
        f"{name} batch",
        context=otel_context.Context(),
        kind=SpanKind.CONSUMER,
        attributes=attributes,
        links=links,
    )
    try:
        with trace.use_span(batch, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            yield
    finally:
        for one in opened:
            one.end()


class ServerSpans:
    """Pure ASGI: one server's span and one measurement for each request, in the trace of its traceparent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; health checks and metrics are left out."""
        if scope["type"] != "http" or scope["path"] in _QUIET_PATHS:
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        parent = _remote_context(_header(scope, b"traceparent"))
        server = _tracer().start_span(scope["method"], context=parent, kind=SpanKind.SERVER)
        token = otel_context.attach(trace.set_span_in_context(server, parent))
        status = 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, observed)
        finally:
            otel_context.detach(token)
            self._measured(scope, server, status, time.perf_counter() - started)

    @staticmethod
    def _measured(scope: Scope, server: Span, status: int, seconds: float) -> None:
        route = route_template(scope)
        requests_seconds.labels(scope["method"], route, str(status)).observe(seconds)
        if server.is_recording():
            server.update_name(f"{scope['method']} {route}")
            server.set_attributes({"method": scope["method"], "route": route, "status": status})
            if status >= 500:
                server.set_status(Status(StatusCode.ERROR))
        server.end()


def route_template(scope: Scope) -> str:
    """The path of the matched route with its parameters' names, `unmatched` when there was none."""
    effective = scope.get("fastapi", {}).get("effective_route_context")
    route = effective or scope.get("route")
    return getattr(route, "path", None) or "unmatched"


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return None


# Logs

Event = MutableMapping[str, Any]


def _configure_logs(settings: ServiceSettings) -> None:
    shared: list[Any] = [_Origin(settings.service, settings.instance), add_trace_ids, only_allowed_fields]
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *shared,
            structlog.processors.JSONRenderer(serializer=_as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(LibraryLines(shared))
    logging.basicConfig(
        handlers=[handler], level=max(logging.INFO, logging.getLevelName(settings.log_level)), force=True
    )
    for noisy in ("uvicorn.access", "opentelemetry", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    for own_handlers in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(own_handlers).handlers.clear()
        logging.getLogger(own_handlers).propagate = True


class LibraryLines(logging.Formatter):
    """Writes what libraries log in the same form: the first line of the message alone, blanked."""

    def __init__(self, processors: Sequence[Any]) -> None:
        super().__init__()
        self._processors = processors

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        event: Event = {
            "event": record.getMessage().partition("\n")[0][:300],
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
        }
        if record.exc_info:
            event["exc_info"] = record.exc_info
        for process in self._processors:
            event = process(None, record.levelname, event)
        return _as_json(event)


class _Origin:
    """Adds which process wrote a line."""

    def __init__(self, service: str, instance: str) -> None:
        self._origin = {"service": service, "instance": instance}

    def __call__(self, logger: Any, method: str, event: Event) -> Event:
        return {**event, **self._origin}


def add_trace_ids(logger: Any, method: str, event: Event) -> Event:
    """Add the ids of the span that is open here."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"], event["span_id"] = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return event


def only_allowed_fields(logger: Any, method: str, event: Event) -> Event:
    """Drop every field that is not on the list, and turn an exception into its class and places."""
    exc_info = event.pop("exc_info", None)
    if isinstance(exc_info, BaseException):
        event.update(_without_message(exc_info))
    elif isinstance(exc_info, tuple) and exc_info[1] is not None:
        event.update(_without_message(exc_info[1]))
    dropped = sorted(event.keys() - LOG_FIELDS)
    return _allowed(event) | ({"dropped": dropped} if dropped else {})


def _without_message(error: BaseException) -> dict[str, Any]:
    places, frame = [], error.__traceback__
    while frame is not None:
        places.append(f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}")
        frame = frame.tb_next
    return {"error": type(error).__name__, "traceback": places[-12:]}


def _allowed(fields: MutableMapping[str, Any]) -> dict[str, Any]:
    return {
        name: blanked(value) for name, value in fields.items() if name in LOG_FIELDS and value is not None
    }


def blanked(value: Any) -> Any:
    """A value without any HETU that its text might hold."""
    if isinstance(value, str):
        return _HETU.sub("[hetu]", value)
    if isinstance(value, bool | int | float):
        return value
    return (
        [blanked(one) for one in value]
        if isinstance(value, list | tuple)
        else _HETU.sub("[hetu]", str(value))
    )


def _as_json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()
