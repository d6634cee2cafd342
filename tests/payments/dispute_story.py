"""Steps of a dispute on any month's statement, from the contested line to the outcome."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Pool, Tx, one, rows, transaction
from kanava.payments.commands import ContestLines, DecideDispute, LineKey
from kanava.payments.domain.disputes import Remedy
from kanava.payments.service.disputes import contest_lines, decide_dispute
from kanava.payments.views import books
from tests.payments import story
from tests.support import facts as told

KEY = ("resident_id", "component", "kind", "for_month", "unit_id", "source")


def key_of(line: DictRow) -> LineKey:
    """The key by which a line is contested."""
    return LineKey(*(line[name] for name in KEY))


async def find(pool: Pool, month: date, component: str, kind: str = "original", **wanted: object) -> DictRow:
    """The one line of a component and kind that a month's run wrote."""
    async with transaction(pool) as tx:
        found = await rows(
            tx,
            "SELECT l.* FROM line l JOIN run r USING (run_id) WHERE r.month = %s AND component = %s AND kind = %s",
            (month, component, kind),
        )
    (line,) = [row for row in found if all(row[name] == value for name, value in wanted.items())]
    return line


async def contest(pool: Pool, line: DictRow, now: datetime) -> UUID:
    """Its producer contests a line of its statement; the case's id."""
    return await contest_together(pool, [line], now)


async def contest_together(pool: Pool, lines: Sequence[DictRow], now: datetime) -> UUID:
    """Their producer contests lines of one statement in one case; its id."""
    async with transaction(pool) as tx:
        statement = await one(
            tx,
            "SELECT statement_id FROM statement WHERE run_id = %s AND producer_id = %s",
            (lines[0]["run_id"], lines[0]["producer_id"]),
        )
        assert statement is not None
        keys = tuple(key_of(line) for line in lines)
        command = ContestLines(statement["statement_id"], keys, "Rivi on väärin laskettu.", "tuottaja")
        return (await contest_lines(tx, command, now)).dispute_id


async def adjust(
    pool: Pool, dispute_id: UUID, line: DictRow, holds_cents: int, now: datetime, by: str = "cecilia"
) -> None:
    """Cecilia accepts a case: the line should have said something else, which payments itself owns."""
    await adjust_together(pool, dispute_id, [(line, holds_cents)], now, by)


async def adjust_together(
    pool: Pool, dispute_id: UUID, holds: Sequence[tuple[DictRow, int]], now: datetime, by: str = "cecilia"
) -> None:
    """As `adjust`, for lines with what each should have said."""
    keyed = tuple((key_of(line), holds_cents) for line, holds_cents in holds)
    command = DecideDispute(dispute_id, True, "Perustelut on annettu.", by, Remedy.PAYMENTS, keyed)
    async with transaction(pool) as tx:
        await decide_dispute(tx, command, now)


async def adjusted(pool: Pool, line: DictRow, holds_cents: int, now: datetime) -> UUID:
    """A line contested and adjusted on one day; the case's id."""
    return await adjusted_together(pool, [(line, holds_cents)], now)


async def adjusted_together(pool: Pool, holds: Sequence[tuple[DictRow, int]], now: datetime) -> UUID:
    """Lines of one statement contested and adjusted on one day; the case's id."""
    dispute_id = await contest_together(pool, [line for line, _ in holds], now)
    await adjust_together(pool, dispute_id, holds, now)
    return dispute_id


async def cents(pool: Pool, *components: str, **wanted: object) -> int:
    """The cents of all lines of some components, of all where none is named."""
    return sum(
        line["amount_cents"]
        for line in await story.lines(pool)
        if (not components or line["component"] in components)
        and all(line[name] == value for name, value in wanted.items())
    )


_OFF = """
SELECT r.month, s.producer_id, s.amount_cents - coalesce(l.cents, 0) - coalesce(c.cents, 0) AS off
FROM run r JOIN statement s ON s.run_id = r.run_id
LEFT JOIN LATERAL (SELECT sum(amount_cents) AS cents FROM line
                   WHERE line.run_id = r.run_id AND line.producer_id = s.producer_id) l ON true
LEFT JOIN LATERAL (SELECT sum(amount_cents) AS cents FROM charge
                   WHERE charge.run_id = r.run_id AND charge.producer_id = s.producer_id) c ON true
WHERE r.area = %s
"""


async def assert_all_agree(tx: Tx) -> None:
    """Lines are statements are the area's account, component by component; the trial balance is zero."""
    assert {row["off"] for row in await rows(tx, _OFF, (told.AREA,))} <= {0}, "lines are statements"
    assert all(row["equal"] for row in await books.sums(tx, told.AREA))
    assert sum(row["amount_cents"] for row in await books.trial_balance(tx, told.AREA)) == 0


async def assert_whole(pool: Pool) -> None:
    """`assert_all_agree` in a transaction of its own."""
    async with transaction(pool) as tx:
        await assert_all_agree(tx)
