"""Payments given to the bank, and what it told of them and of the areas' accounts."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class AreaAccount(Base, table=True):
    """An account of an area at the bank (alueen pankkitili); payments leave from the one registered last."""

    __tablename__ = "area_account"
    __table_args__ = {"info": APPEND_ONLY}
    iban: str = Field(primary_key=True)
    area: str = Field(index=True)
    registered_by: str
    registered_at: datetime = Field(sa_type=TIMES)


class Payout(Base, table=True):
    """A batch of payments given to the bank as one pain.001 file, `sealed` where it sends suspended money back."""

    __table_args__ = (
        sa.CheckConstraint("pain001 IS NULL OR sealed IS NULL", name="payout_one_file"),
        sa.CheckConstraint("(sealed IS NULL) = (key_id IS NULL)", name="payout_key"),
        {"info": APPEND_ONLY},
    )
    payout_id: UUID = Field(primary_key=True)
    area: str
    released_by: str
    created_at: datetime = Field(sa_type=TIMES)
    pain001: bytes | None
    sealed: bytes | None
    key_id: str | None


class Payment(Base, table=True):
    """One payment, paid once: a statement, suspended money to its sender, a refund, or what a resident is owed."""

    __table_args__ = (
        sa.CheckConstraint("amount_cents > 0"),
        sa.CheckConstraint("length(end_to_end_id) <= 35"),
        sa.CheckConstraint("status IN ('open', 'booked', 'rejected', 'returned')", name="payment_status"),
        sa.CheckConstraint(
            "num_nonnulls(statement_id, item_id, refund_id, resident_item_id) = 1", name="payment_pays_one_thing"
        ),
        {"info": {"grants": "SELECT, INSERT, UPDATE (status, bank_reason)"}},
    )
    end_to_end_id: str = Field(primary_key=True)
    payout_id: UUID = Field(foreign_key="payout.payout_id", index=True)
    statement_id: UUID | None = Field(foreign_key="statement.statement_id", index=True)
    item_id: UUID | None = Field(foreign_key="suspense_item.item_id", index=True)
    refund_id: UUID | None = Field(foreign_key="refund_decision.refund_id", index=True)
    resident_item_id: UUID | None = Field(foreign_key="resident_item.item_id", index=True)
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


class BankReport(Base, table=True):
    """A page of a numbered statement or notification of an account; missing numbers and pages raise the alarm."""

    __tablename__ = "bank_report"
    __table_args__ = {"info": APPEND_ONLY}
    iban: str = Field(primary_key=True, foreign_key="area_account.iban")
    kind: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    page: int = Field(primary_key=True)
    is_last_page: bool
    message_id: str
    received_at: datetime = Field(sa_type=TIMES)
    opening_cents: int | None = Field(sa_type=sa.BigInteger)
    closing_cents: int | None = Field(sa_type=sa.BigInteger)
    closes_on: date


class BankBooking(Base, table=True):
    """An entry of the account by the bank's own reference: told in many reports, it counts once."""

    __tablename__ = "bank_booking"
    __table_args__ = (
        sa.CheckConstraint("amount_cents > 0"),
        sa.CheckConstraint("direction IN ('credit', 'debit')"),
        {"info": APPEND_ONLY},
    )
    iban: str = Field(primary_key=True, foreign_key="area_account.iban")
    reference: str = Field(primary_key=True)
    area: str
    direction: str
    amount_cents: int = Field(sa_type=sa.BigInteger)
    booked_on: date
    message_id: str


class BankEntry(Base, table=True):
    """A transaction of a booking, and what it was matched with when it came; an instalment explains one."""

    __tablename__ = "bank_entry"
    __table_args__ = (
        sa.CheckConstraint("amount_cents > 0"),
        sa.CheckConstraint("matched IN ('payment', 'funding', 'suspense', 'offset', 'explained')"),
        sa.Index("bank_entry_funding", "entry_id", unique=True, postgresql_where=sa.text("matched = 'funding'")),
        {"info": APPEND_ONLY},
    )
    iban: str = Field(primary_key=True)
    reference: str = Field(primary_key=True)
    part: str = Field(primary_key=True)
    end_to_end_id: str | None = Field(index=True)
    outcome: str
    amount_cents: int = Field(sa_type=sa.BigInteger)
    matched: str
    entry_id: UUID | None
    message_id: str


class BankStatus(Base, table=True):
    """A status of a payment that a pain.002 told; a rejection that fits was booked."""

    __tablename__ = "bank_status"
    __table_args__ = {"info": APPEND_ONLY}
    end_to_end_id: str = Field(primary_key=True)
    status: str = Field(primary_key=True)
    message_id: str = Field(primary_key=True)
    reason: str | None
    told_at: datetime = Field(sa_type=TIMES)


class AccountConfirmation(Base, table=True):
    """Who confirmed a producer's account anew after it had changed behind an approval, and why."""

    __tablename__ = "account_confirmation"
    __table_args__ = {"info": APPEND_ONLY}
    statement_id: UUID = Field(primary_key=True, foreign_key="statement.statement_id")
    number: int = Field(primary_key=True)
    iban: str
    reason: str
    confirmed_by: str
    confirmed_at: datetime = Field(sa_type=TIMES)


class ReferenceWish(Base, table=True):
    """Which kind of reference a producer asked for; without one it gets RF (ISO 11649)."""

    __tablename__ = "reference_wish"
    __table_args__ = (sa.CheckConstraint("kind IN ('rf', 'viitenumero')"), {"info": APPEND_ONLY})
    producer_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    kind: str
    asked_by: str
    asked_at: datetime = Field(sa_type=TIMES)
