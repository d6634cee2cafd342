"""Performance lines that organisers decided on, and what was revoked of them: append-only, as the run takes them."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class PerformanceDecision(Base, table=True):
    """A client-specific correction afterwards (suoritekorvaus): cents on a resident and unit for a day, and why."""

    __tablename__ = "performance_decision"
    __table_args__ = (
        sa.CheckConstraint("amount_cents <> 0", name="performance_moves"),
        {"info": APPEND_ONLY},
    )
    performance_id: UUID = Field(primary_key=True)
    area: str = Field(index=True)
    resident_id: UUID = Field(index=True)
    unit_id: str
    producer_id: str = Field(index=True)
    performed_on: date
    amount_cents: int = Field(sa_type=sa.BigInteger)
    reason: str
    decided_by: str
    recorded_at: datetime = Field(sa_type=TIMES)


class PerformanceRevocation(Base, table=True):
    """That a decision holds no longer, and why; once, by somebody else than who decided."""

    __tablename__ = "performance_revocation"
    __table_args__ = (
        sa.CheckConstraint("decided_by <> revoked_by", name="performance_four_eyes"),
        {"info": APPEND_ONLY},
    )
    performance_id: UUID = Field(primary_key=True, foreign_key="performance_decision.performance_id")
    area: str
    reason: str
    decided_by: str
    revoked_by: str
    recorded_at: datetime = Field(sa_type=TIMES)
