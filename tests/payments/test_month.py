"""A month from facts to lines, books and statements, on a real PostgreSQL."""

from collections import defaultdict
from datetime import date

import pytest

from kanava.common.db import Pool, one, transaction
from kanava.common.errors import Refused
from kanava.payments import ledger
from kanava.payments.commands import RequestRun
from kanava.payments.domain.capitation import bands_on, capitation_cents
from kanava.payments.errors import Reason
from kanava.payments.service.runs import close_next, request_run
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, listed, resident, resident_id, span, visit

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


async def test_a_month_pays_each_resident_by_age_days_and_coefficient(pool: Pool) -> None:
    await story.open_area(pool)
    born = {1: date(2024, 5, 5), 2: date(2010, 1, 1), 3: date(1950, 1, 1), 4: date(1961, 11, 1)}
    await story.hear(pool, "listing.resident", *(resident(n, day) for n, day in born.items()))
    await story.hear(
        pool,
        "listing.listing",
        listed(1, span(date(2026, 9, 1))),
        listed(2, span(date(2026, 9, 1), date(2026, 11, 11)), span(date(2026, 11, 11), private=True)),
        listed(3, span(date(2026, 9, 1), permille=1250)),
        listed(4, span(date(2026, 11, 21))),
    )
    run = await story.close(pool, NOVEMBER, at(12, 2))
    assert run["status"] == "closed", run["problem"]
    paid = {(line["resident_id"], line["producer_id"]): line["amount_cents"] for line in await story.lines(pool)}
    assert paid == {
        (resident_id(1), told.OWN): 15_00,
        (resident_id(2), told.OWN): 2_33,
        (resident_id(2), told.PRIVATE): 4_67,
        (resident_id(3), told.OWN): 25_00,
        (resident_id(4), told.OWN): 6_67,
    }
    await story.assert_books_agree(pool)


async def test_the_sql_and_the_rule_agree_on_every_birthday_and_day(pool: Pool) -> None:
    """One resident for each of many birthdays, listed from another day each: the set-based SQL is the rule."""
    await story.open_area(pool)
    people = {n: date(1926 + n // 4, 1 + n * 7 % 12, 1 + n * 11 % 28) for n in range(400)}
    starts = {n: date(2026, 11, 1 + n % 30) for n in people}
    await story.hear(pool, "listing.resident", *(resident(n, day) for n, day in people.items()))
    await story.hear(pool, "listing.listing", *(listed(n, span(starts[n], permille=900 + n)) for n in people))
    await story.close(pool, NOVEMBER, at(12, 2))
    expected = {
        resident_id(n): capitation_cents(
            bands_on(NOVEMBER, told.BANDS, "any").annual_cents_of(born),
            (DECEMBER - starts[n]).days * (900 + n),
            30,
        )
        for n, born in people.items()
    }
    assert {line["resident_id"]: line["amount_cents"] for line in await story.lines(pool)} == expected


async def test_a_death_that_became_known_late_gives_a_refund_and_a_correction(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1), resident(2))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1))), listed(2, span(date(2026, 9, 1))))
    october = await story.close(pool, OCTOBER, at(11, 2))
    dead = date(2026, 10, 11)
    gone = resident(1, version=2, what="died", lives_until=dead, recorded_at=at(11, 5))
    ended = listed(1, span(date(2026, 9, 1), dead), version=2, recorded_at=at(11, 5))
    await story.hear(pool, "listing.resident", gone)
    await story.hear(pool, "listing.listing", ended)
    november = await story.close(pool, NOVEMBER, at(12, 2))
    pairs = [
        (line["kind"], line["for_month"], line["days"], line["amount_cents"])
        for line in await story.lines(pool)
        if line["run_id"] == november["run_id"] and line["resident_id"] == resident_id(1)
    ]
    assert pairs == [("correction", OCTOBER, 10, 2_26), ("refund", OCTOBER, -31, -7_00)]
    assert await story.hear(pool, "listing.resident", gone) == 0, "told again it changes nothing"
    december = await story.close(pool, DECEMBER, at(12, 31, 23))
    assert [line["kind"] for line in await story.lines(pool) if line["run_id"] == december["run_id"]] == ["original"]
    assert october["digest"] != november["digest"]
    await story.assert_books_agree(pool)


async def test_visits_are_priced_by_their_day_and_client_fees_are_netted(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "registry.price", told.price(50_00, date(2026, 11, 16)))
    await story.hear(pool, "listing.resident", resident(1))
    first = visit(1, 1, date(2026, 11, 15), recorded_at=at(11, 16), fee_cents=20_60)
    late = visit(3, 1, date(2026, 11, 20), recorded_at=at(12, 3))
    assert await story.hear(pool, "monitoring.production", first, first) == 1
    await story.hear(pool, "monitoring.production", visit(2, 1, date(2026, 11, 16), recorded_at=at(11, 17)))
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.hear(pool, "monitoring.production", late)
    cents = {(line["component"], line["amount_cents"]) for line in await story.lines(pool)}
    assert cents == {("fee", 45_00), ("fee", 50_00), ("client_fee", -20_60)}
    corrected = visit(1, 1, date(2026, 11, 15), recorded_at=at(12, 4), fee_cents=10_00, version=2)
    await story.hear(pool, "monitoring.production", corrected)
    run = await story.close(pool, DECEMBER, at(12, 31, 23))
    found = sorted(
        (line["component"], line["kind"], line["amount_cents"])
        for line in await story.lines(pool)
        if line["run_id"] == run["run_id"]
    )
    assert found == [
        ("client_fee", "correction", -10_00),
        ("client_fee", "refund", 20_60),
        ("fee", "original", 50_00),
    ]
    await story.assert_books_agree(pool)


async def test_a_fact_that_comes_after_the_cut_off_waits_for_the_next_month(pool: Pool) -> None:
    """It was recorded before the cut-off but came later: known from the cut-off on, so corrected, not lost."""
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    await story.close(pool, OCTOBER, at(11, 2))
    assert await story.lines(pool) == []
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1)), recorded_at=at(9, 2)))
    await story.close(pool, NOVEMBER, at(12, 2))
    found = sorted((line["for_month"], line["kind"], line["amount_cents"]) for line in await story.lines(pool))
    assert found == [(OCTOBER, "correction", 7_00), (NOVEMBER, "original", 7_00)]


async def test_a_version_that_comes_after_a_later_one_has_no_effect(pool: Pool) -> None:
    await story.open_area(pool)
    first, second = (
        visit(1, 1, date(2026, 10, 5), recorded_at=at(10, 6 + n), version=n, fee_cents=n * 100) for n in (1, 2)
    )
    assert await story.hear(pool, "monitoring.production", second) == 1
    assert await story.hear(pool, "monitoring.production", first) == 0
    assert await story.hear(pool, "listing.resident", resident(1, version=2)) == 1
    assert await story.hear(pool, "listing.resident", resident(1), resident(2)) == 1
    await story.close(pool, OCTOBER, at(11, 2))
    assert [line["amount_cents"] for line in await story.lines(pool, "client_fee")] == [-200]


async def test_a_producer_is_paid_fees_by_the_contract_as_known_at_the_cut_off(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "monitoring.production", visit(1, 1, date(2026, 10, 15), recorded_at=at(10, 16)))
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, OCTOBER, "operator"), at(11, 2))
    ended = told.contract(private=True).model_copy(
        update={"version": 2, "recorded_at": at(11, 1), "ends_on": date(2026, 10, 10)}
    )
    await story.hear(pool, "registry.contract", ended)
    assert await close_next(pool)
    assert [line["amount_cents"] for line in await story.lines(pool, "fee")] == [45_00]
    await story.close(pool, NOVEMBER, at(12, 2))
    assert sorted(line["amount_cents"] for line in await story.lines(pool, "fee")) == [-45_00, 45_00]
    await story.assert_books_agree(pool)


@pytest.mark.parametrize(("before", "after", "cents"), [(True, False, 45_00), (False, True, 0)])
async def test_a_contract_that_changes_its_kinds_leaves_closed_months(
    pool: Pool, before: bool, after: bool, cents: int
) -> None:
    """The kinds are those that were known when the month closed; only the days of a contract reach back."""
    await story.open_area(pool)
    kinds = {True: ("capitation", "fee"), False: ("capitation",)}
    october = told.contract(private=True).model_copy(
        update={"version": 2, "recorded_at": at(10, 2), "compensation_kinds": kinds[before]}
    )
    await story.hear(pool, "registry.contract", october)
    days = {1: date(2026, 9, 15), 2: date(2026, 10, 15)}
    await story.hear(
        pool, "monitoring.production", *(visit(n, 1, day, recorded_at=at(10, 16)) for n, day in days.items())
    )
    await story.close(pool, OCTOBER, at(11, 2))
    changed = {"version": 3, "recorded_at": at(11, 20), "compensation_kinds": kinds[after]}
    await story.hear(pool, "registry.contract", october.model_copy(update=changed))
    late = visit(3, 1, date(2026, 10, 20), recorded_at=at(11, 25))
    await story.hear(pool, "monitoring.production", late, visit(4, 1, date(2026, 11, 5), recorded_at=at(11, 25)))
    await story.close(pool, NOVEMBER, at(12, 2))
    found = [(line["for_month"], line["amount_cents"]) for line in await story.lines(pool, "fee")]
    october_cents = sum(paid for month, paid in found if month <= OCTOBER)
    assert (october_cents, (NOVEMBER, 45_00) in found) == (3 * cents, after)
    await story.assert_books_agree(pool)


async def test_no_scheme_in_production_pays_nothing(pool: Pool) -> None:
    """Neither one that has not reached phase 5, nor one that was there and went back."""
    await story.hear(pool, "registry.document", told.document())
    await story.hear(pool, "registry.unit", told.unit(private=False))
    await story.hear(pool, "registry.scheme", told.scheme(4))
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1))))
    reached = await story.close(pool, OCTOBER, at(11, 2))
    await story.hear(pool, "registry.scheme", told.scheme(5).model_copy(update={"recorded_at": at(11, 3)}))
    back = told.scheme(4).model_copy(update={"version": 9, "recorded_at": at(11, 4)})
    await story.hear(pool, "registry.scheme", back)
    left = await story.close(pool, NOVEMBER, at(12, 2))
    assert (reached["status"], left["status"]) == ("closed", "closed"), (reached["problem"], left["problem"])
    assert await story.lines(pool) == []
    forth = told.scheme(5).model_copy(update={"version": 10, "recorded_at": at(12, 3), "entered_on": DECEMBER})
    await story.hear(pool, "registry.scheme", forth)
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert DECEMBER in {line["for_month"] for line in await story.lines(pool)}, "what was missing was the phase"
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None


async def test_months_close_in_order_after_their_end_and_once(pool: Pool) -> None:
    await story.open_area(pool)
    with pytest.raises(Refused) as early:
        await story.close(pool, NOVEMBER, at(11, 30))
    assert early.value.reason is Reason.MONTH_NOT_OVER
    first = await story.close(pool, OCTOBER, at(11, 2))
    with pytest.raises(Refused) as closed:
        await story.close(pool, OCTOBER, at(11, 3))
    assert (closed.value.reason, closed.value.extra["run_id"]) == (Reason.MONTH_CLOSED, str(first["run_id"]))
    with pytest.raises(Refused) as skipped:
        await story.close(pool, DECEMBER, at(12, 31, 23))
    assert skipped.value.reason is Reason.MONTH_OUT_OF_ORDER
    async with transaction(pool) as tx:
        again = await one(tx, "SELECT count(*) AS n FROM run")
    assert again == {"n": 1}
    assert first["status"] == "closed"


async def test_a_run_that_failed_is_queued_anew_with_its_cut_off(pool: Pool) -> None:
    await story.open_area(pool)
    async with transaction(pool) as tx:
        requested = await request_run(tx, RequestRun(told.AREA, OCTOBER, "operator"), at(11, 2))
        await tx.execute("UPDATE run SET status = 'failed', attempts = 5, problem = 'DiskFull'")
    run = await story.close(pool, OCTOBER, at(11, 9))
    assert (run["status"], run["problem"], run["cut_off"]) == ("closed", None, requested.cut_off)


async def test_days_before_the_scheme_entered_production_are_not_paid(pool: Pool) -> None:
    await story.hear(pool, "registry.document", told.document())
    await story.hear(pool, "registry.unit", told.unit(private=False))
    for phase, day in ((4, date(2026, 10, 5)), (5, date(2026, 11, 16)), (6, date(2026, 11, 30))):
        await story.hear(pool, "registry.scheme", told.scheme(phase).model_copy(update={"entered_on": day}))
    await story.hear(pool, "listing.resident", resident(1), resident(2))
    both = listed(2, span(date(2026, 9, 1), date(2026, 11, 11)), span(date(2026, 11, 26)))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1))), both)
    await story.close(pool, OCTOBER, at(12, 1))
    await story.close(pool, NOVEMBER, at(12, 2))
    paid = {line["resident_id"]: (line["days"], line["amount_cents"]) for line in await story.lines(pool)}
    assert paid == {resident_id(1): (15, 3_50), resident_id(2): (5, 1_17)}


async def test_a_refund_names_the_rate_of_what_it_takes_back(pool: Pool) -> None:
    """Corrected twice, downwards first: neither the highest rate nor the first one stands."""
    await story.open_area(pool)
    born = {1: date(2024, 5, 5), 2: date(1980, 1, 1), 3: date(1950, 1, 1)}
    price = told.price().model_copy(update={"correction_reason": "Kirjoitusvirhe"})
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1), date(2026, 11, 1))))
    first = visit(1, 1, date(2026, 10, 5), recorded_at=at(10, 6), fee_cents=30_00)
    for version, month, now in ((1, OCTOBER, at(11, 2)), (2, NOVEMBER, at(12, 2)), (3, DECEMBER, at(12, 31, 23))):
        known = now.replace(hour=1)
        changed = {"version": version, "recorded_at": known}
        await story.hear(pool, "listing.resident", resident(1, born[version], version=version, recorded_at=known))
        cents = {"client_fee_cents": {1: 20_00, 2: 30_00, 3: 25_00}[version]}
        await story.hear(pool, "monitoring.production", first.model_copy(update=changed | cents))
        corrected = {
            "version": version + 1,
            "recorded_at": known,
            "price_cents": {1: 50_00, 2: 46_00, 3: 48_00}[version],
        }
        await story.hear(pool, "registry.price", price.model_copy(update=corrected))
        await story.close(pool, month, now)
    refunded: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for line in await story.lines(pool):
        if line["kind"] == "refund":
            refunded[line["component"]].append((line["rate_cents"], line["amount_cents"]))
    assert {name: sorted(pairs) for name, pairs in refunded.items()} == {
        "capitation": [(84_00, -7_00), (180_00, -15_00)],
        "fee": [(46_00, -46_00), (50_00, -50_00)],
        "client_fee": [(-30_00, 30_00), (-20_00, 20_00)],
    }
