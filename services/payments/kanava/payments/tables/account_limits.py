"""The limits that were set for the accounts of areas: append-only; the newest one is in force, in the area's book."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class AccountLimit(Base, table=True):
    """A limit of an area's account (saldoraja): how many cents have to stay, negative for an overdraft; who and why."""

    __tablename__ = "account_limit"
    __table_args__ = (
        sa.CheckConstraint("number > 0", name="account_limit_number"),
        {"info": APPEND_ONLY},
    )
    area: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    limit_cents: int = Field(sa_type=sa.BigInteger)
    reason: str
    set_by: str
    set_at: datetime = Field(sa_type=TIMES)
