"""What payments can be told about payments to residents: imperative and frozen."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID


@dataclass(frozen=True)
class GiveAccount:
    """Give the account that a resident is paid to; an adviser names the mandate (valtakirja) that it acts by."""

    resident_id: UUID
    iban: str = field(repr=False)
    payee: str = field(repr=False)
    given_by: str
    role: Literal["resident", "adviser"] = "resident"
    mandate: str = field(default="", repr=False)


@dataclass(frozen=True)
class DrawBatch:
    """Draw a batch of everything that an area owes to residents up to a month (its first day)."""

    area: str
    month: date
    drawn_by: str


@dataclass(frozen=True)
class ApproveBatch:
    """Approve the payments of a batch, each to the account that its payee has now."""

    batch_id: UUID
    approved_by: str


@dataclass(frozen=True)
class ConfirmPayee:
    """Confirm the account of an approved payment by its number, as it was checked with the payee."""

    item_id: UUID
    account_number: int
    reason: str
    confirmed_by: str


@dataclass(frozen=True)
class ReleaseBatch:
    """Release the approved payments of a batch, as far as the area's account allows."""

    batch_id: UUID
    debtor_iban: str
    released_by: str
