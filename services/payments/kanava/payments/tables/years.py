"""The day to which an entry belongs, and the fiscal years that were closed."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class EntryValue(Base, table=True):
    """The day to which an entry belongs, where it is another than its kind says: see `views/dated.py`."""

    __tablename__ = "entry_value"
    __table_args__ = (
        sa.ForeignKeyConstraint(["area", "seq"], ["entry.area", "entry.seq"]),
        {"info": APPEND_ONLY},
    )
    area: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=sa.BigInteger)
    value_date: date


class YearProposal(Base, table=True):
    """A proposal to close a fiscal year of an area, with the SHA-256 of its journal as it was read then."""

    __tablename__ = "year_proposal"
    __table_args__ = {"info": APPEND_ONLY}
    area: str = Field(primary_key=True)
    fiscal_year: int = Field(primary_key=True)
    version: int = Field(primary_key=True)
    journal_digest: str
    proposed_by: str
    proposed_at: datetime = Field(sa_type=TIMES)


class YearEnd(Base, table=True):
    """A closed fiscal year of an area: two persons, the head of the chain, and the SHA-256 of its journal as CSV."""

    __tablename__ = "year_end"
    __table_args__ = (
        sa.CheckConstraint("proposed_by <> closed_by", name="year_end_four_eyes"),
        {"info": APPEND_ONLY},
    )
    area: str = Field(primary_key=True)
    fiscal_year: int = Field(primary_key=True)
    proposed_by: str
    closed_by: str
    closed_at: datetime = Field(sa_type=TIMES)
    entries: int
    head: str
    journal_digest: str


class YearEndBalance(Base, table=True):
    """A line of the trial balance with which a fiscal year was closed; cents, debit positive."""

    __tablename__ = "year_end_balance"
    __table_args__ = (
        sa.ForeignKeyConstraint(["area", "fiscal_year"], ["year_end.area", "year_end.fiscal_year"]),
        {"info": APPEND_ONLY},
    )
    area: str = Field(primary_key=True)
    fiscal_year: int = Field(primary_key=True)
    account: str = Field(primary_key=True)
    opening_cents: int = Field(sa_type=sa.BigInteger)
    debit_cents: int = Field(sa_type=sa.BigInteger)
    credit_cents: int = Field(sa_type=sa.BigInteger)
    closing_cents: int = Field(sa_type=sa.BigInteger)
