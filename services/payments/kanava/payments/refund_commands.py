"""What payments can be told about municipal refunds: imperative and frozen."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from .domain.refund import Component, Rule


@dataclass(frozen=True)
class SetRefundRule:
    """Set the incentive principle from a day on."""

    rule: Rule
    source: str
    set_by: str


@dataclass(frozen=True)
class RecordNeed:
    """Record a component of a municipality's need as it was measured on a day."""

    municipality: str
    component: Component
    measured_on: date
    value_permille: int
    source: str
    recorded_by: str


@dataclass(frozen=True)
class AgreeMeasure:
    """Agree with a municipality on a measure that earns a permille of its own payments."""

    area: str
    municipality: str
    title: str
    permille: int
    agreed_on: date
    agreed_by: str


@dataclass(frozen=True)
class ConfirmMeasure:
    """Confirm that an agreed measure was done."""

    measure_id: UUID
    done_on: date
    evidence: str
    confirmed_by: str


@dataclass(frozen=True)
class ProposeRefund:
    """Propose the refund of a municipality for the four years that end with `last_year`."""

    area: str
    municipality: str
    last_year: int
    proposed_by: str


@dataclass(frozen=True)
class DecideRefund:
    """Decide on a proposal; an approved one names the account that it is paid to."""

    refund_id: UUID
    approved: bool
    reasons: str
    payee: str
    iban: str
    decided_by: str


@dataclass(frozen=True)
class ConfirmRefundAccount:
    """Name another account of the municipality, as after a rejected payment."""

    refund_id: UUID
    payee: str
    iban: str
    confirmed_by: str


@dataclass(frozen=True)
class PayRefund:
    """Give an approved refund to the bank."""

    refund_id: UUID
    debtor_iban: str
    paid_by: str
