"""What may be asked of the registry to steer money and producers: orders, budgets and sanctions, all frozen."""

from typing import Annotated, Literal

from pydantic import Field

from kanava.common.contracts.registry import UnitOfMeasure

from .commands import Area, Command, Day, Name, ProducerId, Text, Whole

MOST_LINES = 500
MOST_BUDGET_CENTS = 10_000_000_000_00
MOST_SANCTION_CENTS = 10_000_000_00

Year = Annotated[int, Field(strict=True, ge=2020, le=2100)]
NodeCode = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,9}(\.[A-Za-z0-9]{1,10}){0,6}$")]
LineCode = Annotated[str, Field(pattern=r"^[0-9A-Za-z.\-]{1,20}$")]
ContractId = Annotated[str, Field(pattern=r"^[0-9.]{5,64}:[1-9]\d{0,5}$")]


class OrderLineInput(Command):
    """A volume of a package or a node, at the organiser's price; `budget_line` is the line that it encumbers."""

    node: NodeCode
    unit_of_measure: UnitOfMeasure
    quantity: Whole = Field(ge=1, le=100_000_000)
    budget_line: LineCode | None = None


class PlaceOrder(Command):
    """Order packages from a producer for a year (vuotuinen tilaus); ordering again replaces what was ordered."""

    area: Area
    year: Year
    valid_from: Day
    producer_id: ProducerId
    contract_id: ContractId | None = None
    integrator: Literal["organiser", "producer"] = "organiser"
    lines: tuple[OrderLineInput, ...] = Field(min_length=1, max_length=MOST_LINES)


class BudgetLineInput(Command):
    """A line of the budget: one item (1 momentti), or earmarked to packages or to a strategic focus."""

    line: LineCode
    name_fi: Name
    kind: Literal["one_item", "package", "strategic_focus"]
    amount_cents: Whole = Field(ge=0, le=MOST_BUDGET_CENTS)
    on_breach: Literal["refuse", "flag"]
    producer_id: ProducerId | None = None
    nodes: tuple[NodeCode, ...] = Field(default=(), max_length=100)


class SetBudget(Command):
    """Set an area's budget (talousarvio) for a year; setting it again replaces all its lines."""

    area: Area
    year: Year
    valid_from: Day
    lines: tuple[BudgetLineInput, ...] = Field(min_length=1, max_length=MOST_LINES)


class Withdraw(Command):
    """Withdraw an order or a budget from a day on, with reasons."""

    valid_from: Day
    reasons: Text


class ImposeSanction(Command):
    """Take a step of the ladder against a producer; out of order only with a reason for it."""

    producer_id: ProducerId
    contract_id: ContractId | None = None
    step: Whole = Field(ge=1, le=4)
    reason: Text
    override_reason: Annotated[str, Field(min_length=10, max_length=5000)] | None = None
    effective_on: Day
    amount_cents: Whole | None = Field(default=None, ge=1, le=MOST_SANCTION_CENTS)


class AppealSanction(Command):
    """A producer's appeal (muutoksenhaku) against a sanction, with its reasons."""

    reasons: Text


class DecideOnSanction(Command):
    """What becomes of a sanction: upheld on appeal, in part with a smaller sum, or withdrawn."""

    outcome: Literal["upheld", "withdrawn"]
    reasons: Text
    amount_cents: Whole | None = Field(default=None, ge=1, le=MOST_SANCTION_CENTS)
