"""What listing can be told to do, in the imperative."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from .domain.vouchers import Grant, PlanRow, SelfPayRow


@dataclass(frozen=True, slots=True)
class Mandate:
    """By what an adviser acts for a resident (valtuutus), and who the adviser is."""

    adviser: str
    words: str


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """Choose a unit for a resident; with a mandate where an adviser does it."""

    resident_id: UUID
    unit_id: str
    mandate: Mandate | None = None


@dataclass(frozen=True, slots=True)
class SetCoefficient:
    """Give a resident's listing a client-specific coefficient (asiakaskohtainen korjaus) from a day on."""

    resident_id: UUID
    area: str
    coefficient_permille: int
    starts_on: date
    reason: str | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class TakeFile:
    """Take a file of the registration feed: NDJSON, whole or not at all."""

    feed: str
    sequence: int
    body: bytes = field(repr=False)
    digest: bytes


@dataclass(frozen=True, slots=True)
class LookUp:
    """Find the pseudonymous ids of persons by their HETU, and log the look for each."""

    hetus: tuple[str, ...] = field(repr=False)
    who: str
    role: str
    reason: str


@dataclass(frozen=True, slots=True)
class GrantVoucher:
    """Grant a resident a voucher or a personal budget (myöntää seteli tai henkilökohtainen budjetti).

    The income decides the row of the self-pay table and is not kept.
    """

    voucher_id: UUID
    resident_id: UUID
    grant: Grant
    self_pay_kind: Literal["none", "flat", "income_tested"]
    flat_cents: int | None
    bands: tuple[SelfPayRow, ...]
    monthly_income_cents: int | None = field(repr=False)
    producer_ids: tuple[str, ...]
    reasons: str = field(repr=False)
    decided_by: str


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """Set the plan of a personal budget anew, and its sum where one is named."""

    voucher_id: UUID
    plan: tuple[PlanRow, ...]
    sum_granted_cents: int | None
    reasons: str = field(repr=False)
    decided_by: str


@dataclass(frozen=True, slots=True)
class AnnulVoucher:
    """Annul a voucher as if it had never been granted (mitätöidä)."""

    voucher_id: UUID
    ground: str
    reasons: str = field(repr=False)
    decided_by: str


@dataclass(frozen=True, slots=True)
class EndVoucher:
    """End a voucher early (päättää); `ends_on` is the first day without it."""

    voucher_id: UUID
    ends_on: date
    ground: str
    reasons: str = field(repr=False)
    decided_by: str
