"""The world of the registry's tests: Länsi-Uusimaa (03) and Espoo (049) in October 2026, its people and inputs."""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter

from kanava.common import ids
from kanava.common.auth import Caller, Role
from kanava.common.contracts import BY_NAME, Fact
from kanava.common.db import Pool, Tx, rows, transaction
from kanava.registry import commands
from kanava.registry.domain.producers import checklist_on
from kanava.registry.service import documents, packages, producers, schemes, units

NOW = datetime(2026, 10, 15, 9, tzinfo=UTC)
TODAY = date(2026, 10, 15)
THIS_MONTH = date(2026, 10, 1)
IBAN = "FI2112345600000785"
CLINIC, ENTERPRISE, OTHER = "1234567-1", "3221340-6", "2844969-4"
CLINIC_ID, ENTERPRISE_ID, OTHER_ID = (ids.organisation_oid(one) for one in (CLINIC, ENTERPRISE, OTHER))
RULE_BOOK, MODEL, DESCRIPTION = "03:rule_book:1", "03:compensation_model:1", "03:service_description:1"

ORGANISER = Caller("olga", Role.ORGANISER, area="03")
FOREIGN_ORGANISER = Caller("otto", Role.ORGANISER, area="04")
PRODUCER = Caller("petra", Role.PRODUCER, producers=frozenset({CLINIC_ID}))
OTHER_PRODUCER = Caller("pauli", Role.PRODUCER, producers=frozenset({OTHER_ID}))
LIIKELAITOS = Caller("liisa", Role.PRODUCER, producers=frozenset({ENTERPRISE_ID}))
ESPOO = Caller("eero", Role.MUNICIPALITY, municipality="049")
VANTAA = Caller("vilma", Role.MUNICIPALITY, municipality="092")
OPERATOR = Caller("kela", Role.OPERATOR)
AUTHORITY = Caller("thl", Role.AUTHORITY)

Answer = TypeVar("Answer")


def rule_book(**changes: Any) -> commands.PublishDocument:
    terms = {"months_between_choices": 12, "days_to_effect": 21}
    return commands.PublishDocument.model_validate(document("rule_book", rule_book=terms) | changes)


def compensation_model(**changes: Any) -> commands.PublishDocument:
    return commands.PublishDocument.model_validate(
        document("compensation_model", compensation=compensation()) | changes
    )


def service_description() -> commands.PublishDocument:
    return commands.PublishDocument.model_validate(document("service_description", text="Mitä sote-keskus tekee."))


def document(kind: str, **content: Any) -> dict[str, Any]:
    return {"area": "03", "kind": kind, "valid_from": "2026-10-01", "title": "Asiakirja", **content}


def compensation(**changes: Any) -> dict[str, Any]:
    bands = [
        {"sex": sex, "age_from": age_from, "age_to": age_to, "annual_cents": cents}
        for sex in ("male", "female")
        for age_from, age_to, cents in ((0, 4, 20_000), (5, 74, 10_000), (75, None, 40_000))
    ]
    bounds = {"coefficient_min_permille": 500, "coefficient_max_permille": 2000}
    terms = {"proration": "calendar_days", "bands": bands, "incentive_percent": 5, "label": "illustrative"}
    return {**terms, **bounds, **changes}


def guidance_package() -> commands.PublishPackage:
    visit = {"level": "palvelu", "name_fi": "Sosiaaliohjauskäynti", "unit": "kaynti"}
    root = {"level": "toiminta", "name_fi": "Sosiaaliohjaus", "children": [visit]}
    tree = {"id": "SOS", "name_fi": "Sosiaaliohjaus", "name_en": "Social guidance", "children": [root]}
    return commands.PublishPackage(valid_from=THIS_MONTH, source="Kanava's own package", package=tree)


def application(business_id: str = CLINIC, **changes: Any) -> commands.ApplyAsProducer:
    said = {"business_id": business_id, "name": "Lääkäriasema", "kind": "private", "area": "03", "iban": IBAN}
    return commands.ApplyAsProducer.model_validate(said | changes)


def checklist(*, without: str | None = None) -> commands.StateChecklist:
    items = [one.item for one in checklist_on(TODAY) if one.item != without]
    stated = [{"item": item, "fulfilled": True, "statement": "Kunnossa."} for item in items]
    return commands.StateChecklist.model_validate({"items": stated})


def unit(producer_id: str = CLINIC_ID, **changes: Any) -> commands.OpenUnit:
    said = {"producer_id": producer_id, "municipality": "049", "name": "Tapiolan asema", "opens_on": TODAY}
    return commands.OpenUnit.model_validate(said | changes)


def plan(**changes: Any) -> commands.PlanScheme:
    said = {
        "area": "03",
        "municipality": "049",
        "purposes": ["use_of_market"],
        "goals": "Hoitoon viikossa.",
        "scope": "Koko Espoo.",
        "voucher_valid_months": 12,
    }
    return commands.PlanScheme.model_validate(said | changes)


def contract(producer_id: str = CLINIC_ID, **changes: Any) -> commands.SignContract:
    said = {"producer_id": producer_id, "contract_class": "basic", "starts_on": TODAY}
    return commands.SignContract.model_validate(said | {"compensation_kinds": ["capitation", "fee"]} | changes)


APPROVE = commands.DecideOnProducer(verdict="approve", reasons="Täyttää ehdot.")
ADOPT = commands.DecideOnScheme(
    verdict="approve",
    reasons="Hyväksytään.",
    rule_book=RULE_BOOK,
    compensation_model=MODEL,
    service_description=DESCRIPTION,
)


@dataclass
class Registry:
    """The service behind a database: commands in a transaction each, at an instant that a test may move."""

    pool: Pool
    now: datetime = field(default=NOW)

    @asynccontextmanager
    async def open(self) -> Any:
        async with transaction(self.pool) as tx:
            yield tx

    async def do(self, act: Callable[..., Awaitable[Answer]], *given: Any, by: Caller, **named: Any) -> Answer:
        """Run one command by a caller and commit it."""
        async with self.open() as tx:
            return await act(tx, *given, caller=by, now=self.now, **named)

    async def facts(self, topic: str, what: str | None = None) -> list[Any]:
        """The facts of a topic in the outbox, in their order, each as its readers decode it."""
        known = BY_NAME[f"kanava.registry.{topic}.v1"]
        async with self.open() as tx:
            said = await rows(tx, "SELECT type, key, body FROM outbox WHERE topic = %s ORDER BY id", (known.name,))
        decoded: list[Fact] = []
        for row in said:
            fact: Fact = TypeAdapter(known.model).validate_json(row["body"])
            assert row["type"] == known.type_of(fact.what)
            assert row["key"] == str(getattr(fact, known.key))
            decoded.append(fact)
        return [fact for fact in decoded if what in (None, fact.what)]

    async def read(self, view: Callable[..., Awaitable[Answer]], *given: Any, **named: Any) -> Answer:
        """Read something in a transaction of its own."""
        async with self.open() as tx:
            return await view(tx, *given, **named)

    async def publish_documents(self) -> None:
        for command in (rule_book(), compensation_model(), service_description()):
            await self.do(documents.publish_document, command, by=ORGANISER)

    async def publish_guidance(self) -> None:
        await self.do(packages.publish_package, guidance_package(), by=ORGANISER)

    async def apply(self, by: Caller = PRODUCER, business_id: str = CLINIC, **changes: Any) -> str:
        applied = await self.do(producers.apply_as_producer, application(business_id, **changes), by=by)
        return applied.producer_id

    async def approve(self, by: Caller = PRODUCER, business_id: str = CLINIC, **changes: Any) -> str:
        """Take a producer all the way to its approval."""
        producer_id = await self.apply(by, business_id, **changes)
        await self.do(producers.state_checklist, producer_id, checklist(), by=by)
        accept = commands.AcceptRuleBook(document_id=RULE_BOOK)
        await self.do(producers.accept_rule_book, producer_id, accept, by=by)
        await self.do(producers.decide_on_producer, producer_id, APPROVE, by=ORGANISER)
        return producer_id

    async def open_unit(self, by: Caller = PRODUCER, **changes: Any) -> str:
        opened = await self.do(units.open_unit, unit(**changes), by=by)
        return opened.unit_id

    async def enter(self, phase: int) -> Any:
        return await self.do(schemes.enter_phase, "03:049", commands.EnterPhase(phase=phase), by=ORGANISER)


async def count(tx: Tx, table: str) -> int:
    """How many rows a table has."""
    (row,) = await rows(tx, f"SELECT count(*) AS n FROM {table}")
    return int(row["n"])
