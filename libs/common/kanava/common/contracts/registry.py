"""Facts that `registry` states: who may produce what, and on which terms."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from .base import Fact, Part

ProducerKind = Literal["own_enterprise", "public", "private", "third_sector"]
Proration = Literal["calendar_days", "operational_days", "list_on_last_day"]
ContractClass = Literal["basic", "cooperation", "partnership"]
CompensationKind = Literal["capitation", "fee", "incentive", "base_payment", "effectiveness"]
Direction = Literal["higher_is_better", "lower_is_better"]
UnitOfMeasure = Literal[
    "suorite",
    "kaynti",
    "hoidettu_asiakas",
    "hoidettu_asiakas_tai_paikka",
    "hoitopaiva",
    "paikka",
    "hoidettu_asiakas_drg",
    "hoidettu_asiakas_pdrg",
]
PriceBasis = Literal["unit", "drg_weight", "pdrg_weight", "package_total"]


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


class CoefficientReason(Part):
    """A reason for which a client-specific coefficient (asiakaskohtainen korjaus) may be given."""

    code: str
    name_fi: str


class IncentiveTerm(Part):
    """An indicator that earns a share of the incentive pool: nothing up to `floor`, all of the share at `target`.

    `floor` and `target` are whole numbers of 10^-`scale`; the shares of a model add up to 1,000 permille. A frozen
    snapshot that names a floor and a target of its own is paid by those. With the subject `municipality` the indicator
    is a goal of the municipality (kunnan tavoite): its snapshot earns for every producer that is paid for there.
    """

    indicator: str
    subject: Literal["producer", "municipality"] = "producer"
    share_permille: int
    direction: Direction
    floor: int
    target: int
    scale: int = 0


class AllowedKinds(Part):
    """The kinds of compensation that a model pays to contracts of one class: the class's own or fewer."""

    contract_class: ContractClass
    kinds: tuple[CompensationKind, ...]


class CompensationTerms(Part):
    """What a compensation model (korvausmalli) fixes: rates per year, proration, coefficient bounds, incentive.

    `rates_per` says in what the table was published: a monthly rate is said as twelve times itself, so the exact
    twelfth of `annual_cents` is the monthly rate. `fixed_share_permille` is the share of capitation and base payment
    in all compensation that the model intends. Without `allowed_kinds` a class is paid all that it allows; without
    `coefficient_reasons` any reason will do.
    """

    proration: Proration
    bands: tuple[RateBand, ...]
    coefficient_min_permille: int
    coefficient_max_permille: int
    incentive_percent: int
    label: str
    rates_per: Literal["year", "month"] = "year"
    fixed_share_permille: int | None = None
    coefficient_reasons: tuple[CoefficientReason, ...] = ()
    incentives: tuple[IncentiveTerm, ...] = ()
    allowed_kinds: tuple[AllowedKinds, ...] = ()


class RuleBookTerms(Part):
    """What a rule book (sääntökirja) fixes for a choice: months between choices, days to effect at the latest."""

    months_between_choices: int
    days_to_effect: int


class Document(Fact):
    """A published version of a rule book, a compensation model or a service description of an area.

    `document_id` names the version, as in `03:rule_book:1`, so that a compacted topic keeps every version. A version
    with a `correction_reason` corrects an error: it alone may start in a month that is closed.
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
    correction_reason: str | None = None


class IndicativePrice(Part):
    """The indicative price (ohjeellinen hinta) of one unit of an activity of a package that has a total price."""

    node: str
    unit_of_measure: UnitOfMeasure
    price_cents: int


class PackageTotal(Part):
    """A total price (kokonaishinta) of a whole package per treated client (hoidettu asiakas).

    A client who got any service of the package is counted once in each month or calendar year. The indicative prices
    say what each activity is of the total; they divide it and are not paid.
    """

    package: str
    counted_each: Literal["month", "year"]
    activities: tuple[IndicativePrice, ...] = ()


class Price(Fact):
    """The organiser's price of one package node in an area, from a day on until the next one.

    By `drg_weight` and `pdrg_weight` the price is that of the weight 1, by `package_total` that of a treated client
    and `node` is the code of the package. A price with a `correction_reason` corrects an error: it alone may start in
    a month that is closed.
    """

    aggregate: ClassVar[str] = "price"
    what: Literal["set"]
    price_id: str
    area: str
    node: str
    unit_of_measure: UnitOfMeasure
    valid_from: date
    price_cents: int
    price_basis: PriceBasis = "unit"
    total_price: PackageTotal | None = None
    correction_reason: str | None = None


class Scheme(Fact):
    """A municipality's scheme (käyttöönotto) and the phase 1–6 it is in, with the documents it adopted.

    `entered_on` is the day from which phase and documents hold together: of what is `adopted` later, a day of its own.
    `voucher_valid_months` is the longest time for which a voucher is granted (setelin käytön aikaraja).
    """

    aggregate: ClassVar[str] = "scheme"
    what: Literal["entered_phase", "adopted"]
    scheme_id: str
    municipality: str
    area: str
    phase: int = Field(ge=1, le=6)
    entered_on: date
    rule_book: str | None = None
    compensation_model: str | None = None
    service_description: str | None = None
    voucher_valid_months: int | None = None


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


class EffectivenessTerm(Part):
    """A measure of effectiveness (vaikuttavuus) agreed in a contract: what it pays for a frozen indicator.

    Nothing up to `floor`, `amount_cents` at `target`, both whole numbers of 10^-`scale`, for each period of snapshot.
    """

    indicator: str
    direction: Direction
    floor: int
    target: int
    amount_cents: int
    scale: int = 0


class Contract(Fact):
    """A contract of one of the three classes, with the kinds of compensation that its class allows."""

    aggregate: ClassVar[str] = "contract"
    what: Literal["signed", "changed", "ended"]
    contract_id: str
    producer_id: str
    area: str
    contract_class: ContractClass
    compensation_kinds: tuple[str, ...]
    starts_on: date
    ends_on: date | None = None
    monthly_base_payment_cents: int | None = None
    effectiveness: tuple[EffectivenessTerm, ...] = ()
