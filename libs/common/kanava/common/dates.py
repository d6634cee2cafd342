"""Dates that a caller may send: of a calendar in which days, months and years before and after can be counted."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2099, 12, 31)
"""Nobody who lives was born before, and nothing that is decided holds after."""

CalendarDay = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Instant = Annotated[AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC))]
MonthText = Annotated[
    str, Field(pattern=r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$", description="A month of 1900–2099, `2026-11`.")
]
