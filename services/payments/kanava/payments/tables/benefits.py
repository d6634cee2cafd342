"""Decisions on benefits to residents: the sub-ledger behind what is owed to them."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class BenefitDecision(Base, table=True):
    """A decision on a benefit (etuuspäätös): what holds now, and by how much that changes what is owed."""

    __tablename__ = "benefit_decision"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('medicines', 'travel', 'other')", name="benefit_kind"),
        sa.CheckConstraint("holds_cents >= 0", name="benefit_not_negative"),
        {"info": APPEND_ONLY},
    )
    area: str = Field(primary_key=True)
    reference: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    resident_id: UUID = Field(index=True)
    kind: str
    for_month: date
    holds_cents: int = Field(sa_type=sa.BigInteger)
    change_cents: int = Field(sa_type=sa.BigInteger)
    reasons: str
    decided_by: str
    decided_at: datetime = Field(sa_type=TIMES)
