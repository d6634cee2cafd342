"""What an area's steering costs or takes back: the facts it comes from, and the charges without resident lines."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class SanctionVersion(Base, table=True):
    """A version of a sanction as registry stated it, and from when it was known; the newest known one holds."""

    __tablename__ = "sanction_version"
    __table_args__ = {"info": APPEND_ONLY}
    sanction_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=TIMES)
    area: str = Field(index=True)
    producer_id: str
    step: int
    status: str
    effective_on: date
    amount_cents: int | None = Field(sa_type=sa.BigInteger)


class ContractVersion(Base, table=True):
    """A version of a contract as registry stated it, and from when it was known: its kinds of compensation, its days
    `[starts_on, ends_on)`, and what it pays each month.
    """

    __tablename__ = "contract_version"
    __table_args__ = {"info": APPEND_ONLY}
    contract_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=TIMES)
    area: str = Field(index=True)
    producer_id: str
    contract_class: str
    compensation_kinds: list[str] = Field(sa_type=sa.ARRAY(sa.Text))
    starts_on: date
    ends_on: date | None
    monthly_base_payment_cents: int | None = Field(sa_type=sa.BigInteger)
    effectiveness: list[object] = Field(sa_type=JSONB)


class Charge(Base, table=True):
    """Cents of a component on a producer, not on residents; `source` is the sanction or contract it comes from."""

    __table_args__ = (
        sa.CheckConstraint("amount_cents <> 0"),
        sa.CheckConstraint("kind IN ('original', 'refund', 'correction')"),
        {"info": APPEND_ONLY},
    )
    run_id: UUID = Field(primary_key=True, foreign_key="run.run_id")
    producer_id: str = Field(primary_key=True)
    component: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    for_month: date = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    area: str = Field(index=True)
    amount_cents: int = Field(sa_type=sa.BigInteger)


class Snapshot(Base, table=True):
    """A confirmed indicator of a producer or of a municipality, frozen for a period, and from when it was known."""

    __table_args__ = (
        sa.CheckConstraint("period_from < period_until"),
        sa.CheckConstraint("num_nonnulls(producer_id, municipality) = 1"),
        {"info": APPEND_ONLY},
    )
    snapshot_id: UUID = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=TIMES)
    area: str = Field(index=True)
    producer_id: str | None
    municipality: str | None
    indicator: str
    period_from: date
    period_until: date
    value: int = Field(sa_type=sa.BigInteger)
    scale: int
    floor: int | None = Field(sa_type=sa.BigInteger)
    target: int | None = Field(sa_type=sa.BigInteger)


class IncentiveReserve(Base, table=True):
    """By how much a run changed the capitation of a month of a producer in a municipality, and so its reserve.

    The sum over the runs is the reserve; `model` says for what it is earned.
    """

    __tablename__ = "incentive_reserve"
    __table_args__ = (sa.CheckConstraint("capitation_cents <> 0 OR reserved_cents <> 0"), {"info": APPEND_ONLY})
    run_id: UUID = Field(primary_key=True, foreign_key="run.run_id")
    producer_id: str = Field(primary_key=True)
    municipality: str = Field(primary_key=True)
    for_month: date = Field(primary_key=True)
    area: str = Field(index=True)
    model: str
    capitation_cents: int = Field(sa_type=sa.BigInteger)
    reserved_cents: int = Field(sa_type=sa.BigInteger)


class IncentiveOutcome(Base, table=True):
    """By how much a run changed what one indicator earned and released of a month's reserve.

    The sum over the runs is its outcome; the snapshot that settles it is the same in all of them.
    """

    __tablename__ = "incentive_outcome"
    __table_args__ = (sa.CheckConstraint("earned_cents <> 0 OR released_cents <> 0"), {"info": APPEND_ONLY})
    run_id: UUID = Field(primary_key=True, foreign_key="run.run_id")
    producer_id: str = Field(primary_key=True)
    municipality: str = Field(primary_key=True)
    for_month: date = Field(primary_key=True)
    indicator: str = Field(primary_key=True)
    area: str = Field(index=True)
    snapshot_id: UUID
    earned_cents: int = Field(sa_type=sa.BigInteger)
    released_cents: int = Field(sa_type=sa.BigInteger)
