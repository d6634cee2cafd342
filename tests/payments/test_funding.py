"""Funding on a real PostgreSQL: plans, what arrived of them, and the year that it belongs to."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from kanava.common.db import Pool, rows, transaction
from kanava.common.errors import Invalid, Refused
from kanava.payments.commands import AllocateContributions, PlaceFunding, PlanInstalments, SetStateFunding
from kanava.payments.domain.municipalities import Municipality
from kanava.payments.domain.state_funding import Determinant
from kanava.payments.errors import Reason
from kanava.payments.figures import residents_by_area
from kanava.payments.service import municipalities as paying
from kanava.payments.service.funding import Funded, allocate_contributions, place_funding
from kanava.payments.service.funding_plans import PlannedFunding, plan_instalments, set_state_funding
from kanava.payments.views import books
from kanava.payments.views import funding as views
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at

NOVEMBER, DECEMBER = date(2026, 11, 2), date(2026, 12, 2)
JANUARY_8 = datetime(2027, 1, 8, 9, tzinfo=UTC)


async def plan(pool: Pool, *parts: tuple[date, int], payer: str = "state", party: str = "") -> PlannedFunding:
    """A plan of 2026."""
    command = PlanInstalments(told.AREA, payer, party, 2026, parts, "Talousarvio 2026", "operator")  # type: ignore[arg-type]
    async with transaction(pool) as tx:
        return await plan_instalments(tx, command, at(10, 1))


async def receive(
    pool: Pool, cents: int, on: date, *, now: datetime | None = None, fiscal_year: int | None = None
) -> Funded:
    """An instalment of the state."""
    command = PlaceFunding(told.AREA, "state", "", cents, on, "12/12", fiscal_year)
    async with transaction(pool) as tx:
        return await place_funding(tx, command, now or datetime(on.year, on.month, on.day, 9, tzinfo=UTC))


async def of_the_state(pool: Pool, year: int, on: date) -> views.PayerView:
    """How far the state has come."""
    async with transaction(pool) as tx:
        found = await views.payers(tx, told.AREA, year, on)
    return next(one for one in found if one.payer == "state")


async def test_late_short_and_surplus_instalments_are_visible(pool: Pool) -> None:
    await plan(pool, (NOVEMBER, 100_00), (DECEMBER, 100_00))
    await receive(pool, 150_00, date(2026, 11, 12))
    seen = await of_the_state(pool, 2026, date(2026, 12, 9))
    assert [(one["state"], one["days_late"], one["missing_cents"]) for one in seen.instalments] == [
        ("late", 10, 0),
        ("short", 7, 50_00),
    ]
    assert (seen.overdue_cents, seen.missing_cents, seen.surplus_cents, seen.most_days_late) == (50_00, 50_00, 0, 10)
    await receive(pool, 60_00, date(2026, 12, 10))
    assert (await of_the_state(pool, 2026, date(2026, 12, 31))).surplus_cents == 10_00
    before = await of_the_state(pool, 2026, date(2026, 11, 11))
    assert (before.received_cents, before.overdue_cents) == (0, 100_00), "looked at from a day before it came"


async def test_the_december_instalment_of_january_is_income_of_the_old_year(pool: Pool) -> None:
    await plan(pool, (NOVEMBER, 100_00), (DECEMBER, 100_00))
    await receive(pool, 100_00, NOVEMBER)
    funded = await receive(pool, 130_00, JANUARY_8.date(), now=JANUARY_8)
    assert [(one.fiscal_year, one.amount_cents) for one in funded.years] == [(2026, 100_00), (2027, 30_00)]
    old = await of_the_state(pool, 2026, JANUARY_8.date())
    new = await of_the_state(pool, 2027, JANUARY_8.date())
    assert (old.received_cents, old.missing_cents, old.most_days_late) == (200_00, 0, 37)
    assert (new.received_cents, new.surplus_cents) == (30_00, 30_00)
    async with transaction(pool) as tx:
        account = await books.account(tx, told.AREA)
        dates = await rows(tx, "SELECT value_date FROM entry_value ORDER BY value_date")
    assert account is not None
    assert account["bank_cents"] == account["spendable_cents"] == 230_00
    assert [row["value_date"] for row in dates] == [date(2026, 12, 31)]


async def test_an_instalment_ahead_of_its_year_is_an_advance(pool: Pool) -> None:
    funded = await receive(pool, 70_00, date(2026, 12, 30), fiscal_year=2027)
    assert [one.fiscal_year for one in funded.years] == [2027]
    with pytest.raises(Refused) as refused:
        await receive(pool, 70_00, date(2026, 12, 30), fiscal_year=2028)
    assert refused.value.reason is Reason.OTHER_YEAR


async def test_a_new_version_of_a_plan_leaves_the_old_one(pool: Pool) -> None:
    first = await plan(pool, (NOVEMBER, 100_00))
    second = await plan(pool, (NOVEMBER, 80_00), (DECEMBER, 20_00))
    assert (first.version, second.version, second.total_cents) == (1, 2, 100_00)
    seen = await of_the_state(pool, 2026, NOVEMBER)
    assert (seen.version, len(seen.instalments)) == (2, 2)
    async with transaction(pool) as tx:
        assert len(await rows(tx, "SELECT 1 FROM planned_instalment")) == 3


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        (((DECEMBER, 1), (NOVEMBER, 1)), "due_in_order"),
        (((NOVEMBER, 1), (NOVEMBER, 1)), "due_in_order"),
        (((date(2027, 1, 2), 1),), "due_in_year"),
    ],
)
async def test_a_plan_out_of_order_or_year_is_refused(
    pool: Pool, parts: tuple[tuple[date, int], ...], rule: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await plan(pool, *parts)
    assert refused.value.rule == rule


async def test_the_states_funding_becomes_a_plan_of_each_area(pool: Pool) -> None:
    residents = residents_by_area()
    measures = tuple((one.value, area, n) for one in Determinant for area, n in residents.items())
    total = 22_100_000_000_00
    async with transaction(pool) as tx:
        made = await set_state_funding(tx, SetStateFunding(2026, total, measures, "Budjetti", "operator"), at(10, 1))
        parts = await views.state_funding(tx, told.AREA, 2026)
        seen = await views.payers(tx, told.AREA, 2026, NOVEMBER)
    assert (len(made.plans), made.version, made.shares_of) == (22, 1, 2025)
    assert sum(one.total_cents for one in made.plans) == total
    own = next(one for one in made.plans if one.area == told.AREA)
    assert sum(row["amount_cents"] for row in parts) == own.total_cents == seen[0].planned_cents
    assert [row["determinant"] for row in parts][:2] == ["service_need", "population"]
    assert len(seen[0].instalments) == 12
    with pytest.raises(Invalid, match="no area has a measure"):
        async with transaction(pool) as tx:
            await set_state_funding(tx, SetStateFunding(2026, total, measures[:22], "Budjetti", "operator"), at(10, 1))


@pytest.mark.parametrize("dropped", [(("05", 0),), ()], ids=["measures of nothing", "not named"])
async def test_an_area_that_loses_the_states_funding_loses_its_plan(
    pool: Pool, dropped: tuple[tuple[str, int], ...]
) -> None:
    """Two areas share; then one of them gets nothing, and what is planned is still what the state gives."""
    total, versions = 12_000_00, []
    for measures in ((("03", 1), ("05", 1)), (("03", 1), *dropped), (("03", 1), *dropped)):
        given = tuple((one.value, area, measure) for one in Determinant for area, measure in measures)
        async with transaction(pool) as tx:
            command = SetStateFunding(2026, total, given, "Budjetti", "operator")
            made = await set_state_funding(tx, command, at(10, 1))
            seen = {area: await views.payers(tx, area, 2026, NOVEMBER) for area in ("03", "05")}
        assert sum(one.planned_cents for found in seen.values() for one in found) == total
        versions.append([(one.area, one.version, one.total_cents, one.instalments) for one in made.plans])
    assert [(area, version, parts) for area, version, _, parts in versions[0]] == [("03", 1, 12), ("05", 1, 12)]
    assert versions[1] == [("03", 2, total, 12), ("05", 2, 0, 0)]
    assert versions[2] == [("03", 3, total, 12)], "a plan is withdrawn once"
    (withdrawn,) = seen["05"]
    assert (withdrawn.version, withdrawn.planned_cents, withdrawn.instalments) == (2, 0, [])
    assert withdrawn.reason == "State funding 2026, version 2: Budjetti"


async def test_contributions_are_allocated_and_booked_for_every_area(pool: Pool) -> None:
    command = AllocateContributions(1_000_000_01, tuple(residents_by_area().items()), NOVEMBER, "Vakuutusmaksut 11")
    async with transaction(pool) as tx:
        made = await allocate_contributions(tx, command, at(11, 2))
        booked = await rows(tx, "SELECT area, -sum(amount_cents)::bigint AS cents FROM posting WHERE account = '3300'"
                                " GROUP BY area")  # fmt: skip
    assert len(made.areas) == len(booked) == 22
    assert {row["area"]: row["cents"] for row in booked} == {one.area: one.amount_cents for one in made.areas}
    assert sum(row["cents"] for row in booked) == 1_000_000_01


async def test_what_kela_no_longer_reimburses_of_class_two_is_the_areas(pool: Pool) -> None:
    """In 2027 three quarters of class II are still reimbursed: of 400 € the areas gain 100 €, and class I stays."""
    measures = (("03", 3), ("05", 1))
    before = AllocateContributions(1_000_00, measures, NOVEMBER, "Vakuutusmaksut 11", 200_00, 400_00)
    after = replace(before, received_on=date(2027, 2, 1), reference="Vakuutusmaksut 2")
    async with transaction(pool) as tx:
        first = await allocate_contributions(tx, before, at(11, 2))
        second = await allocate_contributions(tx, after, datetime(2027, 2, 2, 9, tzinfo=UTC))
        (shown,) = await views.contributions(tx, told.AREA, 2027)
        (payer,) = await views.payers(tx, told.AREA, 2027, date(2027, 3, 1))
        (earlier,) = await views.payers(tx, told.AREA, 2026, date(2026, 12, 31))
    assert (first.amount_cents, first.kept_cents, first.gained_cents) == (400_00, 600_00, 0)
    assert (second.amount_cents, second.kept_cents, second.gained_cents) == (500_00, 500_00, 100_00)
    assert [one.amount_cents for one in second.areas] == [375_00, 125_00]
    assert (shown["amount_cents"], shown["gained_cents"], shown["class_2_percent"]) == (375_00, 75_00, 75)
    assert (payer.payer, payer.received_cents, payer.phase_out_gain_cents) == ("insurance", 375_00, 75_00)
    assert (earlier.received_cents, earlier.phase_out_gain_cents) == (300_00, 0)
    await story.assert_books_agree(pool)


async def test_a_municipality_has_a_plan_of_its_own(pool: Pool) -> None:
    await plan(pool, (NOVEMBER, 10_00), payer="municipality", party="049")
    async with transaction(pool) as tx:
        command = PlaceFunding(told.AREA, "municipality", "049", 10_00, NOVEMBER, "Espoo 11")
        await place_funding(tx, command, at(11, 2))
        found = await views.payers(tx, told.AREA, 2026, NOVEMBER)
    assert [(one.payer, one.party, one.missing_cents) for one in found] == [("municipality", "049", 0)]


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("091", "municipality_of_area"),
        ("999", "municipality_known"),
        ("564", "municipality_known"),
        ("223", "municipality_of_year"),
    ],
)
async def test_a_municipality_of_another_area_or_of_none_pays_nothing_in(pool: Pool, code: str, rule: str) -> None:
    placed = PlaceFunding(told.AREA, "municipality", code, 10_00, NOVEMBER, "11/12")
    planned = PlanInstalments(
        told.AREA, "municipality", code, 2026, ((NOVEMBER, 10_00),), "Talousarvio 2026", "operator"
    )
    for act, command in ((place_funding, placed), (plan_instalments, planned)):
        with pytest.raises(Invalid) as refused:
            async with transaction(pool) as tx:
                await act(tx, command, at(11, 2))  # type: ignore[operator]  # each with its own command
        assert (refused.value.rule, refused.value.pointer) == (rule, "/municipality")
    async with transaction(pool) as tx:
        assert await rows(tx, "SELECT 1 FROM entry UNION ALL SELECT 1 FROM instalment_plan") == []


async def test_a_municipality_that_the_registry_spoke_of_is_known_beyond_the_code_list(pool: Pool) -> None:
    """Turku is on no list that is carried here, but its scheme was set up in its area."""
    changed = {"scheme_id": "turku", "municipality": "853", "area": "05"}
    await story.hear(pool, "registry.scheme", told.scheme().model_copy(update=changed))
    async with transaction(pool) as tx:
        await place_funding(tx, PlaceFunding("05", "municipality", "853", 10_00, NOVEMBER, "11/12"), at(11, 2))
    with pytest.raises(Invalid) as refused:
        async with transaction(pool) as tx:
            await place_funding(tx, PlaceFunding("03", "municipality", "853", 10_00, NOVEMBER, "11/12"), at(11, 2))
    assert refused.value.rule == "municipality_of_area"


async def test_a_municipality_that_ended_still_pays_for_its_last_year(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = {"002": Municipality(told.AREA, date(2026, 1, 1), "049")}
    monkeypatch.setattr(paying, "municipalities", lambda: ended)
    late = PlaceFunding(told.AREA, "municipality", "002", 10_00, date(2026, 1, 20), "12/12", 2025)
    async with transaction(pool) as tx:
        funded = await place_funding(tx, late, at(11, 2))
    assert [share.fiscal_year for share in funded.years] == [2025]
    with pytest.raises(Invalid) as refused:
        async with transaction(pool) as tx:
            await place_funding(tx, replace(late, fiscal_year=2026, reference="1/12"), at(11, 2))
    assert refused.value.rule == "municipality_of_year"
    assert "049" in str(refused.value.detail)
