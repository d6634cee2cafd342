"""Contracts in three classes (perus, yhteistyö, kumppanuus) and the compensation that each class allows.

Source: the model for steering producers, line 214. Capitation belongs to direct choice and the sote-centre
voucher rather than to a class, so every class allows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from kanava.common.contracts.registry import CompensationKind, ContractClass

from .violations import Violation


@dataclass(frozen=True)
class ClassTerms:
    """What a class allows from a day on: kinds of compensation, follow-up body and level of decision."""

    contract_class: ContractClass
    valid_from: date
    kinds: frozenset[CompensationKind]
    follow_up_body_fi: str
    decided_by_fi: str


CLASSES: tuple[ClassTerms, ...] = (
    ClassTerms(
        "basic",
        date(2018, 12, 10),
        frozenset({"capitation", "fee", "incentive"}),
        "palvelukohtainen tuottajien yhteinen seurantaryhmä",
        "palvelupäällikkö",
    ),
    ClassTerms(
        "cooperation",
        date(2018, 12, 10),
        frozenset({"capitation", "base_payment", "incentive"}),
        "seurantaryhmä",
        "johtajataso",
    ),
    ClassTerms(
        "partnership",
        date(2018, 12, 10),
        frozenset({"capitation", "incentive", "effectiveness"}),
        "ohjausryhmä ja seurantaryhmä",
        "ohjausryhmä",
    ),
)
"""The classes as a dated table; 10.12.2018 is the day of the source."""


def class_terms(contract_class: ContractClass, day: date) -> ClassTerms | None:
    """The terms of a class on a day; None before its first row."""
    dated = (row for row in CLASSES if row.contract_class == contract_class and row.valid_from <= day)
    return max(dated, key=lambda row: row.valid_from, default=None)


def broken_by_kinds(
    contract_class: ContractClass, kinds: Sequence[CompensationKind], starts_on: date
) -> list[Violation]:
    """Kinds of compensation that the class does not allow on the first day, or that stand twice."""
    terms = class_terms(contract_class, starts_on)
    if terms is None:
        return [Violation("/starts_on", "class_known", f"the class {contract_class} has no terms on that day")]
    broken = []
    for place, kind in enumerate(kinds):
        if kind not in terms.kinds:
            detail = f"a {contract_class} contract allows: {', '.join(sorted(terms.kinds))}"
            broken.append(Violation(f"/compensation_kinds/{place}", "kind_of_class", detail))
        elif kind in kinds[:place]:
            broken.append(Violation(f"/compensation_kinds/{place}", "kind_once", "a kind stands once"))
    return broken


def broken_by_span(starts_on: date, ends_on: date | None) -> list[Violation]:
    """A contract ends no earlier than it starts."""
    if ends_on is None or ends_on >= starts_on:
        return []
    return [Violation("/ends_on", "ends_after_start", "a contract ends no earlier than it starts")]


def broken_by_end(starts_on: date, agreed: date | None, ends_on: date) -> list[Violation]:
    """A contract ends no earlier than it starts, and never later than was agreed: for that another one is signed."""
    if agreed is not None and ends_on > agreed:
        return [Violation("/ends_on", "ends_sooner", f"the contract ends on {agreed.isoformat()} already")]
    return broken_by_span(starts_on, ends_on)


def broken_by_payments(
    kinds: Sequence[CompensationKind], *, has_base_payment: bool, has_effectiveness: bool
) -> list[Violation]:
    """A base payment and payments for effectiveness stand only in a contract of their kind."""
    given = {"base_payment": has_base_payment, "effectiveness": has_effectiveness}
    fields = {"base_payment": "/monthly_base_payment_cents", "effectiveness": "/effectiveness"}
    return [
        Violation(fields[kind], "payment_of_kind", f"the contract does not have the kind {kind}")
        for kind, there in given.items()
        if there and kind not in kinds
    ]
