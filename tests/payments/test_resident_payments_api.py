"""Payments to residents over HTTP: whose account it is, four eyes, and an account that is found nowhere."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from kanava.common.auth import Caller, Role
from kanava.common.db import Pool, transaction
from kanava.common.seal import Seal, SealBroken, sealing_key
from kanava.payments.main import create_app
from kanava.payments.settings import PaymentsSettings
from kanava.payments.views import resident_payments as views
from tests.payments import bank, story
from tests.payments import resident_story as steps
from tests.payments.bank import Part, credit
from tests.payments.test_statement_api import Stopped
from tests.support import facts as told
from tests.support.databases import ServiceDatabase
from tests.support.dumps import dumped, holds
from tests.support.facts import at, resident_id

PLANTED = "DE89370400440532013000"
"""The example of the registry of IBANs; no test of payments has another German account."""
NAME = "Tunnistettavainen Erityisnimi"
OWN = str(resident_id(1))
PEOPLE = {
    "resident": Caller(OWN, Role.RESIDENT, resident=resident_id(1)),
    "neighbour": Caller("neighbour", Role.RESIDENT, resident=resident_id(2)),
    "adviser": Caller("neuvoja-1", Role.ADVISER, area="03"),
    "olli": Caller("olli", Role.OPERATOR),
    "anna": Caller("anna", Role.OPERATOR, token_id="1"),
    "anna with another token": Caller("anna", Role.OPERATOR, token_id="2"),
    "bertta": Caller("bertta", Role.OPERATOR),
}


@dataclass(frozen=True)
class Names:
    """Verifies a token that is a name."""

    async def verify(self, token: str) -> Caller:
        """The person of this name."""
        return PEOPLE[token]


@dataclass
class Doors:
    """Payments over HTTP; `told` is what was answered to others than the owner, and to its good commands."""

    client: httpx.AsyncClient
    told: list[str]

    async def call(self, who: str, method: str, path: str, body: Any = None, **named: Any) -> httpx.Response:
        """Call as somebody, with a fresh key."""
        headers = {"authorization": f"Bearer {who}", "idempotency-key": str(uuid4())}
        answer = await self.client.request(method, path, json=body, headers=headers, **named)
        to_its_owner = who == "resident" and (method == "GET" or answer.status_code == 422)
        if not (path.endswith("pain.001") or to_its_owner):
            self.told.append(answer.text)
        return answer


@pytest.fixture
async def doors(pool: Pool) -> AsyncIterator[Doors]:
    """The service on its database, without bus."""
    app = create_app(PaymentsSettings())
    app.state.pool, app.state.clock, app.state.verifier = pool, Stopped(), Names()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://kanava") as client:
        yield Doors(client, [])


def account(iban: str = PLANTED, **fields: str) -> dict[str, str]:
    """A body that gives an account."""
    return {"iban": iban, "payee": NAME} | fields


async def test_a_resident_gives_its_own_account_and_sees_who_gave_it(doors: Doors) -> None:
    path = f"/v1/residents/{OWN}/account"
    assert (await doors.call("resident", "GET", path)).status_code == 404
    first = await doors.call("resident", "PUT", path, account("DE89 3704 0044 0532 0130 00"))
    again = await doors.call("resident", "PUT", path, account())
    assert (first.status_code, again.json()) == (200, first.json()), "given again it is the same account"
    shown = (await doors.call("resident", "GET", path)).json()
    assert (shown["iban"], shown["payee"], shown["account_number"], shown["given_by"]) == (PLANTED, NAME, 1, "resident")
    for who, body, expected in (
        ("neighbour", account(), (403, "own_resident")),
        ("olli", account(), (403, "role")),
        ("adviser", account(), (422, "missing")),
        ("resident", account(PLANTED[:-1] + "1"), (422, "value_error")),
        ("resident", account(payee=""), (422, "string_too_short")),
    ):
        refused = await doors.call(who, "PUT", path, body)
        assert (refused.status_code, refused.json()["rule"]) == expected
    assert (await doors.call("neighbour", "GET", path)).status_code == 403
    by_adviser = await doors.call("adviser", "PUT", path, account(steps.IBANS[0], mandate="Valtuutus 1.12."))
    assert by_adviser.json()["account_number"] == 2
    shown = (await doors.call("resident", "GET", path)).json()
    assert (shown["given_by"], shown["mandate"]) == ("adviser", "Valtuutus 1.12.")


async def drawn(doors: Doors, pool: Pool) -> str:
    """A batch with 40.00 for the planted account."""
    await story.fund(pool, 1_000_00, at(11, 1))
    await steps.decide(pool, 1, 40_00)
    await doors.call("resident", "PUT", f"/v1/residents/{OWN}/account", account())
    batch = await doors.call("olli", "POST", "/v1/resident-batches", {"area": told.AREA, "month": "2026-11"})
    assert batch.status_code == 201, batch.text
    return f"/v1/resident-batches/{batch.json()['batch_id']}"


async def test_one_approves_and_another_person_releases_not_another_token(doors: Doors, pool: Pool) -> None:
    path = await drawn(doors, pool)
    approved = await doors.call("anna", "POST", f"{path}/approval")
    assert (approved.status_code, approved.json()["payments"]) == (201, 1)
    own = (await doors.call("anna with another token", "POST", f"{path}/release")).json()
    assert (own["payments"], [held["reason"] for held in own["held"]]) == (0, ["approved_by_the_same"])
    released = (await doors.call("bertta", "POST", f"{path}/release")).json()
    assert (released["payments"], released["amount_cents"]) == (1, 40_00)
    shown = (await doors.call("olli", "GET", path)).json()
    assert shown["month"] == "2026-11"
    assert [(one["state"], one["account_now"], one["account_given_by"]) for one in shown["items"]] == [
        ("released", 1, "resident")
    ]
    listed = (await doors.call("olli", "GET", f"/v1/accounts/{told.AREA}/resident-batches")).json()
    assert listed[0]["states"] == {"released": {"payments": 1, "amount_cents": 40_00}}
    (payment,) = (await doors.call("resident", "GET", f"/v1/residents/{OWN}/payments")).json()
    assert (payment["state"], payment["amount_cents"]) == ("released", 40_00)
    assert (await doors.call("neighbour", "GET", f"/v1/residents/{OWN}/payments")).status_code == 403


async def test_a_command_that_is_sent_twice_draws_one_batch(doors: Doors, pool: Pool) -> None:
    await drawn(doors, pool)
    await steps.decide(pool, 1, 5_00, reference="E-7")
    headers = {"authorization": "Bearer olli", "idempotency-key": "k"}
    body = {"area": told.AREA, "month": "2026-11"}
    first, again = [await doors.client.post("/v1/resident-batches", json=body, headers=headers) for _ in range(2)]
    assert (first.json()["amount_cents"], again.content) == (5_00, first.content)
    assert again.headers["idempotent-replay"] == "true"


async def test_what_is_owed_is_listed_in_pages_beside_the_books(doors: Doors, pool: Pool) -> None:
    for number in range(1, 6):
        await steps.decide(pool, number, number * 1_00, now=at(11, number))
    await steps.give(pool, 3)
    path, seen, after = f"/v1/accounts/{told.AREA}/owed-to-residents", [], None
    while True:
        asked = {"limit": "2", "without_account": "true"} | ({"after": after} if after else {})
        page = (await doors.call("olli", "GET", path, params=asked)).json()
        seen += [(row["owed_cents"], row["age_days"]) for row in page["payees"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [(1_00, 39), (2_00, 38), (4_00, 36), (5_00, 35)]
    assert (page["balance"]["owed_cents"], page["balance"]["books_cents"], page["balance"]["equal"]) == (
        15_00,
        15_00,
        True,
    )


async def test_a_planted_account_is_found_nowhere(
    doors: Doors,
    pool: Pool,
    database: ServiceDatabase,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Given, given wrongly, paid, returned by the bank with its account: then every table and line is searched."""
    caplog.set_level(logging.DEBUG)
    payout = await paid_and_returned(doors, pool)
    out, err = capfd.readouterr()
    places = {"dump": dumped(database), "log": caplog.text, "output": out + err, "answers": "\n".join(doors.told)}
    planted = (PLANTED, PLANTED[:-1], "Tunnistettavainen", "Erityisnimi", "salainen valtuutus")
    assert [(name, word) for name, text in places.items() for word in planted if holds(text, word)] == []
    assert all(holds(places[name], OWN) for name in ("dump", "answers")), "the search finds what is there"
    async with transaction(pool) as tx:
        row = (await views.accounts(tx, [resident_id(1)]))[resident_id(1)]
    assert PLANTED.encode() in steps.SEAL.open(resident_id(1), bytes(row["sealed"]))
    file = await doors.call("bertta", "GET", f"/v1/resident-payouts/{payout}/pain.001")
    assert (PLANTED in file.text, file.headers["cache-control"]) == (True, "no-store")
    with pytest.raises(SealBroken):
        steps.SEAL.open(resident_id(2), bytes(row["sealed"]))


async def paid_and_returned(doors: Doors, pool: Pool) -> str:
    """Everything that happens to an account; the payout."""
    path = await drawn(doors, pool)
    for body in (account(PLANTED[:-1] + "1"), account() | {PLANTED: NAME}, [PLANTED], {"iban": [PLANTED]}):
        assert (await doors.call("resident", "PUT", f"/v1/residents/{OWN}/account", body)).status_code == 422
    await doors.call("adviser", "PUT", f"/v1/residents/{OWN}/account", account(mandate="salainen valtuutus"))
    await doors.call("anna", "POST", f"{path}/approval")
    first = (await doors.call("bertta", "POST", f"{path}/release")).json()
    confirmed = {"account_number": 2, "reason": "Soitettu asukkaalle"}
    item = f"/v1/resident-payments/{first['held'][0]['item_id']}/account"
    assert (await doors.call("anna", "POST", item, confirmed)).status_code == 200
    released = (await doors.call("bertta", "POST", f"{path}/release")).json()
    assert released["payments"] == 1, released
    (name,) = await steps.open_payments(pool)
    back = bank.notification("M1", credit("B1", Part(name, 39_00, returned="AC04", sender=PLANTED)))
    headers = {"authorization": "Bearer olli", "idempotency-key": "m1", "content-type": "application/xml"}
    taken = await doors.client.post("/v1/bank/messages", content=back, headers=headers)
    assert (taken.status_code, taken.json()["unmatched"]) == (200, 1)
    doors.told.append((await doors.call("olli", "GET", path)).text)
    return str(UUID(released["payout_id"]))


def test_a_key_is_whole_and_not_shown() -> None:
    assert "key=" not in repr(steps.SEAL).replace("key_id=", "")
    assert "payee_key=" not in repr(PaymentsSettings())
    with pytest.raises(ValueError, match="32 bytes"):
        sealing_key("c2hvcnQ=")
    sealed = steps.SEAL.seal(resident_id(1), b"account")
    with pytest.raises(SealBroken):
        Seal(bytes(32), "2").open(resident_id(1), sealed)
