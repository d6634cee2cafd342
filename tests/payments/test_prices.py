"""Prices on a real PostgreSQL: versions, weights, referrals, and corrections that reach a closed month."""

from datetime import date

from kanava.common.contracts.monitoring import Production
from kanava.common.contracts.registry import Package, PackageNode, PackageTotal, Price
from kanava.common.db import Pool, transaction
from kanava.payments.views import explained, statements
from kanava.payments.views.reconciliation import reconciliation
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, resident, visit

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


def version(number: int, cents: int, **changed: object) -> Price:
    """A later version of the price of a visit."""
    return told.price(cents).model_copy(update={"version": number, **changed})


def report(number: int, **changed: object) -> Production:
    """A visit on the 15th of October."""
    return visit(number, 1, date(2026, 10, 15), recorded_at=at(10, 16)).model_copy(update=changed)


def package(care_criteria: tuple[str, ...], code: str = "MTP") -> Package:
    """A package in force from the 10th of October on, with a node for visits."""
    name = "SOS.1.1" if code == "SOS" else f"{code}.1"
    return Package(
        what="published",
        version=1,
        recorded_at=told.SEPTEMBER,
        package_id=f"{code}:1",
        number=1,
        valid_from=date(2026, 10, 10),
        name_fi="Paketti",
        name_en="Package",
        source="test",
        nodes=(PackageNode(code=name, parent=None, level=3, name_fi="Käynti", care_criteria=care_criteria),),
    )


async def fees(pool: Pool, month: date) -> list[tuple[str, int]]:
    """Kind and cents of the fees that a month paid."""
    found = await story.lines(pool, "fee")
    async with transaction(pool) as tx:
        runs = await (await tx.execute("SELECT run_id FROM run WHERE month = %s", (month,))).fetchall()
    return sorted((line["kind"], line["amount_cents"]) for line in found if line["run_id"] == runs[0]["run_id"])


async def waiting(pool: Pool) -> list[tuple[str, str, int]]:
    """What is listed as not paid: node, reason, reports."""
    async with transaction(pool) as tx:
        found = await statements.unpriced(tx, told.AREA)
    return [(row["node"], row["reason"], row["reports"]) for row in found]


async def test_a_newer_version_prices_an_open_month_and_only_a_reasoned_one_a_closed_month(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    assert await story.hear(pool, "registry.price", version(2, 46_00, recorded_at=at(10, 2))) == 1
    await story.hear(pool, "monitoring.production", report(1))
    await story.close(pool, OCTOBER, at(11, 2))
    assert await fees(pool, OCTOBER) == [("original", 46_00)]
    await story.hear(pool, "registry.price", version(3, 60_00, recorded_at=at(11, 9)))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await fees(pool, NOVEMBER) == [], "a price without a reason does not reach a closed month"
    corrected = version(4, 50_00, recorded_at=at(12, 9), correction_reason="Kirjoitusvirhe")
    assert await story.hear(pool, "registry.price", corrected) == 1
    assert await story.hear(pool, "registry.price", corrected) == 0
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await fees(pool, DECEMBER) == [("correction", 50_00), ("refund", -46_00)]
    async with transaction(pool) as tx:
        cursor = await tx.execute("SELECT statement_id FROM statement WHERE month = %s", (DECEMBER,))
        (drawn,) = await cursor.fetchall()
        head = await explained.head(tx, drawn["statement_id"])
        assert head is not None
        assert {line["rule"] for line in await explained.lines(tx, head, limit=9)} == {corrected.price_id}
    await story.assert_books_agree(pool)


async def test_a_first_price_that_came_late_pays_a_report_that_had_none_and_then_stands(pool: Pool) -> None:
    await story.open_area(pool)
    other = {"node": "SOS.1.2", "price_id": "03:SOS.1.2"}
    await story.hear(pool, "monitoring.production", report(1, node="SOS.1.2"))
    await story.close(pool, OCTOBER, at(11, 2))
    assert await waiting(pool) == [("SOS.1.2", "no_price", 1)]
    await story.hear(pool, "registry.price", version(1, 30_00, recorded_at=at(11, 3), **other))
    await story.hear(pool, "registry.price", version(2, 31_00, recorded_at=at(11, 4), **other))
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.hear(pool, "registry.price", version(3, 32_00, recorded_at=at(12, 4), **other))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert [await fees(pool, month) for month in (NOVEMBER, DECEMBER)] == [[("original", 30_00)], []]


async def test_a_client_by_weight_is_paid_by_it_and_without_one_is_listed(pool: Pool) -> None:
    await story.open_area(pool)
    unit = "hoidettu_asiakas_drg"
    weight_one = version(
        1, 1_000_01, node="ESH.1", unit_of_measure=unit, price_basis="drg_weight", price_id="03:ESH.1:drg"
    )
    await story.hear(pool, "registry.price", weight_one)
    grouped = {"node": "ESH.1", "unit_of_measure": unit}
    reports = [
        report(1, weight_ten_thousandths=12_345, drg_group="105", **grouped),
        report(2, **grouped),
    ]
    await story.hear(pool, "monitoring.production", *reports)
    await story.close(pool, OCTOBER, at(11, 2))
    assert await fees(pool, OCTOBER) == [("original", 1_234_51)], "1,000.01 × 1.2345 = 1,234.512345"
    assert await waiting(pool) == [("ESH.1", "no_weight", 1)]
    async with transaction(pool) as tx:
        assert (await reconciliation(tx, date(2026, 10, 1), date(2026, 12, 1))).is_whole
    weighed = report(2, version=2, recorded_at=at(11, 5), weight_ten_thousandths=5_000, **grouped)
    await story.hear(pool, "monitoring.production", weighed)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await fees(pool, NOVEMBER) == [("original", 500_01)], "half up once: 500.005"
    assert await waiting(pool) == []


async def test_a_report_without_the_referral_that_its_node_asks_for_waits_with_the_reason(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "registry.package", package(("lahete",), "SOS"))
    before = report(3, performed_on=date(2026, 10, 9))
    await story.hear(pool, "monitoring.production", report(1, referral_id="L-1"), report(2), before)
    await story.close(pool, OCTOBER, at(11, 2))
    assert await fees(pool, OCTOBER) == [("original", 45_00)] * 2
    assert await waiting(pool) == [("SOS.1.1", "no_referral", 1)]
    await story.hear(pool, "monitoring.production", report(2, version=2, recorded_at=at(11, 5), referral_id="L-2"))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await fees(pool, NOVEMBER) == [("original", 45_00)]
    assert await waiting(pool) == []
    async with transaction(pool) as tx:
        assert (await reconciliation(tx, date(2026, 10, 1), date(2026, 12, 31))).is_whole


async def test_a_package_with_a_total_price_is_paid_once_for_each_treated_client_and_month(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "registry.package", package(()))
    total = version(
        1,
        400_00,
        node="MTP",
        unit_of_measure="hoidettu_asiakas",
        price_basis="package_total",
        price_id="03:MTP:hoidettu_asiakas",
        total_price=PackageTotal(package="MTP", counted_each="month"),
    )
    await story.hear(pool, "registry.price", total)
    days = {1: date(2026, 10, 15), 2: date(2026, 10, 9), 3: date(2026, 9, 30), 4: date(2026, 11, 1)}
    reports = [report(n, node="MTP.1", performed_on=day, client_fee_cents=10_00) for n, day in days.items()]
    await story.hear(pool, "monitoring.production", *reports, report(5, node="SOS.1.1"))
    await story.close(pool, OCTOBER, at(11, 2))
    assert await fees(pool, OCTOBER) == [("original", 45_00), ("original", 400_00), ("original", 400_00)]
    assert len(await story.lines(pool, "client_fee")) == 3, "every service's client fee is netted"
    assert await waiting(pool) == []
    earlier = report(6, node="MTP.1", performed_on=date(2026, 10, 1), recorded_at=at(11, 5))
    await story.hear(pool, "monitoring.production", earlier)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await fees(pool, NOVEMBER) == [("original", 400_00), ("original", 400_00), ("refund", -400_00)]
    async with transaction(pool) as tx:
        cursor = await tx.execute("SELECT statement_id FROM statement WHERE month = %s", (NOVEMBER,))
        (drawn,) = await cursor.fetchall()
        head = await explained.head(tx, drawn["statement_id"])
        assert head is not None
        rules = {line["rule"] for line in await explained.lines(tx, head, limit=9) if line["component"] == "fee"}
    assert rules == {total.price_id}
    await story.assert_books_agree(pool)


async def test_a_withdrawn_report_is_paid_back_and_another_earns_the_total_price_instead(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "registry.package", package(()))
    total = PackageTotal(package="MTP", counted_each="month")
    by_client = {"unit_of_measure": "hoidettu_asiakas", "price_basis": "package_total", "total_price": total}
    await story.hear(pool, "registry.price", version(1, 400_00, node="MTP", price_id="03:MTP", **by_client))
    told_of = [
        report(1, client_fee_cents=20_60),
        report(2, node="MTP.1", client_fee_cents=10_00),
        report(3, node="MTP.1", performed_on=date(2026, 10, 20)),
    ]
    await story.hear(pool, "monitoring.production", *told_of)
    await story.close(pool, OCTOBER, at(11, 2))
    assert await fees(pool, OCTOBER) == [("original", 45_00), ("original", 400_00)]
    gone = {"what": "corrected", "version": 2, "quantity": 0, "client_fee_cents": 0, "recorded_at": at(11, 9)}
    await story.hear(pool, "monitoring.production", *(one.model_copy(update=gone) for one in told_of[:2]))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await fees(pool, NOVEMBER) == [("original", 400_00), ("refund", -400_00), ("refund", -45_00)]
    netted = [(line["kind"], line["amount_cents"]) for line in await story.lines(pool, "client_fee")]
    assert sorted(netted) == [("original", -20_60), ("original", -10_00), ("refund", 10_00), ("refund", 20_60)]
    assert await waiting(pool) == []
    await story.assert_books_agree(pool)


async def test_a_report_that_was_withdrawn_before_its_month_closed_leaves_no_trace_in_money(pool: Pool) -> None:
    await story.open_area(pool)
    gone = report(1, what="corrected", version=2, quantity=0, recorded_at=at(10, 20))
    await story.hear(pool, "monitoring.production", report(1), gone, report(2, what="corrected", version=2, quantity=0))
    await story.close(pool, OCTOBER, at(11, 2))
    assert await story.lines(pool) == []
    assert await waiting(pool) == []
    again = report(1, what="corrected", version=3, quantity=2, recorded_at=at(11, 9))
    await story.hear(pool, "monitoring.production", again)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await fees(pool, NOVEMBER) == [("original", 90_00)]


async def test_a_report_of_a_contract_without_fees_is_listed_until_a_contract_pays_it(pool: Pool) -> None:
    await story.open_area(pool)
    contract = told.contract(private=True)
    without = contract.model_copy(update={"version": 2, "compensation_kinds": ("capitation", "base_payment")})
    await story.hear(pool, "registry.contract", without)
    await story.hear(pool, "monitoring.production", report(1), report(2, producer_id=told.OWN, unit_id=told.OWN_UNIT))
    assert await waiting(pool) == [("SOS.1.1", "no_fee_contract", 1)]
    await story.close(pool, OCTOBER, at(11, 2))
    assert await fees(pool, OCTOBER) == [("original", 45_00)]
    assert await waiting(pool) == [("SOS.1.1", "no_fee_contract", 1)]
    second = contract.model_copy(
        update={"contract_id": "C-2", "starts_on": date(2026, 10, 15), "recorded_at": at(11, 3)}
    )
    await story.hear(pool, "registry.contract", second)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert (await fees(pool, NOVEMBER), await waiting(pool)) == ([("original", 45_00)], [])
