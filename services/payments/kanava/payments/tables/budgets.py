"""What areas grant for a year, as registry told it, and what their runs cost by package node."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class YearOrder(Base, table=True):
    """A version of a budget or of an annual order of an area; `content` is the contract's part, whole."""

    __tablename__ = "year_order"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('annual_order', 'budget')", name="year_order_kind"),
        sa.CheckConstraint("status IN ('in_force', 'withdrawn')", name="year_order_status"),
        sa.Index("year_order_of_year", "area", "year"),
        {"info": APPEND_ONLY},
    )
    order_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=TIMES)
    area: str
    year: int
    kind: str
    valid_from: date
    status: str
    content: dict[str, object] | None = Field(sa_type=JSONB)


class NodeUse(Base, table=True):
    """What a run's lines with a package node cost, by producer, component and node."""

    __tablename__ = "node_use"
    __table_args__ = {"info": APPEND_ONLY}
    run_id: UUID = Field(primary_key=True, foreign_key="run.run_id")
    producer_id: str = Field(primary_key=True)
    component: str = Field(primary_key=True)
    node: str = Field(primary_key=True)
    area: str
    amount_cents: int = Field(sa_type=sa.BigInteger)
