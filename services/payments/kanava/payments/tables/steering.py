"""What an area's steering costs or takes back: the facts it comes from, and the charges without resident lines."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
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
    """A version of a contract as registry stated it, and from when it was known: what it pays each month."""

    __tablename__ = "contract_version"
    __table_args__ = {"info": APPEND_ONLY}
    contract_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=TIMES)
    area: str = Field(index=True)
    producer_id: str
    compensation_kinds: list[str] = Field(sa_type=sa.ARRAY(sa.Text))
    starts_on: date
    ends_on: date | None
    monthly_base_payment_cents: int | None = Field(sa_type=sa.BigInteger)


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
