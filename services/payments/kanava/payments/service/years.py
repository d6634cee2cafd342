"""Closing fiscal years (tilinpäätös): proposed by one person, closed by another, and nothing enters them afterwards."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx, one
from kanava.common.errors import Refused

from .. import ledger
from ..commands import CloseYear, ProposeYearEnd
from ..domain.trial_balance import BalanceLine, result_cents
from ..errors import Reason
from ..views.journal import Period, journal_csv
from ..views.trial_balance import clearing, lines_on
from .dating import closed_years


@dataclass(frozen=True)
class YearProposed:
    """What would be closed: the trial balance of the year, and what is left on clearing accounts; cents."""

    area: str
    fiscal_year: int
    version: int
    journal_digest: str
    result_cents: int
    trial_balance: list[BalanceLine]
    clearing: list[DictRow]


@dataclass(frozen=True)
class YearClosed:
    """A closed year: the head of the chain then, the number of its entries, the SHA-256 of its journal as CSV."""

    area: str
    fiscal_year: int
    entries: int
    head: str
    journal_digest: str
    result_cents: int
    trial_balance: list[BalanceLine]


async def propose_year_end(tx: Tx, command: ProposeYearEnd, now: datetime) -> YearProposed:
    """Propose to close a year with the books as they stand; somebody else closes it.

    Raises `Refused` while the year or one of its months is open, or out of the order of the years.
    """
    area, year = command.area, command.fiscal_year
    await _lock(tx, area)
    await _must_be_next(tx, area, year, now)
    digest = await _journal_digest(tx, area, year)
    kept = await one(
        tx,
        "INSERT INTO year_proposal (area, fiscal_year, version, journal_digest, proposed_by, proposed_at)"
        " SELECT %(area)s::text, %(year)s::int, coalesce(max(version), 0) + 1, %(digest)s, %(by)s, %(now)s"
        " FROM year_proposal WHERE area = %(area)s AND fiscal_year = %(year)s RETURNING version",
        {"area": area, "year": year, "digest": digest, "by": command.proposed_by, "now": now},
    )
    assert kept is not None, "an insert answers with its version"
    lines = await lines_on(tx, area, date(year, 12, 31), now)
    left = await clearing(tx, area, date(year, 12, 31))
    return YearProposed(area, year, kept["version"], digest, result_cents(lines), list(lines), left)


async def close_year(tx: Tx, command: CloseYear, now: datetime) -> YearClosed:
    """Close a proposed year with its trial balance and the digest of its journal; the books are verified first.

    Raises `Refused` for the person who proposed it, for books that broke, and when the year's journal is
    another than it was at the proposal.
    """
    area, year = command.area, command.fiscal_year
    verified = await ledger.verify(tx, area)
    if verified.broken is not None:
        raise Refused(Reason.BOOKS_BROKEN, f"Entry {verified.broken.seq}: {verified.broken.reason}.")
    head = await _lock(tx, area)
    await _must_be_next(tx, area, year, now)
    proposal = await _proposal_of_another(tx, command)
    digest = await _journal_digest(tx, area, year)
    if digest != proposal["journal_digest"]:
        raise Refused(Reason.BOOKS_MOVED)
    lines = await lines_on(tx, area, date(year, 12, 31), now)
    assert sum(line.closing_cents for line in lines) == 0, "a year is closed with a balance that is not zero"
    entries = await _keep(tx, command, proposal, lines, head=head, now=now)
    assert year in await closed_years(tx, area), "a year that was just closed is closed"
    return YearClosed(area, year, entries, head, digest, result_cents(lines), list(lines))


async def _lock(tx: Tx, area: str) -> str:
    """Hold the area's book, so that nothing is posted until the commit; its head."""
    book = await one(tx, "SELECT encode(head_hash, 'hex') AS head FROM book WHERE area = %s FOR UPDATE", (area,))
    return str(book["head"]) if book else ""


async def _must_be_next(tx: Tx, area: str, year: int, now: datetime) -> None:
    closed = await closed_years(tx, area)
    if year in closed:
        raise Refused(Reason.YEAR_CLOSED, pointer="/fiscal_year")
    if helsinki_date(now) <= date(year, 12, 31):
        raise Refused(Reason.YEAR_NOT_OVER, pointer="/fiscal_year")
    row = await one(
        tx,
        "SELECT (SELECT extract(year FROM min(booked_at) AT TIME ZONE 'Europe/Helsinki')::int FROM entry"
        " WHERE area = %(area)s) AS first, (SELECT max(month) FROM run WHERE area = %(area)s AND status = 'closed')"
        " AS month, EXISTS (SELECT FROM run WHERE area = %(area)s) AS has_months",
        {"area": area},
    )
    assert row is not None, "a query without FROM answers one row"
    expected = max(closed) + 1 if closed else row["first"]
    if expected is not None and year > expected:
        raise Refused(Reason.YEAR_OUT_OF_ORDER, f"The next year to close is {expected}.", pointer="/fiscal_year")
    if row["has_months"] and (row["month"] is None or row["month"] < date(year, 12, 1)):
        raise Refused(Reason.MONTHS_OPEN, pointer="/fiscal_year")


async def _proposal_of_another(tx: Tx, command: CloseYear) -> DictRow:
    proposal = await one(
        tx,
        "SELECT * FROM year_proposal WHERE area = %s AND fiscal_year = %s ORDER BY version DESC LIMIT 1",
        (command.area, command.fiscal_year),
    )
    if proposal is None:
        raise Refused(Reason.NOT_PROPOSED)
    if proposal["proposed_by"] == command.closed_by:
        raise Refused(Reason.SAME_PERSON)
    return proposal


async def _journal_digest(tx: Tx, area: str, year: int) -> str:
    """The SHA-256 of the year's journal as the export gives it."""
    digest = hashlib.sha256()
    async for chunk in journal_csv(tx, Period(area, date(year, 1, 1), date(year, 12, 31))):
        digest.update(chunk)
    return digest.hexdigest()


async def _keep(
    tx: Tx, command: CloseYear, proposal: DictRow, lines: Sequence[BalanceLine], *, head: str, now: datetime
) -> int:
    counted = await one(tx, "SELECT count(*)::int AS n FROM entry WHERE area = %s", (command.area,))
    assert counted is not None, "an aggregate always answers"
    await tx.execute(
        "INSERT INTO year_end (area, fiscal_year, proposed_by, closed_by, closed_at, entries, head, journal_digest)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(command.area, command.fiscal_year, proposal["proposed_by"], command.closed_by, now, counted["n"]),
            *(head, proposal["journal_digest"]),
        ),
    )
    for line in lines:
        await tx.execute(
            "INSERT INTO year_end_balance (area, fiscal_year, account, opening_cents, debit_cents, credit_cents,"
            " closing_cents) VALUES (%(area)s, %(year)s, %(account)s, %(opening_cents)s, %(debit_cents)s,"
            " %(credit_cents)s, %(closing_cents)s)",
            {"area": command.area, "year": command.fiscal_year, **asdict(line)},
        )
    return int(counted["n"])
