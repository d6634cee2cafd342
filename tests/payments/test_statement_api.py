"""Statements over HTTP: files, contested lines, receivables and reports, and what is refused with which rule."""

import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from kanava.common.auth import Caller, Role
from kanava.common.db import Pool, Tx
from kanava.payments.main import create_app
from kanava.payments.settings import PaymentsSettings
from tests.payments.test_documents import statement_id
from tests.payments.test_payout import closed_month
from tests.support import facts as told
from tests.support.facts import at

PEOPLE = {
    "operator": Caller("operator-1", Role.OPERATOR),
    "organiser": Caller("organiser-1", Role.ORGANISER, area="03"),
    "elsewhere": Caller("organiser-2", Role.ORGANISER, area="04"),
    "producer": Caller("producer-1", Role.PRODUCER, producers=frozenset({told.PRIVATE})),
    "other": Caller("producer-2", Role.PRODUCER, producers=frozenset({told.OWN})),
    "municipality": Caller("kunta-1", Role.MUNICIPALITY, area="03", municipality="049"),
}
MONTHS = "since=2026-11&until=2026-11"


@dataclass(frozen=True)
class Names:
    """Verifies a token that is a name."""

    async def verify(self, token: str) -> Caller:
        """The person of this name."""
        return PEOPLE[token]


@dataclass(frozen=True)
class Stopped:
    """10 December 2026."""

    async def now(self, tx: Tx) -> datetime:
        """The instant of the test."""
        return at(12, 10)


@dataclass(frozen=True)
class Api:
    """Payments over HTTP."""

    client: httpx.AsyncClient

    async def get(self, who: str, path: str, **headers: str) -> httpx.Response:
        """Read as somebody."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers={"authorization": f"Bearer {who}"} | given)

    async def post(self, who: str, path: str, body: Any, key: str | None = None) -> httpx.Response:
        """Command as somebody."""
        headers = {"authorization": f"Bearer {who}", "idempotency-key": key or str(uuid4())}
        return await self.client.post(path, json=body, headers=headers)


@pytest.fixture
async def api(pool: Pool) -> AsyncIterator[Api]:
    """Payments with November closed, without bus."""
    app = create_app(PaymentsSettings())
    app.state.pool, app.state.clock, app.state.verifier = pool, Stopped(), Names()
    await closed_month(pool)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://payments") as client:
        yield Api(client)


async def first_lines(api: Api, statement: UUID) -> list[dict[str, Any]]:
    """The lines of a statement, page by page of one line each."""
    lines, place = [], ""
    while True:
        page = (await api.get("producer", f"/v1/statements/{statement}/lines?limit=1{place}")).json()
        lines += page["lines"]
        if page["next"] is None:
            return lines
        place = f"&after={page['next']}"


def contested(line: dict[str, Any]) -> dict[str, Any]:
    """A line as a producer names it, copied from the statement."""
    names = ("resident_id", "component", "kind", "for_month", "unit_id", "source")
    return {name: line[name] for name in names}


async def test_the_statement_as_a_workbook_and_as_an_accessible_paper(api: Api, pool: Pool) -> None:
    named = await statement_id(pool)
    book = await api.get("organiser", f"/v1/statements/{named}.xlsx?lang=en")
    assert book.status_code == 200
    assert book.headers["content-type"].startswith("application/vnd.openxmlformats")
    assert book.headers["content-disposition"].endswith(f'-{named}.xlsx"')
    with zipfile.ZipFile(io.BytesIO(book.content)) as archive:
        assert b"Summary" in archive.read("xl/workbook.xml")
    paper = await api.get("producer", f"/v1/statements/{named}.pdf", accept_language="sv-FI, fi;q=0.5")
    assert (paper.headers["content-type"], paper.headers["content-language"]) == ("application/pdf", "sv")
    again = await api.get("operator", f"/v1/statements/{named}.pdf?lang=sv")
    assert again.content == paper.content


async def test_files_are_for_those_whom_the_statement_concerns(api: Api, pool: Pool) -> None:
    named = await statement_id(pool)
    for ending in ("pdf", "xlsx"):
        for who in ("other", "elsewhere", "municipality"):
            assert (await api.get(who, f"/v1/statements/{named}.{ending}")).status_code in (403, 404)
        assert (await api.get("operator", f"/v1/statements/{uuid4()}.{ending}")).status_code == 404
        assert (await api.get("operator", f"/v1/statements/none.{ending}")).status_code == 422
        assert (await api.get("operator", f"/v1/statements/{named}.{ending}?lang=de")).status_code == 422


async def test_a_producer_contests_a_line_and_the_organiser_decides(api: Api, pool: Pool) -> None:
    named = await statement_id(pool)
    lines = {line["component"]: line for line in await first_lines(api, named)}
    assert set(lines) == {"capitation", "fee", "client_fee"}
    body = {"lines": [contested(lines["fee"])], "reason": "Käynti on laskutettu väärin."}
    assert (await api.post("other", f"/v1/statements/{named}/disputes", body)).status_code == 403
    opened = await api.post("producer", f"/v1/statements/{named}/disputes", body, "key-1")
    repeated = await api.post("producer", f"/v1/statements/{named}/disputes", body, "key-1")
    assert (opened.status_code, opened.content) == (201, repeated.content)
    case = opened.json()["dispute_id"]
    (listed,) = (await api.get("organiser", "/v1/disputes?area=03&status=open")).json()["disputes"]
    assert (listed["dispute_id"], listed["due_on"], listed["overdue"]) == (case, "2027-01-11", False)
    assert (await api.get("other", "/v1/disputes?area=03")).json() == {"disputes": [], "next": None}
    verdict = {"outcome": "accepted", "reasons": "Raportti korjataan.", "remedy": "report"}
    foreign = await api.post("elsewhere", f"/v1/disputes/{case}/decision", verdict)
    assert foreign.status_code == 404, "rows of another area are invisible"
    assert (await api.post("organiser", f"/v1/disputes/{case}/decision", verdict)).json()["owner"] == "monitoring"
    shown = (await api.get("producer", f"/v1/disputes/{case}")).json()
    assert (shown["status"], shown["decided_by"], len(shown["contested"])) == ("accepted", "organiser-1", 1)
    statement = (await api.get("producer", f"/v1/statements/{named}")).json()
    assert [one["status"] for one in statement["disputes"]] == ["accepted"]
    assert (statement["status"], statement["left_cents"], statement["contest_until"]) == ("drawn", 31_40, "2027-01-04")


async def test_a_broken_decision_is_refused_by_its_rule(api: Api, pool: Pool) -> None:
    named = await statement_id(pool)
    fee = next(line for line in await first_lines(api, named) if line["component"] == "fee")
    body = {"lines": [contested(fee)], "reason": "Käynti on laskutettu väärin."}
    case = (await api.post("producer", f"/v1/statements/{named}/disputes", body)).json()["dispute_id"]
    reasons = {"reasons": "Perustelut on annettu."}
    for broken in (
        {"outcome": "accepted"},
        {"outcome": "rejected", "remedy": "report"},
        {"outcome": "accepted", "remedy": "payments"},
        {"outcome": "accepted", "remedy": "report", "holds": [contested(fee) | {"holds_cents": 1}]},
        {"outcome": "accepted", "remedy": "payments", "holds": [contested(fee) | {"holds_cents": 10**15}]},
        {"outcome": "accepted", "remedy": "payments", "holds": [contested(fee) | {"holds_cents": n} for n in (1, 2)]},
    ):
        assert (await api.post("organiser", f"/v1/disputes/{case}/decision", reasons | broken)).status_code == 422
    good = {"outcome": "accepted", "remedy": "payments", "holds": [contested(fee) | {"holds_cents": 50_00}]}
    assert (await api.post("organiser", f"/v1/disputes/{case}/decision", reasons | good)).json()["adjusted_lines"] == 1


async def test_cases_come_in_pages(api: Api, pool: Pool) -> None:
    named = await statement_id(pool)
    for line in await first_lines(api, named):
        body = {"lines": [contested(line)], "reason": "Rivi on laskettu väärin."}
        assert (await api.post("producer", f"/v1/statements/{named}/disputes", body)).status_code == 201
    seen, place = [], ""
    for _ in range(4):
        page = (await api.get("operator", f"/v1/disputes?area=03&limit=1{place}")).json()
        seen += [one["dispute_id"] for one in page["disputes"]]
        place = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 3


async def test_a_final_statement_of_a_producer_that_stays_is_refused_with_the_reason(api: Api) -> None:
    body = {"area": "03", "ground": "left", "reasons": "Tuottaja lopettaa toimintansa."}
    answer = await api.post("operator", f"/v1/producers/{told.PRIVATE}/final-statement", body)
    assert (answer.status_code, answer.json()["reason"]) == (409, "producer_stays")
    unknown = await api.post("operator", "/v1/producers/nobody/final-statement", body)
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/unknown-producer")


async def test_reports_are_for_those_whom_they_concern_and_of_some_months(api: Api) -> None:
    sums = (await api.get("municipality", f"/v1/reports/municipalities/049?{MONTHS}")).json()["sums"]
    assert {one["component"]: one["amount_cents"] for one in sums}["fee"] == 45_00
    assert (await api.get("municipality", f"/v1/reports/municipalities/091?{MONTHS}")).status_code == 403
    assert (await api.get("elsewhere", f"/v1/reports/municipalities/049?{MONTHS}")).status_code == 403
    assert (await api.get("producer", f"/v1/reports/producers/{told.OWN}?{MONTHS}")).status_code == 403
    assert (await api.get("elsewhere", f"/v1/reports/producers/{told.PRIVATE}?{MONTHS}")).status_code == 403
    page = (await api.get("organiser", f"/v1/reports/producers/{told.PRIVATE}?{MONTHS}&limit=2")).json()
    rest = (await api.get("organiser", f"/v1/reports/producers/{told.PRIVATE}?{MONTHS}&after={page['next']}")).json()
    assert [len(one["sums"]) for one in (page, rest)] == [2, 1]
    for months in ("since=2026-11&until=2026-10", "since=2024-01&until=2026-01"):
        answer = await api.get("operator", f"/v1/reports/areas/03?{months}")
        assert (answer.status_code, answer.json()["rule"]) == (422, "report_months")


async def test_a_producer_sees_its_own_receivables(api: Api) -> None:
    assert (await api.get("producer", "/v1/receivables?area=03")).json() == {"receivables": [], "next": None}
    assert (await api.get("other", f"/v1/receivables?area=03&producer_id={told.PRIVATE}")).status_code == 403
    assert (await api.get("elsewhere", "/v1/receivables?area=03")).status_code == 403


async def test_the_list_of_statements_leads_on_to_its_next_page(api: Api) -> None:
    seen, path = [], "/v1/statements?area=03&limit=1"
    while path:
        answer = await api.get("operator", path)
        seen += [one["producer_id"] for one in answer.json()]
        path = answer.links.get("next", {}).get("url", "")
    assert sorted(seen) == sorted((told.PRIVATE, told.OWN))
    assert [one["bank_status"] for one in (await api.get("producer", "/v1/statements?area=03")).json()] == [None]
