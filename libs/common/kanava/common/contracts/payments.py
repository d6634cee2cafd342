"""Facts that `payments` states: months closed, statements, and the area's account."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from .base import Fact, Part

Component = Literal[
    "capitation",
    "fee",
    "client_fee",
    "performance",
    "voucher",
    "adjustment",
    "base_payment",
    "effectiveness",
    "incentive",
    "sanction",
]
StatementStatus = Literal["drawn", "approved", "released", "settled", "receivable", "booked", "rejected"]


class ComponentSum(Part):
    """The sum of one component: resident lines and cents."""

    component: Component
    lines: int
    amount_cents: int


class Run(Fact):
    """A month of an area that was closed, with its sums and the SHA-256 of its canonical export."""

    aggregate: ClassVar[str] = "run"
    what: Literal["closed"]
    run_id: UUID
    area: str
    month: str
    cut_off: datetime
    sums: tuple[ComponentSum, ...]
    digest: str


class StatementDispute(Part):
    """A case in which lines of a statement are contested (riitautus); `owner` corrects the fact of an accepted one."""

    dispute_id: UUID
    status: Literal["open", "accepted", "rejected"]
    lines: int
    due_on: date
    remedy: str | None = None
    owner: str | None = None


class Statement(Fact):
    """What one producer is owed for one month, and how far its payment has come.

    A negative one becomes a receivable; `offset_cents` of it paid receivables off or went into the final statement
    of a producer that left, whose `kind` is `final`.
    """

    aggregate: ClassVar[str] = "statement"
    what: Literal[
        "drawn", "approved", "released", "settled", "receivable", "booked", "rejected", "disputed", "dispute_decided"
    ]
    statement_id: UUID
    producer_id: str
    area: str
    month: str
    status: StatementStatus
    amount_cents: int
    sums: tuple[ComponentSum, ...]
    due_on: date | None = None
    kind: Literal["month", "final"] = "month"
    offset_cents: int = 0
    disputes: tuple[StatementDispute, ...] = ()


class Account(Fact):
    """A movement of an area's account at the national operator and the balance after it."""

    aggregate: ClassVar[str] = "account"
    what: Literal["moved"]
    area: str
    kind: str
    amount_cents: int
    balance_cents: int
    entry_id: UUID
