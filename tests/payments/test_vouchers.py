"""Vouchers and personal budgets pay reports, never beyond what is left, on a real PostgreSQL."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from random import Random
from uuid import UUID

import pytest
from psycopg.rows import DictRow

from kanava.common.contracts import listing, monitoring
from kanava.common.db import Pool, transaction
from kanava.payments.views import vouchers as views
from kanava.payments.views.reconciliation import reconciliation
from tests.payments import story
from tests.payments.test_ceilings import claims
from tests.payments.test_prices import package
from tests.support import facts as told
from tests.support.facts import at, resident, resident_id, visit

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)


def voucher_id(number: int) -> UUID:
    """The id of the n-th voucher."""
    return UUID(int=5 * 10**30 + number)


def voucher(number: int, of: int, *, version: int = 1, **changed: object) -> listing.Voucher:
    """A service voucher of 60 euros a social-guidance visit, of which the resident pays 10."""
    fields: dict[str, object] = {
        "what": "granted",
        "version": version,
        "recorded_at": told.SEPTEMBER,
        "voucher_id": voucher_id(number),
        "resident_id": resident_id(of),
        "area": told.AREA,
        "kind": "service",
        "status": "granted",
        "starts_on": NOVEMBER,
        "until": date(2027, 11, 1),
        "node": "SOS.1",
        "unit_of_measure": "kaynti",
        "value_cents": 60_00,
        "self_pay": {"kind": "flat", "share_cents": 10_00},
    }
    return listing.Voucher.model_validate(fields | changed)


def personal_budget(number: int, of: int, cents: int, **changed: object) -> listing.Voucher:
    """A personal budget for social guidance."""
    plan = {
        "node": None,
        "unit_of_measure": None,
        "value_cents": None,
        "plan": [{"node": "SOS", "amount_cents": cents}],
    }
    nothing = {"kind": "none", "share_cents": 0}
    grant = {"kind": "personal_budget", "sum_granted_cents": cents, "self_pay": nothing}
    return voucher(number, of, **(plan | grant | changed))


def visited(number: int, of: int, day: int, **changed: object) -> monitoring.Production:
    """A visit in November, told in time."""
    made = visit(number, of, date(2026, 11, day), recorded_at=at(11, 28))
    return made.model_copy(update=changed)


async def open_area(pool: Pool, residents: int = 2) -> None:
    """An area with some residents of whom nobody is listed."""
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", *(resident(number) for number in range(1, residents + 1)))


async def close_november(pool: Pool) -> None:
    """Close November with what is known."""
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.assert_books_agree(pool)


async def close_december(pool: Pool) -> None:
    """Close December with what is known."""
    await story.close(pool, DECEMBER, datetime.fromisoformat("2027-01-02T09:00:00+00:00"))
    await story.assert_books_agree(pool)


async def paid(pool: Pool, component: str = "voucher") -> list[tuple[str, int]]:
    """Kind and cents of the lines of a component, by report."""
    found = await story.lines(pool, component)
    ordered = sorted(found, key=lambda row: (row["source"], row["for_month"], row["kind"] != "original"))
    return [(row["kind"], row["amount_cents"]) for row in ordered]


async def use(pool: Pool, number: int = 1) -> DictRow:
    """What was used of a voucher."""
    async with transaction(pool) as tx:
        found = await views.vouchers(tx, area=told.AREA)
    return next(row for row in found if row["voucher_id"] == voucher_id(number))


async def reasons(pool: Pool) -> list[str]:
    """Why reports of the private producer are not paid."""
    async with transaction(pool) as tx:
        found = await views.not_paid(tx, area=told.AREA, producer_id=told.PRIVATE)
    return sorted(str(row["reason"]) for row in found)


async def test_a_voucher_pays_its_value_less_the_residents_share_in_place_of_the_fee(pool: Pool) -> None:
    await open_area(pool)
    await story.hear(pool, "listing.voucher", voucher(1, 1, uses_granted=2))
    reports = (visited(1, 1, 20), visited(2, 1, 5), visited(3, 1, 6), visited(4, 2, 7, client_fee_cents=20_60))
    await story.hear(pool, "monitoring.production", *reports)
    await close_november(pool)
    assert await paid(pool) == [("original", 50_00), ("original", 50_00)], "the visits of the 5th and the 6th"
    assert {row["source"] for row in await story.lines(pool, "voucher")} == {UUID(int=2 * 10**30 + n) for n in (2, 3)}
    assert await paid(pool, "fee") == [("original", 45_00)], "of the resident without a voucher"
    assert await paid(pool, "client_fee") == [("original", -20_60)]
    row = await use(pool)
    assert (row["uses_used"], row["uses_left"], row["used_cents"], row["returned_cents"]) == (2, 0, 100_00, 0)


async def test_the_self_pay_of_a_voucher_is_no_client_fee(pool: Pool) -> None:
    await open_area(pool)
    await story.hear(pool, "listing.voucher", voucher(1, 1))
    await story.hear(pool, "monitoring.production", visited(1, 1, 5, client_fee_cents=10_00))
    await close_november(pool)
    assert await paid(pool) == [("original", 50_00)]
    assert await paid(pool, "client_fee") == []


async def test_a_self_pay_counts_towards_no_ceiling_and_an_annulled_voucher_makes_it_a_client_fee(pool: Pool) -> None:
    await open_area(pool)
    await story.hear(pool, "listing.voucher", voucher(1, 1))
    reports = [visited(day, 1, day, client_fee_cents=300_00) for day in (1, 2, 3)]
    await story.hear(pool, "monitoring.production", *reports)
    await close_november(pool)
    assert await claims(pool, NOVEMBER) == {}
    annulled = voucher(1, 1, version=2, what="annulled", status="annulled", recorded_at=at(12, 5))
    await story.hear(pool, "listing.voucher", annulled)
    await close_december(pool)
    assert await claims(pool, DECEMBER) == {(resident_id(1), resident_id(1)): 3 * 300_00 - 815_00}


async def test_a_voucher_pays_no_report_without_the_referral_that_its_node_asks_for(pool: Pool) -> None:
    await open_area(pool, 3)
    await story.hear(pool, "registry.package", package(("lahete",), "SOS"))
    await story.hear(
        pool, "listing.voucher", voucher(1, 1), personal_budget(2, 2, 500_00), personal_budget(3, 3, 500_00)
    )
    referred = visited(3, 3, 20, referral_id="L-1")
    await story.hear(pool, "monitoring.production", visited(1, 1, 20), visited(2, 2, 20), referred)
    await close_november(pool)
    assert await paid(pool) == [("original", 45_00)]
    assert await reasons(pool) == ["no_referral", "no_referral"]


async def test_a_personal_budget_pays_by_weight_and_says_what_it_lacks(pool: Pool) -> None:
    """Half up: 1.2345 times 1000.01 € is 1234.512345 €."""
    await open_area(pool)
    unit = "hoidettu_asiakas_drg"
    weighed = {"node": "ESH.1", "unit_of_measure": unit, "price_basis": "drg_weight", "price_id": "03:ESH.1:drg"}
    await story.hear(pool, "registry.price", told.price(1_000_01).model_copy(update=weighed))
    await story.hear(
        pool, "listing.voucher", personal_budget(1, 1, 9_000_00, plan=[{"node": "ESH", "amount_cents": 1}])
    )
    of_node = {"node": "ESH.1", "unit_of_measure": unit}
    reports = [
        visited(1, 1, 5, weight_ten_thousandths=12_345, **of_node),
        visited(2, 1, 6, **of_node),
        visited(3, 1, 7, node="ESH.2"),
    ]
    await story.hear(pool, "monitoring.production", *reports)
    await close_november(pool)
    assert await paid(pool) == [("original", 1_234_51)]
    assert await reasons(pool) == ["no_price", "no_weight"]


async def test_a_price_that_came_late_lets_a_personal_budget_pay(pool: Pool) -> None:
    await open_area(pool)
    await story.hear(pool, "listing.voucher", personal_budget(1, 1, 500_00))
    await story.hear(pool, "monitoring.production", visited(1, 1, 5, node="SOS.9"))
    await close_november(pool)
    assert await paid(pool) == []
    late = told.price(30_00).model_copy(update={"price_id": "late", "node": "SOS.9", "recorded_at": at(12, 5)})
    await story.hear(pool, "registry.price", late)
    await close_december(pool)
    assert await paid(pool) == [("original", 30_00)]
    assert await reasons(pool) == []


async def test_a_new_plan_takes_back_nothing_of_a_closed_month(pool: Pool) -> None:
    """Neither by its nodes nor by a smaller sum; what comes later finds nothing left."""
    await open_area(pool)
    await story.hear(pool, "listing.voucher", personal_budget(1, 1, 500_00))
    await story.hear(pool, "monitoring.production", visited(1, 1, 5), visited(2, 1, 6))
    await close_november(pool)
    changed = personal_budget(
        1,
        1,
        50_00,
        version=2,
        what="plan_changed",
        recorded_at=at(12, 5),
        plan=[{"node": "SOS.1.2", "amount_cents": 1}],
    )
    await story.hear(pool, "listing.voucher", changed)
    december = {"performed_on": date(2026, 12, 7), "recorded_at": at(12, 8)}
    await story.hear(pool, "monitoring.production", visited(3, 1, 7, **december))
    await story.hear(pool, "registry.price", told.price(60_00).model_copy(update={"price_id": "2", "node": "SOS.1.2"}))
    await story.hear(pool, "monitoring.production", visited(4, 1, 7, node="SOS.1.2", **december))
    await close_december(pool)
    assert await paid(pool) == [("original", 45_00), ("original", 45_00)]
    assert await paid(pool, "fee") == [("original", 45_00)], "the plan stands for its node no longer"
    assert await reasons(pool) == ["beyond_the_grant"]


async def test_a_personal_budget_pays_the_price_until_its_sum_is_used(pool: Pool) -> None:
    await open_area(pool)
    await story.hear(pool, "listing.voucher", personal_budget(1, 1, 100_00))
    await story.hear(pool, "monitoring.production", *(visited(number, 1, number) for number in (1, 2, 3, 4)))
    await close_november(pool)
    assert await paid(pool) == [("original", 45_00), ("original", 45_00), ("original", 10_00)]
    row = await use(pool)
    assert (row["sum_granted_cents"], row["used_cents"], row["left_cents"]) == (100_00, 100_00, 0)
    assert row["uses_used"] == 3


async def test_a_report_beyond_the_grant_is_accounted_for_once(pool: Pool) -> None:
    """It is not paid, and the reconciliation of reports does not miss it; a larger grant pays it later."""
    await open_area(pool)
    await story.hear(pool, "listing.voucher", personal_budget(1, 1, 0))
    await story.hear(pool, "monitoring.production", visited(1, 1, 5))
    await close_november(pool)
    assert await story.lines(pool) == []
    async with transaction(pool) as tx:
        found = await reconciliation(tx, date(2026, 9, 1), date(2026, 12, 31))
    reports = [one for one in found.flows if one["flow"] == "production report → resident line"]
    assert [(one["came"], one["done"], one["is_whole"]) for one in reports] == [(1, 1, True)]
    more = personal_budget(1, 1, 45_00, version=2, what="plan_changed", recorded_at=at(12, 5))
    await story.hear(pool, "listing.voucher", more)
    await close_december(pool)
    assert await paid(pool) == [("original", 45_00)]
    await story.close(pool, date(2027, 1, 1), datetime.fromisoformat("2027-02-02T09:00:00+00:00"))
    assert await paid(pool) == [("original", 45_00)], "nothing is done twice"
    assert (await use(pool))["used_cents"] == 45_00


async def not_paid(pool: Pool, producer_id: str = told.PRIVATE) -> list[tuple[object, object]]:
    """Day and reason of what a producer is told that its vouchers did not pay."""
    async with transaction(pool) as tx:
        found = await views.not_paid(tx, area=told.AREA, producer_id=producer_id)
    assert all(len(str(row["explanation"])) > 20 for row in found)
    return [(row["performed_on"], row["reason"]) for row in found]


async def test_without_a_contract_on_the_day_a_voucher_pays_nothing_and_says_why(pool: Pool) -> None:
    """The 6th was the last day of the contract: the visit of the 7th takes no use; that it went on was known later."""
    await open_area(pool)
    await story.hear(pool, "listing.voucher", voucher(1, 1, uses_granted=2))
    ended = told.contract(private=True).model_copy(update={"version": 2, "ends_on": date(2026, 11, 7)})
    await story.hear(pool, "registry.contract", ended)
    reports = [visited(1, 1, 5), visited(2, 1, 7), visited(3, 2, 7)]
    await story.hear(pool, "monitoring.production", *reports)
    await close_november(pool)
    assert await paid(pool) == [("original", 50_00)]
    assert await paid(pool, "fee") == [], "what a voucher stands for is no fee, and a fee needs a contract too"
    assert await not_paid(pool) == [(date(2026, 11, 7), "no_contract")]
    assert await not_paid(pool, told.OWN) == [], "nobody is told another's"
    assert (await use(pool))["uses_left"] == 1
    went_on = ended.model_copy(update={"version": 3, "ends_on": None, "recorded_at": at(12, 5)})
    await story.hear(pool, "registry.contract", went_on)
    await close_december(pool)
    assert await paid(pool) == [("original", 50_00), ("original", 50_00)]
    assert await not_paid(pool) == []
    assert (await use(pool))["uses_left"] == 0
    await story.close(pool, date(2027, 1, 1), datetime.fromisoformat("2027-02-02T09:00:00+00:00"))
    assert len(await paid(pool)) == 2, "nothing is done twice"


async def test_before_the_scheme_is_in_production_a_voucher_pays_nothing_and_says_why(pool: Pool) -> None:
    await open_area(pool)
    stopped = told.scheme().model_copy(update={"version": 6, "phase": 4, "entered_on": date(2026, 11, 1)})
    again = told.scheme().model_copy(update={"version": 7, "phase": 5, "entered_on": date(2026, 11, 20)})
    await story.hear(pool, "registry.scheme", stopped, again)
    await story.hear(pool, "listing.voucher", voucher(1, 1), personal_budget(2, 2, 50_00))
    reports = [visited(1, 1, 19), visited(2, 1, 20), visited(3, 2, 19), visited(4, 2, 20), visited(5, 2, 21)]
    await story.hear(pool, "monitoring.production", *reports, visited(6, 2, 22))
    await close_november(pool)
    assert await paid(pool) == [("original", 50_00), ("original", 45_00), ("original", 5_00)]
    assert await not_paid(pool) == [
        (date(2026, 11, 19), "no_scheme"),
        (date(2026, 11, 19), "no_scheme"),
        (date(2026, 11, 22), "beyond_the_grant"),
    ]


async def test_where_a_voucher_does_not_hold_a_visit_is_a_fee(pool: Pool) -> None:
    """Other days, another node, unit, producer or kind of voucher."""
    await open_area(pool, residents=6)
    others = (
        voucher(1, 1, starts_on=date(2026, 11, 6)),
        voucher(2, 2, until=date(2026, 11, 5)),
        voucher(3, 3, node="SOS.1.10"),
        voucher(4, 4, unit_of_measure="suorite"),
        voucher(5, 5, producer_ids=(told.OWN,)),
        voucher(6, 6, kind="sote_centre", node=None, unit_of_measure=None, value_cents=None),
    )
    await story.hear(pool, "listing.voucher", *others)
    await story.hear(pool, "monitoring.production", *(visited(number, number, 5) for number in range(1, 7)))
    await close_november(pool)
    assert await paid(pool) == []
    assert await paid(pool, "fee") == [("original", 45_00)] * 6


async def test_a_withdrawn_report_gives_back_what_it_used_of_a_voucher(pool: Pool) -> None:
    await open_area(pool)
    await story.hear(pool, "listing.voucher", voucher(1, 1, uses_granted=1))
    await story.hear(pool, "monitoring.production", visited(1, 1, 5), visited(2, 1, 6))
    await close_november(pool)
    assert await paid(pool) == [("original", 50_00)]
    gone = visited(1, 1, 5, version=2, what="corrected", quantity=0, recorded_at=at(12, 10))
    await story.hear(pool, "monitoring.production", gone)
    await close_december(pool)
    assert sorted(await paid(pool)) == [("original", 50_00), ("original", 50_00), ("refund", -50_00)]
    row = await use(pool)
    assert (row["uses_used"], row["used_cents"]) == (1, 50_00)


async def test_a_corrected_report_gives_a_pair_and_frees_what_it_used(pool: Pool) -> None:
    """The first report is corrected from two uses to one, so the visit that found nothing left is paid."""
    await open_area(pool)
    await story.hear(pool, "listing.voucher", voucher(1, 1, uses_granted=2))
    await story.hear(pool, "monitoring.production", visited(1, 1, 5, quantity=2), visited(2, 1, 6))
    await close_november(pool)
    assert await paid(pool) == [("original", 100_00)]
    corrected = visited(1, 1, 5, version=2, what="corrected", recorded_at=at(12, 10))
    await story.hear(pool, "monitoring.production", corrected, corrected)
    await close_december(pool)
    assert sorted(await paid(pool)) == [
        ("correction", 50_00),
        ("original", 50_00),
        ("original", 100_00),
        ("refund", -100_00),
    ]
    row = await use(pool)
    assert (row["uses_used"], row["used_cents"], row["returned_cents"]) == (2, 100_00, 100_00)


async def test_an_annulled_voucher_is_taken_back_and_a_late_one_replaces_the_fee(pool: Pool) -> None:
    await open_area(pool)
    await story.hear(pool, "listing.voucher", voucher(1, 1))
    await story.hear(pool, "monitoring.production", visited(1, 1, 5), visited(2, 2, 6))
    await close_november(pool)
    annulled = voucher(1, 1, version=2, what="annulled", status="annulled", recorded_at=at(12, 5))
    await story.hear(pool, "listing.voucher", annulled, voucher(2, 2, recorded_at=at(12, 5)))
    await close_december(pool)
    assert await paid(pool) == [("original", 50_00), ("refund", -50_00), ("original", 50_00)]
    assert await paid(pool, "fee") == [("original", 45_00), ("original", 45_00), ("refund", -45_00)]
    row = await use(pool)
    assert (row["uses_used"], row["used_cents"], row["returned_cents"]) == (0, 0, 50_00)


async def test_the_closest_node_and_the_earliest_end_choose_among_vouchers(pool: Pool) -> None:
    await open_area(pool)
    await story.hear(
        pool,
        "listing.voucher",
        personal_budget(1, 1, 1_000_00, plan=[{"node": "SOS.1.1", "amount_cents": 1_000_00}]),
        voucher(2, 1),
        voucher(3, 1, node="SOS.1.1", value_cents=70_00),
        voucher(4, 1, node="SOS.1.1", value_cents=80_00, until=date(2027, 5, 1)),
    )
    await story.hear(pool, "monitoring.production", visited(1, 1, 5))
    await close_november(pool)
    assert await paid(pool) == [("original", 70_00)]
    assert (await use(pool, 4))["uses_used"] == 1


def greedily(grants: Sequence[listing.Voucher], reports: Sequence[monitoring.Production]) -> dict[UUID, int]:
    """What each report is paid, worked out one by one: the independent reading of the rule."""
    amounts: dict[UUID, int] = {}
    uses, cents = defaultdict[UUID, int](int), defaultdict[UUID, int](int)
    by_resident = {grant.resident_id: grant for grant in grants}
    for report in sorted(reports, key=lambda one: (one.performed_on, one.report_id)):
        grant = by_resident[report.resident_id]
        rate = 45_00 if grant.value_cents is None else grant.value_cents - grant.self_pay.share_cents
        left = report.quantity if grant.uses_granted is None else grant.uses_granted - uses[grant.voucher_id]
        taken = min(report.quantity, left)
        wanted = taken * rate
        if grant.sum_granted_cents is not None:
            wanted = min(wanted, grant.sum_granted_cents - cents[grant.voucher_id])
        uses[grant.voucher_id] += taken
        cents[grant.voucher_id] += wanted
        if wanted:
            amounts[report.production_id] = wanted
    return amounts


def drawn(random: Random) -> tuple[list[listing.Voucher], list[monitoring.Production]]:
    """Twelve residents with a voucher or a personal budget each, and 120 reports of theirs."""
    grants = [
        voucher(
            *(number, number),
            uses_granted=random.choice((None, random.randint(0, 12))),
            sum_granted_cents=random.choice((None, random.randint(0, 500_00))),
        )
        if number % 3
        else personal_budget(number, number, random.randint(0, 500_00))
        for number in range(1, 13)
    ]
    reports = [
        visited(number, random.randint(1, 12), random.randint(1, 27), quantity=random.randint(1, 3))
        for number in range(1, 121)
    ]
    return grants, reports


@pytest.mark.parametrize("seed", range(4))
async def test_never_more_than_granted_whatever_the_order_of_arrival(pool: Pool, seed: int) -> None:
    random = Random(seed)
    grants, reports = drawn(random)
    await open_area(pool, residents=12)
    for wave in (reports, grants):
        random.shuffle(wave)  # type: ignore[arg-type]  # a list of either
    await story.hear(pool, "monitoring.production", *reports[:60])
    await story.hear(pool, "listing.voucher", *grants)
    await story.hear(pool, "monitoring.production", *reports[50:])
    await close_november(pool)
    lines = await story.lines(pool, "voucher")
    assert {row["source"]: row["amount_cents"] for row in lines} == greedily(grants, reports)
    assert await story.lines(pool, "fee") == []
    async with transaction(pool) as tx:
        used = {row["voucher_id"]: row for row in await views.vouchers(tx, area=told.AREA)}
    for grant in grants:
        row = used[grant.voucher_id]
        assert row["uses_left"] is None or row["uses_left"] >= 0
        assert row["left_cents"] is None or row["left_cents"] >= 0
    assert sum(row["used_cents"] for row in used.values()) == sum(row["amount_cents"] for row in lines)


async def test_a_larger_grant_never_pays_less(pool: Pool) -> None:
    """Every grant becomes larger after November closed: no report gets less, and each what the rule gives."""
    random = Random(7)
    grants, reports = drawn(random)
    await open_area(pool, residents=12)
    await story.hear(pool, "listing.voucher", *grants)
    await story.hear(pool, "monitoring.production", *reports)
    await close_november(pool)
    before = greedily(grants, reports)
    larger = [
        grant.model_copy(
            update={"version": 2, "recorded_at": at(12, 5)}
            | {
                name: value + random.randint(0, 12)
                for name in ("uses_granted", "sum_granted_cents")
                if (value := getattr(grant, name)) is not None
            }
        )
        for grant in grants
    ]
    await story.hear(pool, "listing.voucher", *larger)
    await close_december(pool)
    after: dict[UUID, int] = defaultdict(int)
    for line in await story.lines(pool, "voucher"):
        after[line["source"]] += line["amount_cents"]
    assert after == greedily(larger, reports)
    assert all(after[source] >= cents for source, cents in before.items())
    assert after != before, "some grant was too small"


async def test_a_personal_budget_pays_a_closed_month_by_the_prices_that_were_known_then(pool: Pool) -> None:
    """A newer price reaches a closed month only where it corrects an error, as for fees."""
    await open_area(pool)
    await story.hear(pool, "listing.voucher", personal_budget(1, 1, 500_00))
    await story.hear(pool, "monitoring.production", visited(1, 1, 5))
    await close_november(pool)
    newer = told.price(60_00, NOVEMBER).model_copy(update={"recorded_at": at(12, 4)})
    await story.hear(pool, "registry.price", newer)
    await close_december(pool)
    assert await paid(pool) == [("original", 45_00)]
    changed = {"version": 2, "recorded_at": at(12, 5), "correction_reason": "Kirjoitusvirhe", "price_cents": 50_00}
    await story.hear(pool, "registry.price", told.price().model_copy(update=changed))
    await story.close(pool, date(2027, 1, 1), datetime.fromisoformat("2027-02-02T09:00:00+00:00"))
    assert sorted(await paid(pool)) == [("correction", 50_00), ("original", 45_00), ("refund", -45_00)]
    changed |= {"version": 3, "recorded_at": datetime.fromisoformat("2027-02-04T09:00:00+00:00"), "price_cents": 48_00}
    await story.hear(pool, "registry.price", told.price().model_copy(update=changed))
    await story.close(pool, date(2027, 2, 1), datetime.fromisoformat("2027-03-02T09:00:00+00:00"))
    refunded = [line for line in await story.lines(pool, "voucher") if line["kind"] == "refund"]
    assert {(line["rate_cents"], line["amount_cents"]) for line in refunded} == {(45_00, -45_00), (50_00, -50_00)}
