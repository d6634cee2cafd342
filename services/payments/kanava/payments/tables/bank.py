"""Payments given to the bank, and what it told of them."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class Payout(Base, table=True):
    """A batch of payments given to the bank as one pain.001 file."""

    __table_args__ = {"info": APPEND_ONLY}
    payout_id: UUID = Field(primary_key=True)
    area: str
    released_by: str
    created_at: datetime = Field(sa_type=TIMES)
    pain001: bytes | None


class Payment(Base, table=True):
    """One payment to a producer; its end-to-end id is paid once."""

    __table_args__ = (
        sa.CheckConstraint("amount_cents > 0"),
        sa.CheckConstraint("length(end_to_end_id) <= 35"),
        sa.CheckConstraint("status IN ('open', 'booked', 'rejected')"),
        {"info": {"grants": "SELECT, INSERT, UPDATE (status, bank_reason)"}},
    )
    end_to_end_id: str = Field(primary_key=True)
    payout_id: UUID = Field(foreign_key="payout.payout_id", index=True)
    statement_id: UUID = Field(foreign_key="statement.statement_id", index=True)
    amount_cents: int = Field(sa_type=sa.BigInteger)
    status: str = "open"
    bank_reason: str | None


class BankMessage(Base, table=True):
    """A file that the bank sent, known by its message id, so that repeating it is harmless."""

    __tablename__ = "bank_message"
    __table_args__ = {"info": APPEND_ONLY}
    message_id: str = Field(primary_key=True)
    kind: str
    received_at: datetime = Field(sa_type=TIMES)
    entries: int
    matched: int


class BankEntry(Base, table=True):
    """A movement that the bank told of, by its own reference; told twice it counts once.

    What matched nothing when it came may match later, so the outcome belongs to the key.
    """

    __tablename__ = "bank_entry"
    __table_args__ = {"info": APPEND_ONLY}
    bank_reference: str = Field(primary_key=True)
    message_id: str
    end_to_end_id: str
    outcome: str
    amount_cents: int = Field(sa_type=sa.BigInteger)
    matched: bool = Field(primary_key=True)
