"""Time: the clock as a parameter, the sandbox clock that an operator moves, and dates in Helsinki.

Stored instants are UTC; days and months are those of Europe/Helsinki.
"""

from calendar import monthrange
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from .db import Tx, one

HELSINKI = ZoneInfo("Europe/Helsinki")
MONTHS_PER_YEAR = 12


class Clock(Protocol):
    """Says what time it is for the transaction of a command."""

    async def now(self, tx: Tx) -> datetime:
        """The instant of the command, aware, in UTC."""


class SystemClock:
    """The machine's own time."""

    async def now(self, tx: Tx) -> datetime:
        """The instant at which it is asked."""
        return datetime.now(UTC)


class SandboxClock:
    """The instant that an operator last set in this service's database; before that the machine's own."""

    async def now(self, tx: Tx) -> datetime:
        """The instant that was set; it stands still between moves."""
        row = await one(tx, "SELECT instant FROM sandbox_clock WHERE id = 1")
        return row["instant"].astimezone(UTC) if row else datetime.now(UTC)


def sandbox_clock_table(metadata: sa.MetaData) -> sa.Table:
    """Add the one-row table of the sandbox clock to a service's tables."""
    return sa.Table(
        "sandbox_clock",
        metadata,
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
    )


async def set_sandbox_clock(tx: Tx, instant: datetime) -> bool:
    """Move the sandbox clock forward; returns False, and moves nothing, when that would be backwards."""
    cursor = await tx.execute(
        "INSERT INTO sandbox_clock AS c (id, instant) VALUES (1, %s)"
        " ON CONFLICT (id) DO UPDATE SET instant = excluded.instant WHERE c.instant <= excluded.instant",
        (instant,),
    )
    return cursor.rowcount == 1


class SandboxDataRefused(RuntimeError):
    """The service is not in sandbox mode, but its database was run with a sandbox clock."""


async def choose_clock(tx: Tx, *, sandbox: bool) -> Clock:
    """The clock of a service. Outside sandbox mode a database that ever had a sandbox clock is refused."""
    if sandbox:
        return SandboxClock()
    if await one(tx, "SELECT 1 FROM sandbox_clock"):
        raise SandboxDataRefused(
            "this database was run with a sandbox clock, so its dates are not real; "
            "start the service with KANAVA_SANDBOX=true or give it another database"
        )
    return SystemClock()


def helsinki_date(instant: datetime) -> date:
    """The day in Helsinki at an aware instant; `ValueError` for one without a time zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone has no day")
    return instant.astimezone(HELSINKI).date()


def first_of_month(day: date) -> date:
    """The 1st of the month of a day."""
    return day.replace(day=1)


def days_in_month(day: date) -> int:
    """How many days the month of a day has."""
    return monthrange(day.year, day.month)[1]


def add_months(day: date, months: int) -> date:
    """The same day of the month so many months later, or that month's last day where it has no such day."""
    year, month = divmod(day.year * MONTHS_PER_YEAR + day.month - 1 + months, MONTHS_PER_YEAR)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def month_text(day: date) -> str:
    """The month of a day as it is written, `2026-11`."""
    return f"{day:%Y-%m}"
