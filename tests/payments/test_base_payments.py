"""Base payments of a contract from the fact to the statement and the books, on a real PostgreSQL."""

from datetime import date, datetime

from kanava.common.contracts.registry import Contract
from kanava.common.db import Pool, rows, transaction
from kanava.payments import ledger
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import SEPTEMBER, at

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


def cooperation(version: int = 1, recorded_at: datetime = SEPTEMBER, **changed: object) -> Contract:
    """A cooperation contract that pays the private producer 310.00 € a month from 16 October."""
    fields = told.contract(private=True).model_dump() | {
        "contract_id": "C-cooperation",
        "version": version,
        "recorded_at": recorded_at,
        "contract_class": "cooperation",
        "compensation_kinds": ("capitation", "base_payment"),
        "starts_on": date(2026, 10, 16),
        "monthly_base_payment_cents": 310_00,
    }
    return Contract.model_validate(fields | changed)


async def paid(pool: Pool) -> list[tuple[str, str, int]]:
    """Statement month, kind and cents of each charge, in the order of the months they are for."""
    query = (
        "SELECT to_char(r.month, 'MM') AS month, c.kind, c.amount_cents FROM charge c JOIN run r USING (run_id)"
        " WHERE component = 'base_payment' ORDER BY r.month, c.for_month, c.kind DESC"
    )
    async with transaction(pool) as tx:
        return [tuple(row.values()) for row in await rows(tx, query)]


async def test_a_base_payment_is_on_the_statement_of_each_month_without_resident_lines(pool: Pool) -> None:
    await story.open_area(pool)
    await story.fund(pool, 1_000_00, at(10, 1))
    await story.hear(pool, "registry.contract", cooperation())
    await story.close(pool, OCTOBER, at(11, 2))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await paid(pool) == [("10", "original", 160_00), ("11", "original", 310_00)]
    assert await story.lines(pool) == []
    await story.assert_books_agree(pool)
    assert (await story.pay(pool, NOVEMBER, at(12, 3))).to_bank_cents == 310_00
    await story.assert_books_agree(pool)
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None


async def test_a_contract_that_ended_late_gives_a_refund_and_a_correction_once(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "registry.contract", cooperation())
    await story.close(pool, OCTOBER, at(11, 2))
    ended = cooperation(2, at(11, 5), what="ended", ends_on=date(2026, 10, 26))
    await story.hear(pool, "registry.contract", ended)
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await paid(pool) == [("10", "original", 160_00), ("11", "refund", -160_00), ("11", "correction", 100_00)]
    await story.assert_books_agree(pool)


async def test_a_new_sum_leaves_the_closed_month_and_no_kind_pays_nothing(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "registry.contract", cooperation())
    await story.close(pool, OCTOBER, at(11, 2))
    dearer = cooperation(2, at(11, 5), what="changed", monthly_base_payment_cents=620_00)
    none = cooperation(contract_id="C-none", compensation_kinds=("capitation",))
    await story.hear(pool, "registry.contract", dearer, none)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await paid(pool) == [("10", "original", 160_00), ("11", "original", 620_00)]


async def test_the_chain_seals_the_charges(pool: Pool) -> None:
    """The digest in the entry is of the charges themselves: a charge that is not there breaks the book."""
    await story.open_area(pool)
    await story.hear(pool, "registry.contract", cooperation())
    run = await story.close(pool, OCTOBER, at(11, 2))
    async with transaction(pool) as tx:
        await tx.execute(
            "INSERT INTO charge SELECT run_id, producer_id, component, 'forged', for_month, kind, area, 1 FROM charge"
        )
    async with transaction(pool) as tx:
        broken = (await ledger.verify(tx, told.AREA)).broken
    assert broken is not None
    assert broken.reason == "its sum is not the sum of its resident lines"
    assert run["status"] == "closed"
