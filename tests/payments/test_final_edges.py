"""What a final statement gathers, and which listings and cases keep it waiting, at their edges."""

from datetime import date

from kanava.common.db import Pool, transaction
from kanava.payments.errors import Reason
from kanava.payments.statement_paper import read_paper, words
from tests.payments import story
from tests.payments.test_finals import DECEMBER, IN_FEBRUARY, JANUARY, NOVEMBER, draw, left_by, refused_because, stands
from tests.payments.test_payout import closed_month
from tests.payments.test_receivables import LATER, joined, overpaid, released, status_of
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span

SEPTEMBER = date(2026, 9, 1)


async def gone(pool: Pool, *stretches: tuple[date, date]) -> None:
    """The producer left; its resident was with it in these stretches alone."""
    await closed_month(pool)
    await stands(pool, "left")
    spans = (span(first, until, private=True) for first, until in stretches)
    await story.hear(pool, "listing.listing", listed(2, *spans, version=2, recorded_at=at(12, 3)))


async def test_residents_keep_it_waiting_until_the_last_month_of_theirs_is_closed(pool: Pool) -> None:
    await gone(pool, (SEPTEMBER, date(2026, 12, 2)))
    assert await refused_because(pool, "left") is Reason.MONTHS_STILL_OPEN
    await story.close(pool, DECEMBER, LATER)
    assert (await draw(pool)).month == "2026-12"


async def test_a_stretch_without_a_day_keeps_nobody_waiting(pool: Pool) -> None:
    """A choice that was taken back before it took effect is told as a listing of no days."""
    await gone(pool, (SEPTEMBER, DECEMBER), (date(2027, 3, 1), date(2027, 3, 1)))
    assert (await draw(pool)).amount_cents == 31_40


async def test_residents_of_its_units_in_another_area_are_of_no_concern_here(pool: Pool) -> None:
    await gone(pool, (SEPTEMBER, DECEMBER))
    there = told.unit(private=True).model_copy(update={"unit_id": f"{told.PRIVATE_UNIT}0", "area": "05"})
    await story.hear(pool, "registry.unit", there)
    await story.hear(pool, "listing.resident", resident(3, area="05"))
    stays = span(SEPTEMBER, private=True).model_copy(update={"unit_id": there.unit_id})
    await story.hear(pool, "listing.listing", listed(3, stays))
    assert (await draw(pool)).amount_cents == 31_40


async def test_a_statement_that_was_approved_and_not_paid_is_gathered_and_approved_anew(pool: Pool) -> None:
    await gone(pool, (SEPTEMBER, DECEMBER))
    await story.approve(pool, NOVEMBER, at(12, 3))
    final = await draw(pool)
    assert len(final.gathered) == 1
    paid = await story.release(pool, IN_FEBRUARY)
    assert (paid.to_bank, paid.settled_cents) == (0, 7_00), "only the own enterprise's statement is approved"
    assert (await story.pay(pool, NOVEMBER, IN_FEBRUARY)).to_bank_cents == 31_40


async def test_it_is_of_the_newest_month_that_it_gathers_and_has_no_day_for_contesting(pool: Pool) -> None:
    await overpaid(pool, people=1)
    await released(pool, NOVEMBER)
    await joined(pool, 10, 1)
    await story.close(pool, DECEMBER, LATER)
    await left_by(pool, 10, 1, JANUARY)
    await stands(pool, "left")
    final = await draw(pool)
    assert (final.month, final.amount_cents) == ("2026-12", 0)
    assert await status_of(pool, NOVEMBER) == "settled"
    async with transaction(pool) as tx:
        papers = [await read_paper(tx, one, "en") for one in (final.statement_id, *final.gathered)]
    final_title = words()["en"]["final_title"]
    assert [paper.title.startswith(final_title) for paper in papers] == [True] + [False] * len(final.gathered)
    assert papers[0].as_json()["contest_until"] is None
    assert all(paper.as_json()["contest_until"] is not None for paper in papers[1:])


async def test_the_days_for_contesting_begin_on_the_day_in_helsinki_on_which_the_month_closed(pool: Pool) -> None:
    """Closed after midnight in Helsinki on 1 December, so that the thirtieth day after is the 31st."""
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(2), resident(3))
    await story.hear(pool, "listing.listing", *(listed(n, span(SEPTEMBER, private=True)) for n in (2, 3)))
    await story.close(pool, date(2026, 10, 1), at(11, 30, 22))
    async with transaction(pool) as tx:
        cursor = await tx.execute("SELECT statement_id FROM statement")
        (row,) = await cursor.fetchall()
        paper = await read_paper(tx, row["statement_id"], "fi")
    assert (paper.as_json()["contest_until"], paper.lines) == (date(2026, 12, 31), 2)
