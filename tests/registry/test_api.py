"""The registry over HTTP: the demo's month of preparation, problems with pointers, roles, pages."""

import re
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from kanava.common.auth import Caller, Role, roles_by_route, routes_without_roles
from tests.registry import world
from tests.registry.conftest import Api
from tests.registry.world import (
    CLINIC_ID,
    ESPOO,
    FOREIGN_ORGANISER,
    MODEL,
    ORGANISER,
    PRODUCER,
    RULE_BOOK,
    Registry,
)


def body(command: BaseModel) -> dict[str, Any]:
    return command.model_dump(mode="json", exclude_none=True)


async def done(api: Api, caller: Caller, path: str, said: dict[str, Any], method: str = "POST") -> dict[str, Any]:
    response = await api.call(caller, method, path, said)
    assert response.status_code in (200, 201), response.text
    answer: dict[str, Any] = response.json()
    return answer


def problem(response: httpx.Response) -> tuple[int, str | None, str | None]:
    assert response.headers["content-type"] == "application/problem+json"
    said = response.json()
    return said["status"], said["pointer"], said["rule"]


async def test_espoo_is_prepared_through_the_api_alone(api: Api, registry: Registry) -> None:
    for command in (world.rule_book(), world.compensation_model(), world.service_description()):
        await done(api, ORGANISER, "/v1/documents", body(command))
    await done(api, ORGANISER, "/v1/packages", body(world.guidance_package()))
    priced = {"area": "03", "node": "SOS.1.1", "unit_of_measure": "kaynti", "valid_from": "2026-10-01"}
    await done(api, ORGANISER, "/v1/prices", {**priced, "price_cents": 4500})
    scheme = (await done(api, ORGANISER, "/v1/schemes", body(world.plan())))["scheme_id"]
    await done(api, ORGANISER, f"/v1/schemes/{scheme}/phase", {"phase": 2})
    comment = {"producer_id": CLINIC_ID, "text": "Entä kotikäynnit?"}
    await done(api, PRODUCER, f"/v1/schemes/{scheme}/comments", comment)
    await done(api, ORGANISER, f"/v1/schemes/{scheme}/comments/1/answer", {"text": "Kuuluvat mukaan."})
    await done(api, ORGANISER, f"/v1/schemes/{scheme}/phase", {"phase": 3})
    await done(api, ESPOO, f"/v1/schemes/{scheme}/decision", body(world.ADOPT))
    await done(api, ORGANISER, f"/v1/schemes/{scheme}/phase", {"phase": 4})
    await done(api, PRODUCER, "/v1/producers", body(world.application()))
    await done(api, PRODUCER, f"/v1/producers/{CLINIC_ID}/checklist", body(world.checklist()), method="PUT")
    await done(api, PRODUCER, f"/v1/producers/{CLINIC_ID}/acceptances", {"document_id": RULE_BOOK})
    await done(api, ORGANISER, f"/v1/producers/{CLINIC_ID}/decision", body(world.APPROVE))
    unit = await done(api, PRODUCER, "/v1/units", body(world.unit()))
    await done(api, ORGANISER, "/v1/contracts", body(world.contract()))
    await done(api, ORGANISER, f"/v1/schemes/{scheme}/phase", {"phase": 5})
    await done(api, PRODUCER, f"/v1/units/{unit['unit_id']}/close", {})
    said = {
        topic: len(await registry.facts(topic))
        for topic in ("document", "package", "price", "scheme", "producer", "unit", "contract")
    }
    assert said == {
        "document": 3,
        "package": 1,
        "price": 1,
        "scheme": 5,
        "producer": 2,
        "unit": 2,
        "contract": 1,
    }


def with_terms(**changes: Any) -> dict[str, Any]:
    return world.document("compensation_model", compensation=world.compensation(**changes))


@pytest.mark.parametrize(
    ("path", "said", "expected"),
    [
        ("/v1/documents", with_terms(proration="monthly"), (422, "/compensation/proration", "literal_error")),
        (
            "/v1/documents",
            with_terms(coefficient_min_permille=1001),
            (422, "/compensation/coefficient_min_permille", "range_contains_1000"),
        ),
        (
            "/v1/documents",
            with_terms(bands=[{"sex": "any", "age_from": 0, "age_to": 4, "annual_cents": 1}]),
            (422, "/compensation/bands/0/age_to", "last_band_open"),
        ),
        (
            "/v1/documents",
            {**with_terms(), "valid_from": "2026-09-30"},
            (422, "/valid_from", "not_before_open_month"),
        ),
        ("/v1/documents", {**with_terms(), "area": "77"}, (422, "/area", "value_error")),
        ("/v1/documents", {**with_terms(), "titel": "x"}, (422, "/titel", "extra_forbidden")),
        ("/v1/documents", world.document("rule_book"), (422, "/rule_book", "content_of_kind")),
        ("/v1/units", {**body(world.unit()), "producer_id": "1.2.3"}, (422, "/producer_id", "value_error")),
        ("/v1/units", {**body(world.unit()), "capacity": 0}, (422, "/capacity", "greater_than_equal")),
        ("/v1/units", {**body(world.unit()), "capacity": True}, (422, "/capacity", "int_type")),
        ("/v1/units", {**body(world.unit()), "opens_on": 0}, (422, "/opens_on", "value_error")),
        ("/v1/units", {**body(world.unit()), "opens_on": "2026-02-30"}, (422, "/opens_on", "value_error")),
        ("/v1/packages", {**body(world.guidance_package()), "package": {"id": "\ud800"}}, (422, "/package", "unicode")),
        ("/v1/contracts", {**body(world.contract()), "compensation_kinds": ["gold"]}, None),
        ("/v1/prices", {"area": "03", "node": "SOS.1.1", "price_cents": 1.5}, None),
    ],
)
async def test_bad_input_names_the_field_and_the_rule(
    api: Api, path: str, said: dict[str, Any], expected: tuple[int, str, str] | None
) -> None:
    response = await api.call(ORGANISER, "POST", path, said)
    assert response.status_code == 422
    assert response.json()["errors"]
    assert expected is None or problem(response) == expected


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"business_id": "1234567-2"}, "/business_id"), ({"iban": "FI2112345600000786"}, "/iban")],
)
async def test_check_digits_are_checked(api: Api, changes: dict[str, str], pointer: str) -> None:
    response = await api.call(PRODUCER, "POST", "/v1/producers", body(world.application()) | changes)
    assert problem(response)[:2] == (422, pointer)


async def test_a_refusal_says_why_and_its_type_resolves(api: Api) -> None:
    await done(api, PRODUCER, "/v1/producers", body(world.application()))
    response = await api.call(ORGANISER, "POST", f"/v1/producers/{CLINIC_ID}/decision", body(world.APPROVE))
    said = response.json()
    assert (said["status"], said["reason"], said["retryable"]) == (409, "no_rule_book", False)
    explained = await api.client.get(said["type"])
    assert explained.json()["title"] == said["title"]


async def test_what_does_not_exist_is_not_found(api: Api) -> None:
    for path in ("documents/03:rule_book:1", "packages/PVO:1", "schemes/03:049", f"producers/{CLINIC_ID}"):
        assert problem(await api.call(ORGANISER, "GET", f"/v1/{path}"))[0] == 404


async def test_a_list_is_read_page_by_page(api: Api) -> None:
    for _ in range(5):
        await done(api, ORGANISER, "/v1/documents", body(world.rule_book()))
    seen, cursor = [], ""
    while True:
        page = (await api.call(PRODUCER, "GET", f"/v1/documents?area=03&limit=2{cursor}")).json()
        seen += [one["number"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [1, 2, 3, 4, 5]
    for bad in ("limit=0", "limit=501", "cursor=abc"):
        assert (await api.call(PRODUCER, "GET", f"/v1/documents?{bad}")).status_code == 422


@pytest.mark.parametrize("path", ["documents", "packages", "prices", "schemes", "producers", "units", "contracts"])
async def test_every_list_answers_and_is_empty_at_first(api: Api, path: str) -> None:
    response = await api.call(ORGANISER, "GET", f"/v1/{path}")
    assert (response.status_code, response.json()) == (200, {"items": [], "next_cursor": None})


WRITERS = {
    "/v1/documents": {Role.ORGANISER},
    "/v1/packages": {Role.ORGANISER},
    "/v1/prices": {Role.ORGANISER},
    "/v1/schemes": {Role.ORGANISER},
    "/v1/schemes/{scheme_id}/comments": {Role.PRODUCER},
    "/v1/schemes/{scheme_id}/comments/{number}/answer": {Role.ORGANISER},
    "/v1/schemes/{scheme_id}/decision": {Role.MUNICIPALITY},
    "/v1/schemes/{scheme_id}/phase": {Role.ORGANISER},
    "/v1/producers": {Role.PRODUCER},
    "/v1/producers/{producer_id}/checklist": {Role.PRODUCER},
    "/v1/producers/{producer_id}/acceptances": {Role.PRODUCER},
    "/v1/producers/{producer_id}/decision": {Role.ORGANISER},
    "/v1/producers/{producer_id}/standing": {Role.ORGANISER},
    "/v1/units": {Role.PRODUCER, Role.ORGANISER},
    "/v1/units/{unit_id}/close": {Role.PRODUCER, Role.ORGANISER},
    "/v1/contracts": {Role.ORGANISER},
    "/v1/contracts/{contract_id}/end": {Role.ORGANISER},
    "/v1/orders": {Role.ORGANISER},
    "/v1/budgets": {Role.ORGANISER},
    "/v1/orders/{order_id}/withdrawal": {Role.ORGANISER},
    "/v1/sanctions": {Role.ORGANISER},
    "/v1/sanctions/{sanction_id}/appeal": {Role.PRODUCER},
    "/v1/sanctions/{sanction_id}/outcome": {Role.ORGANISER},
}


async def test_each_writing_route_has_its_roles(api: Api) -> None:
    table = roles_by_route(api.app)
    own = {path: roles for (method, path), roles in table.items() if method in ("POST", "PUT")}
    assert own == WRITERS
    assert [key for key in routes_without_roles(api.app) if key[1].startswith("/v1")] == []


@pytest.mark.parametrize("role", Role)
async def test_every_other_role_is_refused_before_anything_is_read(api: Api, role: Role) -> None:
    resident = "00000000-0000-4000-8000-000000000000" if role is Role.RESIDENT else None
    caller = Caller("x", role, area="03", municipality="049", resident=resident)  # type: ignore[arg-type]  # the token carries text
    for path, roles in WRITERS.items():
        method = "PUT" if path.endswith("checklist") else "POST"
        if role not in roles:
            response = await api.call(caller, method, re.sub(r"\{\w+\}", "1", path), {})
            assert problem(response) == (403, None, "role"), path


async def test_a_producer_sets_no_price_and_a_foreign_organiser_decides_nothing(api: Api) -> None:
    await done(api, PRODUCER, "/v1/producers", body(world.application()))
    assert (await api.call(PRODUCER, "POST", "/v1/prices", {})).status_code == 403
    response = await api.call(FOREIGN_ORGANISER, "POST", f"/v1/producers/{CLINIC_ID}/decision", body(world.APPROVE))
    assert problem(response) == (403, None, "own_area")
    assert (await api.call(None, "GET", "/v1/producers")).status_code == 401


async def test_published_rows_stay_as_they_are(registry: Registry) -> None:
    await registry.publish_documents()
    for attempt in ("UPDATE document SET title = 'x'", "DELETE FROM document", "TRUNCATE document CASCADE"):
        with pytest.raises(Exception, match="permission denied"):
            async with registry.open() as tx:
                await tx.execute(attempt)
    assert MODEL in [fact.document_id for fact in await registry.facts("document")]
