"""Cost classes (kustannuslajit): what an area's costs are for.

The area answers for care, nursing, benefits and services, and of them for medicines, travel, prevention and
rehabilitation (source, lines 255-256). Which cost belongs where is a dated table; a package node has the class of
the closest node above it that the table names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from .chart import Account


class CostClass(StrEnum):
    """What a cost is for."""

    CARE = "care"
    """Care of illness (hoito)."""
    NURSING = "nursing"
    """Nursing and housing with help (hoiva)."""
    BENEFITS = "benefits"
    """Benefits to residents (etuudet)."""
    SERVICES = "services"
    """Other services (palvelut)."""
    STEERING = "steering"
    """Sanctions and municipal refunds (ohjaus): no cost of anybody's care."""


class CostKind(StrEnum):
    """What a cost is for within its class, where the source names it."""

    MEDICINES = "medicines"
    """Medicines (lääkkeet)."""
    TRAVEL = "travel"
    """Travel to care (matkat)."""
    PREVENTION = "prevention"
    """Prevention (ennaltaehkäisy)."""
    REHABILITATION = "rehabilitation"
    """Rehabilitation (kuntoutus)."""


@dataclass(frozen=True)
class Purpose:
    """A class, and the kind within it where there is one."""

    cost_class: CostClass
    kind: CostKind | None = None


@dataclass(frozen=True)
class ClassTable:
    """What holds from a day on: the purpose of each account of costs, kind of benefit, and package node."""

    valid_from: date
    accounts: Mapping[Account, Purpose]
    benefits: Mapping[str, Purpose]
    nodes: Mapping[str, Purpose]


@dataclass(frozen=True)
class Cost:
    """Cents of a month (its first day) on an account of costs, of a kind of benefit or a package node if any."""

    month: date
    account: Account
    amount_cents: int
    benefit: str = ""
    node: str = ""


@dataclass(frozen=True)
class ClassSum:
    """What a month cost for a purpose, in cents."""

    month: date
    cost_class: CostClass
    kind: CostKind | None
    amount_cents: int


def purpose_of(cost: Cost, table: ClassTable, parents: Mapping[str, str | None]) -> Purpose:
    """What a cost is for: by its node or the closest one above it, else its kind of benefit, else its account."""
    node: str | None = cost.node
    for _ in range(len(parents) + 1):
        if not node:
            break
        if node in table.nodes:
            return table.nodes[node]
        node = parents.get(node)
    return table.benefits.get(cost.benefit, table.accounts[cost.account])


def sums_by_class(
    costs: Sequence[Cost], tables: Sequence[ClassTable], parents: Mapping[str, str | None]
) -> tuple[ClassSum, ...]:
    """Costs by month and purpose, each by the table in force in its month; the sums add up to the costs.

    `parents` is the node above each node. Purposes that come to nothing in a month are left out.
    """
    found: dict[tuple[date, CostClass, str], int] = {}
    for cost in costs:
        purpose = purpose_of(cost, table_on(tables, cost.month), parents)
        place = (cost.month, purpose.cost_class, purpose.kind or "")
        found[place] = found.get(place, 0) + cost.amount_cents
    sums = tuple(
        ClassSum(month, cost_class, CostKind(kind) if kind else None, cents)
        for (month, cost_class, kind), cents in sorted(found.items())
        if cents
    )
    assert sum(one.amount_cents for one in sums) == sum(cost.amount_cents for cost in costs), "a class lost a cent"
    assert len({(one.month, one.cost_class, one.kind) for one in sums}) == len(sums), "a purpose stands once a month"
    return sums


def table_on(tables: Sequence[ClassTable], day: date) -> ClassTable:
    """The newest table that holds on a day, else the first one; `ValueError` where there is none."""
    in_order = sorted(tables, key=lambda table: table.valid_from)
    if not in_order:
        raise ValueError("there is no table of cost classes")
    return next((table for table in reversed(in_order) if table.valid_from <= day), in_order[0])
