"""What routes of payments share: who may call, and the fields that bodies and queries have in common."""

from datetime import date
from typing import Annotated

from fastapi import Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from kanava.common.auth import Caller, Role, allow
from kanava.common.clock import helsinki_date
from kanava.common.dates import LAST_DAY, CalendarDay, MonthText
from kanava.common.db import Tx
from kanava.common.ids import holds_hetu, valid_area

Area = Annotated[str, AfterValidator(valid_area), Field(description="Code of a sote area, `01`–`21` or `90`.")]
ReceivedDay = Annotated[date, Field(ge=date(2020, 1, 1), le=LAST_DAY)]
"""A day on which money may have come in: of a fiscal year that we keep."""
FiscalYear = Annotated[int, Field(ge=2020, le=2100, strict=True, description="A fiscal year, `2026`.")]
Day = Annotated[CalendarDay | None, Query(description="A day, `2026-12-31`; today where none is named.")]

Operator = Annotated[Caller, allow(Role.OPERATOR)]
Approver = Annotated[Caller, allow(Role.OPERATOR, Role.ORGANISER)]
Watcher = Annotated[Caller, allow(Role.OPERATOR, Role.ORGANISER, Role.AUTHORITY)]
Statements = Annotated[Caller, allow(Role.OPERATOR, Role.ORGANISER, Role.PRODUCER)]
Self = Annotated[Caller, allow(Role.RESIDENT)]


OF_THE_BANK = frozenset({"end_to_end_id", "iban"})
"""Fields whose digits and letters are made up by machines and may look like a HETU."""


class Input(BaseModel):
    """A body that takes no field it does not know; a text in it says something, and names nobody by the HETU."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*")
    @classmethod
    def says_something_about_nobody(cls, value: object, info: ValidationInfo) -> object:
        """HETUs live in listing alone, and what is written here stands in books and statements (settled question 8)."""
        if isinstance(value, str) and value and info.field_name not in OF_THE_BANK:
            if not value.strip():
                raise ValueError("this says nothing")
            if holds_hetu(value):
                raise ValueError("this names a person by the HETU (henkilötunnus)")
        return value


class MonthIn(Input):
    """A month of an area."""

    area: Area
    month: MonthText

    @property
    def first(self) -> date:
        """The first day of the month."""
        return date.fromisoformat(f"{self.month}-01")


def must_serve_all_areas(caller: Caller) -> None:
    """`Forbidden` for a caller who belongs to one area, and so sees no more than its part."""
    caller.must_be_in_area("")


def must_see_producer(caller: Caller, producer_id: str, area: str) -> None:
    """`Forbidden` unless the caller acts for the producer, or belongs to its area."""
    if caller.role is Role.PRODUCER:
        caller.must_act_for_producer(producer_id)
    else:
        caller.must_be_in_area(area)


async def day_or_today(request: Request, tx: Tx, day: date | None) -> date:
    """The day that was asked for, or today in Helsinki by the service's clock."""
    return day or helsinki_date(await request.app.state.clock.now(tx))
