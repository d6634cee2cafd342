"""A sanction from the fact to the statement and the books, on a real PostgreSQL."""

from datetime import date, datetime

import pytest
from psycopg import Rollback
from psycopg.rows import DictRow

from kanava.common.contracts.steering import Sanction
from kanava.common.db import Pool, Tx, one, rows, transaction
from kanava.payments import ledger
from kanava.payments.commands import RequestRun
from kanava.payments.service.runs import close_month, close_next, request_run
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)


def sanction(version: int, recorded_at: datetime, **changed: object) -> Sanction:
    """A sanction of 2.00 € against the private producer, in force from the middle of November."""
    fields: dict[str, object] = {
        "what": "imposed",
        "version": version,
        "recorded_at": recorded_at,
        "sanction_id": f"{told.PRIVATE}:3",
        "producer_id": told.PRIVATE,
        "area": told.AREA,
        "contract_id": None,
        "step": 3,
        "name": "sanktio",
        "reason": "No corrective plan in time.",
        "effective_on": date(2026, 11, 15),
        "status": "in_force",
        "amount_cents": 2_00,
        "decided_on": date(2026, 11, 15),
    }
    return Sanction.model_validate(fields | changed)


async def a_listed_resident(pool: Pool) -> None:
    """One resident with the private unit: 7.00 € of capitation a month."""
    await story.open_area(pool)
    await story.fund(pool, 100_00, at(10, 1))
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1), private=True)))


async def statements(pool: Pool) -> list[tuple[date, int, int]]:
    """Month, sum and what was deducted of each statement of the private producer."""
    query = (
        "SELECT s.month, s.amount_cents, coalesce((SELECT t.amount_cents FROM statement_sum t"
        " WHERE t.statement_id = s.statement_id AND component = 'sanction' AND t.lines = 0), 0) AS deducted_cents"
        " FROM statement s WHERE producer_id = %s ORDER BY month"
    )
    async with transaction(pool) as tx:
        return [tuple(row.values()) for row in await rows(tx, query, (told.PRIVATE,))]


async def test_a_sanction_is_deducted_from_the_next_statement_and_what_is_paid(pool: Pool) -> None:
    await a_listed_resident(pool)
    assert await story.hear(pool, "registry.sanction", sanction(1, at(11, 16))) == 1
    assert await story.hear(pool, "registry.sanction", sanction(1, at(11, 16))) == 0
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await statements(pool) == [(NOVEMBER, 5_00, -2_00), (DECEMBER, 7_00, 0)]
    await story.assert_books_agree(pool)
    assert (await story.pay(pool, NOVEMBER, at(12, 31, 23))).to_bank_cents == 5_00
    await story.assert_books_agree(pool)
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None


async def test_an_appealed_sanction_waits_and_a_smaller_sum_is_upheld(pool: Pool) -> None:
    await a_listed_resident(pool)
    appealed = sanction(2, at(11, 20), what="appealed", status="appealed")
    await story.hear(pool, "registry.sanction", sanction(1, at(11, 16)), appealed)
    await story.close(pool, NOVEMBER, at(12, 2))
    upheld = sanction(3, at(12, 5), what="upheld", status="upheld", amount_cents=50)
    await story.hear(pool, "registry.sanction", upheld)
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await statements(pool) == [(NOVEMBER, 7_00, 0), (DECEMBER, 6_50, -50)]
    await story.assert_books_agree(pool)


@pytest.mark.parametrize(
    ("outcome", "cents", "back_cents"), [("withdrawn", 2_00, 2_00), ("upheld", 50, 1_50), ("appealed", 2_00, 0)]
)
async def test_what_became_of_a_deducted_sanction_changes_the_next_statement(
    pool: Pool, outcome: str, cents: int, back_cents: int
) -> None:
    await a_listed_resident(pool)
    await story.hear(pool, "registry.sanction", sanction(1, at(11, 16)))
    await story.close(pool, NOVEMBER, at(12, 2))
    said = sanction(2, at(12, 5), what=outcome, status=outcome, amount_cents=cents)
    await story.hear(pool, "registry.sanction", said)
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await statements(pool) == [(NOVEMBER, 5_00, -2_00), (DECEMBER, 7_00 + back_cents, back_cents)]
    await story.assert_books_agree(pool)


async def test_a_sanction_heard_after_the_cut_off_waits_for_the_next_month(pool: Pool) -> None:
    await a_listed_resident(pool)
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.hear(pool, "registry.sanction", sanction(1, at(11, 16)))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await statements(pool) == [(NOVEMBER, 7_00, 0), (DECEMBER, 5_00, -2_00)]


async def test_a_sanction_larger_than_what_is_owed_becomes_a_receivable(pool: Pool) -> None:
    await a_listed_resident(pool)
    await story.hear(pool, "registry.sanction", sanction(1, at(11, 16), amount_cents=10_00))
    await story.close(pool, NOVEMBER, at(12, 2))
    paid = await story.pay(pool, NOVEMBER, at(12, 3))
    assert (paid.to_bank_cents, paid.receivable_cents) == (0, 3_00)
    await story.assert_books_agree(pool)


async def test_a_run_that_is_repeated_gives_the_same_bytes(pool: Pool) -> None:
    """A run that was rolled back before its commit, and a fact that came after its cut-off: the same bytes again."""
    await a_listed_resident(pool)
    await story.hear(pool, "registry.sanction", sanction(1, at(11, 16)))
    async with transaction(pool) as tx:
        requested = await request_run(tx, RequestRun(told.AREA, NOVEMBER, "operator"), at(12, 2))
    async with transaction(pool) as tx:
        run = await one(tx, "SELECT * FROM run WHERE run_id = %s", (requested.run_id,))
        assert run is not None
        await close_month(tx, run)
        first = await sealed(tx)
        raise Rollback
    assert first[0]["digest"]
    withdrawn = sanction(2, at(11, 20), what="withdrawn", status="withdrawn")
    await story.hear(pool, "registry.sanction", withdrawn)
    assert await close_next(pool)
    async with transaction(pool) as tx:
        assert await sealed(tx) == first


async def sealed(tx: Tx) -> list[DictRow]:
    """The digest of the only run, and the hash of every entry."""
    return await rows(tx, "SELECT digest, (SELECT array_agg(hash ORDER BY seq) FROM entry) AS hashes FROM run")
