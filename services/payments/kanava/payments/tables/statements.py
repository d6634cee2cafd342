"""What producers are owed, and how far it has come."""

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import Base


class Statement(Base, table=True):
    """What a producer is owed for a month, who approved and released it, and how far its payment has come."""

    __table_args__ = (
        sa.UniqueConstraint("run_id", "producer_id"),
        sa.CheckConstraint(
            "status IN ('drawn', 'approved', 'released', 'settled', 'receivable', 'booked', 'rejected')",
            name="statement_status_check",
        ),
        sa.CheckConstraint("kind IN ('month', 'final')", name="statement_kind"),
        sa.CheckConstraint("approved_by <> released_by", name="statement_four_eyes"),
        {"info": {"grants": "SELECT, INSERT, UPDATE (version, status, approved_by, approved_iban, released_by)"}},
    )
    statement_id: UUID = Field(primary_key=True)
    version: int = 1
    run_id: UUID
    area: str
    month: date
    producer_id: str = Field(index=True)
    kind: str = Field(default="month", sa_column_kwargs={"server_default": "month"})
    amount_cents: int = Field(sa_type=sa.BigInteger)
    status: str = "drawn"
    approved_by: str | None
    approved_iban: str | None
    released_by: str | None


class StatementSum(Base, table=True):
    """The sum of one component of a statement: number of resident lines, cents, and their SHA-256."""

    __tablename__ = "statement_sum"
    __table_args__ = {"info": APPEND_ONLY}
    statement_id: UUID = Field(primary_key=True, foreign_key="statement.statement_id")
    component: str = Field(primary_key=True)
    lines: int
    amount_cents: int = Field(sa_type=sa.BigInteger)
    lines_digest: str
