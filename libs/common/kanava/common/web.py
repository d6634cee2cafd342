"""The HTTP edge: problems, limits, health and pages, the same in every service.

`install(app, settings)` adds all of it. Middlewares are pure ASGI; a request passes `ServerSpans` (trace and
time), then `Edge` (body limit and the unexpected), then the routes.
"""

import asyncio
import base64
import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import orjson
import psycopg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg_pool import PoolTimeout
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import errors
from .auth import roles_by_route
from .errors import Internal, Invalid, Malformed, NotFound, Problem, TooLarge, Unavailable
from .settings import ServiceSettings
from .telemetry import ServerSpans, current_trace_id

log = structlog.get_logger()

PROBLEM_MEDIA_TYPE = "application/problem+json"
CHECK_SECONDS = 2.0
ERRORS_AT_MOST = 50
CURSOR_LIMIT_CHARACTERS = 1_024

Check = Callable[[], Awaitable[Any]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_BY_STATUS: Mapping[int, type[Problem]] = {
    400: Malformed,
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: NotFound,
    405: errors.MethodNotAllowed,
    409: errors.Conflict,
    413: TooLarge,
    415: errors.UnsupportedMedia,
    422: Invalid,
    503: Unavailable,
}
_RULES_OF_BODIES: Mapping[int, str] = {400: "body_unreadable", 413: "body_limit"}
"""What FastAPI and `Edge` refuse a body for before a route sees it."""


def install(app: FastAPI, settings: ServiceSettings) -> None:
    """Give an app its problems, limits, health routes and metrics; before its routers are included."""
    app.state.checks = {}
    for kind in (Problem, RequestValidationError, HTTPException, psycopg.Error, PoolTimeout):
        app.add_exception_handler(kind, _answer_problem)
    app.add_middleware(Edge, body_limit_bytes=settings.body_limit_bytes)
    app.add_middleware(ServerSpans)
    _add_health(app)
    _add_explanations(app)
    _describe_problems(app)


# JSON. What a route returns as a model is written by pydantic itself, as fast as orjson would (measured).


def as_json(value: Any) -> bytes:
    """A result as JSON bytes: a model, a dataclass or plain data; `Decimal` as text, instants with Z."""
    if isinstance(value, BaseModel):
        return value.model_dump_json().encode()
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


# Problems


def problem_response(problem: Problem, path: str) -> Response:
    """The RFC 9457 answer of a problem that happened at `path`."""
    body = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": path,
        "trace_id": current_trace_id(),
        "retryable": problem.retryable,
        "rule": problem.rule,
        "pointer": problem.pointer,
        **problem.extra,
    }
    headers = dict(problem.headers) | ({"retry-after": "1"} if problem.retryable else {})
    return Response(as_json(body), problem.status, headers, media_type=PROBLEM_MEDIA_TYPE)


async def _answer_problem(request: Request, error: Exception) -> Response:
    problem = as_problem(error)
    if isinstance(problem, errors.MethodNotAllowed):
        # The router names the methods of the first route of the path alone.
        problem.headers = {"allow": ", ".join(sorted(_methods_of(request.app, request.url.path)))}
    return problem_response(problem, request.url.path)


def _methods_of(app: FastAPI, path: str) -> set[str]:
    fitting = (one for one in iter_route_contexts(app.routes) if compile_path(one.path or "")[0].match(path))
    return {method for route in fitting for method in route.methods or ()}


def as_problem(error: Exception) -> Problem:
    """What the caller is told of any exception; nothing of the inside is in it."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _of_validation(error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, ClientDisconnect):
        return Malformed("the body was cut", rule="body_cut")
    # A deadlock, a serialization failure, a lost connection: the same again may succeed.
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | PoolTimeout):
        log.warning("database_away", error=type(error).__name__)
        return Unavailable()
    if isinstance(error, psycopg.DataError):
        return Invalid("a value cannot be stored", rule="not_storable")
    log.error("unexpected", exc_info=error)
    return Internal()


def _of_http(error: HTTPException) -> Problem:
    kind = _BY_STATUS.get(error.status_code, Malformed if error.status_code < 500 else Internal)
    problem = kind(rule=_RULES_OF_BODIES.get(error.status_code))
    problem.headers = {**problem.headers, **(error.headers or {})}
    return problem


def _of_validation(error: RequestValidationError) -> Problem:
    # FastAPI leaves a body as bytes when its content type is not JSON.
    if isinstance(error.body, bytes) and error.body:
        return errors.UnsupportedMedia(
            "the body is sent as application/json", pointer="/Content-Type", rule="content_type"
        )
    found = [_violation(one) for one in error.errors()[:ERRORS_AT_MOST]]
    if any(one["rule"] == "json_invalid" for one in found):
        return Malformed("the body is not JSON", rule="json_invalid", pointer="")
    first = found[0]
    return Invalid(first["detail"], pointer=first["pointer"], rule=first["rule"], errors=found)


def _violation(raised: Mapping[str, Any]) -> dict[str, str]:
    """One broken rule: where (`in` body, query, path or header, and a pointer), which, and in words."""
    place, *steps = raised["loc"]
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
    detail = str(raised["msg"]).removeprefix("Value error, ")
    return {"in": str(place), "pointer": pointer, "rule": str(raised["type"]), "detail": detail}


def _add_explanations(app: FastAPI) -> None:
    @app.get("/problems/{slug}", tags=["problems"], summary="What a problem means")
    async def explain_problem(slug: str) -> dict[str, Any]:
        """The title, status and explanation of a problem, and whether trying again can help."""
        kind = Problem.find(slug)
        if kind is None:
            raise NotFound("there is no such kind of problem", pointer="/slug")
        explanation = " ".join((kind.__doc__ or kind.title).split())
        named = {"type": f"/problems/{slug}", "title": kind.title, "status": kind.status}
        return {**named, "retryable": kind.retryable, "explanation": explanation}


# Limits


def body_limit(limit_bytes: int) -> Callable[[Endpoint], Endpoint]:
    """Let one route take bodies of another size: `@router.post(...)` above `@body_limit(32_000_000)`."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.body_limit_bytes = limit_bytes  # type: ignore[attr-defined]  # read by Edge from the route
        return endpoint

    return mark


class BodyTooLarge(HTTPException):
    """Raised into whoever reads the body; FastAPI lets an HTTP exception pass and wraps others as 400."""

    def __init__(self) -> None:
        super().__init__(status_code=TooLarge.status)


class Edge:
    """Pure ASGI: no body over its limit is read, chunked or whole; nothing unexpected leaves as it is."""

    def __init__(self, app: ASGIApp, body_limit_bytes: int) -> None:
        self.app = app
        self.body_limit_bytes = body_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, self._limited(scope, receive), noted)
        except Exception as error:
            problem = as_problem(error)
            if not started:
                await problem_response(problem, scope["path"])(scope, receive, send)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            # The route is known by the time that somebody reads, so its own limit counts.
            limit = getattr(scope.get("endpoint"), "body_limit_bytes", self.body_limit_bytes)
            if taken == 0 and _content_length(scope) > limit:
                raise BodyTooLarge()
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise BodyTooLarge()
            return message

        return limited


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


# Health


def add_check(app: FastAPI, name: str, check: Check) -> None:
    """Register what must hold for `/readyz`: an async function that raises or returns False if not."""
    app.state.checks[name] = check


def _add_health(app: FastAPI) -> None:
    @app.get("/healthz", tags=["health"], summary="Whether the process lives")
    async def healthz() -> dict[str, str]:
        """Answers as long as the event loop turns."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"], summary="Whether the service can do its work")
    async def readyz() -> dict[str, Any]:
        """Runs every registered check, each for at most two seconds."""
        names = list(app.state.checks)
        passed = await asyncio.gather(*(_passes(app.state.checks[name]) for name in names))
        checks = {name: "ok" if ok else "failed" for name, ok in zip(names, passed, strict=True)}
        if not all(passed):
            raise Unavailable("a check failed", rule="ready", checks=checks)
        return {"status": "ready", "checks": checks}

    @app.get("/metrics", tags=["health"], summary="Numbers for Prometheus", response_class=Response)
    async def metrics() -> Response:
        """Counters and histograms of this process."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _passes(check: Check) -> bool:
    try:
        return await asyncio.wait_for(check(), CHECK_SECONDS) is not False
    except Exception as error:
        log.warning("check_failed", error=type(error).__name__)
        return False


# Pages


def encode_cursor(*position: Any) -> str:
    """An opaque cursor that stands behind a row: the values that the page is ordered by."""
    return base64.urlsafe_b64encode(as_json(position)).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, *kinds: Callable[[Any], Any], pointer: str = "/cursor") -> tuple[Any, ...] | None:
    """The position of a cursor, each value made by its kind (`int`, `date.fromisoformat`); None at start.

    Raises `Invalid` with the pointer to the parameter for one that this service did not make.
    """
    if cursor is None:
        return None
    try:
        if len(cursor) > CURSOR_LIMIT_CHARACTERS:
            raise ValueError("a cursor of this length is not ours")
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(values, list):
            raise ValueError("a cursor is a list of values")
        return tuple(kind(value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, TypeError, AttributeError):
        raise Invalid("the cursor is not one of this list", pointer=pointer, rule="cursor") from None


def bounded(limit: int | None, most: int) -> int:
    """How many rows a page has: `limit` between 1 and `most`, `most` by default; `Invalid` outside."""
    if limit is None:
        return most
    if not 1 <= limit <= most:
        raise Invalid(f"a page has 1 to {most} rows", pointer="/limit", rule="page_limit")
    return limit


def next_cursor(rows: Sequence[Any], limit: int, position: Callable[[Any], tuple[Any, ...]]) -> str | None:
    """The cursor behind the last row of a full page, or None when the page was the last."""
    return encode_cursor(*position(rows[-1])) if len(rows) == limit else None


# The description


def _describe_problems(app: FastAPI) -> None:
    """Let the OpenAPI document name problems, tokens and the roles of each route."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(plain(), roles_by_route(app))
        assert app.openapi_schema is not None, "FastAPI keeps its document"
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way


def _complete(document: dict[str, Any], roles: Mapping[tuple[str, str], frozenset[Any] | None]) -> None:
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    answer = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            operation["responses"].pop("422", None)
            operation["responses"]["4XX"] = {"description": "A problem of the request", "content": answer}
            operation["responses"]["5XX"] = {"description": "A problem of the service", "content": answer}
            if allowed := roles.get((method.upper(), path)):
                operation["security"] = [{"bearer": []}]
                operation["x-roles"] = sorted(role.value for role in allowed)


_PROBLEM_SCHEMA: Mapping[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "retryable"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "trace_id": {"type": ["string", "null"]},
        "retryable": {"type": "boolean"},
        "rule": {"type": ["string", "null"]},
        "pointer": {"type": ["string", "null"]},
    },
}
