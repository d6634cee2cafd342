"""What payments can be told to do: imperative and frozen."""

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

Payer = Literal["state", "municipality", "insurance"]


@dataclass(frozen=True)
class PlaceFunding:
    """Book an instalment that a payer paid into an area's account. `party` is the municipality, if one paid."""

    area: str
    payer: Payer
    party: str
    amount_cents: int
    received_on: date
    reference: str


@dataclass(frozen=True)
class PlaceTransfer:
    """Move money from one area's account to another's, as far as the account that pays allows."""

    from_area: str
    to_area: str
    amount_cents: int
    reference: str


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
