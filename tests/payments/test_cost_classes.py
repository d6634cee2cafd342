"""An area's costs by cost class agree with its trial balance to the cent, on a real PostgreSQL."""

from datetime import UTC, date, datetime

from kanava.common.db import Pool, transaction
from kanava.payments.domain.benefits import BenefitKind
from kanava.payments.domain.disputes import Remedy
from kanava.payments.domain.trial_balance import AccountClass, class_of
from kanava.payments.service.benefits import DecideBenefit, decide_benefit
from kanava.payments.views import cost_classes
from kanava.payments.views.trial_balance import lines_on
from tests.payments import resident_story, story, test_disputes, test_incentives
from tests.payments.test_payout import closed_month
from tests.payments.test_reports import package
from tests.support import facts as told
from tests.support.facts import at, resident_id

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


async def benefit(pool: Pool, kind: BenefitKind, cents: int) -> None:
    """A benefit that was decided in December."""
    command = DecideBenefit(told.AREA, f"E-{kind}", resident_id(1), kind, NOVEMBER, cents, "Päätös", "olli")
    async with transaction(pool) as tx:
        await decide_benefit(tx, command, at(12, 3))


async def classes(pool: Pool, since: date = date(2026, 1, 1), until: date = DECEMBER) -> dict[tuple[str, ...], int]:
    """Cents by month, class and kind."""
    async with transaction(pool) as tx:
        found = await cost_classes.of_area(tx, told.AREA, since, until)
    assert found.total_cents == sum(one.amount_cents for one in found.sums)
    return {(f"{one.month:%Y-%m}", one.cost_class, one.kind or ""): one.amount_cents for one in found.sums}


async def costs_of_the_year(pool: Pool) -> int:
    """What the trial balance of the last day of 2026 says that the year cost."""
    async with transaction(pool) as tx:
        lines = await lines_on(tx, told.AREA, date(2026, 12, 31), datetime(2027, 6, 1, tzinfo=UTC))
    return sum(line.debit_cents - line.credit_cents for line in lines if class_of(line.account) is AccountClass.COST)


async def test_costs_by_class_are_the_costs_of_the_trial_balance(pool: Pool) -> None:
    await closed_month(pool)
    await benefit(pool, BenefitKind.TRAVEL, 40_00)
    await benefit(pool, BenefitKind.MEDICINES, 12_34)
    await benefit(pool, BenefitKind.OTHER, 1)
    found = await classes(pool)
    assert found == {
        ("2026-11", "care", ""): 14_00,
        ("2026-11", "services", ""): 45_00 - 20_60,
        ("2026-12", "benefits", ""): 1,
        ("2026-12", "benefits", "medicines"): 12_34,
        ("2026-12", "benefits", "travel"): 40_00,
    }
    assert sum(found.values()) == await costs_of_the_year(pool)
    assert await classes(pool, DECEMBER) == {key: cents for key, cents in found.items() if key[0] == "2026-12"}


async def test_a_fee_has_the_class_of_its_node_as_the_run_knew_it(pool: Pool) -> None:
    """The visit was reported under a rehabilitation node after November closed: the refund stays where it was."""
    await closed_month(pool)
    await story.hear(pool, "registry.package", package())
    price = told.price().model_copy(update={"price_id": "rehabilitation", "node": "MTP.3.6"})
    await story.hear(pool, "registry.price", price)
    again = told.visit(1, 2, date(2026, 11, 15), recorded_at=at(12, 20), fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", again.model_copy(update={"node": "MTP.3.6", "quantity": 2}))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    found = await classes(pool)
    assert found["2026-11", "services", ""] == 45_00 - 20_60
    assert found["2026-12", "services", ""] == -(45_00 - 20_60)
    assert found["2026-12", "care", "rehabilitation"] == 90_00 - 20_60
    assert sum(found.values()) == await costs_of_the_year(pool)


async def test_an_adjusted_fee_is_counted_once(pool: Pool) -> None:
    """What an accepted dispute adds uses the node of its report and stands in the books as an adjustment."""
    await test_disputes.closed_month(pool)
    contested = await test_disputes.key(pool, "fee")
    opened = await test_disputes.contest(pool, "fee")
    await test_disputes.decide(pool, opened.dispute_id, remedy=Remedy.PAYMENTS, holds=[(contested, 90_00)])
    await story.close(pool, DECEMBER, at(12, 31, 23))
    found = await classes(pool)
    assert {key[1]: cents for key, cents in found.items() if key[0] == "2026-12"} == {"care": 14_00, "services": 45_00}
    assert sum(found.values()) == await costs_of_the_year(pool)


async def test_incentives_and_their_reserve_are_care(pool: Pool) -> None:
    await test_incentives.october(pool)
    await story.hear(pool, "monitoring.snapshot", test_incentives.snapshot(1, at(11, 20)))
    await story.close(pool, NOVEMBER, at(12, 2))
    found = await classes(pool)
    assert {key[1] for key in found} == {"care"}
    assert sum(found.values()) == await costs_of_the_year(pool)
    assert set(await classes(pool, OCTOBER, OCTOBER)) == {("2026-10", "care", "")}


async def test_a_municipality_sees_the_classes_of_its_units(pool: Pool) -> None:
    await closed_month(pool)
    async with transaction(pool) as tx:
        found = await cost_classes.of_municipality(tx, told.MUNICIPALITY, NOVEMBER, NOVEMBER)
        elsewhere = await cost_classes.of_municipality(tx, "091", NOVEMBER, NOVEMBER)
    assert [(one.cost_class, one.amount_cents) for one in found.sums] == [("care", 14_00), ("services", 24_40)]
    assert (elsewhere.sums, elsewhere.total_cents) == ([], 0)


async def test_the_first_day_of_a_month_is_of_it_and_of_no_other(pool: Pool) -> None:
    await resident_story.decide(pool, 1, 5_00, now=at(12, 1))
    december = {("2026-12", "benefits", "travel"): 5_00}
    assert await classes(pool, NOVEMBER, NOVEMBER) == {}
    assert await classes(pool, DECEMBER, DECEMBER) == december
