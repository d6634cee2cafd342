"""What payments can be told at the edge to the bank: imperative and frozen."""

from dataclasses import dataclass
from uuid import UUID

from .commands import Payer
from .domain.sepa import ReferenceKind


@dataclass(frozen=True)
class RegisterAccount:
    """Say from which account of the bank an area pays from now on, and where it is paid."""

    area: str
    iban: str
    registered_by: str


@dataclass(frozen=True)
class ConfirmAccount:
    """Confirm the account of an approved statement that changed after the approval; `iban` as it was checked."""

    statement_id: UUID
    iban: str
    reason: str
    confirmed_by: str


@dataclass(frozen=True)
class AskForReference:
    """Let a producer's payments carry RF or viitenumero from now on."""

    producer_id: str
    kind: ReferenceKind
    asked_by: str


@dataclass(frozen=True)
class OwnItem:
    """Take an item of the suspense account, or give it to somebody."""

    item_id: UUID
    owner: str
    reason: str
    by: str


@dataclass(frozen=True)
class MatchToPayment:
    """Explain an item as a payment that left, or came back."""

    item_id: UUID
    end_to_end_id: str
    reason: str
    by: str


@dataclass(frozen=True)
class MatchToFunding:
    """Explain money that came as an instalment of a payer; `party` is the municipality, if one paid."""

    item_id: UUID
    payer: Payer
    party: str
    reference: str
    reason: str
    by: str


@dataclass(frozen=True)
class OffsetItems:
    """Explain money that left and money that came as the bank's own mistake and its correction."""

    item_id: UUID
    other_id: UUID
    reason: str
    by: str


@dataclass(frozen=True)
class ProposeReturn:
    """Propose to send money back; `iban` None means the account that it came from."""

    item_id: UUID
    payee: str
    iban: str | None
    reason: str
    by: str


@dataclass(frozen=True)
class ReleaseReturn:
    """Send back what somebody else proposed to send back; `debtor_iban` as for a payout."""

    item_id: UUID
    debtor_iban: str
    by: str


@dataclass(frozen=True)
class CloseNotice:
    """Close an item that is about no money."""

    item_id: UUID
    reason: str
    by: str
