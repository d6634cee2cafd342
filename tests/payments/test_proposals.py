"""Proposed rates from the books and the listings, on a real PostgreSQL."""

from datetime import UTC, date, datetime

import psycopg
import pytest
from pydantic import ValidationError

from kanava.common.db import Pool, transaction
from kanava.common.errors import Invalid, Refused
from kanava.payments.api.proposals import ReviewIn
from kanava.payments.domain.levels import Bounds, Verdict
from kanava.payments.errors import Reason, UnknownModel
from kanava.payments.service.proposals import (
    BandKey,
    Basis,
    LevelReview,
    ReviewLevel,
    ValueVoucher,
    VoucherValue,
    review_level,
    value_voucher,
)
from kanava.payments.views import proposals as views
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
YEAR, CLOSED = (date(2026, 1, 1), date(2027, 1, 1)), (date(2026, 1, 1), DECEMBER)
NEW_YEAR = datetime(2027, 1, 5, 9, tzinfo=UTC)
CHILD, ADULT, OLD = ("any", 0), ("any", 7), ("any", 65)


def basis(period: tuple[date, date] = YEAR, model: str = told.MODEL) -> Basis:
    """The area's model and the books of its cost."""
    return Basis(told.AREA, model, period, "Tilinpäätös 2026", "aino")


async def reviewed(pool: Pool, costs: dict[BandKey, int], asked: Basis) -> LevelReview:
    """A review with 2 % of tolerance and at most 10 %."""
    async with transaction(pool) as tx:
        return await review_level(tx, ReviewLevel(asked, costs, Bounds(20, 100)), at(12, 5))


async def valued(
    pool: Pool, own_cost_cents: int, weights: dict[BandKey, int] | None = None, *, now: datetime = NEW_YEAR
) -> VoucherValue:
    """The value of the voucher by the own cost of 2026."""
    async with transaction(pool) as tx:
        return await value_voucher(tx, ValueVoucher(basis(), own_cost_cents, weights), now)


async def two_months(pool: Pool) -> None:
    """A child and an adult at the own unit, an old one at the private; the old one's death becomes known late."""
    await story.open_area(pool)
    born = {1: date(2024, 5, 5), 2: date(1980, 1, 1), 3: date(1950, 1, 1)}
    await story.hear(pool, "listing.resident", *(resident(n, day) for n, day in born.items()))
    private = span(date(2026, 9, 1), private=True)
    own = span(date(2026, 10, 1))
    await story.hear(pool, "listing.listing", listed(1, own), listed(2, own), listed(3, private))
    await story.close(pool, date(2026, 10, 1), at(11, 2))
    dead = resident(3, born[3], version=2, what="died", lives_until=date(2026, 10, 16), recorded_at=at(11, 5))
    ended = span(date(2026, 9, 1), date(2026, 10, 16), private=True)
    await story.hear(pool, "listing.resident", dead)
    await story.hear(pool, "listing.listing", listed(3, ended, version=2, recorded_at=at(11, 5)))
    await story.close(pool, NOVEMBER, at(12, 2))


async def test_a_review_compares_cost_with_what_the_books_have_corrections_too(pool: Pool) -> None:
    await two_months(pool)
    found = await reviewed(pool, {CHILD: 33_00, ADULT: 14_00, OLD: 5_00}, basis(CLOSED))
    paid = {(band.sex, band.age_from): band.paid_cents for band in found.bands}
    assert paid == {CHILD: 2 * 15_00, ADULT: 2 * 7_00, OLD: 9_68}
    assert [band.proposed_cents for band in found.bands] == [198_00, 84_00, 216_00]
    assert [band.verdict for band in found.bands] == [Verdict.FOLLOWED, Verdict.KEPT, Verdict.BOUNDED]
    assert (found.paid_cents, found.cost_cents, found.effect_cents) == (53_68, 52_00, 3_00 - 97)
    november = await reviewed(pool, {CHILD: 15_00, ADULT: 7_00, OLD: 0}, basis((NOVEMBER, DECEMBER)))
    assert november.paid_cents == 22_00
    assert november.bands[2].verdict is Verdict.NO_BASIS


async def adopt_doubled(pool: Pool, entered_on: date, municipality: str = told.MUNICIPALITY) -> str:
    """A second model with doubled rates, adopted from a day on by a municipality; the model's id."""
    doubled = tuple(band.model_copy(update={"annual_cents": 2 * band.annual_cents}) for band in told.BANDS)
    later = {"document_id": "03:compensation_model:2", "number": 2, "valid_from": entered_on, "recorded_at": at(10, 30)}
    document = told.document(doubled).model_copy(update=later)
    await story.hear(pool, "registry.document", document)
    scheme = told.scheme()
    changed = {
        "version": 6,
        "scheme_id": scheme.scheme_id if municipality == scheme.municipality else municipality,
        "municipality": municipality,
        "compensation_model": document.document_id,
        "entered_on": entered_on,
        "recorded_at": at(10, 30),
    }
    await story.hear(pool, "registry.scheme", scheme.model_copy(update=changed))
    return document.document_id


async def test_months_are_reviewed_by_the_model_that_priced_them(pool: Pool) -> None:
    """October was paid by the first model, November by the second, whose rates are twice as high."""
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(2, date(1980, 1, 1)))
    await story.hear(pool, "listing.listing", listed(2, span(date(2026, 9, 1))))
    second = await adopt_doubled(pool, NOVEMBER)
    for month, now in ((OCTOBER, at(11, 2)), (NOVEMBER, at(12, 2))):
        await story.close(pool, month, now)
    costs = {CHILD: 0, ADULT: 7_00, OLD: 0}
    october = await reviewed(pool, costs, basis((OCTOBER, NOVEMBER)))
    november = await reviewed(pool, costs, basis((NOVEMBER, DECEMBER), second))
    assert [(one.bands[1].paid_cents, one.bands[1].verdict) for one in (october, november)] == [
        (7_00, Verdict.KEPT),
        (14_00, Verdict.BOUNDED),
    ]
    for model, period in ((told.MODEL, YEAR), (second, YEAR), (second, (OCTOBER, NOVEMBER))):
        with pytest.raises(Refused) as refused:
            await reviewed(pool, costs, basis(period, model))
        assert refused.value.reason is Reason.OTHER_MODEL
        assert refused.value.pointer == "/first_month"


async def test_a_municipality_under_another_model_all_along_is_left_out_of_a_review(pool: Pool) -> None:
    await story.open_area(pool)
    elsewhere = told.unit(private=True).model_copy(update={"unit_id": f"{told.PRIVATE_UNIT}0", "municipality": "235"})
    await story.hear(pool, "registry.unit", elsewhere)
    await story.hear(pool, "listing.resident", resident(2, date(1980, 1, 1)), resident(3, date(1980, 1, 1)))
    own, private = span(date(2026, 9, 1)), span(date(2026, 9, 1), private=True)
    there = private.model_copy(update={"unit_id": elsewhere.unit_id})
    await story.hear(pool, "listing.listing", listed(2, own), listed(3, there))
    second = await adopt_doubled(pool, date(2026, 9, 1), "235")
    await story.close(pool, OCTOBER, at(11, 2))
    costs = {CHILD: 0, ADULT: 7_00, OLD: 0}
    assert (await reviewed(pool, costs, basis((OCTOBER, NOVEMBER)))).paid_cents == 7_00
    assert (await reviewed(pool, costs, basis((OCTOBER, NOVEMBER), second))).paid_cents == 14_00


async def test_a_proposal_is_kept_with_its_basis_and_changes_no_rate(pool: Pool) -> None:
    await two_months(pool)
    first = await reviewed(pool, {CHILD: 33_00, ADULT: 14_00, OLD: 5_00}, basis(CLOSED))
    again = await reviewed(pool, {CHILD: 33_00, ADULT: 14_00, OLD: 5_00}, basis(CLOSED))
    assert first == again
    second = await valued(pool, 100_00)
    async with transaction(pool) as tx:
        kept = await views.proposals(tx, told.AREA)
        assert await views.proposals(tx, "04") == []
    assert {row["proposal_id"] for row in kept} == {first.proposal_id, second.proposal_id}
    row = next(row for row in kept if row["kind"] == "level_review")
    assert (row["model"], row["source"], row["proposed_by"]) == (told.MODEL, "Tilinpäätös 2026", "aino")
    assert [band["proposed_cents"] for band in row["result"]["bands"]] == [198_00, 84_00, 216_00]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with transaction(pool) as tx:
            await tx.execute("UPDATE rate_proposal SET model = 'x'")
    run = await story.close(pool, DECEMBER, at(12, 31, 23))
    amounts = [line["amount_cents"] for line in await story.lines(pool) if line["run_id"] == run["run_id"]]
    assert sorted(amounts) == [7_00, 15_00]


async def test_the_value_of_the_voucher_is_what_own_production_costs(pool: Pool) -> None:
    await two_months(pool)
    found = await valued(pool, 100_00)
    days = {(band.sex, band.age_from): band.resident_days for band in found.bands}
    assert days == {CHILD: 92, ADULT: 92, OLD: 0}
    assert sum(band.cost_cents for band in found.bands) == found.net_cost_cents == 100_00
    assert [band.annual_cents for band in found.bands] == [270_50, 126_24, 360_67]
    equal = await valued(pool, 92_00, {CHILD: 1, ADULT: 1, OLD: 2})
    assert [band.annual_cents for band in equal.bands] == [182_50, 182_50, 365_00]


async def test_fees_that_clients_paid_to_own_units_are_no_cost(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1))))
    own = {"producer_id": told.OWN, "unit_id": told.OWN_UNIT}
    at_own = visit(1, 1, date(2026, 11, 5), recorded_at=at(11, 6), fee_cents=20_60).model_copy(update=own)
    at_private = visit(2, 1, date(2026, 11, 5), recorded_at=at(11, 6), fee_cents=20_60)
    await story.hear(pool, "monitoring.production", at_own, at_private)
    await story.close(pool, NOVEMBER, at(12, 2))
    found = await valued(pool, 100_00)
    assert (found.own_cost_cents, found.client_fees_cents, found.net_cost_cents) == (100_00, 20_60, 79_40)
    with pytest.raises(Refused) as refused:
        await valued(pool, 20_59)
    assert refused.value.reason is Reason.NO_OWN_COST


async def test_other_bands_and_other_models_are_refused(pool: Pool) -> None:
    await story.open_area(pool)
    with pytest.raises(Invalid) as bands:
        await reviewed(pool, {CHILD: 1, ADULT: 1}, basis(CLOSED))
    assert (bands.value.pointer, bands.value.rule) == ("/bands", "bands_of_the_model")
    with pytest.raises(UnknownModel):
        await reviewed(pool, {CHILD: 1}, basis(model="03:compensation_model:9"))
    with pytest.raises(Refused) as nobody:
        await valued(pool, 100_00)
    assert nobody.value.reason is Reason.NO_OWN_COST


async def test_months_that_are_still_open_are_compared_with_nothing(pool: Pool) -> None:
    await two_months(pool)
    for period in (YEAR, (DECEMBER, date(2027, 1, 1))):
        with pytest.raises(Refused) as refused:
            await reviewed(pool, {CHILD: 33_00, ADULT: 14_00, OLD: 5_00}, basis(period))
        assert refused.value.reason is Reason.PERIOD_NOT_CLOSED


async def test_the_cost_of_a_year_is_told_when_it_is_over(pool: Pool) -> None:
    await two_months(pool)
    with pytest.raises(Refused) as refused:
        await valued(pool, 100_00, now=at(12, 31, 9))
    assert refused.value.reason is Reason.PERIOD_NOT_OVER
    assert (await valued(pool, 100_00)).net_cost_cents == 100_00


async def test_a_rate_that_cannot_be_meant_is_refused(pool: Pool) -> None:
    await two_months(pool)
    with pytest.raises(Refused) as absurd:
        await valued(pool, 1_000_000_00, {CHILD: 1, ADULT: 0, OLD: 10**9})
    assert absurd.value.reason is Reason.ABSURD_RATE


BODY = {
    "area": "03",
    "model": told.MODEL,
    "first_month": "2026-01",
    "source": "Tilinpäätös",
    "bands": [{"sex": "any", "age_from": 0, "cost_cents": 1}],
}


@pytest.mark.parametrize(
    "changed",
    [
        {"bands": BODY["bands"] * 2},  # type: ignore[operator]  # a list of one band
        {"bands": [{"sex": "any", "age_from": 0, "cost_cents": -1}]},
        {"bands": [{"sex": "any", "age_from": 0, "cost_cents": 10**16}]},
        {"bands": []},
        {"tolerance_permille": 200},
        {"months": 13},
        {"first_month": "9999-12"},
        {"first_month": "2026-13"},
        {"area": "91"},
        {"source": ""},
        {"king": True},
    ],
)
def test_a_body_that_says_nothing_sensible_is_refused(changed: dict[str, object]) -> None:
    assert ReviewIn.model_validate(BODY).basis(12, "aino").period == YEAR
    with pytest.raises(ValidationError):
        ReviewIn.model_validate(BODY | changed)
