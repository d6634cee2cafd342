"""Transfers between areas: limits inside a batch, chains that hold, and nothing lost between the books."""

from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from kanava.common.db import Pool, one, transaction
from kanava.common.errors import Problem, Refused
from kanava.common.groupcommit import Asked
from kanava.payments import ledger
from kanava.payments.bank_commands import RegisterAccount
from kanava.payments.commands import PlaceTransfer
from kanava.payments.errors import Reason
from kanava.payments.service.accounts import register_account
from kanava.payments.service.transfers import Transferred, _placed, place_transfers
from tests.payments import bank, clearing, story
from tests.payments.bank import back, debit, notification
from tests.support import facts as told
from tests.support.facts import at

HERE, THERE, ELSEWHERE = told.AREA, "05", "90"
AREAS = (HERE, THERE, ELSEWHERE)


async def move(pool: Pool, *transfers: tuple[str, str, int], now: datetime) -> list[Transferred | Problem]:
    """Transfers (from, to, cents) in one transaction."""
    asked = [
        Asked(PlaceTransfer(source, target, cents, f"t{number}"))
        for number, (source, target, cents) in enumerate(transfers)
    ]
    async with transaction(pool) as tx:
        return await place_transfers(tx, asked, now)


async def balances(pool: Pool) -> dict[str, int]:
    """What each area can spend, and that its chain holds."""
    found = {}
    async with transaction(pool) as tx:
        for area in AREAS:
            assert (await ledger.verify(tx, area)).broken is None
            row = await one(tx, "SELECT spendable_cents FROM book WHERE area = %s", (area,))
            found[area] = row["spendable_cents"] if row else 0
    return found


def reasons(outcomes: list[Transferred | Problem]) -> list[Reason | None]:
    """Why each transfer was refused; None for one that was booked."""
    return [one.reason if isinstance(one, Refused) else None for one in outcomes]  # type: ignore[misc]  # ours only


async def test_of_sixty_and_sixty_against_a_hundred_one_is_booked(pool: Pool) -> None:
    await story.fund(pool, 100_00, at(10, 1))
    outcomes = await move(pool, (HERE, THERE, 60_00), (HERE, ELSEWHERE, 60_00), now=at(10, 2))
    assert reasons(outcomes) == [None, Reason.OVER_THE_LIMIT]
    assert await balances(pool) == {HERE: 40_00, THERE: 60_00, ELSEWHERE: 0}


async def test_a_transfer_goes_down_to_the_limit_to_the_cent(pool: Pool) -> None:
    await story.fund(pool, 100_00, at(10, 1))
    await story.set_limit(pool, 40_00, at(10, 1))
    outcomes = await move(pool, (HERE, THERE, 60_01), (HERE, THERE, 60_00), (HERE, THERE, 1), now=at(10, 2))
    assert reasons(outcomes) == [Reason.OVER_THE_LIMIT, None, Reason.OVER_THE_LIMIT]


async def test_what_came_in_may_be_spent_by_the_next_of_the_batch(pool: Pool) -> None:
    await story.fund(pool, 100_00, at(10, 1))
    outcomes = await move(pool, (HERE, THERE, 80_00), (THERE, ELSEWHERE, 80_00), (ELSEWHERE, HERE, 1), now=at(10, 2))
    assert reasons(outcomes) == [None, None, None]
    assert await balances(pool) == {HERE: 20_01, THERE: 0, ELSEWHERE: 79_99}
    async with transaction(pool) as tx:
        between = await one(tx, "SELECT sum(amount_cents) AS cents FROM posting WHERE account = '2700'")
    assert between == {"cents": 0}


async def test_a_batch_and_one_by_one_end_with_the_same_books(pool: Pool) -> None:
    await story.fund(pool, 100_00, at(10, 1))
    transfers = [(HERE, THERE, 30_00), (HERE, ELSEWHERE, 80_00), (THERE, ELSEWHERE, 10_00), (HERE, THERE, 5_00)]
    together = await move(pool, *transfers, now=at(10, 2))
    after = await balances(pool)
    for source, target, cents in [(ELSEWHERE, HERE, 10_00), (THERE, HERE, 25_00)]:
        await move(pool, (source, target, cents), now=at(10, 3))
    alone = [(await move(pool, one, now=at(10, 4)))[0] for one in transfers]
    assert reasons(alone) == reasons(together)
    assert await balances(pool) == after


async def test_money_that_left_unexplained_is_not_sent_to_another_area(pool: Pool) -> None:
    """100.00 were there, and the bank took 95.00 that nobody knows of: 5.00 may go, and what comes in may."""
    await story.fund(pool, 100_00, at(10, 1))
    async with transaction(pool) as tx:
        await register_account(tx, RegisterAccount(HERE, bank.IBAN, "operator"), at(10, 1))
    await clearing.take(pool, notification("M1", debit("B1", ("unknown", 95_00))), at(10, 2))
    outcomes = await move(pool, (HERE, THERE, 7_00), (HERE, THERE, 5_00), (HERE, THERE, 1), now=at(10, 3))
    assert reasons(outcomes) == [Reason.OVER_THE_LIMIT, None, Reason.OVER_THE_LIMIT]
    assert reasons(await move(pool, (THERE, HERE, 2_00), (HERE, ELSEWHERE, 2_00), now=at(10, 4))) == [None, None]
    assert await balances(pool) == {HERE: 95_00, THERE: 3_00, ELSEWHERE: 2_00}
    await clearing.take(pool, notification("M2", back("B2", "unknown", 95_00)), at(10, 5))
    assert reasons(await move(pool, (HERE, THERE, 95_00), now=at(10, 6))) == [None], "the bank gave it back"


moves = st.tuples(st.sampled_from(AREAS), st.sampled_from(AREAS), st.integers(1, 200)).filter(lambda m: m[0] != m[1])


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(AREAS), st.integers(0, 300)), st.lists(moves, max_size=12))
def test_no_order_of_transfers_crosses_a_limit_or_loses_a_cent(
    start: dict[str, int], transfers: list[tuple[str, str, int]]
) -> None:
    spendable = {area: start.get(area, 0) for area in AREAS}
    before = sum(spendable.values())
    drafts: dict[str, list[object]] = {area: [] for area in AREAS}
    for number, (source, target, cents) in enumerate(transfers):
        _placed(PlaceTransfer(source, target, cents, f"t{number}"), spendable, drafts)  # type: ignore[arg-type]  # same
        assert min(spendable.values()) >= 0
    assert sum(spendable.values()) == before
    moved = {area: sum(draft.cash_cents for draft in drafts[area]) for area in AREAS}  # type: ignore[attr-defined]  # same
    assert spendable == {area: start.get(area, 0) + moved[area] for area in AREAS}
