"""The tables of payments, with the constraints that hold its rules.

Reference data and facts as the bus told them carry `recorded_from`/`recorded_until` (when they were known);
the book (entry, posting, line) is append-only by grants and triggers. What only SQL can say (the deferred
sum-zero check, the triggers, the functions that open a run's partition) stands in the first migration.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from kanava.common.clock import sandbox_clock_table
from kanava.common.db import APPEND_ONLY, platform_tables
from kanava.common.idempotency import idempotency_table

TIMES = sa.DateTime(timezone=True)
FOREVER = sa.text("'infinity'")


class Base(SQLModel):
    """The tables of this service's database, the platform's own included."""

    metadata = platform_tables(sa.MetaData())


idempotency_table(Base.metadata)
sandbox_clock_table(Base.metadata)


class Producer(Base, table=True):
    """A producer as registry last stated it: its name, its standing and the account it is paid to."""

    producer_id: str = Field(primary_key=True)
    version: int
    area: str
    name: str
    kind: str
    status: str
    iban: str | None


class Unit(Base, table=True):
    """A unit; its area and municipality decide whose account pays and by which scheme."""

    unit_id: str = Field(primary_key=True)
    version: int
    recorded_at: datetime = Field(sa_type=TIMES)
    producer_id: str = Field(index=True)
    area: str
    municipality: str
    own: bool


class Contract(Base, table=True):
    """A contract as registry last stated it, with the kinds of compensation that it allows."""

    contract_id: str = Field(primary_key=True)
    version: int
    producer_id: str = Field(index=True)
    area: str
    contract_class: str
    compensation_kinds: list[str] = Field(sa_type=sa.ARRAY(sa.Text))
    starts_on: date
    ends_on: date | None


class SchemePhase(Base, table=True):
    """A phase that a municipality's scheme entered, with the compensation model it adopted; rows stay."""

    __tablename__ = "scheme_phase"
    __table_args__ = {"info": APPEND_ONLY}
    scheme_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=TIMES)
    municipality: str
    area: str
    phase: int
    entered_on: date
    compensation_model: str | None


class Model(Base, table=True):
    """A version of a compensation model (korvausmalli); `terms` is the contract's `CompensationTerms`."""

    __table_args__ = {"info": APPEND_ONLY}
    document_id: str = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=TIMES)
    area: str
    number: int
    valid_from: date
    terms: dict[str, object] = Field(sa_type=JSONB)


class Price(Base, table=True):
    """The organiser's price of a package node from a day on."""

    __table_args__ = (
        sa.UniqueConstraint("area", "node", "unit_of_measure", "valid_from"),
        {"info": APPEND_ONLY},
    )
    price_id: str = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=TIMES)
    area: str
    node: str
    unit_of_measure: str
    valid_from: date
    price_cents: int = Field(sa_type=sa.BigInteger)


class Resident(Base, table=True):
    """A version of a pseudonymous resident and when it was known: `[recorded_from, recorded_until)`."""

    __table_args__ = (sa.CheckConstraint("recorded_from <= recorded_until"),)
    resident_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_from: datetime = Field(sa_type=TIMES)
    recorded_until: datetime = Field(sa_type=TIMES, sa_column_kwargs={"server_default": FOREVER})
    birth_date: date
    sex: str
    area: str
    lives_until: date | None


class Span(Base, table=True):
    """A stretch of being listed, of one version of a resident's listing, and when it was known."""

    __table_args__ = (
        sa.CheckConstraint("recorded_from <= recorded_until"),
        sa.CheckConstraint("until IS NULL OR until >= starts_on"),
        sa.CheckConstraint("coefficient_permille > 0"),
    )
    resident_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    recorded_from: datetime = Field(sa_type=TIMES)
    recorded_until: datetime = Field(sa_type=TIMES, sa_column_kwargs={"server_default": FOREVER})
    unit_id: str
    producer_id: str
    starts_on: date
    until: date | None
    coefficient_permille: int


class Visit(Base, table=True):
    """A version of an accepted report of a performed service, and when it was known."""

    __table_args__ = (
        sa.CheckConstraint("recorded_from <= recorded_until"),
        sa.CheckConstraint("quantity > 0 AND client_fee_cents >= 0"),
        sa.Index("visit_report", "producer_id", "report_id", "version", unique=True),
    )
    production_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_from: datetime = Field(sa_type=TIMES)
    recorded_until: datetime = Field(sa_type=TIMES, sa_column_kwargs={"server_default": FOREVER})
    report_id: str
    producer_id: str
    unit_id: str
    resident_id: UUID
    area: str
    node: str
    unit_of_measure: str
    performed_on: date
    quantity: int
    client_fee_cents: int


class Run(Base, table=True):
    """A month of an area: a job that a worker closes, once, with its sums and the digest of its export."""

    __table_args__ = (
        sa.UniqueConstraint("area", "month"),
        sa.CheckConstraint("month = date_trunc('month', month)::date"),
        sa.CheckConstraint("status IN ('requested', 'closed', 'failed')"),
        sa.CheckConstraint("(status = 'closed') = (digest IS NOT NULL)"),
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


class Line(Base, table=True):
    """A resident line: cents of one component on one resident; `source` is the report, or zero for capitation.

    One partition for each run, filled before it is indexed. `days` and `permille_days` explain capitation,
    `rate_cents` is the annual rate or the price.
    """

    __table_args__ = {"postgresql_partition_by": "LIST (run_id)", "info": APPEND_ONLY}
    run_id: UUID = Field(primary_key=True)
    resident_id: UUID = Field(primary_key=True)
    component: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    for_month: date = Field(primary_key=True)
    unit_id: str = Field(primary_key=True)
    source: UUID = Field(primary_key=True)
    producer_id: str
    days: int
    permille_days: int
    rate_cents: int = Field(sa_type=sa.BigInteger)
    amount_cents: int = Field(sa_type=sa.BigInteger)


class Book(Base, table=True):
    """An area's book: the head of its chain and what the area can spend, never below its limit."""

    __table_args__ = (
        sa.CheckConstraint("spendable_cents >= limit_cents", name="book_limit"),
        {"info": {"grants": "SELECT, INSERT, UPDATE (next_seq, head_hash, spendable_cents)"}},
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


class Statement(Base, table=True):
    """What a producer is owed for a month, who approved and released it, and how far its payment has come."""

    __table_args__ = (
        sa.UniqueConstraint("run_id", "producer_id"),
        sa.CheckConstraint("status IN ('drawn', 'approved', 'released', 'settled', 'booked', 'rejected')"),
        sa.CheckConstraint("approved_by <> released_by", name="statement_four_eyes"),
    )
    statement_id: UUID = Field(primary_key=True)
    version: int = 1
    run_id: UUID
    area: str
    month: date
    producer_id: str = Field(index=True)
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
