"""The day to which entries belong, and which fiscal years are still open."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx, one
from kanava.common.errors import Refused

from .. import ledger
from ..domain.funding_entries import DatedDraft
from ..errors import Reason

FIRST_YEAR = 1900
"""No fiscal year is earlier."""


async def closed_years(tx: Tx, area: str) -> frozenset[int]:
    """The fiscal years of an area that are closed: the newest that was closed and every one before it."""
    newest = await one(tx, "SELECT max(fiscal_year) AS year FROM year_end WHERE area = %s", (area,))
    assert newest is not None, "an aggregate always answers"
    return frozenset(range(FIRST_YEAR, newest["year"] + 1)) if newest["year"] else frozenset()


async def date_entries(tx: Tx, area: str, dates: Sequence[tuple[UUID, date]]) -> None:
    """Say to which day entries belong, where it is another than that of their booking; their hashes seal it.

    Raises `Refused` for a day of a closed year.
    """
    closed = await closed_years(tx, area)
    if any(value_date.year in closed for _, value_date in dates):
        raise Refused(Reason.YEAR_CLOSED)
    await tx.execute(
        "INSERT INTO entry_value (area, seq, value_date) SELECT e.area, e.seq, d.value_date"
        " FROM unnest(%s::uuid[], %s::date[]) AS d (entry_id, value_date) JOIN entry e USING (entry_id)"
        " WHERE e.area = %s",
        ([entry_id for entry_id, _ in dates], [value_date for _, value_date in dates], area),
    )


async def post_dated(tx: Tx, area: str, dated: Sequence[DatedDraft], now: datetime) -> list[UUID]:
    """Enter drafts in an area's book, each with the day to which it belongs; returns entry ids."""
    today = helsinki_date(now)
    drafts = [replace(one.draft, value_date=one.value_date if one.value_date != today else None) for one in dated]
    entry_ids = await ledger.post(tx, area, drafts, now)
    others = [
        (entry_id, draft.value_date) for entry_id, draft in zip(entry_ids, drafts, strict=True) if draft.value_date
    ]
    if others:
        await date_entries(tx, area, others)
    return entry_ids
