"""Payments to residents: the accounts that they gave, and batches from what is owed to the file of the bank.

Nothing here is changed: another account, an approval, a confirmation, a withdrawal is a new row. An account and the
file that names it are sealed; what of a batch is paid, the bank says in `payment`.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class ResidentAccount(Base, table=True):
    """An account (IBAN) with the name of the payee, sealed; the newest of a resident counts, in every area."""

    __tablename__ = "resident_account"
    __table_args__ = (
        sa.CheckConstraint("given_role IN ('resident', 'adviser')", name="resident_account_giver"),
        {"info": APPEND_ONLY},
    )
    resident_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    sealed: bytes
    key_id: str
    given_by: str
    given_role: str
    given_at: datetime = Field(sa_type=TIMES)


class ResidentBatch(Base, table=True):
    """A batch of payments to residents of an area (maksuerä asukkaille): what was owed up to a month."""

    __tablename__ = "resident_batch"
    __table_args__ = (
        sa.UniqueConstraint("area", "number", name="resident_batch_number"),
        {"info": APPEND_ONLY},
    )
    batch_id: UUID = Field(primary_key=True)
    area: str
    number: int
    month: date
    drawn_by: str
    drawn_at: datetime = Field(sa_type=TIMES)


class ResidentItem(Base, table=True):
    """One payment of a batch: everything that was owed to a payee."""

    __tablename__ = "resident_item"
    __table_args__ = (
        sa.CheckConstraint("amount_cents > 0", name="resident_item_pays"),
        sa.UniqueConstraint("batch_id", "payee_id", name="resident_item_once"),
        {"info": APPEND_ONLY},
    )
    item_id: UUID = Field(primary_key=True)
    batch_id: UUID = Field(foreign_key="resident_batch.batch_id")
    area: str
    payee_id: UUID = Field(index=True)
    amount_cents: int = Field(sa_type=sa.BigInteger)


class ResidentPart(Base, table=True):
    """What a payment pays of one matter: a benefit by its reference, or the ceiling by its year; cents, signed."""

    __tablename__ = "resident_part"
    __table_args__ = (
        sa.CheckConstraint("source IN ('benefit', 'ceiling')", name="resident_part_source"),
        sa.CheckConstraint("amount_cents <> 0", name="resident_part_moves"),
        sa.Index("resident_part_matter", "area", "source", "resident_id"),
        sa.Index("resident_part_ceiling", "owed_to", postgresql_where=sa.text("source = 'ceiling'")),
        {"info": APPEND_ONLY},
    )
    item_id: UUID = Field(primary_key=True, foreign_key="resident_item.item_id")
    source: str = Field(primary_key=True)
    resident_id: UUID = Field(primary_key=True)
    owed_to: UUID = Field(primary_key=True)
    matter: str = Field(primary_key=True)
    area: str
    amount_cents: int = Field(sa_type=sa.BigInteger)


class ResidentStep(Base, table=True):
    """A step with a payment of a batch: approved or confirmed to go to an account of its payee, or withdrawn."""

    __tablename__ = "resident_step"
    __table_args__ = (
        sa.CheckConstraint("what IN ('approved', 'confirmed', 'withdrawn')", name="resident_step_what"),
        sa.CheckConstraint("(what = 'withdrawn') = (account_number IS NULL)", name="resident_step_account"),
        {"info": APPEND_ONLY},
    )
    item_id: UUID = Field(primary_key=True, foreign_key="resident_item.item_id")
    number: int = Field(primary_key=True)
    area: str
    what: str
    account_number: int | None
    reason: str
    by: str
    at: datetime = Field(sa_type=TIMES)


class ResidentFile(Base, table=True):
    """The sealed pain.001 file of a release, by somebody else than who approved."""

    __tablename__ = "resident_file"
    __table_args__ = (
        sa.CheckConstraint("approved_by <> released_by", name="resident_file_four_eyes"),
        {"info": APPEND_ONLY},
    )
    payout_id: UUID = Field(primary_key=True, foreign_key="payout.payout_id")
    batch_id: UUID = Field(foreign_key="resident_batch.batch_id", index=True)
    area: str
    approved_by: str
    released_by: str
    sealed: bytes
    key_id: str
