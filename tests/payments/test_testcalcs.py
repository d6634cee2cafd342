"""The test calculation from what payments knows, for a municipality, an area and the country."""

from datetime import date
from typing import Literal

import pytest

from kanava.common.contracts.registry import PackageTotal
from kanava.common.db import Pool, transaction
from kanava.common.errors import Refused
from kanava.payments.errors import Reason, UnknownModel
from kanava.payments.service.testcalcs import Asked, MethodComparison, compare_methods
from tests.payments import story
from tests.payments.test_allowed_kinds import adopt
from tests.payments.test_prices import package
from tests.payments.test_vouchers import voucher
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit

NOVEMBER = date(2026, 11, 1)
LISTED = date(2026, 9, 1)


async def asked(pool: Pool, **changed: object) -> MethodComparison:
    """The comparison for Espoo's area in November."""
    fields = {"day": NOVEMBER, "area": told.AREA, "municipality": None, "model": None, "neutral": True}
    async with transaction(pool) as tx:
        return await compare_methods(tx, Asked(**fields | changed))  # type: ignore[arg-type]  # fields by name


def amounts(found: MethodComparison, place: int) -> dict[str, int]:
    """What each producer gets by the method at a place."""
    return {one.name: one.amount_cents for one in found.methods[place].producers}


async def settle(pool: Pool) -> None:
    """Two adults at the private unit, one of them needy; a child, an old one and one who left at the own unit."""
    await story.open_area(pool)
    born = {1: date(1980, 1, 1), 2: date(1980, 1, 1), 3: date(2020, 1, 1), 4: date(1950, 1, 1), 5: date(1970, 1, 1)}
    await story.hear(pool, "listing.resident", *(resident(n, day) for n, day in born.items()))
    await story.hear(
        pool,
        "listing.listing",
        listed(1, span(LISTED, private=True)),
        listed(2, span(LISTED, private=True, permille=1500)),
        listed(3, span(LISTED)),
        listed(4, span(LISTED)),
        listed(5, span(LISTED, NOVEMBER)),
    )


async def test_the_methods_stand_side_by_side_over_the_listed(pool: Pool) -> None:
    await settle(pool)
    await story.hear(pool, "monitoring.production", visit(1, 2, date(2026, 10, 5), recorded_at=at(10, 6)))
    found = await asked(pool)
    assert found.residents == 4
    assert found.today_cents == 2 * 84_00 + 180_00 + 240_00
    assert [one.total_cents for one in found.methods] == [found.today_cents] * 3
    assert amounts(found, 0) == {told.PRIVATE: 168_00, told.OWN: 420_00}
    assert amounts(found, 1) == {told.PRIVATE: 196_00, told.OWN: 392_00}
    assert amounts(found, 2) == {told.PRIVATE: 200_14, told.OWN: 387_86}
    assert found.methods[1].winners == (told.PRIVATE,)
    private = found.methods[1].producers[1]
    assert (private.difference_cents, private.per_resident_cents) == (28_00, 14_00)
    on_top = await asked(pool, neutral=False)
    assert [one.total_cents for one in on_top.methods] == [588_00, 588_00 + 42_00, 588_00 + 45_00]


async def test_country_area_and_municipality(pool: Pool) -> None:
    await settle(pool)
    country = await asked(pool, area=None)
    assert list(country.areas) == [told.AREA]
    assert country.methods == (await asked(pool)).methods == (await asked(pool, municipality="049")).methods
    assert (await asked(pool, municipality="091")).residents == 0


async def test_another_version_of_the_model_is_priced_beside_the_one_in_force(pool: Pool) -> None:
    await settle(pool)
    dearer = told.document(tuple(band.model_copy(update={"annual_cents": 100_00}) for band in told.BANDS))
    draft = dearer.model_copy(update={"document_id": "03:compensation_model:2", "number": 2})
    await story.hear(pool, "registry.document", draft)
    found = await asked(pool, model="03:compensation_model:2")
    assert (found.methods[0].total_cents, found.today_cents) == (400_00, 588_00)
    with pytest.raises(UnknownModel):
        await asked(pool, model="03:compensation_model:9")


async def test_who_has_no_model_is_named_and_fees_over_the_pot_are_refused(pool: Pool) -> None:
    await settle(pool)
    elsewhere = "1.2.246.10.2012566.10.2"
    unit = told.unit(private=False).model_copy(update={"municipality": "091", "unit_id": elsewhere})
    await story.hear(pool, "registry.unit", unit)
    moved = span(LISTED).model_copy(update={"unit_id": elsewhere})
    await story.hear(pool, "listing.listing", *(listed(n, moved, version=2, recorded_at=at(10, 1)) for n in (3, 4)))
    found = await asked(pool)
    assert (found.residents, found.without_model) == (2, ["091"])
    visits = [visit(n, 1, date(2026, 10, 5), recorded_at=at(10, 6)) for n in range(4)]
    await story.hear(pool, "monitoring.production", *visits)
    with pytest.raises(Refused) as refused:
        await asked(pool)
    assert refused.value.reason is Reason.FEES_OVER_THE_POT


def performance(found: MethodComparison) -> dict[str, int]:
    """The fees of each producer, as the performance line pays them on top of capitation."""
    base, _, line = found.methods
    fees = {one.name: one.amount_cents for one in line.producers}
    return {one.name: fees[one.name] - one.amount_cents for one in base.producers}


async def fees_asked(pool: Pool, **changed: object) -> dict[str, int]:
    """The fees of the twelve months before November."""
    return performance(await asked(pool, neutral=False, **changed))


@pytest.mark.parametrize(("each", "counted"), [("year", 2), ("month", 4)])
async def test_a_package_with_a_total_price_counts_once_for_each_client_and_period(
    pool: Pool, each: Literal["month", "year"], counted: int
) -> None:
    """The first service of 2025 was before the twelve months that are looked at: that year is paid for already."""
    await settle(pool)
    total = told.price(400_00, date(2025, 1, 1)).model_copy(
        update={
            "node": "MTP",
            "unit_of_measure": "hoidettu_asiakas",
            "price_basis": "package_total",
            "price_id": "03:MTP:hoidettu_asiakas",
            "total_price": PackageTotal(package="MTP", counted_each=each),
        }
    )
    await story.hear(pool, "registry.package", package(()).model_copy(update={"valid_from": date(2025, 1, 1)}))
    await story.hear(pool, "registry.price", total)
    long_ago = told.contract(private=True).model_copy(
        update={"contract_id": "C-old", "starts_on": date(2025, 1, 1), "ends_on": date(2026, 9, 1)}
    )
    await story.hear(pool, "registry.contract", long_ago)
    days = (date(2025, 10, 5), date(2025, 12, 5), date(2026, 1, 5), date(2026, 10, 5))
    visits = [visit(n, 2, day, recorded_at=at(10, 20)) for n, day in enumerate(days, 1)]
    other = visit(5, 1, date(2026, 10, 6), recorded_at=at(10, 20))
    again = visit(6, 1, date(2026, 10, 7), recorded_at=at(10, 20))
    reports = [one.model_copy(update={"node": "MTP.1"}) for one in (*visits, other, again)]
    await story.hear(pool, "monitoring.production", *reports)
    assert await fees_asked(pool) == {told.PRIVATE: counted * 400_00, told.OWN: 0}


async def test_who_has_no_contract_for_fees_on_the_day_earns_none(pool: Pool) -> None:
    await settle(pool)
    visits = [visit(n, 2, date(2026, 10, n), recorded_at=at(10, 20)) for n in (5, 15)]
    await story.hear(pool, "monitoring.production", *visits)
    assert (await fees_asked(pool))[told.PRIVATE] == 2 * 45_00
    ended = told.contract(private=True).model_copy(
        update={"version": 2, "what": "ended", "recorded_at": at(10, 9), "ends_on": date(2026, 10, 10)}
    )
    await story.hear(pool, "registry.contract", ended)
    assert (await fees_asked(pool))[told.PRIVATE] == 45_00
    capitation = ended.model_copy(
        update={"version": 3, "recorded_at": at(10, 10), "compensation_kinds": ("capitation",)}
    )
    await story.hear(pool, "registry.contract", capitation)
    assert (await fees_asked(pool))[told.PRIVATE] == 0


async def test_a_kind_that_a_contract_gets_later_makes_no_fee_of_a_closed_month(pool: Pool) -> None:
    await settle(pool)
    signed = told.contract(private=True)
    capitation = {"version": 2, "what": "changed", "recorded_at": at(10, 2), "compensation_kinds": ("capitation",)}
    await story.hear(pool, "registry.contract", signed.model_copy(update=capitation))
    await story.hear(pool, "monitoring.production", visit(1, 2, date(2026, 10, 5), recorded_at=at(10, 6)))
    await story.close(pool, date(2026, 10, 1), at(11, 2))
    again = capitation | {"version": 3, "recorded_at": at(11, 5), "compensation_kinds": ("capitation", "fee")}
    await story.hear(pool, "registry.contract", signed.model_copy(update=again))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await story.lines(pool, "fee") == []
    assert (await fees_asked(pool))[told.PRIVATE] == 0


async def test_what_a_voucher_pays_is_no_fee(pool: Pool) -> None:
    await settle(pool)
    visits = [visit(n, of, date(2026, 10, 5), recorded_at=at(10, 20)) for n, of in ((1, 1), (2, 2))]
    await story.hear(pool, "monitoring.production", *visits)
    await story.hear(pool, "listing.voucher", voucher(1, 1, starts_on=date(2026, 10, 1)))
    assert (await fees_asked(pool))[told.PRIVATE] == 45_00
    assert (await fees_asked(pool, area=None))[told.PRIVATE] == 45_00
    assert (await fees_asked(pool, municipality=told.MUNICIPALITY))[told.PRIVATE] == 45_00


async def test_a_kind_that_the_model_does_not_pay_to_the_class_is_no_fee(pool: Pool) -> None:
    await settle(pool)
    await story.hear(pool, "monitoring.production", visit(1, 2, date(2026, 10, 5), recorded_at=at(10, 6)))
    await story.close(pool, date(2026, 9, 1), at(10, 2))
    await adopt(pool, "basic", "capitation")
    await story.close(pool, date(2026, 10, 1), at(11, 2))
    assert await story.lines(pool, "fee") == []
    assert (await fees_asked(pool))[told.PRIVATE] == 0


async def test_the_fees_are_those_that_the_runs_paid(pool: Pool) -> None:
    await settle(pool)
    visits = [visit(n, of, date(2026, 10, n), recorded_at=at(10, 20)) for n, of in ((1, 1), (2, 2), (3, 3))]
    await story.hear(pool, "monitoring.production", *visits)
    await story.hear(pool, "listing.voucher", voucher(1, 1, starts_on=date(2026, 10, 1)))
    await story.close(pool, date(2026, 10, 1), at(11, 2))
    paid = sum(line["amount_cents"] for line in await story.lines(pool, "fee"))
    assert paid == 2 * 45_00
    assert (await fees_asked(pool))[told.PRIVATE] == paid
