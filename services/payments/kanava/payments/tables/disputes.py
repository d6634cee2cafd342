"""Cases in which a producer contests lines of its statement, and their outcomes."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class Dispute(Base, table=True):
    """A case (riitautus): who contests what of a statement, why, and by when it is decided."""

    __table_args__ = {"info": APPEND_ONLY}
    dispute_id: UUID = Field(primary_key=True)
    statement_id: UUID = Field(foreign_key="statement.statement_id", index=True)
    area: str = Field(index=True)
    producer_id: str = Field(index=True)
    opened_by: str
    opened_at: datetime = Field(sa_type=TIMES)
    reason: str
    due_on: date


class DisputeLine(Base, table=True):
    """A contested line by its key: a line is contested once."""

    __tablename__ = "dispute_line"
    __table_args__ = {"info": APPEND_ONLY}
    run_id: UUID = Field(primary_key=True)
    resident_id: UUID = Field(primary_key=True)
    component: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    for_month: date = Field(primary_key=True)
    unit_id: str = Field(primary_key=True)
    source: UUID = Field(primary_key=True)
    dispute_id: UUID = Field(foreign_key="dispute.dispute_id", index=True)
    producer_id: str
    amount_cents: int = Field(sa_type=sa.BigInteger)


class DisputeDecision(Base, table=True):
    """The outcome of a case with its reasons; an accepted one names the fact that has to change and its owner."""

    __tablename__ = "dispute_decision"
    __table_args__ = (
        sa.CheckConstraint("outcome IN ('accepted', 'rejected')", name="dispute_decision_outcome"),
        sa.CheckConstraint("(outcome = 'accepted') = (remedy IS NOT NULL)", name="dispute_decision_remedy"),
        sa.CheckConstraint("(remedy IS NULL) = (owner IS NULL)", name="dispute_decision_owner"),
        {"info": APPEND_ONLY},
    )
    dispute_id: UUID = Field(primary_key=True, foreign_key="dispute.dispute_id")
    outcome: str
    reasons: str
    decided_by: str
    decided_at: datetime = Field(sa_type=TIMES)
    remedy: str | None
    owner: str | None


class LineAdjustment(Base, table=True):
    """What a contested line should have said, where payments itself owns it: the next run takes it from here."""

    __tablename__ = "line_adjustment"
    __table_args__ = {"info": APPEND_ONLY}
    dispute_id: UUID = Field(primary_key=True, foreign_key="dispute_decision.dispute_id")
    run_id: UUID = Field(primary_key=True)
    resident_id: UUID = Field(primary_key=True)
    component: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    for_month: date = Field(primary_key=True)
    unit_id: str = Field(primary_key=True)
    source: UUID = Field(primary_key=True)
    area: str
    producer_id: str
    stood_cents: int = Field(sa_type=sa.BigInteger)
    holds_cents: int = Field(sa_type=sa.BigInteger)
    recorded_at: datetime = Field(sa_type=TIMES)
