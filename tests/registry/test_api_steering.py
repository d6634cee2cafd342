"""Orders, budgets and sanctions over HTTP: each command once for its key, and what another body with it gets."""

import json
from typing import Any

import httpx

from kanava.common.auth import Caller
from tests.registry.conftest import Api
from tests.registry.world import CLINIC_ID, ENTERPRISE, ENTERPRISE_ID, LIIKELAITOS, ORGANISER, PRODUCER, Registry

LINE = {"line": "1", "name_fi": "Liikelaitos", "kind": "one_item", "amount_cents": 1_000_00, "on_breach": "refuse"}
BUDGET = {"area": "03", "year": 2027, "valid_from": "2027-01-01", "lines": [LINE | {"producer_id": ENTERPRISE_ID}]}
NOTICE = {"producer_id": CLINIC_ID, "step": 1, "reason": "Hoitoon pääsy viivästyi.", "effective_on": "2026-10-15"}


async def post(api: Api, caller: Caller, path: str, body: dict[str, Any], key: str | None) -> httpx.Response:
    headers = {"authorization": f"Bearer {api.token(caller)}", "content-type": "application/json"}
    headers |= {"idempotency-key": key} if key else {}
    return await api.client.post(path, content=json.dumps(body), headers=headers)


async def test_a_budget_and_its_withdrawal_are_done_once_for_their_keys(api: Api, registry: Registry) -> None:
    await registry.apply(LIIKELAITOS, ENTERPRISE, kind="own_enterprise", iban=None)
    first = await post(api, ORGANISER, "/v1/budgets", BUDGET, "b-1")
    again = await post(api, ORGANISER, "/v1/budgets", BUDGET, "b-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    other = await post(api, ORGANISER, "/v1/budgets", BUDGET | {"year": 2028, "valid_from": "2028-01-01"}, "b-1")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    without = await post(api, ORGANISER, "/v1/budgets", BUDGET, None)
    assert without.json()["type"] == "/problems/missing-idempotency-key"
    gone = {"valid_from": "2027-06-01", "reasons": "Korvataan uudella."}
    withdrawn = await post(api, ORGANISER, "/v1/orders/03:budget:2027/withdrawal", gone, "w-1")
    assert (withdrawn.status_code, withdrawn.json()["status"]) == (201, "withdrawn")
    assert [one.what for one in await registry.facts("order")] == ["budgeted", "withdrawn"]
    listed = await api.call(ORGANISER, "GET", "/v1/orders?kind=budget&area=03")
    assert [one["version"] for one in listed.json()["items"]] == [2]


async def test_a_sanction_goes_through_its_appeal(api: Api, registry: Registry) -> None:
    await registry.publish_documents()
    await registry.approve()
    imposed = (await post(api, ORGANISER, "/v1/sanctions", NOTICE, "s-1")).json()
    path = f"/v1/sanctions/{imposed['sanction_id']}"
    appealed = await post(api, PRODUCER, f"{path}/appeal", {"reasons": "Emme myöhästyneet."}, "a-1")
    assert appealed.json()["status"] == "appealed"
    decided = await post(api, ORGANISER, f"{path}/outcome", {"outcome": "withdrawn", "reasons": "Oikein."}, "o-1")
    assert decided.json()["status"] == "withdrawn"
    read = await api.call(PRODUCER, "GET", path)
    assert [one["what"] for one in read.json()["changes"]] == ["appealed", "withdrawn"]
    refused = await post(api, ORGANISER, "/v1/sanctions", NOTICE | {"step": 2}, "s-2")
    assert (refused.status_code, refused.json()["reason"]) == (409, "step_out_of_order")
    assert refused.json()["steps_taken"] == []
