"""One small area per service, made through its own doors: the objects that the table of access is tried on.

Everything belongs to Länsi-Uusimaa (03), Espoo (049), one producer and one resident.
"""

import importlib
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
from fastapi import FastAPI

from kanava.common.auth import Role
from kanava.common.contracts import TOPIC_OF, Fact
from kanava.common.contracts.registry import RuleBookTerms
from kanava.common.db import Pool, transaction
from kanava.payments.service.performance import DecidePerformance, decide_performance
from kanava.registry.domain.producers import checklist_on
from tests.contracts.access import CONTESTED, PACKAGE, WHY, document, snapshot
from tests.monitoring import world as monitoring_world
from tests.payments import bank, refund_story, resident_story, story
from tests.support import facts as told

IBAN = "FI2112345600000785"
HETU = "170584-901R"
HETU_OF_THE_NEXT = "171184-9239"

Call = Callable[..., Awaitable[httpx.Response]]


@dataclass(frozen=True)
class Made:
    """A service as the test calls it: its app, and a way to call it as an own caller of a role."""

    app: FastAPI
    call: Call

    async def do(self, role: Role, method: str, path: str, body: Any = None, **named: Any) -> dict[str, Any]:
        """Call as an own caller; the answer, which must be a success."""
        answer = await self.call(role, method, path, body, **named)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    async def hear(self, *heard: Fact) -> None:
        """Take facts over as the consumers would, each topic on its own."""
        for fact in heard:
            apply = subscriptions_of(self.app)[TOPIC_OF[type(fact)].name]
            async with transaction(self.app.state.pool) as tx:
                await apply(tx, [fact])


def subscriptions_of(app: FastAPI) -> Mapping[str, Any]:
    """What a service hears: a constant, or made from the vault and the clock of the app."""
    module = importlib.import_module(f"kanava.{app.state.settings.service}.consumers")
    with suppress(AttributeError):
        constant: Mapping[str, Any] = module.SUBSCRIPTIONS
        return constant
    made: Mapping[str, Any] = module.subscriptions(app.state.vault, app.state.clock)
    return made


BUSINESS_ID, PRODUCER_ID = "1234567-1", "1.2.246.10.12345671.10.0"


async def registry(made: Made) -> dict[str, str]:
    """Documents, a package with a price, two approved producers with a unit each, a scheme in roll-out."""
    documents = {kind: (await made.do(Role.ORGANISER, "POST", "/v1/documents", body)) for kind, body in _documents()}
    package = await made.do(
        Role.ORGANISER,
        "POST",
        "/v1/packages",
        {"valid_from": "2026-11-01", "source": "Kanava's own package", "package": PACKAGE},
    )
    scheme = await made.do(Role.ORGANISER, "POST", "/v1/schemes", _plan())
    scheme_path = f"/v1/schemes/{scheme['scheme_id']}"
    await made.do(Role.ORGANISER, "POST", f"{scheme_path}/phase", {"phase": 2})
    producer = await _approved(made, BUSINESS_ID, "private", documents["rule_book"]["document_id"])
    enterprise = await _approved(made, "7654321-2", "own_enterprise", documents["rule_book"]["document_id"])
    comment = {"producer_id": producer, "text": "Hinta?"}
    await made.do(Role.PRODUCER, "POST", f"{scheme_path}/comments", comment)
    world = {
        "document_id": documents["service_description"]["document_id"],
        "rule_book": documents["rule_book"]["document_id"],
        "package_id": package["package_id"],
        "node": next(node["code"] for node in package["nodes"] if node["level"] == 2),
        "scheme_id": scheme["scheme_id"],
        "number": "1",
        "business_id": BUSINESS_ID,
        "producer_id": producer,
        "enterprise_id": enterprise,
        "iban": IBAN,
    }
    for name, owner in (("unit_id", producer), ("enterprise_unit_id", enterprise)):
        body = {"producer_id": owner, "municipality": "049", "name": "Asema", "opens_on": "2026-11-20"}
        world[name] = (await made.do(Role.PRODUCER, "POST", "/v1/units", body))["unit_id"]
    contract = {"contract_class": "basic", "compensation_kinds": ["fee"], "starts_on": "2026-11-20"}
    signed = await made.do(Role.ORGANISER, "POST", "/v1/contracts", contract | {"producer_id": producer})
    world["contract_id"] = signed["contract_id"]
    return world | await _steered(made, producer, world["node"])


async def _steered(made: Made, producer: str, node: str) -> dict[str, str]:
    """An annual order and a notice, the first step of the ladder."""
    price = {"area": "03", "node": node, "unit_of_measure": "kaynti", "valid_from": "2026-11-01", "price_cents": 4_500}
    await made.do(Role.ORGANISER, "POST", "/v1/prices", price)
    line = {"node": node, "unit_of_measure": "kaynti", "quantity": 10}
    order = {"area": "03", "year": 2027, "valid_from": "2027-01-01", "producer_id": producer, "lines": [line]}
    notice = {"producer_id": producer, "step": 1, "reason": "Viive.", "effective_on": "2026-11-20"}
    return {
        "order_id": (await made.do(Role.ORGANISER, "POST", "/v1/orders", order))["order_id"],
        "sanction_id": (await made.do(Role.ORGANISER, "POST", "/v1/sanctions", notice))["sanction_id"],
    }


def _documents() -> list[tuple[str, dict[str, Any]]]:
    bounds = {"coefficient_min_permille": 500, "coefficient_max_permille": 2000}
    bands = [{"sex": sex, "age_from": 0, "annual_cents": 12_700} for sex in ("male", "female")]
    compensation = {"proration": "calendar_days", "bands": bands, "incentive_percent": 5, "label": "illustrative"}
    plain = {"area": "03", "valid_from": "2026-11-01", "title": "Asiakirja"}
    terms = {"months_between_choices": 12, "days_to_effect": 21}
    return [
        ("rule_book", plain | {"kind": "rule_book", "rule_book": terms}),
        ("compensation_model", plain | {"kind": "compensation_model", "compensation": compensation | bounds}),
        ("service_description", document()),
    ]


def _plan() -> dict[str, Any]:
    why = {"purposes": ["use_of_market"], "goals": "Hoitoon viikossa.", "scope": "Koko Espoo."}
    return {"area": "03", "municipality": "049", "voucher_valid_months": 12} | why


async def _approved(made: Made, business_id: str, kind: str, rule_book: str) -> str:
    """A producer from its application to its approval."""
    body = {"business_id": business_id, "name": "Esimerkki Oy", "kind": kind, "area": "03", "iban": IBAN}
    applied = await made.do(Role.PRODUCER, "POST", "/v1/producers", body)
    path = f"/v1/producers/{applied['producer_id']}"
    items = [one.item for one in checklist_on(date(2026, 11, 20))]
    stated = [{"item": item, "fulfilled": True, "statement": "Kunnossa."} for item in items]
    await made.do(Role.PRODUCER, "PUT", f"{path}/checklist", {"items": stated})
    await made.do(Role.PRODUCER, "POST", f"{path}/acceptances", {"document_id": rule_book})
    await made.do(Role.ORGANISER, "POST", f"{path}/decision", {"verdict": "approve", "reasons": "Täyttää ehdot."})
    return str(applied["producer_id"])


def registration(hetu: str) -> str:
    """A line of the registration feed."""
    who = {"hetu": hetu, "given_names": "Aino", "family_name": "Esimerkki", "street_address": "Esimerkkitie 1"}
    where = {"postal_code": "02100", "municipality": "049", "protected": False}
    return json.dumps(who | where | {"fact": "registered", "effective_on": "2026-10-01"}) + "\n"


async def listing(made: Made) -> dict[str, str]:
    """The scheme in production, an own and a private unit, and one resident listed by default."""
    terms = RuleBookTerms(months_between_choices=12, days_to_effect=21)
    changed = {"document_id": "03:rule_book:1", "kind": "rule_book", "compensation": None, "rule_book": terms}
    rule_book = told.document().model_copy(update=changed)
    await made.hear(told.document(), rule_book, told.scheme())
    await made.hear(*(told.producer(private=private) for private in (True, False)))
    await made.hear(*(told.unit(private=private) for private in (True, False)))
    content = registration(HETU).encode()
    feed = {"content": content, "content_type": "application/x-ndjson", "query": {"sequence": "1"}}
    await made.do(Role.OPERATOR, "POST", "/v1/registrations", **feed)
    wanted = {"hetus": [HETU], "reason": "Neuvonta"}
    found = await made.do(Role.OPERATOR, "POST", "/v1/residents/lookup", wanted)
    voucher = {"kind": "sote_centre", "starts_on": "2026-11-20", "until": "2027-11-20", "reasons": "Valinnanvapaus."}
    granted = await made.do(Role.ORGANISER, "POST", f"/v1/residents/{_first_id(found)}/vouchers", voucher)
    return {
        "voucher_id": granted["voucher_id"],
        "hetu": HETU,
        "registration": registration(HETU_OF_THE_NEXT),
        "resident_id": _first_id(found),
        "unit_id": told.PRIVATE_UNIT,
        "producer_id": told.PRIVATE,
    }


def _first_id(found: Any) -> str:
    """The first UUID in the answer of a lookup, however it is laid out."""
    if isinstance(found, str) and len(found) == 36 and found.count("-") == 4:
        return found
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else []
    return next((one for value in inner if (one := _first_id(value))), "")


async def payments(made: Made) -> dict[str, str]:
    """An area whose September is closed and paid and whose October is closed, with a resident at each producer."""
    pool = made.app.state.pool
    await story.open_area(pool)
    for number, private in ((1, True), (2, False)):
        await made.hear(told.resident(number), told.listed(number, told.span(date(2026, 9, 1), private=private)))
    await story.fund(pool, 10_000_00, told.at(10, 1))
    await story.close(pool, date(2026, 9, 1), told.at(10, 2))
    paid = await story.pay(pool, date(2026, 9, 1), told.at(10, 5))
    run = await story.close(pool, date(2026, 10, 1), told.at(11, 2))
    statements: Any = await made.do(Role.OPERATOR, "GET", "/v1/statements", query={"area": "03", "month": "2026-10"})
    own = next(one for one in statements if one["producer_id"] == told.PRIVATE)
    unknown = bank.notification("M1", bank.credit("B1", bank.Part(None, 5_00)))
    await made.do(*(Role.OPERATOR, "POST", "/v1/bank/messages"), content=unknown, content_type="application/xml")
    waiting: Any = await made.do(Role.OPERATOR, "GET", "/v1/suspense")
    contested = await made.do(
        Role.PRODUCER,
        "POST",
        f"/v1/statements/{own['statement_id']}/disputes",
        {"lines": [CONTESTED | {"resident_id": str(told.resident_id(1))}], "reason": WHY},
    )
    paid_too = await _refunded(pool) | await _to_a_resident(pool) | await _performed(pool)
    return paid_too | {
        "dispute_id": str(contested["dispute_id"]),
        "municipality": told.MUNICIPALITY,
        "node": "SOS.1.1",
        "area": "03",
        "run_id": str(run["run_id"]),
        "statement_id": str(own["statement_id"]),
        "payout_id": str(paid.payout_id),
        "item_id": str(waiting[0]["item_id"]),
        "iban": IBAN,
        "producer_id": told.PRIVATE,
        "producer_name": told.producer(private=True).name,
        "resident_id": str(told.resident_id(1)),
    }


async def _performed(pool: Pool) -> dict[str, str]:
    """A performance line for the first resident, by Aino of the area."""
    line = DecidePerformance(
        *(told.AREA, told.resident_id(1), told.PRIVATE_UNIT, date(2026, 11, 3), 50_00, "Tarve kasvoi.", "aino")
    )
    async with transaction(pool) as tx:
        decided = await decide_performance(tx, line, told.at(11, 4))
    return {"performance_id": str(decided.performance_id)}


async def _refunded(pool: Pool) -> dict[str, str]:
    """Espoo's refund of 2022 to 2025, given to the bank, and a measure that is not yet done."""
    await refund_story.four_years(pool)
    proposed = await refund_story.propose(pool)
    await refund_story.decide(pool, proposed.refund_id)
    await refund_story.pay(pool, proposed.refund_id)
    measure_id = await refund_story.do_measure(pool, "Terveyskioski", 10, None)
    return {"refund_id": str(proposed.refund_id), "measure_id": str(measure_id)}


async def _to_a_resident(pool: Pool) -> dict[str, str]:
    """A benefit that is drawn, approved and given to the bank, to the account that its resident gave."""
    await resident_story.decide(pool, 1, 40_00)
    await resident_story.give(pool, 1)
    paid = await resident_story.pay(pool)
    item = (await resident_story.items(pool, paid.batch_id))[told.resident_id(1)]
    return {
        "batch_id": str(paid.batch_id),
        "resident_item_id": str(item["item_id"]),
        "resident_payout_id": str(paid.payout_id),
    }


async def monitoring(made: Made) -> dict[str, str]:
    """Two producers with units and residents; a file, a frozen indicator and an annual order of one of them."""
    async with transaction(made.app.state.pool) as tx:
        await monitoring_world.settle(tx)
    world = {"producer_id": monitoring_world.PRIVATE, "report": json.dumps(monitoring_world.report("r-2")) + "\n"}
    content = (json.dumps(monitoring_world.report("r-1")) + "\n").encode()
    sent = {"content": content, "content_type": "application/x-ndjson", "query": {"producer_id": world["producer_id"]}}
    receipt = await made.do(Role.PRODUCER, "POST", "/v1/production/files", **sent)
    frozen = await made.do(Role.AUTHORITY, "POST", "/v1/snapshots", snapshot(monitoring_world.PRIVATE))
    await made.hear(order := monitoring_world.annual_order())
    return world | {
        "file_id": str(receipt["file_id"]),
        "snapshot_id": str(frozen["snapshot_id"]),
        "order_id": order.order_id,
    }


WORLDS: dict[str, Callable[[Made], Awaitable[dict[str, str]]]] = {
    "registry": registry,
    "listing": listing,
    "payments": payments,
    "monitoring": monitoring,
}
OWN_PRODUCERS = frozenset(
    {PRODUCER_ID, "1.2.246.10.76543212.10.0", told.PRIVATE, told.OWN, monitoring_world.PRIVATE, monitoring_world.OWN}
)
"""The producers that an own caller of the role producer acts for, in whichever service."""
