"""What statements handed to each other: receivables paid off, and the final statement of a producer that left."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class StatementOffset(Base, table=True):
    """Cents of a component that one statement handed to another: to a receivable, or to the final statement.

    What is left of a statement is its sums less what it handed over plus what was handed to it. `version` is
    that of the statement when it handed them over.
    """

    __tablename__ = "statement_offset"
    __table_args__ = (
        sa.CheckConstraint("amount_cents <> 0", name="statement_offset_moves"),
        sa.CheckConstraint("statement_id <> into_id", name="statement_offset_other"),
        {"info": APPEND_ONLY},
    )
    statement_id: UUID = Field(primary_key=True, foreign_key="statement.statement_id")
    into_id: UUID = Field(primary_key=True, foreign_key="statement.statement_id", index=True)
    version: int = Field(primary_key=True)
    component: str = Field(primary_key=True)
    amount_cents: int = Field(sa_type=sa.BigInteger)
    taken_at: datetime = Field(sa_type=TIMES)


class FinalStatement(Base, table=True):
    """Why and by whom a producer's final statement was drawn; one for each producer and area."""

    __tablename__ = "final_statement"
    __table_args__ = (
        sa.UniqueConstraint("area", "producer_id"),
        sa.CheckConstraint("ground IN ('left', 'revoked', 'insolvency')", name="final_statement_ground"),
        {"info": APPEND_ONLY},
    )
    statement_id: UUID = Field(primary_key=True, foreign_key="statement.statement_id")
    area: str
    producer_id: str
    ground: str
    reasons: str
    drawn_by: str
    drawn_at: datetime = Field(sa_type=TIMES)
