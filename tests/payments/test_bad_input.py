"""What nobody may send: absurd sums to any route, both steps by one person, requests that break a rule."""

from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from kanava.common.auth import Caller, Role
from kanava.common.db import Pool, rows, transaction
from kanava.payments.main import create_app
from kanava.payments.settings import PaymentsSettings
from tests.contracts.access import CONTRIBUTIONS, FUNDING, PLAN, STATE, TABLE, TRANSFER, Access
from tests.payments.test_payout import closed_month
from tests.payments.test_statement_api import Stopped
from tests.support import facts as told

ABSURD = (-1, 10**18, 10**40, 12.5, "100", True, None)
"""No field for cents takes these: below nothing, more than a country has, and what is no whole number."""
LOWERS = ("/v1/performance-lines", "/v1/accounts/{area}/limits")
"""Here a sum below nothing lowers what is paid, or is an overdraft that was agreed."""


NO_MONTH = ("0000-01", "9999-12", "2026-13", "٢٠٢٦-11", "2026-11-01", "")
NO_DAY = ("0001-01-01", "9999-12-31", "2026-02-30", "1", "")
"""Not of the calendar in which months and years before and after can be counted; the third month is in other digits."""
DAYS = ("on", "first", "last", "due_on", "received_on", "valid_from", "measured_on", "agreed_on", "done_on")
MONTHS = ("month", "since", "until", "for_month", "first_month")


TEXTS = ("reason", "reasons", "reference", "title", "evidence", "source", "mandate", "payee", "outcome")
UNTOLD = ("  ", "\n", "Asiakas 131052-901X soitti", "131052-901x")
"""No reason at all, and the personal identity code that only listing may know."""


class AnyWorld(dict[str, str]):
    """Every object by one id: a body is refused before its object is looked for."""

    def __missing__(self, name: str) -> str:
        return str(UUID(int=1))


WORLD = AnyWorld(area="03", municipality="049", iban="FI2112345600000785", node="SOS.1.1", producer_id=told.PRIVATE)


def cents_fields(body: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where in a body sums stand."""
    if isinstance(body, dict | list):
        for step, inner in body.items() if isinstance(body, dict) else enumerate(body):
            if str(step).endswith("_cents") and not isinstance(inner, dict | list):
                yield (*at, step)
            yield from cents_fields(inner, (*at, step))


def sums() -> list[tuple[Access, Role, tuple[str | int, ...]]]:
    """Every sum of every command that payments takes, with a role that may send it."""
    rows_of = [row for row in TABLE if row.service == "payments" and row.method in ("POST", "PUT")]
    found = []
    for row in rows_of:
        role = next(iter(row.own))
        found += [(row, role, place) for place in cents_fields(row.sends(WORLD, role).json)]
    return found


def named(body: Any, names: tuple[str, ...], at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where in a body fields of these names stand."""
    if isinstance(body, dict | list):
        for step, inner in body.items() if isinstance(body, dict) else enumerate(body):
            if step in names:
                yield (*at, step)
            yield from named(inner, names, (*at, step))


def replaced(body: Any, place: tuple[str | int, ...], value: Any) -> Any:
    """A copy of a body with another value at a place."""
    changed = deepcopy(body)
    holder = changed
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    return changed


@dataclass(frozen=True)
class Tokens:
    """Verifies a token that names a person and a role; of one person there may be any number."""

    async def verify(self, token: str) -> Caller:
        """The caller that `person:role:anything` stands for; an operator is the whole country's unless `of 05`."""
        person, role, extra = token.split(":")
        area = ("05" if extra == "of 05" else None) if role == "operator" else "03"
        producers = frozenset({told.PRIVATE}) if role == "producer" else frozenset[str]()
        return Caller(person, Role(role), area=area, producers=producers)


@pytest.fixture
async def client(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    """Payments over HTTP with November closed, without bus."""
    app = create_app(PaymentsSettings())
    app.state.pool, app.state.clock, app.state.verifier = pool, Stopped(), Tokens()
    await closed_month(pool)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://payments") as opened:
        yield opened


async def post(client: httpx.AsyncClient, token: str, path: str, body: Any) -> httpx.Response:
    """Command under a key of its own."""
    return await send(client, "POST", token, path, body)


async def send(client: httpx.AsyncClient, method: str, token: str, path: str, body: Any) -> httpx.Response:
    """Command by another method."""
    headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid4())}
    content = httpx.Request("POST", "http://x", json=body).content
    headers |= {"content-type": "application/json"}
    return await client.request(method, path, content=content, headers=headers)


async def ask(client: httpx.AsyncClient, role: Role, path: str, query: dict[str, str]) -> httpx.Response:
    """A question of somebody in a role."""
    return await client.get(path, params=query, headers={"authorization": f"Bearer anna:{role.value}:1"})


async def written(pool: Pool) -> list[Any]:
    """What any command about money writes: entries, facts to tell, and keys."""
    async with transaction(pool) as tx:
        return [
            await rows(tx, f"SELECT count(*) AS n FROM {table}") for table in ("entry", "outbox", "statement", "payout")
        ]


def test_the_table_of_access_shows_many_sums() -> None:
    assert {row.path for row, _, _ in sums()} >= {"/v1/funding", "/v1/transfers", "/v1/benefits"}


async def test_no_text_is_blank_or_names_a_person_by_the_hetu(pool: Pool, client: httpx.AsyncClient) -> None:
    before, asked = await written(pool), set()
    for row in (one for one in TABLE if one.service == "payments" and one.method in ("POST", "PUT")):
        role = next(iter(row.own))
        for place in named(row.sends(WORLD, role).json, TEXTS):
            for text in UNTOLD:
                body = replaced(row.sends(WORLD, role).json, place, text)
                answer = await send(client, row.method, f"anna:{role.value}:1", row.path.format_map(WORLD), body)
                told_of = f"{row.name} with {place} = {text!r}: {answer.status_code} {answer.text[:300]}"
                assert answer.status_code == 422, told_of
                assert "/" + "/".join(map(str, place)) in {one["pointer"] for one in answer.json()["errors"]}, told_of
                asked.add(row.path)
    assert asked >= {"/v1/performance-lines", "/v1/benefits", "/v1/residents/{resident_id}/account"}
    assert await written(pool) == before


async def test_no_route_takes_an_absurd_sum(pool: Pool, client: httpx.AsyncClient) -> None:
    before = await written(pool)
    for row, role, place in sums():
        for absurd in (one for one in ABSURD if row.path not in LOWERS or one != -1):
            body = replaced(row.sends(WORLD, role).json, place, absurd)
            answer = await post(client, f"anna:{role.value}:1", row.url(WORLD, role), body)
            told_of = f"{row.name} with {place} = {absurd!r}: {answer.status_code} {answer.text[:300]}"
            assert answer.status_code == 422, told_of
            pointers = {one["pointer"] for one in answer.json()["errors"]}
            assert "/" + "/".join(map(str, place)) in pointers, told_of
    assert await written(pool) == before


@pytest.mark.parametrize(("names", "absurd"), [(MONTHS, NO_MONTH), (DAYS, NO_DAY)], ids=["months", "days"])
async def test_no_body_takes_a_date_of_no_calendar(
    pool: Pool, client: httpx.AsyncClient, names: tuple[str, ...], absurd: tuple[str, ...]
) -> None:
    before, tried = await written(pool), 0
    for row in (row for row in TABLE if row.service == "payments" and row.method == "POST"):
        role = next(iter(row.own))
        body = row.sends(WORLD, role).json
        for place in named(body, names):
            for value in absurd:
                answer = await post(
                    client, f"anna:{role.value}:1", row.path.format_map(WORLD), replaced(body, place, value)
                )
                told_of = f"{row.name} with {place} = {value!r}: {answer.status_code} {answer.text[:300]}"
                assert answer.status_code == 422, told_of
                assert "/" + "/".join(map(str, place)) in {one["pointer"] for one in answer.json()["errors"]}, told_of
                tried += 1
    assert tried > 20
    assert await written(pool) == before


@pytest.mark.parametrize(("names", "absurd"), [(MONTHS, NO_MONTH), (DAYS, NO_DAY)], ids=["months", "days"])
async def test_no_question_takes_a_date_of_no_calendar(
    client: httpx.AsyncClient, names: tuple[str, ...], absurd: tuple[str, ...]
) -> None:
    tried = 0
    for row in (row for row in TABLE if row.service == "payments" and row.method == "GET"):
        role = next(iter(row.own))
        query = dict(row.sends(WORLD, role).query or {})
        for name in query.keys() & set(names):
            for value in absurd:
                answer = await ask(client, role, row.path.format_map(WORLD), query | {name: value})
                told_of = f"{row.name} with {name} = {value!r}: {answer.status_code} {answer.text[:300]}"
                assert answer.status_code == 422, told_of
                assert answer.json()["pointer"] == f"/{name}", told_of
                tried += 1
    assert tried > 10


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/accounts/03/trial-balance", {"on": "9999-12-31"}),
        ("/v1/accounts/03/trial-balance", {"known_at": "0001-01-01T00:00:00+14:00"}),
        ("/v1/accounts/03/clearing", {"on": "0001-01-01"}),
        ("/v1/accounts/03/funding", {"year": "2026", "on": "9999-12-31"}),
        ("/v1/accounts/03/forecast", {"planned": "20٢٦-01:5"}),
        ("/v1/statements", {"area": "03", "month": "0000-01"}),
    ],
)
async def test_what_may_be_left_out_is_held_to_the_calendar_too(
    client: httpx.AsyncClient, path: str, query: dict[str, str]
) -> None:
    answer = await ask(client, Role.OPERATOR, path, query)
    assert answer.status_code == 422, answer.text
    assert answer.json()["pointer"].startswith(f"/{list(query)[-1]}")


@pytest.mark.parametrize("day", ["2019-12-31", "2026-12-11", "2090-01-01"])
async def test_money_that_has_not_come_is_not_booked(pool: Pool, client: httpx.AsyncClient, day: str) -> None:
    before = await written(pool)
    for path, body in (("/v1/funding", FUNDING), ("/v1/funding/contributions", CONTRIBUTIONS)):
        answer = await post(client, "anna:operator:1", path, body | {"received_on": day})
        assert answer.status_code == 422, answer.text
        assert answer.json()["pointer"] == "/received_on"
    assert await written(pool) == before


async def test_a_key_that_is_used_again_is_named(client: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer anna:operator:1", "idempotency-key": "once"}
    booked = await client.post("/v1/funding", json=FUNDING, headers=headers)
    assert booked.status_code == 201, booked.text
    assert (await client.post("/v1/funding", json=FUNDING, headers=headers)).json() == booked.json()
    other = await client.post("/v1/funding", json=FUNDING | {"amount_cents": 1}, headers=headers)
    assert (other.status_code, other.json()["pointer"]) == (422, "/Idempotency-Key")


async def test_a_named_statement_that_is_not_in_its_step_is_refused_not_passed_over(
    pool: Pool, client: httpx.AsyncClient
) -> None:
    listed = await ask(client, Role.OPERATOR, "/v1/statements", {"area": "03", "month": "2026-11"})
    drawn = [one["statement_id"] for one in listed.json()]
    before = await written(pool)
    unknown = {"area": "03", "month": "2026-11", "statement_ids": [drawn[0], str(uuid4())]}
    approved = await post(client, "anna:operator:1", "/v1/approvals", unknown)
    released = await post(client, "bertta:operator:1", "/v1/payouts", {"area": "03", "statement_ids": drawn})
    for answer, others in ((approved, unknown["statement_ids"][1:]), (released, sorted(drawn))):
        assert (answer.status_code, answer.json()["rule"]) == (409, "statement_not_ready"), answer.text
        assert (answer.json()["pointer"], answer.json()["statement_ids"]) == ("/statement_ids", others)
    assert await written(pool) == before


async def test_the_state_may_pay_what_it_pays(client: httpx.AsyncClient) -> None:
    """The wellbeing services counties get some 26 milliard euros a year, more than one area or instalment may."""
    body = STATE | {"total_cents": 26_300_000_000_00}
    answer = await post(client, "anna:operator:1", "/v1/funding/state", body)
    assert answer.status_code == 201, answer.text
    plans = answer.json()["plans"]
    assert sum(plan["total_cents"] for plan in plans) == body["total_cents"]


async def test_an_operator_of_another_area_commands_nothing_here(pool: Pool, client: httpx.AsyncClient) -> None:
    before, tried = await written(pool), 0
    for row in TABLE:
        if row.service != "payments" or Role.OPERATOR not in row.own or row.method == "GET":
            continue
        if "sandbox" in row.path:
            continue
        body = row.sends(WORLD, Role.OPERATOR).json
        answer = await post(client, "bertta:operator:of 05", row.path.format_map(WORLD), body)
        assert answer.status_code in (403, 404), f"{row.name}: {answer.status_code} {answer.text[:300]}"
        tried += 1
    assert tried > 25
    assert await written(pool) == before


async def test_nobody_approves_and_releases_also_with_two_tokens(pool: Pool, client: httpx.AsyncClient) -> None:
    """A new token, or one of another role, is still the same person."""
    approved = await post(client, "anna:organiser:monday", "/v1/approvals", {"area": "03", "month": "2026-11"})
    assert approved.status_code == 200, approved.text
    before = await written(pool)
    for token in ("anna:operator:tuesday", "anna:operator:wednesday"):
        answer = await post(client, token, "/v1/payouts", {"area": "03"})
        held = answer.json()["held"]
        assert {one["reason"] for one in held} == {"approved_by_the_same"}, answer.text
        assert len(held) == 2
        assert (answer.json()["to_bank"], answer.json()["settled"]) == (0, 0)
    assert (await written(pool))[0] == before[0], "no entry"
    paid = (await post(client, "bertta:operator:tuesday", "/v1/payouts", {"area": "03"})).json()
    assert paid["to_bank"] + paid["settled"] == 2


@dataclass(frozen=True)
class Broken:
    """A request that breaks one rule, and how the answer names it."""

    path: str
    body: dict[str, Any]
    rule: str
    pointer: str
    role: str = "operator"


def measures(*of: tuple[str, int]) -> list[dict[str, Any]]:
    """Measures of areas."""
    return [{"area": area, "measure": measure} for area, measure in of]


UNKNOWN = str(UUID(int=1))
MUNICIPALITY_PAYS = FUNDING | {"payer": "municipality"}
INSTALMENT = {"payer": "state", "reference": "11/12", "reason": "Valtion erä."}
BROKEN = {
    "a transfer to itself": Broken("/v1/transfers", TRANSFER | {"to_area": "03"}, "value_error", ""),
    "Åland is no sote area": Broken("/v1/transfers", TRANSFER | {"to_area": "91"}, "value_error", "/to_area"),
    "an area of another century": Broken("/v1/funding", FUNDING | {"area": "22"}, "value_error", "/area"),
    "the state with a municipality": Broken("/v1/funding", FUNDING | {"municipality": "049"}, "value_error", ""),
    "a municipality without a name": Broken("/v1/funding", MUNICIPALITY_PAYS, "value_error", ""),
    "no code of a municipality": Broken(
        "/v1/funding", MUNICIPALITY_PAYS | {"municipality": "49"}, "value_error", "/municipality"
    ),
    "a day that is none": Broken(
        "/v1/funding", FUNDING | {"received_on": "2026-02-30"}, "date_from_datetime_parsing", "/received_on"
    ),
    "a year out of range": Broken("/v1/funding", FUNDING | {"fiscal_year": 1999}, "greater_than_equal", "/fiscal_year"),
    "an unknown field": Broken("/v1/funding", FUNDING | {"currency": "SEK"}, "extra_forbidden", "/currency"),
    "no reference": Broken("/v1/funding", FUNDING | {"reference": ""}, "string_too_short", "/reference"),
    "a long reference": Broken("/v1/funding", FUNDING | {"reference": "x" * 141}, "string_too_long", "/reference"),
    "a plan of nobody": Broken("/v1/funding/plans", PLAN | {"payer": "municipality"}, "value_error", ""),
    "a plan without instalments": Broken("/v1/funding/plans", PLAN | {"instalments": []}, "too_short", "/instalments"),
    "contributions of an area twice": Broken(
        "/v1/funding/contributions", CONTRIBUTIONS | {"measures": measures(("03", 1), ("03", 2))}, "value_error", ""
    ),
    "claims above the contributions": Broken(
        "/v1/funding/contributions",
        CONTRIBUTIONS | {"class_2_cents": CONTRIBUTIONS["total_cents"] + 1},
        "reimbursements_within_total",
        "/class_2_cents",
    ),
    "contributions of nobody": Broken(
        "/v1/funding/contributions", CONTRIBUTIONS | {"measures": measures(("03", 0))}, "value_error", ""
    ),
    "a determinant without measures": Broken(
        "/v1/funding/state",
        STATE | {"measures": STATE["measures"][1:]},
        "measures_of_every_determinant",
        "/measures",
    ),
    "a measure twice": Broken(
        "/v1/funding/state", STATE | {"measures": STATE["measures"] + STATE["measures"][:1]}, "one_measure", "/measures"
    ),
    "too little for twelve months": Broken(
        "/v1/funding/state", STATE | {"total_cents": 11}, "cents_for_every_month", "/total_cents"
    ),
    "a thirteenth month": Broken("/v1/runs", {"area": "03", "month": "2026-13"}, "string_pattern_mismatch", "/month"),
    "an account with a wrong digit": Broken(
        "/v1/accounts/03/bank", {"iban": "FI2112345600000786"}, "value_error", "/iban"
    ),
    "suspense of nobody": Broken(
        f"/v1/suspense/{UNKNOWN}/funding", INSTALMENT | {"municipality": "049"}, "value_error", ""
    ),
    "no reason": Broken(f"/v1/suspense/{UNKNOWN}/close", {"reason": ""}, "string_too_short", "/reason"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_a_broken_rule_is_named_and_nothing_is_written(
    pool: Pool, client: httpx.AsyncClient, broken: Broken
) -> None:
    before = await written(pool)
    answer = await post(client, f"anna:{broken.role}:1", broken.path, broken.body)
    said = answer.json()
    assert (answer.status_code, said["rule"], said["pointer"]) == (422, broken.rule, broken.pointer), answer.text
    assert said["detail"]
    assert await written(pool) == before


READ = {
    "days out of order": ("/v1/reconciliation?first=2026-11-02&last=2026-11-01", "period_in_order", "/last"),
    "more than a month of days": ("/v1/reconciliation?first=2026-10-01&last=2026-11-02", "period_in_order", "/last"),
    "a journal backwards": ("/v1/accounts/03/journal?first=2026-11-02&last=2026-11-01", "period_in_order", "/last"),
    "a report backwards": ("/v1/reports/areas/03?since=2026-11&until=2026-10", "report_months", "/until"),
    "a report of 25 months": ("/v1/reports/areas/03?since=2024-11&until=2026-11", "report_months", "/until"),
}


@pytest.mark.parametrize(("path", "rule", "pointer"), READ.values(), ids=READ)
async def test_a_period_that_is_none_is_refused(client: httpx.AsyncClient, path: str, rule: str, pointer: str) -> None:
    answer = await client.get(path, headers={"authorization": "Bearer anna:operator:1"})
    assert (answer.status_code, answer.json()["rule"], answer.json()["pointer"]) == (422, rule, pointer), answer.text


NOWHERE = {
    f"/v1/payouts/{UNKNOWN}/pain.001": "unknown-payout",
    f"/v1/refunds/{UNKNOWN}/pain.001": "unknown-refund",
    f"/v1/suspense/{UNKNOWN}": "unknown-item",
    f"/v1/runs/{UNKNOWN}": "unknown-run",
    f"/v1/statements/{UNKNOWN}": "unknown-statement",
    f"/v1/statements/{UNKNOWN}.pdf": "unknown-statement",
    f"/v1/disputes/{UNKNOWN}": "unknown-dispute",
    "/v1/reports/producers/1.2.246.10.1.10.0?since=2026-11&until=2026-11": "unknown-producer",
}


@pytest.mark.parametrize(("path", "slug"), NOWHERE.items())
async def test_what_does_not_exist_is_not_found_and_says_what(client: httpx.AsyncClient, path: str, slug: str) -> None:
    answer = await client.get(path, headers={"authorization": "Bearer anna:operator:1"})
    assert (answer.status_code, answer.json()["type"]) == (404, f"/problems/{slug}"), answer.text
