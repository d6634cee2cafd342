"""What may be asked of the registry: frozen commands, checked for form here and by the rules of `domain/`."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from kanava.common import ids
from kanava.common.contracts.registry import (
    CompensationKind,
    ContractClass,
    Direction,
    PriceBasis,
    ProducerKind,
    Proration,
    UnitOfMeasure,
)
from kanava.common.dates import CalendarDay

from .domain.producers import StandingVerdict, Verdict
from .domain.rate_tables import Sex

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: object) -> object:
    """A day is written as `2026-11-01`; a number or an instant is none."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        return date.fromisoformat(value)
    if isinstance(value, date):
        return value
    raise ValueError("a day is written as 2026-11-01")


MOST_OF_AN_INDICATOR = 10**15
"""As monitoring freezes them."""

Whole = Annotated[int, Field(strict=True)]
Day = Annotated[CalendarDay, BeforeValidator(_day)]
Area = Annotated[str, AfterValidator(ids.valid_area)]
Municipality = Annotated[str, AfterValidator(ids.valid_municipality)]
ProducerId = Annotated[str, AfterValidator(ids.valid_oid)]
BusinessId = Annotated[str, AfterValidator(ids.valid_business_id)]
Iban = Annotated[str, AfterValidator(ids.valid_iban)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(min_length=1, max_length=5000)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,79}$")]
CorrectionReason = Annotated[str, Field(min_length=10, max_length=500)]
DocumentId = Annotated[str, Field(pattern=r"^[0-9]{2}:[a-z_]{1,30}:[1-9][0-9]{0,5}$")]
Language = Literal["fi", "sv", "en", "se", "ru", "et", "ar", "so"]


class Command(BaseModel):
    """A frozen input; a field that is not known is refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class RuleBook(Command):
    """Terms of a rule book: months between choices, and days until a choice takes effect at the latest."""

    months_between_choices: Whole = Field(ge=1, le=24)
    days_to_effect: Whole = Field(ge=1, le=21, description="the law's limit is three weeks")


class RateBandInput(Command):
    """An age band: whole years `age_from` to `age_to`, both included; the last band has no `age_to`.

    Its rate is `annual_cents` or, in a table of monthly rates, `monthly_cents`.
    """

    sex: Sex
    age_from: Whole
    age_to: Whole | None = None
    annual_cents: Whole | None = None
    monthly_cents: Whole | None = None


class CoefficientReasonInput(Command):
    """A reason for which a client-specific coefficient may be given."""

    code: Code
    name_fi: Name


class IncentiveInput(Command):
    """An indicator that earns a share of the incentive pool, linearly from `floor` to `target` (of 10^-`scale`).

    It is each producer's own, or with the subject `municipality` the goal of a municipality (kunnan tavoite).
    """

    indicator: Code
    subject: Literal["producer", "municipality"] = "producer"
    share_permille: Whole = Field(ge=1, le=1000)
    direction: Direction
    floor: Whole = Field(ge=-MOST_OF_AN_INDICATOR, le=MOST_OF_AN_INDICATOR)
    target: Whole = Field(ge=-MOST_OF_AN_INDICATOR, le=MOST_OF_AN_INDICATOR)
    scale: Whole = Field(default=0, ge=0, le=6)


class AllowedKindsInput(Command):
    """The kinds of compensation that the model pays to contracts of one class."""

    contract_class: ContractClass
    kinds: tuple[CompensationKind, ...] = Field(min_length=1, max_length=5)


class CompensationModel(Command):
    """Terms of a compensation model: rates per year or month, proration, coefficient bounds and reasons, incentive.

    `fixed_share_permille` is the share of fixed compensation (kiinteä osuus) that the model intends; under two
    thirds, or where none is declared, the answer has a warning.
    """

    proration: Proration
    bands: tuple[RateBandInput, ...] = Field(min_length=1, max_length=300)
    coefficient_min_permille: Whole = Field(ge=0, le=10_000)
    coefficient_max_permille: Whole = Field(ge=0, le=10_000)
    incentive_percent: Whole = Field(ge=0, le=100)
    label: Name
    fixed_share_permille: Whole | None = Field(default=None, ge=0, le=1000)
    coefficient_reasons: tuple[CoefficientReasonInput, ...] = Field(default=(), max_length=50)
    incentives: tuple[IncentiveInput, ...] = Field(default=(), max_length=20)
    allowed_kinds: tuple[AllowedKindsInput, ...] = Field(default=(), max_length=3)


class PublishDocument(Command):
    """Publish the next version of a document (sääntökirja, korvausmalli, palvelukuvaus) of an area.

    A rule book has `rule_book`, a compensation model `compensation`, a service description `text`. With a
    `correction_reason` it corrects an error and may start in a month that is closed.
    """

    area: Area
    kind: Literal["rule_book", "compensation_model", "service_description"]
    valid_from: Day
    title: Name
    rule_book: RuleBook | None = None
    compensation: CompensationModel | None = None
    text: Annotated[str, Field(min_length=1, max_length=100_000)] | None = None
    correction_reason: CorrectionReason | None = None


class PublishPackage(Command):
    """Publish the next version of a service package, its tree in the shape of the source's data file."""

    valid_from: Day
    source: Annotated[str, Field(min_length=1, max_length=500)]
    package: dict[str, Any]


class ActivityPrice(Command):
    """The indicative price (ohjeellinen hinta) of one unit of an activity of a package with a total price."""

    node: Annotated[str, Field(min_length=1, max_length=100)]
    unit_of_measure: UnitOfMeasure
    price_cents: Whole = Field(ge=0, le=100_000_000)


class TotalPrice(Command):
    """What the total price of a package per treated client is made of, and how often a client is counted."""

    package: Annotated[str, Field(min_length=1, max_length=10)]
    counted_each: Literal["month", "year"]
    activities: tuple[ActivityPrice, ...] = Field(default=(), max_length=200)


class SetPrice(Command):
    """Set the organiser's price of one unit of measure of a package node, from a day on.

    By weight it is the price of the weight 1; a `package_total` is for a whole package, whose code is the `node`.
    With a `correction_reason` it corrects an error and may start in a month that is closed.
    """

    area: Area
    node: Annotated[str, Field(min_length=1, max_length=100)]
    unit_of_measure: UnitOfMeasure
    valid_from: Day
    price_cents: Whole = Field(ge=0, le=100_000_000)
    price_basis: PriceBasis = "unit"
    total_price: TotalPrice | None = None
    correction_reason: CorrectionReason | None = None


class PlanScheme(Command):
    """Start a municipality's scheme in phase 1: why, how far, and how long a voucher may be used."""

    area: Area
    municipality: Municipality
    purposes: tuple[Literal["use_of_market", "levelling_demand"], ...] = Field(min_length=1, max_length=2)
    goals: Text
    scope: Text
    voucher_valid_months: Whole = Field(ge=1, le=60)


class CommentOnScheme(Command):
    """A producer's comment in the dialogue."""

    producer_id: ProducerId
    text: Text


class AnswerComment(Command):
    """The organiser's answer to a comment."""

    text: Text


class DecideOnScheme(Command):
    """The municipality's decision; an approval adopts one version of each of the three documents."""

    verdict: Verdict
    reasons: Text
    rule_book: DocumentId | None = None
    compensation_model: DocumentId | None = None
    service_description: DocumentId | None = None


class EnterPhase(Command):
    """Move a scheme into its next phase."""

    phase: Whole = Field(ge=1, le=6)


class ApplyAsProducer(Command):
    """Apply for approval as a producer of an area."""

    business_id: BusinessId
    name: Name
    kind: ProducerKind
    area: Area
    iban: Iban | None = None


class ItemStatement(Command):
    """A producer's statement on one statutory item."""

    item: Annotated[str, Field(min_length=1, max_length=60)]
    fulfilled: bool
    statement: Text


class StateChecklist(Command):
    """A producer's statements on the statutory checklist; they replace the earlier ones."""

    items: tuple[ItemStatement, ...] = Field(max_length=50)


class AcceptRuleBook(Command):
    """Accept the current rule book of the area."""

    document_id: DocumentId


class DecideOnProducer(Command):
    """The organiser's decision on an application, with reasons."""

    verdict: Verdict
    reasons: Text


class ChangeStanding(Command):
    """Suspend a producer, reinstate a suspended one, or record that one leaves, with reasons."""

    verdict: StandingVerdict
    reasons: Text


class OpenUnit(Command):
    """Open a unit of a producer; without a capacity it takes residents without limit."""

    producer_id: ProducerId
    municipality: Municipality
    name: Name
    capacity: Whole | None = Field(default=None, ge=1, le=1_000_000)
    opens_on: Day
    languages: tuple[Language, ...] = Field(default=("fi",), min_length=1, max_length=8)


class CloseUnit(Command):
    """Close a unit; its last day is the day before `closes_on`, today where nothing is said."""

    closes_on: Day | None = None


class EffectivenessInput(Command):
    """A measure of effectiveness (vaikuttavuus): nothing up to `floor`, `amount_cents` at `target` (of 10^-`scale`)."""

    indicator: Code
    direction: Direction
    floor: Whole = Field(ge=-MOST_OF_AN_INDICATOR, le=MOST_OF_AN_INDICATOR)
    target: Whole = Field(ge=-MOST_OF_AN_INDICATOR, le=MOST_OF_AN_INDICATOR)
    amount_cents: Whole = Field(ge=1, le=10_000_000_000)
    scale: Whole = Field(default=0, ge=0, le=6)


class SignContract(Command):
    """Sign a contract of one of the three classes with an approved producer.

    A base payment (peruskorvaus) is in cents for each month; it and effectiveness go with their kinds only.
    """

    producer_id: ProducerId
    contract_class: ContractClass
    compensation_kinds: tuple[CompensationKind, ...] = Field(min_length=1, max_length=5)
    starts_on: Day
    ends_on: Day | None = None
    monthly_base_payment_cents: Whole | None = Field(default=None, ge=1, le=10_000_000_000)
    effectiveness: tuple[EffectivenessInput, ...] = Field(default=(), max_length=20)


class EndContract(Command):
    """End a contract; `ends_on` is the first day on which it no longer holds."""

    ends_on: Day
