"""The approval of a producer (tuottajan hyväksyminen): checklist, rule book, decision with reasons."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal

from kanava.common.contracts.registry import ProducerKind
from kanava.common.errors import RefusalReason

from .violations import Violation

Status = Literal["applied", "approved", "suspended", "revoked", "left"]
Verdict = Literal["approve", "reject"]
StandingVerdict = Literal["suspend", "reinstate", "leave"]


class ProducerRefusal(RefusalReason):
    """Why a producer's application is not taken or not approved."""

    APPLIED_ALREADY = "applied_already", "The producer has applied already."
    NOT_AN_APPLICANT = "not_an_applicant", "Only an application that is open can be decided."
    NO_RULE_BOOK = "no_rule_book", "The area has not published a rule book, so there is nothing to accept."
    RULE_BOOK_NOT_ACCEPTED = (
        "rule_book_not_accepted",
        "The producer has not accepted the current rule book of the area.",
    )
    NOT_THE_CURRENT_RULE_BOOK = (
        "not_the_current_rule_book",
        "A producer accepts the current rule book of its own area.",
    )
    CHECKLIST_INCOMPLETE = (
        "checklist_incomplete",
        "The producer has not stated every statutory item of the checklist.",
    )
    NOT_APPROVED = "not_approved", "The producer is not approved."
    NOT_ACTIVE = "not_active", "The producer has been revoked or has left."
    NOT_SUSPENDED = "not_suspended", "Only a suspended producer is reinstated."
    UNDER_CONTRACT = "under_contract", "A producer leaves when each of its contracts has ended."


@dataclass(frozen=True)
class ChecklistItem:
    """A statutory requirement and the days on which it is asked for; `until` None is for good."""

    item: str
    name_fi: str
    name_en: str
    basis: str
    valid_from: date
    until: date | None = None


CHECKLIST: tuple[ChecklistItem, ...] = (
    ChecklistItem(
        "prepayment_register",
        "Merkintä ennakkoperintärekisterissä",
        "Entry in the prepayment register",
        "Laki sosiaali- ja terveydenhuollon palvelusetelistä 569/2009, 5 §",
        date(2009, 8, 1),
    ),
    ChecklistItem(
        "service_level",
        "Palvelut vastaavat vähintään julkiselta edellytettyä tasoa",
        "Services meet at least the level asked of the public side",
        "Laki sosiaali- ja terveydenhuollon palvelusetelistä 569/2009, 5 §",
        date(2009, 8, 1),
    ),
    ChecklistItem(
        "licence",
        "Lupa yksityiseen terveydenhuoltoon",
        "Licence for private health care",
        "Laki yksityisestä terveydenhuollosta 152/1990",
        date(1991, 1, 1),
        until=date(2023, 12, 31),
    ),
    ChecklistItem(
        "registration",
        "Rekisteröinti palveluntuottajaksi (Soteri)",
        "Registration as a service producer (Soteri)",
        "Laki sosiaali- ja terveydenhuollon valvonnasta 741/2023",
        date(2024, 1, 1),
    ),
    ChecklistItem(
        "responsible_person",
        "Vastuuhenkilö",
        "Responsible person",
        "Laki sosiaali- ja terveydenhuollon valvonnasta 741/2023",
        date(2024, 1, 1),
    ),
    ChecklistItem(
        "self_monitoring_programme",
        "Omavalvontaohjelma",
        "Self-monitoring programme",
        "Laki sosiaali- ja terveydenhuollon valvonnasta 741/2023",
        date(2024, 1, 1),
    ),
    ChecklistItem(
        "patient_insurance",
        "Potilasvakuutus",
        "Patient insurance",
        "Potilasvakuutuslaki 948/2019",
        date(2021, 1, 1),
    ),
    ChecklistItem(
        "client_data",
        "Asiakastietojen käsittely ja Kanta-liittyminen",
        "Processing of client data, joined to Kanta",
        "Laki sosiaali- ja terveydenhuollon asiakastietojen käsittelystä 703/2023",
        date(2024, 1, 1),
    ),
)
"""The statutory requirements as a dated table, so that a change of law is a row."""


def checklist_on(day: date) -> tuple[ChecklistItem, ...]:
    """The items that a producer must state on that day."""
    return tuple(one for one in CHECKLIST if one.valid_from <= day and (one.until is None or day <= one.until))


def missing_items(fulfilled: Collection[str], day: date) -> tuple[str, ...]:
    """The items of the day's checklist that are not stated as fulfilled, in the table's order."""
    return tuple(one.item for one in checklist_on(day) if one.item not in fulfilled)


def broken_by_items(items: Collection[str], day: date) -> list[Violation]:
    """Items that the day's checklist does not have, or that stand twice; pointers as `/items/2/item`."""
    known = {one.item for one in checklist_on(day)}
    broken, seen = [], set[str]()
    for place, item in enumerate(items):
        if item not in known:
            detail = f"an item of the checklist is one of: {', '.join(sorted(known))}"
            broken.append(Violation(f"/items/{place}/item", "known_item", detail))
        elif item in seen:
            broken.append(Violation(f"/items/{place}/item", "item_once", "an item is stated once"))
        seen.add(item)
    return broken


def broken_by_account(kind: ProducerKind, iban: str | None) -> list[Violation]:
    """Every producer is paid to an account; only the own enterprise is settled by internal posting."""
    if iban is not None or kind == "own_enterprise":
        return []
    return [Violation("/iban", "account_required", "a producer other than the own enterprise gives an account")]


@dataclass(frozen=True)
class Application:
    """What a decision on a producer looks at; `accepted` are the rule books that it has accepted."""

    status: Status
    missing: tuple[str, ...]
    current_rule_book: str | None
    accepted: frozenset[str]


def refusal_to_approve(application: Application) -> ProducerRefusal | None:
    """Why the producer cannot be approved; None when it can."""
    if application.status != "applied":
        return ProducerRefusal.NOT_AN_APPLICANT
    if application.current_rule_book is None:
        return ProducerRefusal.NO_RULE_BOOK
    if application.missing:
        return ProducerRefusal.CHECKLIST_INCOMPLETE
    if application.current_rule_book not in application.accepted:
        return ProducerRefusal.RULE_BOOK_NOT_ACCEPTED
    return None


STANDING_AFTER: dict[StandingVerdict, Status] = {"suspend": "suspended", "reinstate": "approved", "leave": "left"}
"""The standing that follows from a decision on it."""


def refusal_to_change(status: Status, verdict: StandingVerdict, *, under_contract: bool) -> ProducerRefusal | None:
    """Why a producer's standing cannot change like this; None when it can."""
    if status in ("revoked", "left"):
        return ProducerRefusal.NOT_ACTIVE
    if verdict == "reinstate":
        return None if status == "suspended" else ProducerRefusal.NOT_SUSPENDED
    if status != "approved" and (verdict, status) != ("leave", "suspended"):
        return ProducerRefusal.NOT_APPROVED
    return ProducerRefusal.UNDER_CONTRACT if verdict == "leave" and under_contract else None
