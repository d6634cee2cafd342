"""Proposed rates: what a level review or the cost of own production says, kept as it was said."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class RateProposal(Base, table=True):
    """Rates proposed for an area, with their basis. No decision: the organiser publishes a version in registry."""

    __tablename__ = "rate_proposal"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('level_review', 'voucher_value')"),
        sa.CheckConstraint("period_from < period_until"),
        {"info": APPEND_ONLY},
    )
    proposal_id: UUID = Field(primary_key=True)
    area: str = Field(index=True)
    kind: str
    model: str
    period_from: date
    period_until: date
    source: str
    result: dict[str, object] = Field(sa_type=JSONB)
    proposed_by: str
    proposed_at: datetime = Field(sa_type=TIMES)
