"""The HTTP edge: problems, limits, health, cursors and the description."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import httpx
import orjson
import psycopg
import pytest
from fastapi import APIRouter, FastAPI, Query, Request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator

from kanava.common import web
from kanava.common.auth import Role, allow
from kanava.common.errors import Invalid, Problem, RefusalReason, Refused
from kanava.common.settings import ServiceSettings
from kanava.common.web import (
    add_check,
    as_json,
    body_limit,
    bounded,
    decode_cursor,
    encode_cursor,
    next_cursor,
)

SECRET = "Virtanen 131052-9308"
LIMIT_BYTES = 1_000


class Reason(RefusalReason):
    """Why this test refuses."""

    FULL = "unit_full", "The unit has no free places."


class Line(BaseModel):
    """A line of an order."""

    amount_cents: int = Field(gt=0)


class Order(BaseModel):
    """A body with things that can be wrong."""

    unit: str
    lines: list[Line] = []

    @field_validator("unit")
    @classmethod
    def _known(cls, value: str) -> str:
        if value == "nowhere":
            raise ValueError("not a unit that is known")
        return value


def routes() -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.post("/orders")
    async def order(body: Order, limit: Annotated[int, Query(ge=1)] = 1) -> Order:
        return body

    @router.get("/orders/{number}")
    async def one(number: int) -> int:
        return number

    @router.put("/orders/{number}")
    async def change(number: int) -> int:
        return number

    @router.post("/files")
    @body_limit(50 * LIMIT_BYTES)
    async def file(request: Request) -> int:
        return len(await request.body())

    @router.get("/refused")
    async def refused() -> None:
        raise Refused(Reason.FULL, pointer="/unit", free_from=date(2027, 1, 1))

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError(SECRET)

    @router.get("/database-away")
    async def away() -> None:
        raise psycopg.OperationalError(SECRET)

    @router.get("/not-storable")
    async def not_storable() -> None:
        raise psycopg.DataError(SECRET)

    @router.get("/own", dependencies=[])
    async def own(caller: Annotated[Any, allow(Role.OPERATOR)]) -> str:
        return str(caller)

    return router


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    web.install(app, ServiceSettings(service="test", body_limit_bytes=LIMIT_BYTES))
    app.include_router(routes())
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def checked(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The body of a problem, after what holds for every one of them."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    fixed = {"type", "title", "status", "detail", "instance", "trace_id", "retryable", "rule", "pointer"}
    assert body.keys() >= fixed
    return body


async def test_a_refusal_is_told_with_its_reason(client: httpx.AsyncClient) -> None:
    body = checked(await client.get("/v1/refused"), 409, "refused")
    assert body["detail"] == "The unit has no free places."
    assert (body["reason"], body["rule"], body["pointer"]) == ("unit_full", "unit_full", "/unit")
    assert (body["free_from"], body["instance"]) == ("2027-01-01", "/v1/refused")


async def test_every_broken_rule_of_a_body_is_named(client: httpx.AsyncClient) -> None:
    order = {"unit": "nowhere", "lines": [{"amount_cents": 1}, {"amount_cents": -1}, {}]}
    body = checked(await client.post("/v1/orders", json=order), 422, "invalid")
    assert {(one["in"], one["pointer"], one["rule"]) for one in body["errors"]} == {
        ("body", "/unit", "value_error"),
        ("body", "/lines/1/amount_cents", "greater_than"),
        ("body", "/lines/2/amount_cents", "missing"),
    }
    assert (body["pointer"], body["detail"]) == ("/unit", "not a unit that is known")


async def test_a_wrong_parameter_is_named(client: httpx.AsyncClient) -> None:
    body = checked(await client.post("/v1/orders?limit=0", json={"unit": "x"}), 422, "invalid")
    assert body["errors"][0]["in"] == "query"
    assert body["pointer"] == "/limit"


@pytest.mark.parametrize("text", [b"{", b'{"unit": "\xff"}', b"[" * 900, b'{"unit": "x"} more'])
async def test_what_is_no_json_is_malformed(client: httpx.AsyncClient, text: bytes) -> None:
    answer = await client.post("/v1/orders", content=text, headers={"content-type": "application/json"})
    assert checked(answer, 400, "malformed")["rule"] in ("json_invalid", "body_unreadable")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
async def test_a_body_that_is_not_sent_as_json_is_refused_for_its_type(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post("/v1/orders", content=b'{"unit": "x"}', headers={"content-type": kind})
    body = checked(answer, 415, "unsupported-media")
    assert (body["pointer"], body["rule"]) == ("/Content-Type", "content_type")


async def test_json_nested_too_deep_is_a_problem_of_the_request(app: FastAPI) -> None:
    app.user_middleware.clear()
    app.add_middleware(web.Edge, body_limit_bytes=10_000_000)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        deep = b'{"unit":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        answer = await client.post("/v1/orders", content=deep, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)


async def test_an_unknown_address_and_method_are_problems_too(client: httpx.AsyncClient) -> None:
    checked(await client.get("/nowhere"), 404, "not-found")
    answer = await client.delete("/v1/orders")
    checked(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"
    assert (await client.delete("/v1/orders/7")).headers["allow"] == "GET, PUT", "both routes of the path"


@pytest.mark.parametrize(
    ("path", "status", "slug", "retryable"),
    [
        ("/v1/broken", 500, "internal", False),
        ("/v1/database-away", 503, "unavailable", True),
        ("/v1/not-storable", 422, "invalid", False),
    ],
)
async def test_the_unexpected_tells_nothing_of_the_inside(
    client: httpx.AsyncClient,
    path: str,
    status: int,
    slug: str,
    retryable: bool,
) -> None:
    answer = await client.get(path)
    assert checked(answer, status, slug)["retryable"] is retryable
    assert ("retry-after" in answer.headers) == retryable
    assert "Virtanen" not in answer.text


async def test_a_type_leads_to_its_explanation(client: httpx.AsyncClient) -> None:
    address = (await client.get("/v1/refused")).json()["type"]
    explained = (await client.get(address)).json()
    assert explained["status"] == 409
    assert "rule" in explained["explanation"]
    checked(await client.get("/problems/unheard-of"), 404, "not-found")


async def test_every_problem_that_is_known_can_be_looked_up(client: httpx.AsyncClient) -> None:
    for kind in Problem.tree():
        if " " not in kind.slug:
            assert (await client.get(f"/problems/{kind.slug}")).status_code == 200, kind


async def chunks(size: int, number: int) -> AsyncIterator[bytes]:
    for _ in range(number):
        yield b"x" * size


async def test_a_body_over_the_limit_is_refused_by_its_announced_length(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/orders", content=b"x" * (LIMIT_BYTES + 1))
    assert checked(answer, 413, "too-large")["rule"] == "body_limit"


async def test_a_chunked_body_over_the_limit_is_refused_while_it_comes(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/orders", content=chunks(100, 11))
    assert "content-length" not in answer.request.headers
    checked(answer, 413, "too-large")


async def test_a_body_of_the_limit_is_read(client: httpx.AsyncClient) -> None:
    text = orjson.dumps({"unit": "x"}).ljust(LIMIT_BYTES)
    answer = await client.post("/v1/orders", content=text, headers={"content-type": "application/json"})
    assert answer.status_code == 200


async def test_a_route_for_files_has_a_limit_of_its_own(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/files", content=b"x" * 50 * LIMIT_BYTES)).json() == 50 * LIMIT_BYTES
    checked(await client.post("/v1/files", content=b"x" * 51 * LIMIT_BYTES), 413, "too-large")
    checked(await client.post("/v1/files", content=chunks(LIMIT_BYTES, 51)), 413, "too-large")


async def test_health_and_readiness(client: httpx.AsyncClient, app: FastAPI) -> None:
    async def passes() -> None:
        """Nothing is wrong."""

    async def says_no() -> bool:
        return False

    add_check(app, "database", passes)
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).json() == {"status": "ready", "checks": {"database": "ok"}}
    add_check(app, "kafka", says_no)
    body = checked(await client.get("/readyz"), 503, "unavailable")
    assert body["checks"] == {"database": "ok", "kafka": "failed"}


async def test_a_check_that_raises_or_hangs_has_failed(
    client: httpx.AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def raises() -> None:
        raise ConnectionError(SECRET)

    async def hangs() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(web, "CHECK_SECONDS", 0.05)
    add_check(app, "raises", raises)
    add_check(app, "hangs", hangs)
    answer = await client.get("/readyz")
    assert checked(answer, 503, "unavailable")["checks"] == {"raises": "failed", "hangs": "failed"}
    assert "Virtanen" not in answer.text


async def test_requests_are_measured_by_route_template(client: httpx.AsyncClient) -> None:
    await client.get("/v1/refused")
    metrics = (await client.get("/metrics")).text
    assert 'route="/v1/refused",status="409"' in metrics
    assert "/healthz" not in metrics


async def test_the_description_names_problems_tokens_and_roles(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    own = document["paths"]["/v1/own"]["get"]
    assert own["x-roles"] == ["operator"]
    assert own["security"] == [{"bearer": []}]
    order = document["paths"]["/v1/orders"]["post"]
    assert "422" not in order["responses"]
    assert "application/problem+json" in order["responses"]["4XX"]["content"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


@dataclass(frozen=True)
class Receipt:
    """A result that is no model."""

    amount: Decimal
    at: datetime
    areas: frozenset[str]
    line: Line


def test_a_result_becomes_json_whatever_it_is() -> None:
    receipt = Receipt(Decimal("1.10"), datetime(2026, 10, 1, tzinfo=UTC), frozenset({"04", "03"}), Line(amount_cents=1))
    assert orjson.loads(as_json(receipt)) == {
        "amount": "1.10",
        "at": "2026-10-01T00:00:00Z",
        "areas": ["03", "04"],
        "line": {"amount_cents": 1},
    }
    assert as_json(Line(amount_cents=1)) == b'{"amount_cents":1}'
    with pytest.raises(TypeError):
        as_json(object())


@given(
    st.integers(-(2**53), 2**53),
    st.uuids(),
    st.dates(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
)
def test_a_cursor_comes_back_as_it_went(number: int, row_id: UUID, day: date, text: str) -> None:
    cursor = encode_cursor(number, row_id, day, text)
    assert decode_cursor(cursor, int, UUID, date.fromisoformat, str) == (number, row_id, day, text)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_a_cursor_of_another_list_is_refused(text: str) -> None:
    for wrong in (text, encode_cursor(text), encode_cursor(1, "no id"), encode_cursor(1, UUID(int=1), 2)):
        with pytest.raises(Invalid) as refused:
            decode_cursor(wrong, int, UUID)
        assert refused.value.pointer == "/cursor"


def test_no_cursor_is_the_start() -> None:
    assert decode_cursor(None, int) is None


def test_a_page_has_bounds() -> None:
    assert (bounded(None, 100), bounded(7, 100)) == (100, 7)
    for wrong in (0, -1, 101):
        with pytest.raises(Invalid, match="1 to 100"):
            bounded(wrong, 100)


def test_only_a_full_page_has_a_next_one() -> None:
    rows = [{"id": 1}, {"id": 2}]
    assert next_cursor(rows, 3, lambda row: (row["id"],)) is None
    after = next_cursor(rows, 2, lambda row: (row["id"],))
    assert decode_cursor(after, int) == (2,)
    assert next_cursor([], 2, lambda row: (row["id"],)) is None
