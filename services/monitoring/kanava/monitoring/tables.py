"""The tables of monitoring: read models of what others say, reported services, and letters driven again.

The source of truth for columns and constraints; migrations are made from it and checked against it.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from kanava.common.clock import sandbox_clock_table
from kanava.common.db import APPEND_ONLY, platform_tables
from kanava.common.idempotency import idempotency_table

_INSTANT = sa.DateTime(timezone=True)


class Base(SQLModel):
    """The tables of this service's database, the platform's own included."""

    metadata = platform_tables(sa.MetaData())


idempotency_table(Base.metadata)
sandbox_clock_table(Base.metadata)


class Producer(Base, table=True):
    """A producer (tuottaja) as registry last described it."""

    producer_id: str = Field(primary_key=True)
    name: str
    kind: str
    area: str
    status: str
    version: int


class Unit(Base, table=True):
    """A unit (toimipiste); from `closes_on` on it is closed."""

    unit_id: str = Field(primary_key=True)
    producer_id: str = Field(index=True)
    area: str
    municipality: str
    name: str
    status: str
    opens_on: date
    closes_on: date | None
    version: int


class Package(Base, table=True):
    """A published version of a service package (palvelupaketti), in force from one day up to another."""

    package_id: str = Field(primary_key=True)
    family: str
    number: int
    valid_from: date
    valid_until: date | None
    version: int


class PackageNode(Base, table=True):
    """A node of a package version and the units of measure that it takes."""

    __tablename__ = "package_node"

    package_id: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    name_fi: str
    units: list[str] = Field(sa_type=ARRAY(sa.Text))


class Price(Base, table=True):
    """The organiser's price of a node in cents, from a day on."""

    price_id: str = Field(primary_key=True)
    area: str
    node: str
    unit_of_measure: str
    valid_from: date
    price_cents: int = Field(sa_type=sa.BigInteger)
    version: int


class Scheme(Base, table=True):
    """A municipality's scheme (käyttöönotto); services are reported from `production_from` on (phase 5)."""

    scheme_id: str = Field(primary_key=True)
    municipality: str = Field(index=True)
    area: str
    phase: int
    production_from: date | None
    version: int


class Contract(Base, table=True):
    """A contract of a producer and its class."""

    contract_id: str = Field(primary_key=True)
    producer_id: str
    area: str
    contract_class: str
    starts_on: date
    ends_on: date | None
    version: int


class YearOrder(Base, table=True):
    """An annual order or a budget of an area as registry last said it; `content` has its lines."""

    __tablename__ = "year_order"
    __table_args__ = (sa.Index("year_order_of_area", "area", "year"),)

    order_id: str = Field(primary_key=True)
    kind: str
    area: str
    year: int
    valid_from: date
    status: str
    producer_id: str | None
    content: dict[str, Any] = Field(sa_type=JSONB)
    version: int


class Sanction(Base, table=True):
    """A step of the ladder against a producer and its standing; the sum in cents goes with step 3."""

    sanction_id: str = Field(primary_key=True)
    producer_id: str = Field(index=True)
    area: str
    step: int
    effective_on: date
    status: str
    amount_cents: int | None = Field(sa_type=sa.BigInteger)
    version: int


class Voucher(Base, table=True):
    """A resident's voucher or personal budget: of which kind, and on which days it holds."""

    voucher_id: UUID = Field(primary_key=True)
    resident_id: UUID = Field(index=True)
    area: str
    kind: str
    node: str | None
    status: str
    starts_on: date
    until: date
    version: int


class Snapshot(Base, table=True):
    """An indicator frozen for a period; it never changes. Numbers are whole ones of 10^-`scale`."""

    __table_args__ = (
        sa.CheckConstraint("period_until > period_from", name="snapshot_has_days"),
        sa.CheckConstraint("(floor IS NULL) = (target IS NULL)", name="snapshot_range_whole"),
        sa.CheckConstraint("denominator > 0", name="snapshot_denominator"),
        sa.CheckConstraint(
            "confirmed_by IS DISTINCT FROM producer_id OR producer_id IS NULL", name="snapshot_confirmed"
        ),
        sa.Index("snapshot_of_area", "area", "period_from"),
        {"info": APPEND_ONLY},
    )

    snapshot_id: UUID = Field(primary_key=True)
    indicator: str
    subject: str
    area: str
    producer_id: str | None
    unit_id: str | None
    municipality: str | None
    period_from: date
    period_until: date
    direction: str
    value: int = Field(sa_type=sa.BigInteger)
    scale: int
    numerator: int | None = Field(sa_type=sa.BigInteger)
    denominator: int | None = Field(sa_type=sa.BigInteger)
    floor: int | None = Field(sa_type=sa.BigInteger)
    target: int | None = Field(sa_type=sa.BigInteger)
    confirmed_by: str | None
    frozen_by: str
    recorded_at: datetime = Field(sa_type=_INSTANT)


class Resident(Base, table=True):
    """A pseudonymous resident; `lives_until` is the first day on which it is no longer there."""

    resident_id: UUID = Field(primary_key=True)
    birth_date: date
    sex: str
    municipality: str | None
    area: str
    lives_until: date | None
    version: int


class Listed(Base, table=True):
    """Which version of a resident's listing (listautuminen) the spans are of."""

    resident_id: UUID = Field(primary_key=True)
    version: int


class ListingSpan(Base, table=True):
    """A stretch of being listed, numbered from 1 in each resident's history; `until` is not included."""

    __tablename__ = "listing_span"
    __table_args__ = (sa.Index("listing_span_choices", "starts_on", postgresql_where=sa.text("origin = 'choice'")),)

    resident_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    unit_id: str
    producer_id: str
    starts_on: date
    until: date | None
    origin: str


class Run(Base, table=True):
    """A closed month of an area and the proof of its lines."""

    run_id: UUID = Field(primary_key=True)
    area: str
    month: str
    cut_off: datetime = Field(sa_type=_INSTANT)
    digest: str
    sums: list[Any] = Field(sa_type=JSONB)
    version: int


class Statement(Base, table=True):
    """What a producer is owed for a month, in cents, and how far its payment has come."""

    __table_args__ = (sa.Index("statement_month", "area", "month"),)

    statement_id: UUID = Field(primary_key=True)
    producer_id: str
    area: str
    month: str
    status: str
    amount_cents: int = Field(sa_type=sa.BigInteger)
    sums: list[Any] = Field(sa_type=JSONB)
    version: int


class AccountMovement(Base, table=True):
    """A movement of an area's account in cents and the balance after it."""

    __tablename__ = "account_movement"

    area: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    entry_id: UUID
    kind: str
    amount_cents: int = Field(sa_type=sa.BigInteger)
    balance_cents: int = Field(sa_type=sa.BigInteger)
    recorded_at: datetime = Field(sa_type=_INSTANT)


class ProducerFiles(Base, table=True):
    """How many files a producer has sent; its row is the lock under which a file is merged."""

    __tablename__ = "producer_files"

    producer_id: str = Field(primary_key=True)
    received: int


class ProductionFile(Base, table=True):
    """The receipt (kuitti) of a file; `version` numbers the files of a producer from 1."""

    __tablename__ = "production_file"
    __table_args__ = (
        sa.UniqueConstraint("producer_id", "version"),
        sa.CheckConstraint("rows = accepted + corrected + doubled + rejected", name="every_row_is_counted_once"),
        {"info": APPEND_ONLY},
    )

    file_id: UUID = Field(primary_key=True)
    producer_id: str
    version: int
    format: str
    digest: bytes
    corrects: bool
    sent_by: str
    received_at: datetime = Field(sa_type=_INSTANT)
    rows: int
    accepted: int
    corrected: int
    doubled: int
    rejected: int


class _Report(Base):
    """The content of a reported service."""

    producer_id: str
    report_id: str
    unit_id: str
    resident_id: UUID
    area: str
    node: str
    unit_of_measure: str
    performed_on: date
    quantity: int
    client_fee_cents: int
    weight_ten_thousandths: int | None
    drg_group: str | None
    referral_id: str | None
    file_id: UUID
    recorded_at: datetime = Field(sa_type=_INSTANT)


class Production(_Report, table=True):
    """A reported service (suorite) as last accepted."""

    __table_args__ = (
        sa.UniqueConstraint("producer_id", "report_id"),
        sa.CheckConstraint("quantity BETWEEN 0 AND 100", name="quantity_in_range"),
        sa.CheckConstraint("client_fee_cents BETWEEN 0 AND 100000", name="client_fee_in_range"),
        sa.Index("production_day", "area", "performed_on"),
        {"info": {"grants": "SELECT, INSERT, UPDATE"}},
    )

    production_id: UUID = Field(primary_key=True)
    version: int


class ProductionBefore(_Report, table=True):
    """What a reported service was before a correction."""

    __tablename__ = "production_before"
    __table_args__ = ({"info": APPEND_ONLY},)

    production_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)


class RejectedRow(Base, table=True):
    """A row that was rejected, and what may be kept of it: no value of a personal field, no HETU."""

    __tablename__ = "rejected_row"
    __table_args__ = ({"info": APPEND_ONLY},)

    file_id: UUID = Field(primary_key=True)
    row: int = Field(primary_key=True)
    field: str | None
    code: str
    value: str | None
    kept: dict[str, Any] | None = Field(sa_type=JSONB)


class Redrive(Base, table=True):
    """A dead letter that was driven again: by whom, why, and for which time."""

    __table_args__ = ({"info": APPEND_ONLY},)

    letter_id: UUID = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    topic: str
    service: str
    reason: str
    forced: bool
    driven_by: str
    driven_at: datetime = Field(sa_type=_INSTANT)
