"""What becomes known at the very instant of a cut-off is known to the next run and to no run before it.

An owner's fact that arrives after a cut-off was fixed counts from that instant on, however early its owner recorded it.
"""

from datetime import date

from kanava.common.contracts import Fact
from kanava.common.db import Pool, transaction
from kanava.payments.commands import RequestRun
from kanava.payments.service.runs import close_next, request_run
from tests.payments import story
from tests.payments.test_budgets import budget, line, standing
from tests.payments.test_ceilings import claims
from tests.payments.test_payout import closed_month
from tests.payments.test_vouchers import (
    DECEMBER,
    NOVEMBER,
    close_december,
    open_area,
    paid,
    personal_budget,
    use,
    visited,
    voucher,
)
from tests.support import facts as told
from tests.support.facts import at, resident, resident_id, visit

CUT_OFF = at(12, 2)


async def hear_at_the_cut_off(pool: Pool, month: date, topic: str, *late: Fact) -> None:
    """Fix the cut-off of a month, hear facts that their owners recorded before it, and let the run follow."""
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, month, "operator"), CUT_OFF)
    await story.hear(pool, topic, *late)
    assert await close_next(pool)


async def test_a_report_withdrawn_at_the_cut_off_is_paid_by_its_voucher_and_taken_back_by_the_next_run(
    pool: Pool,
) -> None:
    await open_area(pool)
    await story.hear(pool, "listing.voucher", voucher(1, 1))
    await story.hear(pool, "monitoring.production", visited(1, 1, 5))
    gone = visited(1, 1, 5, version=2, what="corrected", quantity=0, recorded_at=at(11, 30))
    await hear_at_the_cut_off(pool, NOVEMBER, "monitoring.production", gone)
    assert await paid(pool) == [("original", 50_00)]
    await close_december(pool)
    assert await paid(pool) == [("original", 50_00), ("refund", -50_00)]
    assert (await use(pool))["used_cents"] == 0


async def test_a_plan_changed_at_the_cut_off_stands_for_no_report_of_the_month(pool: Pool) -> None:
    """The first plan is for another node, so the visit is a fee, and the new plan finds a closed month."""
    await open_area(pool)
    plan = [{"node": "MTP", "amount_cents": 500_00}]
    await story.hear(pool, "listing.voucher", personal_budget(1, 1, 500_00, plan=plan))
    await story.hear(pool, "monitoring.production", visited(1, 1, 5))
    changed = personal_budget(1, 1, 500_00, version=2, what="plan_changed", recorded_at=at(11, 30))
    await hear_at_the_cut_off(pool, NOVEMBER, "listing.voucher", changed)
    december = visited(2, 1, 5, performed_on=date(2026, 12, 5), recorded_at=at(12, 6))
    await story.hear(pool, "monitoring.production", december)
    await close_december(pool)
    assert await paid(pool, "fee") == [("original", 45_00)]
    assert {row["for_month"] for row in await story.lines(pool, "fee")} == {NOVEMBER}
    assert {row["for_month"] for row in await story.lines(pool, "voucher")} == {DECEMBER}


async def test_a_voucher_heard_at_the_cut_off_replaces_the_fee_in_the_next_run(pool: Pool) -> None:
    await open_area(pool)
    await story.hear(pool, "monitoring.production", visited(1, 1, 5))
    await hear_at_the_cut_off(pool, NOVEMBER, "listing.voucher", voucher(1, 1, recorded_at=at(11, 30)))
    assert await paid(pool, "fee") == [("original", 45_00)]
    await close_december(pool)
    assert await paid(pool, "fee") == [("original", 45_00), ("refund", -45_00)]
    assert await paid(pool) == [("original", 50_00)]


async def test_a_node_corrected_at_the_cut_off_moves_its_use_once(pool: Pool) -> None:
    """The correction counts from the cut-off of November on: the run of December still sees where it stood before."""
    await closed_month(pool)
    lines = line("2", "package", 100_00, nodes=["SOS"]), line("3", "package", 100_00, nodes=["MTP"])
    await story.hear(pool, "registry.order", budget(*lines))
    await story.hear(pool, "registry.price", told.price().model_copy(update={"price_id": "p2", "node": "MTP.1"}))
    corrected = visit(1, 2, date(2026, 11, 15), recorded_at=at(11, 30), fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", corrected.model_copy(update={"node": "MTP.1"}))
    assert {code: used[0] for code, used in (await standing(pool)).items()} == {"2": 24_40, "3": 0}
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert {code: used[0] for code, used in (await standing(pool)).items()} == {"2": 0, "3": 24_40}


OCTOBER, BORN = date(2026, 10, 1), date(2015, 1, 1)
PARENT, CHILD = resident_id(1), resident_id(2)


async def fees_of_a_family(pool: Pool, *child: Fact) -> None:
    """A child and who is, or will be, its guardian paid 600 € each in November, below the ceiling of 815 € alone.

    Somebody else had 85 € back for October already, so that the year is no longer counted as a whole.
    """
    await one_above_the_ceiling_in_october(pool)
    await story.hear(pool, "listing.resident", resident(1), *child)
    await story.close(pool, OCTOBER, at(11, 2))
    fees = [visited(number, number % 2 + 1, number, client_fee_cents=300_00) for number in (1, 2, 3, 4)]
    await story.hear(pool, "monitoring.production", *fees)


async def one_above_the_ceiling_in_october(pool: Pool) -> None:
    """Resident 3 paid 900 €."""
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(3))
    paid_much = visit(9, 3, OCTOBER, recorded_at=at(10, 2), fee_cents=900_00)
    await story.hear(pool, "monitoring.production", paid_much)


async def test_a_guardian_heard_at_the_cut_off_brings_the_family_together_in_the_next_run(pool: Pool) -> None:
    await fees_of_a_family(pool, resident(2, BORN))
    linked = resident(2, BORN, version=2, what="corrected", guardian_id=PARENT, recorded_at=at(11, 30))
    await hear_at_the_cut_off(pool, NOVEMBER, "listing.resident", linked)
    assert await claims(pool, NOVEMBER) == {}
    await close_december(pool)
    assert await claims(pool, DECEMBER) == {(CHILD, PARENT): 85_00, (PARENT, PARENT): 300_00}


async def test_a_guardian_that_ended_at_the_cut_off_still_counts_for_that_run(pool: Pool) -> None:
    await fees_of_a_family(pool, resident(2, BORN, guardian_id=PARENT))
    apart = resident(2, BORN, version=2, what="corrected", recorded_at=at(11, 30))
    await hear_at_the_cut_off(pool, NOVEMBER, "listing.resident", apart)
    together = {(CHILD, PARENT): 85_00, (PARENT, PARENT): 300_00}
    assert await claims(pool, NOVEMBER) == together
    await close_december(pool)
    assert await claims(pool, DECEMBER) == {of: -cents for of, cents in together.items()}


async def test_a_guardian_that_ended_at_the_cut_off_has_the_fees_of_months_before_beside_its_own(pool: Pool) -> None:
    """The child paid in October, the guardian in November: what is above the ceiling is the guardian's."""
    await one_above_the_ceiling_in_october(pool)
    await story.hear(pool, "listing.resident", resident(1), resident(2, BORN, guardian_id=PARENT))
    childs = visit(1, 2, OCTOBER, recorded_at=at(10, 2), fee_cents=600_00)
    await story.hear(pool, "monitoring.production", childs)
    await story.close(pool, OCTOBER, at(11, 2))
    await story.hear(pool, "monitoring.production", visited(2, 1, 5, client_fee_cents=600_00))
    apart = resident(2, BORN, version=2, what="corrected", recorded_at=at(11, 30))
    await hear_at_the_cut_off(pool, NOVEMBER, "listing.resident", apart)
    assert await claims(pool, NOVEMBER) == {(PARENT, PARENT): 385_00}
    await close_december(pool)
    assert await claims(pool, DECEMBER) == {(PARENT, PARENT): -385_00}


async def test_a_fee_lowered_at_the_cut_off_lowers_the_claim_in_the_next_run(pool: Pool) -> None:
    await open_area(pool)
    fees = [visited(number, 1, number, client_fee_cents=300_00) for number in (1, 2, 3)]
    await story.hear(pool, "monitoring.production", *fees)
    lower = fees[0].model_copy(update={"version": 2, "what": "corrected", "client_fee_cents": 250_00})
    await hear_at_the_cut_off(pool, NOVEMBER, "monitoring.production", lower)
    assert await claims(pool, NOVEMBER) == {(PARENT, PARENT): 85_00}
    await close_december(pool)
    assert await claims(pool, DECEMBER) == {(PARENT, PARENT): -50_00}


async def test_fees_that_a_voucher_covers_from_the_cut_off_on_leave_the_ceiling_in_the_next_run(pool: Pool) -> None:
    await open_area(pool)
    fees = [visited(number, 1, number, client_fee_cents=300_00) for number in (1, 2, 3)]
    await story.hear(pool, "monitoring.production", *fees)
    await hear_at_the_cut_off(pool, NOVEMBER, "listing.voucher", voucher(1, 1, recorded_at=at(11, 30)))
    assert await claims(pool, NOVEMBER) == {(PARENT, PARENT): 85_00}
    await close_december(pool)
    assert await claims(pool, DECEMBER) == {(PARENT, PARENT): -85_00}
