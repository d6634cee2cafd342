"""What payers are to pay into an area's account, how it was worked out, and what they paid."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base

PAYERS = "payer IN ('state', 'municipality', 'insurance')"


class InstalmentPlan(Base, table=True):
    """A version of what one payer is to pay into an area's account in a fiscal year; the newest holds."""

    __tablename__ = "instalment_plan"
    __table_args__ = (
        sa.UniqueConstraint("area", "payer", "party", "fiscal_year", "version"),
        sa.CheckConstraint(PAYERS),
        sa.CheckConstraint("(payer = 'municipality') = (party <> '')"),
        {"info": APPEND_ONLY},
    )
    plan_id: UUID = Field(primary_key=True)
    area: str
    payer: str
    party: str
    fiscal_year: int
    version: int
    total_cents: int = Field(sa_type=sa.BigInteger)
    reason: str
    recorded_at: datetime = Field(sa_type=TIMES)
    recorded_by: str


class PlannedInstalment(Base, table=True):
    """One instalment of a plan."""

    __tablename__ = "planned_instalment"
    __table_args__ = (sa.CheckConstraint("amount_cents > 0"), {"info": APPEND_ONLY})
    plan_id: UUID = Field(primary_key=True, foreign_key="instalment_plan.plan_id")
    number: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    area: str
    due_on: date
    amount_cents: int = Field(sa_type=sa.BigInteger)


class Instalment(Base, table=True):
    """An instalment that was received; its id is that of the entry that booked the money."""

    __table_args__ = (sa.CheckConstraint(PAYERS), sa.CheckConstraint("amount_cents > 0"), {"info": APPEND_ONLY})
    instalment_id: UUID = Field(primary_key=True)
    area: str = Field(index=True)
    payer: str
    party: str
    reference: str
    received_on: date
    amount_cents: int = Field(sa_type=sa.BigInteger)
    recorded_at: datetime = Field(sa_type=TIMES)


class InstalmentShare(Base, table=True):
    """The part of a received instalment that belongs to a fiscal year."""

    __tablename__ = "instalment_share"
    __table_args__ = (sa.CheckConstraint("amount_cents > 0"), {"info": APPEND_ONLY})
    instalment_id: UUID = Field(primary_key=True, foreign_key="instalment.instalment_id")
    fiscal_year: int = Field(primary_key=True)
    area: str
    amount_cents: int = Field(sa_type=sa.BigInteger)


class Contribution(Base, table=True):
    """How an area's part of collected insurance contributions was worked out, with Kela's reimbursements of the whole.

    `gained_cents` of the instalment come from the phase-out of class II.
    """

    __table_args__ = (
        sa.CheckConstraint("class_2_percent BETWEEN 0 AND 100"),
        sa.CheckConstraint("least(class_1_cents, class_2_cents, gained_cents) >= 0"),
        {"info": APPEND_ONLY},
    )
    instalment_id: UUID = Field(primary_key=True, foreign_key="instalment.instalment_id")
    area: str
    collected_cents: int = Field(sa_type=sa.BigInteger)
    class_1_cents: int = Field(sa_type=sa.BigInteger)
    class_2_cents: int = Field(sa_type=sa.BigInteger)
    class_2_percent: int
    kept_cents: int = Field(sa_type=sa.BigInteger)
    gained_cents: int = Field(sa_type=sa.BigInteger)


class StateFunding(Base, table=True):
    """A version of the state's funding of a fiscal year, to be split over the areas by determinants."""

    __tablename__ = "state_funding"
    __table_args__ = (sa.CheckConstraint("total_cents > 0"), {"info": APPEND_ONLY})
    fiscal_year: int = Field(primary_key=True)
    version: int = Field(primary_key=True)
    total_cents: int = Field(sa_type=sa.BigInteger)
    shares_of: int
    reason: str
    recorded_at: datetime = Field(sa_type=TIMES)
    recorded_by: str


class StateFundingPart(Base, table=True):
    """What one determinant gives one area; `measure` is the area's, `share_thousandths` the determinant's weight."""

    __tablename__ = "state_funding_part"
    __table_args__ = (
        sa.ForeignKeyConstraint(["fiscal_year", "version"], ["state_funding.fiscal_year", "state_funding.version"]),
        sa.CheckConstraint("measure >= 0 AND amount_cents >= 0"),
        {"info": APPEND_ONLY},
    )
    fiscal_year: int = Field(primary_key=True)
    version: int = Field(primary_key=True)
    area: str = Field(primary_key=True)
    determinant: str = Field(primary_key=True)
    share_thousandths: int
    measure: int = Field(sa_type=sa.BigInteger)
    amount_cents: int = Field(sa_type=sa.BigInteger)
