"""Contracts, prices, models, units and decisions that become known at the very instant of a cut-off.

Terms price no month whose cut-off had come; what corrects an error, opens a unit or ends a contract waits a run.
"""

from datetime import date

import pytest

from kanava.common.contracts.registry import PackageTotal
from kanava.common.db import Pool, transaction
from kanava.payments.commands import RequestRun
from kanava.payments.service.runs import close_next, request_run
from tests.payments import story
from tests.payments.test_allowed_kinds import adopt, charged
from tests.payments.test_base_payments import cooperation
from tests.payments.test_base_payments import paid as base_payments
from tests.payments.test_cut_off import sums
from tests.payments.test_cut_off_exactly import CUT_OFF, hear_at_the_cut_off
from tests.payments.test_effectiveness import partnership
from tests.payments.test_incentives import TERMS, october, reserved_cents, snapshot
from tests.payments.test_performance import decide, revoke, taken, wanted
from tests.payments.test_performance import open_area as open_listed_area
from tests.payments.test_prices import package
from tests.payments.test_vouchers import DECEMBER, NOVEMBER, close_december, open_area, visited
from tests.support import facts as told
from tests.support.facts import at, listed, span

LATE = at(11, 30)
"""When what is heard at the cut-off was recorded by its owner."""


async def november_and_december(pool: Pool) -> None:
    """A visit in each month, each told in time."""
    await open_area(pool)
    later = {"performed_on": date(2026, 12, 5), "recorded_at": at(12, 6)}
    await story.hear(pool, "monitoring.production", visited(1, 1, 5))
    await story.hear(pool, "monitoring.production", visited(2, 1, 5, **later))


@pytest.mark.parametrize(("reason", "november"), [(None, 45_00), ("Kirjoitusvirhe", 50_00)])
async def test_a_price_heard_at_the_cut_off_reaches_the_month_only_as_a_correction(
    pool: Pool, reason: str | None, november: int
) -> None:
    await november_and_december(pool)
    dearer = told.price(50_00).model_copy(update={"version": 2, "recorded_at": LATE, "correction_reason": reason})
    await hear_at_the_cut_off(pool, NOVEMBER, "registry.price", dearer)
    assert await sums(pool, NOVEMBER) == {"fee": 45_00}
    await close_december(pool)
    assert (await sums(pool, NOVEMBER), await sums(pool, DECEMBER)) == ({"fee": november}, {"fee": 50_00})


async def test_a_referral_asked_for_from_the_cut_off_on_is_asked_of_no_report_before(pool: Pool) -> None:
    await november_and_december(pool)
    asks = package(("lahete",), "SOS").model_copy(update={"recorded_at": LATE})
    await hear_at_the_cut_off(pool, NOVEMBER, "registry.package", asks)
    await close_december(pool)
    assert (await sums(pool, NOVEMBER), await sums(pool, DECEMBER)) == ({"fee": 45_00}, {})


async def test_a_contract_that_pays_no_fees_from_the_cut_off_on_has_paid_them_until_then(pool: Pool) -> None:
    await november_and_december(pool)
    kinds = {"version": 2, "what": "changed", "recorded_at": LATE, "compensation_kinds": ("capitation",)}
    await hear_at_the_cut_off(pool, NOVEMBER, "registry.contract", told.contract(private=True).model_copy(update=kinds))
    await close_december(pool)
    assert (await sums(pool, NOVEMBER), await sums(pool, DECEMBER)) == ({"fee": 45_00}, {})


async def test_a_unit_heard_at_the_cut_off_produces_in_the_next_run(pool: Pool) -> None:
    await november_and_december(pool)
    new = f"{told.PRIVATE_UNIT}0"
    await story.hear(pool, "monitoring.production", visited(3, 2, 6, unit_id=new))
    unit = told.unit(private=True).model_copy(update={"unit_id": new, "recorded_at": LATE})
    await hear_at_the_cut_off(pool, NOVEMBER, "registry.unit", unit)
    assert await sums(pool, NOVEMBER) == {"fee": 45_00}
    await close_december(pool)
    assert await sums(pool, NOVEMBER) == {"fee": 2 * 45_00}


async def test_a_base_payment_raised_at_the_cut_off_is_raised_from_the_next_month_on(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "registry.contract", cooperation())
    raised = cooperation(2, LATE, what="changed", monthly_base_payment_cents=620_00)
    await hear_at_the_cut_off(pool, NOVEMBER, "registry.contract", raised)
    assert await base_payments(pool) == [("11", "original", 310_00)]
    await close_december(pool)
    assert await base_payments(pool) == [("11", "original", 310_00), ("12", "original", 620_00)]


async def test_a_decision_revoked_at_the_cut_off_is_paid_and_taken_back_by_the_next_run(pool: Pool) -> None:
    await open_listed_area(pool)
    decided = await decide(pool, wanted(), at(11, 20))
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, NOVEMBER, "operator"), CUT_OFF)
    revoked = await revoke(pool, decided.performance_id, LATE)
    assert revoked.recorded_at == CUT_OFF
    assert await close_next(pool)
    assert await taken(pool) == [("original", "2026-11", 120_00)]
    await close_december(pool)
    assert await taken(pool) == [("original", "2026-11", 120_00), ("refund", "2026-11", -120_00)]


async def test_a_model_heard_at_the_cut_off_prices_no_month_before_it(pool: Pool) -> None:
    """Its scheme was known in time and names it, so that nothing could be priced until the model itself is known."""
    await open_listed_area(pool)
    named = {"version": 6, "compensation_model": "03:compensation_model:2", "recorded_at": at(11, 20)}
    await story.hear(pool, "registry.scheme", told.scheme().model_copy(update=named))
    second = {"document_id": "03:compensation_model:2", "number": 2, "recorded_at": LATE}
    await hear_at_the_cut_off(pool, NOVEMBER, "registry.document", told.document().model_copy(update=second))
    assert await sums(pool, NOVEMBER) == {}
    await close_december(pool)
    assert await sums(pool, NOVEMBER) == {"capitation": 14_00}


async def test_an_incentive_that_a_contract_gets_at_the_cut_off_reserves_from_the_next_month_on(pool: Pool) -> None:
    """October reserved 0.70 €; the own enterprise's contract gets the kind when November is being closed."""
    await october(pool, TERMS)
    kinds = {"version": 2, "recorded_at": LATE, "compensation_kinds": ("capitation", "fee", "incentive")}
    await hear_at_the_cut_off(
        pool, NOVEMBER, "registry.contract", told.contract(private=False).model_copy(update=kinds)
    )
    assert await reserved_cents(pool) == 2 * 70
    await close_december(pool)
    assert await reserved_cents(pool) == 3 * 70 + 35


async def test_a_measure_agreed_at_the_cut_off_is_paid_by_the_next_run(pool: Pool) -> None:
    await october(pool)
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20)))
    agreed = partnership().model_copy(update={"recorded_at": LATE})
    await hear_at_the_cut_off(pool, NOVEMBER, "registry.contract", agreed)
    assert await charged(pool) == 0
    await close_december(pool)
    assert await charged(pool) > 0


async def test_a_contract_heard_at_the_cut_off_lets_a_refused_kind_be_paid_from_the_next_run_on(pool: Pool) -> None:
    """The model pays no fees to basic contracts; the cooperation contract that has them became known too late."""
    await open_area(pool)
    await adopt(pool, "basic", "capitation", since=NOVEMBER)
    await story.hear(pool, "monitoring.production", visited(1, 1, 5))
    both = cooperation(contract_id="C-both", compensation_kinds=("capitation", "fee"), recorded_at=LATE)
    await hear_at_the_cut_off(pool, NOVEMBER, "registry.contract", both)
    assert await sums(pool, NOVEMBER) == {}
    await close_december(pool)
    assert await sums(pool, NOVEMBER) == {"fee": 45_00}


async def test_a_kind_heard_at_the_cut_off_reserves_nothing_of_the_month_when_that_is_corrected(pool: Pool) -> None:
    """The own enterprise's resident needed twice as much since November, as December hears: 7.00 € more for it."""
    await october(pool, TERMS)
    kinds = {"version": 2, "recorded_at": LATE, "compensation_kinds": ("capitation", "fee", "incentive")}
    own = told.contract(private=False).model_copy(update=kinds)
    await hear_at_the_cut_off(pool, NOVEMBER, "registry.contract", own)
    needy = span(date(2026, 9, 1), NOVEMBER), span(NOVEMBER, permille=2000)
    await story.hear(pool, "listing.listing", listed(3, *needy, version=2, recorded_at=at(12, 5)))
    await close_december(pool)
    assert await reserved_cents(pool) == 3 * 70 + 70, "of December's 14.00 € alone"


async def test_a_package_heard_at_the_cut_off_earns_its_total_price_in_the_next_run(pool: Pool) -> None:
    """The total price was known in time, and that the visit's node belongs to the package was not."""
    await open_area(pool)
    total = told.price(400_00).model_copy(
        update={
            "node": "MTP",
            "unit_of_measure": "hoidettu_asiakas",
            "price_basis": "package_total",
            "price_id": "03:MTP:hoidettu_asiakas",
            "total_price": PackageTotal(package="MTP", counted_each="month"),
        }
    )
    await story.hear(pool, "registry.price", total)
    await story.hear(pool, "monitoring.production", visited(1, 1, 5, node="MTP.1"))
    heard = package(()).model_copy(update={"recorded_at": LATE})
    await hear_at_the_cut_off(pool, NOVEMBER, "registry.package", heard)
    assert await sums(pool, NOVEMBER) == {}
    await close_december(pool)
    assert await sums(pool, NOVEMBER) == {"fee": 400_00}


async def test_of_first_prices_heard_at_one_cut_off_the_newest_version_pays_the_month(pool: Pool) -> None:
    """The visit had no price when its month closed; both versions count from the same instant on."""
    await open_area(pool)
    await story.hear(pool, "monitoring.production", visited(1, 1, 5, node="SOS.1.2"))
    first = told.price(30_00).model_copy(update={"node": "SOS.1.2", "price_id": "03:SOS.1.2", "recorded_at": LATE})
    second = first.model_copy(update={"version": 2, "price_cents": 31_00})
    await hear_at_the_cut_off(pool, NOVEMBER, "registry.price", first, second)
    assert await sums(pool, NOVEMBER) == {}
    await close_december(pool)
    assert await sums(pool, NOVEMBER) == {"fee": 31_00}
