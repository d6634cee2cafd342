"""Vouchers and personal budgets as listing granted them, and what runs paid from them."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import FOREVER, TIMES, Base


class Voucher(Base, table=True):
    """A version of a voucher or personal budget, and when it was known; `nodes` are those that it pays for."""

    __table_args__ = (
        sa.CheckConstraint("recorded_from <= recorded_until"),
        sa.Index("voucher_of_resident", "area", "resident_id"),
    )
    voucher_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_from: datetime = Field(sa_type=TIMES)
    recorded_until: datetime = Field(sa_type=TIMES, sa_column_kwargs={"server_default": FOREVER})
    resident_id: UUID
    area: str
    kind: str
    status: str
    starts_on: date
    until: date
    nodes: list[str] = Field(sa_type=ARRAY(sa.Text))
    unit_of_measure: str | None
    value_cents: int | None
    self_pay_cents: int
    uses_granted: int | None
    sum_granted_cents: int | None = Field(sa_type=sa.BigInteger)
    producer_ids: list[str] = Field(sa_type=ARRAY(sa.Text))


class VoucherUse(Base, table=True):
    """What a run paid from a voucher for a report, or took back: uses and cents, or nothing and `why`."""

    __tablename__ = "voucher_use"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('original', 'refund', 'correction')", name="voucher_use_kind"),
        sa.CheckConstraint("why IS NULL OR (uses = 0 AND amount_cents = 0)", name="voucher_use_not_paid"),
        sa.Index("voucher_use_not_paid_of", "producer_id", "area", postgresql_where=sa.text("why IS NOT NULL")),
        sa.Index("voucher_use_of_voucher", "voucher_id"),
        sa.Index("voucher_use_of_report", "production_id"),
        {"info": APPEND_ONLY},
    )
    run_id: UUID = Field(primary_key=True, foreign_key="run.run_id")
    voucher_id: UUID = Field(primary_key=True)
    production_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    unit_id: str = Field(primary_key=True)
    for_month: date = Field(primary_key=True)
    node: str = Field(primary_key=True)
    area: str
    resident_id: UUID
    producer_id: str
    uses: int
    rate_cents: int = Field(sa_type=sa.BigInteger)
    amount_cents: int = Field(sa_type=sa.BigInteger)
    why: str | None
