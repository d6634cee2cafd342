"""What the tables of payments have in common: their metadata, with the platform's own tables in it."""

import sqlalchemy as sa
from sqlmodel import SQLModel

from kanava.common.clock import sandbox_clock_table
from kanava.common.db import platform_tables
from kanava.common.idempotency import idempotency_table

TIMES = sa.DateTime(timezone=True)
FOREVER = sa.text("'infinity'")


class Base(SQLModel):
    """The tables of this service's database, the platform's own included."""

    metadata = platform_tables(sa.MetaData())


idempotency_table(Base.metadata)
sandbox_clock_table(Base.metadata)
