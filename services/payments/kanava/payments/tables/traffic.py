"""What was heard, day by day, for the reconciliation of a topic."""

from datetime import date

import sqlalchemy as sa
from sqlmodel import Field

from .base import Base


class HeardDay(Base, table=True):
    """Records of a topic's partition on a day in Helsinki; a trigger adds what `inbox_offset` gains."""

    __tablename__ = "heard_day"
    __table_args__ = {"info": {"grants": "SELECT"}}
    topic: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    received: int = Field(sa_type=sa.BigInteger)
    applied: int = Field(sa_type=sa.BigInteger)
    duplicates: int = Field(sa_type=sa.BigInteger)
    dead: int = Field(sa_type=sa.BigInteger)
    unknown: int = Field(sa_type=sa.BigInteger)
