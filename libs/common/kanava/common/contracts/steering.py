"""Facts that `registry` states about how an area steers money and producers: orders, budgets, sanctions."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from .base import Fact, Part
from .registry import UnitOfMeasure

SanctionStep = Literal["huomautus", "varoitus", "sanktio", "hyvaksymisen_peruutus"]
SanctionStatus = Literal["in_force", "appealed", "upheld", "withdrawn"]


class OrderLine(Part):
    """What is ordered of a package or of one of its nodes: a volume at the organiser's price.

    `budget_line` is the line of the area's budget of the year that the order encumbers.
    """

    node: str
    unit_of_measure: UnitOfMeasure
    quantity: int
    price_cents: int
    budget_line: str | None = None


class AnnualOrder(Part):
    """An annual order (vuotuinen tilaus) of packages from one producer; who integrates the services holds a role."""

    producer_id: str
    contract_id: str | None
    integrator: Literal["organiser", "producer"]
    lines: tuple[OrderLine, ...]


class BudgetLine(Part):
    """A line of a budget (talousarvion momentti): what may be spent, on what, and what a breach leads to.

    A posting draws on the line when its producer is the line's, where one is named (an own enterprise's line is its
    limit), and its package node is one of `nodes` or below it, where some are named. `one_item` (1 momentti) has no
    nodes. A breach is refused or flagged.
    """

    line: str
    name_fi: str
    kind: Literal["one_item", "package", "strategic_focus"]
    amount_cents: int
    on_breach: Literal["refuse", "flag"]
    producer_id: str | None = None
    nodes: tuple[str, ...] = ()


class Budget(Part):
    """The budget (talousarvio) of an area for a calendar year, all lines that hold."""

    lines: tuple[BudgetLine, ...]


class Order(Fact):
    """An annual order or the budget of an area for a year, whole; by `kind` it has `annual_order` or `budget`.

    Both are what an area grants for a year and travel on one topic, so that their reader sees them in one stream.
    A new version replaces the one before from `valid_from` on; a withdrawn order has no lines that encumber.
    """

    aggregate: ClassVar[str] = "order"
    what: Literal["ordered", "budgeted", "changed", "withdrawn"]
    order_id: str
    kind: Literal["annual_order", "budget"]
    area: str
    year: int
    valid_from: date
    status: Literal["in_force", "withdrawn"]
    annual_order: AnnualOrder | None = None
    budget: Budget | None = None


class Sanction(Fact):
    """A step of the ladder against a producer, and what became of it.

    Steps: 1 huomautus (notice), 2 varoitus (warning), 3 sanktio (sanction), 4 hyväksymisen peruutus (revocation).
    Only step 3 has a sum, in cents; an appeal that succeeds in part upholds a smaller one. An appealed sanction is
    not final; a withdrawn one never was.
    """

    aggregate: ClassVar[str] = "sanction"
    what: Literal["imposed", "appealed", "upheld", "withdrawn"]
    sanction_id: str
    producer_id: str
    area: str
    contract_id: str | None
    step: int = Field(ge=1, le=4)
    name: SanctionStep
    reason: str
    override_reason: str | None = None
    effective_on: date
    status: SanctionStatus
    amount_cents: int | None = None
    decided_on: date
