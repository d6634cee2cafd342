"""The registry's part: documents, packages, a price, producers with units, contracts, and Espoo's scheme."""

import json
from datetime import date
from importlib.resources import files
from typing import Any

from kanava.common.contracts.registry import RateBand
from kanava.local.demo.cast import AREA, COMPANIES, MUNICIPALITY, PRIVATE, SMALL, Company
from kanava.local.demo.story import Story, at
from kanava.payments.figures import rate_table

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
PRICE_NODE, PRICE_UNIT, PRICE_CENTS = "SOS.1.1", "kaynti", 45_00
CHECKLIST = (
    "prepayment_register", "service_level", "registration", "responsible_person",
    "self_monitoring_programme", "patient_insurance", "client_data",
)  # fmt: skip


async def publish_terms(story: Story) -> None:
    """Documents, packages, price, producers, units and contracts; the scheme goes as far as its roll-out."""
    await story.move_clock(at(SEPTEMBER))
    documents = await _publish_documents(story)
    await _publish_packages(story)
    scheme = await _plan_scheme(story)
    for company in COMPANIES:
        await _apply(story, company)
    await _talk(story, scheme)
    await _decide(story, scheme, documents)
    for company in COMPANIES:
        await _approve(story, company, documents["rule_book"])


async def start_production(story: Story) -> None:
    """On 1 October the scheme enters production: from now on vouchers are paid."""
    await story.move_clock(at(OCTOBER, 6))
    await _enter(story, f"{AREA}:{MUNICIPALITY}", 5)


async def _publish_documents(story: Story) -> dict[str, str]:
    """The three documents of the area; gives their ids by kind."""
    told: dict[str, dict[str, Any]] = {
        "rule_book": {"rule_book": {"months_between_choices": 12, "days_to_effect": 21}},
        "compensation_model": {"compensation": compensation()},
        "service_description": {"text": "Sote-keskuksen palvelut listautuneille asukkaille. (Demo.)"},
    }
    titles = ("Sääntökirja", "Korvausmalli (havainnollistava)", "Palvelukuvaus")
    found = {}
    for (kind, content), title in zip(told.items(), titles, strict=True):
        whole = {"area": AREA, "kind": kind, "valid_from": str(SEPTEMBER), "title": title, **content}
        made = await story.desk.post("registry", "/v1/documents", whole, who="organiser")
        found[kind] = made["document_id"]
    return found


def compensation() -> dict[str, Any]:
    """The demo's compensation model: English workload weights scaled to 127 € per resident, illustrative."""
    bands = rate_table("demo", MUNICIPALITY)
    return {
        "proration": "calendar_days",
        "bands": [_band(band, bands) for band in bands],
        "coefficient_min_permille": 500,
        "coefficient_max_permille": 2000,
        "incentive_percent": 5,
        "label": "Illustrative: English workload weights scaled to 127 € per resident and year",
    }


def _band(band: RateBand, bands: list[RateBand]) -> dict[str, Any]:
    """A band with its last age, which the next band of the same sex tells."""
    following = [
        other.age_from for other in bands if other.sex == band.sex and other.age_from > band.age_from
    ]
    return {
        "sex": band.sex,
        "age_from": band.age_from,
        "age_to": min(following) - 1 if following else None,
        "annual_cents": band.annual_cents,
    }


async def _publish_packages(story: Story) -> None:
    """The two packages of the source with all their rows, Kanava's own third one, and the price of a visit."""
    published = 0
    for name in ("packages", "sosiaaliohjaus"):
        read = json.loads((files("kanava.registry") / "data" / f"{name}.json").read_text(encoding="utf-8"))
        for package in read["packages"]:
            told = {"valid_from": str(SEPTEMBER), "source": read["source"], "package": package}
            made = await story.desk.post("registry", "/v1/packages", told, who="organiser")
            published += made["nodes_count"]
    story.found["package_nodes"] = published
    price = {"area": AREA, "node": PRICE_NODE, "unit_of_measure": PRICE_UNIT, "price_cents": PRICE_CENTS}
    await story.desk.post("registry", "/v1/prices", {**price, "valid_from": str(OCTOBER)}, who="organiser")


async def _plan_scheme(story: Story) -> str:
    told = {
        "area": AREA, "municipality": MUNICIPALITY, "purposes": ["use_of_market", "levelling_demand"],
        "goals": "Asukas valitsee sote-keskuksensa.", "scope": "Koko kunta.", "voucher_valid_months": 12,
    }  # fmt: skip
    scheme = (await story.desk.post("registry", "/v1/schemes", told, who="organiser"))["scheme_id"]
    await _enter(story, scheme, 2)
    return str(scheme)


async def _enter(story: Story, scheme: str, phase: int) -> None:
    await story.desk.post("registry", f"/v1/schemes/{scheme}/phase", {"phase": phase}, who="organiser")


async def _apply(story: Story, company: Company) -> None:
    """A producer applies, states the checklist and opens its units."""
    told = {"business_id": company.business_id, "name": company.name, "kind": company.kind, "area": AREA}
    told |= {"iban": company.iban} if company.iban else {}
    await story.desk.post("registry", "/v1/producers", told, who=company.who)
    items = [{"item": item, "fulfilled": True, "statement": "Kunnossa."} for item in CHECKLIST]
    checklist = f"/v1/producers/{company.producer_id}/checklist"
    await story.desk.send("PUT", "registry", checklist, {"items": items}, who=company.who)
    story.units[company.producer_id] = [await _open_unit(story, company, name) for name in company.unit_names]


async def _open_unit(story: Story, company: Company, name: str) -> str:
    told = {
        "producer_id": company.producer_id, "municipality": MUNICIPALITY, "name": name,
        "opens_on": str(SEPTEMBER), "languages": ["fi", "sv"],
        "capacity": story.scale.small_unit_places if company is SMALL else None,
    }  # fmt: skip
    return str((await story.desk.post("registry", "/v1/units", told, who=company.who))["unit_id"])


async def _talk(story: Story, scheme: str) -> None:
    """Producers comment, the organiser answers, and the dialogue ends."""
    for number, company in enumerate(PRIVATE, start=1):
        told = {"producer_id": company.producer_id, "text": "Miten potilastiedot siirtyvät valinnan jälkeen?"}
        await story.desk.post("registry", f"/v1/schemes/{scheme}/comments", told, who=company.who)
        answer = f"/v1/schemes/{scheme}/comments/{number}/answer"
        await story.desk.post("registry", answer, {"text": "Kannan kautta."}, who="organiser")
    await _enter(story, scheme, 3)


async def _decide(story: Story, scheme: str, documents: dict[str, str]) -> None:
    """The municipality adopts the three documents, and the scheme is rolled out."""
    told = {"verdict": "approve", "reasons": "Valinta lisää saatavuutta.", **documents}
    await story.desk.post("registry", f"/v1/schemes/{scheme}/decision", told, who="municipality")
    await _enter(story, scheme, 4)


async def _approve(story: Story, company: Company, rule_book: str) -> None:
    """A producer accepts the rule book, is approved, and signs a contract."""
    path = f"/v1/producers/{company.producer_id}"
    await story.desk.post("registry", f"{path}/acceptances", {"document_id": rule_book}, who=company.who)
    told = {"verdict": "approve", "reasons": "Ehdot täyttyvät."}
    await story.desk.post("registry", f"{path}/decision", told, who="organiser")
    contract = {
        "producer_id": company.producer_id, "contract_class": "basic",
        "compensation_kinds": ["capitation", "fee"], "starts_on": str(OCTOBER),
    }  # fmt: skip
    await story.desk.post("registry", "/v1/contracts", contract, who="organiser")
