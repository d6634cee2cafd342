"""The municipal refund: its rule, the figures and measures it rests on, and how far each refund has come.

Nothing here is changed: a new rule, figure, account or answer of the bank is a new row.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class RefundRule(Base, table=True):
    """The incentive principle from a day on: weights of the need index, share of need, and cap; permille."""

    __tablename__ = "refund_rule"
    __table_args__ = (
        sa.CheckConstraint("morbidity_permille + absence_permille + employment_permille + housing_permille = 1000"),
        sa.CheckConstraint(
            "least(morbidity_permille, absence_permille, employment_permille, housing_permille, need_share_permille,"
            " cap_permille) >= 0 AND greatest(need_share_permille, cap_permille) <= 1000"
        ),
        {"info": APPEND_ONLY},
    )
    valid_from: date = Field(primary_key=True)
    morbidity_permille: int
    absence_permille: int
    employment_permille: int
    housing_permille: int
    need_share_permille: int
    cap_permille: int
    source: str
    set_by: str
    recorded_at: datetime = Field(sa_type=TIMES)


class NeedFigure(Base, table=True):
    """A component of a municipality's need as measured on a day; a later row of the same day corrects it."""

    __tablename__ = "need_figure"
    __table_args__ = (
        sa.CheckConstraint("value_permille > 0"),
        sa.CheckConstraint("component IN ('morbidity', 'absence', 'employment', 'housing')"),
        {"info": APPEND_ONLY},
    )
    municipality: str = Field(primary_key=True)
    component: str = Field(primary_key=True)
    measured_on: date = Field(primary_key=True)
    number: int = Field(primary_key=True)
    value_permille: int
    source: str
    recorded_by: str
    recorded_at: datetime = Field(sa_type=TIMES)


class AgreedMeasure(Base, table=True):
    """A measure that the area and a municipality agreed on, and the permille of own payments that it earns."""

    __tablename__ = "agreed_measure"
    __table_args__ = (sa.CheckConstraint("permille BETWEEN 1 AND 1000"), {"info": APPEND_ONLY})
    measure_id: UUID = Field(primary_key=True)
    area: str
    municipality: str = Field(index=True)
    title: str
    permille: int
    agreed_on: date
    agreed_by: str
    recorded_at: datetime = Field(sa_type=TIMES)


class MeasureDone(Base, table=True):
    """That a measure was done, confirmed by somebody else than who agreed on it."""

    __tablename__ = "measure_done"
    __table_args__ = (
        sa.CheckConstraint("agreed_by <> confirmed_by", name="measure_four_eyes"),
        {"info": APPEND_ONLY},
    )
    measure_id: UUID = Field(primary_key=True, foreign_key="agreed_measure.measure_id")
    done_on: date
    evidence: str
    agreed_by: str
    confirmed_by: str
    recorded_at: datetime = Field(sa_type=TIMES)


class RefundProposal(Base, table=True):
    """A proposed refund of a municipality for four years, with every step of its sum."""

    __tablename__ = "refund_proposal"
    __table_args__ = (
        sa.CheckConstraint("amount_cents BETWEEN 0 AND own_payment_cents"),
        sa.CheckConstraint("window_from < window_until"),
        {"info": APPEND_ONLY},
    )
    refund_id: UUID = Field(primary_key=True)
    area: str = Field(index=True)
    municipality: str
    window_from: date
    window_until: date
    own_payment_cents: int = Field(sa_type=sa.BigInteger)
    amount_cents: int = Field(sa_type=sa.BigInteger)
    steps: dict[str, object] = Field(sa_type=JSONB)
    proposed_by: str
    proposed_at: datetime = Field(sa_type=TIMES)


class RefundDecision(Base, table=True):
    """The decision on a proposal, with reasons, by somebody else; one is approved for a municipality and window."""

    __tablename__ = "refund_decision"
    __table_args__ = (
        sa.CheckConstraint("proposed_by <> decided_by", name="refund_four_eyes"),
        sa.Index("refund_once", "municipality", "window_until", unique=True, postgresql_where=sa.text("approved")),
        {"info": APPEND_ONLY},
    )
    refund_id: UUID = Field(primary_key=True, foreign_key="refund_proposal.refund_id")
    municipality: str
    window_until: date
    approved: bool
    reasons: str
    proposed_by: str
    decided_by: str
    decided_at: datetime = Field(sa_type=TIMES)


class RefundAccount(Base, table=True):
    """The account that a refund is paid to; the newest counts, and who confirmed it does not pay to it."""

    __tablename__ = "refund_account"
    __table_args__ = {"info": APPEND_ONLY}
    refund_id: UUID = Field(primary_key=True, foreign_key="refund_decision.refund_id")
    number: int = Field(primary_key=True)
    payee: str
    iban: str
    confirmed_by: str
    confirmed_at: datetime = Field(sa_type=TIMES)


class RefundPayment(Base, table=True):
    """A refund given to the bank, once for each attempt, by somebody else than who decided."""

    __tablename__ = "refund_payment"
    __table_args__ = (
        sa.UniqueConstraint("refund_id", "attempt"),
        sa.CheckConstraint("paid_by <> decided_by AND paid_by <> confirmed_by", name="refund_payment_four_eyes"),
        sa.CheckConstraint("length(end_to_end_id) <= 35"),
        {"info": APPEND_ONLY},
    )
    end_to_end_id: str = Field(primary_key=True)
    refund_id: UUID = Field(foreign_key="refund_decision.refund_id")
    attempt: int
    amount_cents: int = Field(sa_type=sa.BigInteger)
    decided_by: str
    confirmed_by: str
    paid_by: str
    paid_at: datetime = Field(sa_type=TIMES)
    pain001: bytes


class RefundOutcome(Base, table=True):
    """What the bank said of a payment of a refund: booked, rejected, or returned after it was booked."""

    __tablename__ = "refund_outcome"
    __table_args__ = (
        sa.CheckConstraint("outcome IN ('booked', 'rejected', 'returned')"),
        {"info": APPEND_ONLY},
    )
    end_to_end_id: str = Field(primary_key=True, foreign_key="refund_payment.end_to_end_id")
    outcome: str = Field(primary_key=True)
    bank_reason: str | None
    recorded_at: datetime = Field(sa_type=TIMES)
