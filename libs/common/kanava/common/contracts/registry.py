"""Facts that `registry` states: who may produce what, and on which terms."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from .base import Fact, Part

ProducerKind = Literal["own_enterprise", "public", "private", "third_sector"]
Proration = Literal["calendar_days", "operational_days", "list_on_last_day"]
UnitOfMeasure = Literal["suorite", "kaynti", "hoidettu_asiakas", "hoidettu_asiakas_tai_paikka", "hoitopaiva"]


class PackageNode(Part):
    """A node of a service package (palvelupaketti): toiminta, palvelu, tuote or alatuote.

    Choice, price basis, units and care criterion are as inherited down the tree.
    """

    code: str
    parent: str | None
    level: int
    name_fi: str
    choice: str | None = None
    price_basis: str | None = None
    units: tuple[UnitOfMeasure, ...] = ()
    care_criteria: tuple[str, ...] = ()


class Package(Fact):
    """A published version of a service package with all its nodes.

    `package_id` names the version, as in `PVO:1`, so that a compacted topic keeps every version.
    """

    aggregate: ClassVar[str] = "package"
    what: Literal["published"]
    package_id: str
    number: int
    valid_from: date
    name_fi: str
    name_en: str
    source: str
    nodes: tuple[PackageNode, ...]


class RateBand(Part):
    """An age band of a rate table: from `age_from` in whole years up to the next band of the same sex."""

    sex: Literal["male", "female", "any"]
    age_from: int
    annual_cents: int


class CompensationTerms(Part):
    """What a compensation model (korvausmalli) fixes: rates per year, proration, coefficient bounds, incentive."""

    proration: Proration
    bands: tuple[RateBand, ...]
    coefficient_min_permille: int
    coefficient_max_permille: int
    incentive_percent: int
    label: str


class RuleBookTerms(Part):
    """What a rule book (sääntökirja) fixes for a choice: months between choices, days to effect at the latest."""

    months_between_choices: int
    days_to_effect: int


class Document(Fact):
    """A published version of a rule book, a compensation model or a service description of an area.

    `document_id` names the version, as in `03:rule_book:1`, so that a compacted topic keeps every version.
    """

    aggregate: ClassVar[str] = "document"
    what: Literal["published"]
    document_id: str
    kind: Literal["rule_book", "compensation_model", "service_description"]
    area: str
    number: int
    valid_from: date
    title: str
    rule_book: RuleBookTerms | None = None
    compensation: CompensationTerms | None = None


class Price(Fact):
    """The organiser's price of one package node in an area, from a day on until the next one."""

    aggregate: ClassVar[str] = "price"
    what: Literal["set"]
    price_id: str
    area: str
    node: str
    unit_of_measure: UnitOfMeasure
    valid_from: date
    price_cents: int


class Scheme(Fact):
    """A municipality's scheme (käyttöönotto) and the phase 1–6 it is in, with the documents it adopted."""

    aggregate: ClassVar[str] = "scheme"
    what: Literal["entered_phase"]
    scheme_id: str
    municipality: str
    area: str
    phase: int = Field(ge=1, le=6)
    entered_on: date
    rule_book: str | None = None
    compensation_model: str | None = None
    service_description: str | None = None


class Producer(Fact):
    """A producer (tuottaja), its standing, and the account it is paid to."""

    aggregate: ClassVar[str] = "producer"
    what: Literal["applied", "approved", "suspended", "revoked", "left"]
    producer_id: str
    business_id: str
    name: str
    kind: ProducerKind
    area: str
    status: Literal["applied", "approved", "suspended", "revoked", "left"]
    iban: str | None = None


class Unit(Fact):
    """A unit (toimipiste) where residents can be listed; `capacity` None means without limit."""

    aggregate: ClassVar[str] = "unit"
    what: Literal["opened", "changed", "closed"]
    unit_id: str
    producer_id: str
    area: str
    municipality: str
    name: str
    own: bool
    status: Literal["open", "closed"]
    capacity: int | None
    opens_on: date
    closes_on: date | None = None
    languages: tuple[str, ...] = ("fi",)


class Contract(Fact):
    """A contract of one of the three classes, with the kinds of compensation that its class allows."""

    aggregate: ClassVar[str] = "contract"
    what: Literal["signed", "changed", "ended"]
    contract_id: str
    producer_id: str
    area: str
    contract_class: Literal["basic", "cooperation", "partnership"]
    compensation_kinds: tuple[str, ...]
    starts_on: date
    ends_on: date | None = None
