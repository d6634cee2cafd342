"""A chain works in two areas: what one area agreed, decided or measured is not in the other's month."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from kanava.common.contracts.registry import Contract
from kanava.common.db import Pool, rows, transaction
from kanava.payments.commands import RequestRun
from kanava.payments.service.runs import close_next, request_run
from tests.payments import story
from tests.payments.test_base_payments import cooperation
from tests.payments.test_effectiveness import partnership
from tests.payments.test_incentives import october, snapshot
from tests.payments.test_performance import decide, wanted
from tests.payments.test_sanctions import sanction
from tests.payments.test_vouchers import voucher
from tests.support import facts as told
from tests.support.facts import at, listed, resident, resident_id, span, visit

OTHER, OTHER_MUNICIPALITY, OTHER_UNIT = "05", "106", "1.2.246.10.32213473.10.5"
BRANCH = "1.2.246.10.32213473.10.6"
"""A unit of the other area in this area's municipality: neither area has a scheme for it."""
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
IN_BOTH = {told.AREA: told.PRIVATE_UNIT, OTHER: OTHER_UNIT}


def there(contract: Contract) -> Contract:
    """The same contract with the other area."""
    return contract.model_copy(update={"area": OTHER, "contract_id": f"{contract.contract_id}-{OTHER}"})


async def open_both(pool: Pool) -> None:
    """The chain has a unit, a basic contract and a scheme in production in both areas; the other pays 3 € more."""
    await story.open_area(pool)
    place = {"area": OTHER, "municipality": OTHER_MUNICIPALITY}
    unit = {"unit_id": OTHER_UNIT}
    await story.hear(pool, "registry.unit", told.unit(private=True).model_copy(update=place | unit))
    model = told.document((told.BANDS[0].model_copy(update={"annual_cents": 120_00}),))
    await story.hear(pool, "registry.document", model.model_copy(update={"area": OTHER, "document_id": "05:1"}))
    scheme = {"scheme_id": "hyvinkää", "compensation_model": "05:1"}
    await story.hear(pool, "registry.scheme", told.scheme().model_copy(update=place | scheme))
    await story.hear(pool, "registry.contract", there(told.contract(private=True)))
    price = {"area": OTHER, "price_id": "05:SOS.1.1", "price_cents": 48_00}
    await story.hear(pool, "registry.price", told.price().model_copy(update=price))


async def close(pool: Pool, area: str, month: date = OCTOBER) -> dict[tuple[str, str], int]:
    """Close a month of an area; cents by component and whom it is for (the resident, or nobody)."""
    async with transaction(pool) as tx:
        requested = await request_run(tx, RequestRun(area, month, "operator"), at(month.month + 1, 2))
    assert await close_next(pool)
    query = (
        "SELECT component, coalesce(right(resident_id::text, 1), '') AS who, sum(amount_cents)::int AS cents FROM ("
        " SELECT component, resident_id, amount_cents FROM line WHERE run_id = %(run)s UNION ALL"
        " SELECT component, NULL, amount_cents FROM charge WHERE run_id = %(run)s) paid GROUP BY 1, 2"
    )
    async with transaction(pool) as tx:
        return {
            (row["component"], row["who"]): row["cents"] for row in await rows(tx, query, {"run": requested.run_id})
        }


async def test_each_area_pays_what_it_agreed_with_the_chain(pool: Pool) -> None:
    """Capitation, fees, performance lines, base payments, sanctions, effectiveness: of the other area nothing."""
    await open_both(pool)
    await story.hear(pool, "listing.resident", resident(1), resident(2, area=OTHER, municipality=OTHER_MUNICIPALITY))
    elsewhere = span(date(2026, 9, 1), private=True).model_copy(update={"unit_id": OTHER_UNIT})
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1), private=True)), listed(2, elsewhere))
    branch = told.unit(private=True).model_copy(update={"area": OTHER, "unit_id": BRANCH})
    await story.hear(pool, "registry.unit", branch)
    at_the_branch = span(date(2026, 9, 1), private=True).model_copy(update={"unit_id": BRANCH})
    await story.hear(pool, "listing.resident", resident(3))
    await story.hear(pool, "listing.listing", listed(3, at_the_branch))
    reports = [
        visit(number, number, date(2026, 10, 5), recorded_at=at(10, 6)).model_copy(
            update={"area": area, "unit_id": unit}
        )
        for number, (area, unit) in enumerate(IN_BOTH.items(), 1)
    ]
    await story.hear(pool, "monitoring.production", *reports)
    base = there(cooperation(starts_on=date(2026, 9, 1), monthly_base_payment_cents=500_00))
    await story.hear(pool, "registry.contract", cooperation(starts_on=date(2026, 9, 1)), base, there(partnership()))
    deducted = [
        sanction(1, at(10, 20), effective_on=date(2026, 10, 15)),
        sanction(1, at(10, 20), effective_on=date(2026, 10, 15), area=OTHER, sanction_id="other", amount_cents=1_00),
    ]
    await story.hear(pool, "registry.sanction", *deducted)
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 1)), snapshot(2, at(11, 1), area=OTHER, value=50))
    lines = {told.AREA: wanted(3_00, date(2026, 10, 9)), OTHER: wanted(4_00, date(2026, 10, 9))}
    at_other = {"area": OTHER, "unit_id": OTHER_UNIT, "resident_id": resident_id(2)}
    for command in (lines[told.AREA], replace(lines[OTHER], **at_other)):
        await decide(pool, command, at(10, 30))
    here = {("capitation", "1"): 7_00, ("fee", "1"): 45_00, ("base_payment", ""): 310_00, ("sanction", ""): -2_00}
    other = {("capitation", "2"): 10_00, ("fee", "2"): 48_00, ("base_payment", ""): 500_00, ("sanction", ""): -1_00}
    assert await close(pool, told.AREA) == here | {("performance", "1"): 3_00}
    assert await close(pool, OTHER) == other | {("effectiveness", ""): 1_000_01, ("performance", "2"): 4_00}


async def test_an_indicator_of_the_other_area_earns_no_incentive(pool: Pool) -> None:
    await october(pool)
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20), area=OTHER, value=50))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await story.lines(pool, "incentive") == []


@pytest.mark.parametrize(("granted_by", "component"), [(told.AREA, "voucher"), (OTHER, "fee")])
async def test_a_voucher_pays_reports_of_the_area_that_granted_it(pool: Pool, granted_by: str, component: str) -> None:
    await open_both(pool)
    await story.hear(pool, "listing.resident", resident(1))
    own = {"voucher_id": UUID(int=7), "area": granted_by, "starts_on": OCTOBER}
    await story.hear(pool, "listing.voucher", voucher(1, 1).model_copy(update=own))
    await story.hear(pool, "monitoring.production", visit(1, 1, date(2026, 10, 5), recorded_at=at(10, 6)))
    assert [name for name, _ in await close(pool, told.AREA)] == [component]
    assert {line["resident_id"] for line in await story.lines(pool)} == {resident_id(1)}
