"""What payments can be told to do: imperative and frozen."""

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from .domain.disputes import Remedy
from .domain.finals import Ground

Payer = Literal["state", "municipality", "insurance"]


@dataclass(frozen=True)
class PlaceFunding:
    """Book an instalment that a payer paid into an area's account. `party` is the municipality, if one paid.

    Where no `fiscal_year` is named, the rule of the instalments says to which year it belongs.
    """

    area: str
    payer: Payer
    party: str
    amount_cents: int
    received_on: date
    reference: str
    fiscal_year: int | None = None


@dataclass(frozen=True)
class PlaceTransfer:
    """Move money from one area's account to another's, as far as the account that pays allows."""

    from_area: str
    to_area: str
    amount_cents: int
    reference: str


@dataclass(frozen=True)
class SetAccountLimit:
    """Set the limit below which nothing takes an area's account; negative cents are an agreed overdraft."""

    area: str
    limit_cents: int
    reason: str
    set_by: str


@dataclass(frozen=True)
class RequestRun:
    """Close a month (its first day) of an area with what is recorded now."""

    area: str
    month: date
    requested_by: str


@dataclass(frozen=True)
class ApproveStatements:
    """Approve the drawn and the rejected statements of an area and month, or only those named."""

    area: str
    month: date
    approved_by: str
    statement_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class ReleasePayout:
    """Release the approved statements of an area, as far as its account allows; `debtor_iban` is that account."""

    area: str
    debtor_iban: str
    released_by: str
    statement_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class TakeBankMessage:
    """Take in a file of the bank: pain.002, camt.053 or camt.054."""

    content: bytes


@dataclass(frozen=True)
class PlanInstalments:
    """Set the instalments of a payer for a fiscal year, each a due date and cents; the newest version holds."""

    area: str
    payer: Payer
    party: str
    fiscal_year: int
    instalments: tuple[tuple[date, int], ...]
    reason: str
    planned_by: str


@dataclass(frozen=True)
class SetStateFunding:
    """Set the state's funding of a year: its total, and each determinant's measure of each area."""

    fiscal_year: int
    total_cents: int
    measures: tuple[tuple[str, str, int], ...]
    reason: str
    set_by: str


@dataclass(frozen=True)
class AllocateContributions:
    """Allocate a collected sum of insurance contributions to the areas by their measures, and book it.

    `class_1_cents` and `class_2_cents` are what employers and students claim of it from Kela.
    """

    total_cents: int
    measures: tuple[tuple[str, int], ...]
    received_on: date
    reference: str
    class_1_cents: int = 0
    class_2_cents: int = 0


@dataclass(frozen=True)
class ProposeYearEnd:
    """Propose to close a fiscal year of an area with the books as they stand."""

    area: str
    fiscal_year: int
    proposed_by: str


@dataclass(frozen=True)
class CloseYear:
    """Close a fiscal year of an area that somebody else has proposed to close."""

    area: str
    fiscal_year: int
    closed_by: str


@dataclass(frozen=True)
class DrawFinalStatement:
    """Settle in one statement what a producer that leaves is owed and owes in an area."""

    area: str
    producer_id: str
    ground: Ground
    reasons: str
    drawn_by: str


@dataclass(frozen=True)
class LineKey:
    """A resident line of a statement, named by what makes it unique within its run."""

    resident_id: UUID
    component: str
    kind: str
    for_month: date
    unit_id: str
    source: UUID


@dataclass(frozen=True)
class ContestLines:
    """Contest lines of a statement, for one reason."""

    statement_id: UUID
    lines: tuple[LineKey, ...]
    reason: str
    opened_by: str


@dataclass(frozen=True)
class DecideDispute:
    """Accept or reject a case. Accepted names the fact to change; `holds` what payments itself should have said."""

    dispute_id: UUID
    accepted: bool
    reasons: str
    decided_by: str
    remedy: Remedy | None = None
    holds: tuple[tuple[LineKey, int], ...] = ()
