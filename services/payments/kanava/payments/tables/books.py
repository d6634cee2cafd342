"""The book of an area and the resident lines behind it: append-only by grants and triggers."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class Run(Base, table=True):
    """A month of an area: a job that a worker closes, once, with its sums and the digest of its export.

    A trigger keeps a closed run as it is. Those of before ADR 21 are not `sealed_in_parts`.
    """

    __table_args__ = (
        sa.UniqueConstraint("area", "month"),
        sa.CheckConstraint("month = date_trunc('month', month)::date"),
        sa.CheckConstraint("status IN ('requested', 'closed', 'failed')"),
        sa.CheckConstraint("(status = 'closed') = (digest IS NOT NULL)"),
        {"info": {"grants": "SELECT, INSERT, UPDATE (status, attempts, problem, digest, seconds)"}},
    )
    run_id: UUID = Field(primary_key=True)
    area: str
    month: date
    cut_off: datetime = Field(sa_type=TIMES)
    status: str
    requested_by: str
    attempts: int = 0
    problem: str | None
    digest: str | None
    seconds: float | None
    sealed_in_parts: bool = Field(default=True, sa_column_kwargs={"server_default": sa.true()})


class Line(Base, table=True):
    """A resident line: cents of one component on one resident; `source` is the report, or zero for capitation.

    One partition for each run, filled before it is indexed, so the run stands last in the key. `days` and
    `permille_days` explain capitation, `rate_cents` is the annual rate or the price.
    """

    __table_args__ = {"postgresql_partition_by": "LIST (run_id)", "info": APPEND_ONLY}
    resident_id: UUID = Field(primary_key=True)
    component: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    for_month: date = Field(primary_key=True)
    unit_id: str = Field(primary_key=True)
    source: UUID = Field(primary_key=True)
    run_id: UUID = Field(primary_key=True)
    producer_id: str
    days: int
    permille_days: int
    rate_cents: int = Field(sa_type=sa.BigInteger)
    amount_cents: int = Field(sa_type=sa.BigInteger)


class Book(Base, table=True):
    """An area's book: the head of its chain and what the area can spend, never below its limit."""

    __table_args__ = (
        sa.CheckConstraint("spendable_cents >= limit_cents", name="book_limit"),
        {"info": {"grants": "SELECT, INSERT, UPDATE (next_seq, head_hash, spendable_cents, limit_cents)"}},
    )
    area: str = Field(primary_key=True)
    next_seq: int = Field(default=1, sa_type=sa.BigInteger)
    head_hash: bytes
    spendable_cents: int = Field(default=0, sa_type=sa.BigInteger)
    limit_cents: int = Field(default=0, sa_type=sa.BigInteger)


class Entry(Base, table=True):
    """An entry of an area's book, sealed into its hash chain."""

    __table_args__ = (sa.UniqueConstraint("entry_id"), {"info": APPEND_ONLY})
    area: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=sa.BigInteger)
    entry_id: UUID
    kind: str
    reference: UUID
    booked_at: datetime = Field(sa_type=TIMES)
    text: str
    lines_digest: str
    hash: bytes


class Posting(Base, table=True):
    """Cents on an account, debit positive; the postings of an entry sum to zero at commit."""

    __table_args__ = (
        sa.ForeignKeyConstraint(["area", "seq"], ["entry.area", "entry.seq"]),
        {"info": APPEND_ONLY},
    )
    area: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=sa.BigInteger)
    number: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    account: str
    party: str
    component: str
    amount_cents: int = Field(sa_type=sa.BigInteger)
