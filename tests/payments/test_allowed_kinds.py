"""A compensation model that allows a class less: nothing of the kind is paid, and it is seen, on a real PostgreSQL."""

from datetime import date

import pytest
from structlog.testing import capture_logs

from kanava.common.contracts.registry import AllowedKinds, CompensationKind, ContractClass
from kanava.common.db import Pool, one, rows, transaction
from kanava.payments.commands import RequestRun
from kanava.payments.service.runs import close_next, request_run
from kanava.payments.views.allowed_kinds import refused_kinds
from kanava.payments.views.reconciliation import reconciliation
from tests.payments import story
from tests.payments.test_base_payments import cooperation, paid
from tests.payments.test_effectiveness import partnership
from tests.payments.test_incentives import TERMS, snapshot
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


async def adopt(
    pool: Pool, contract_class: ContractClass, *kinds: CompensationKind, since: date = OCTOBER, **changed: object
) -> None:
    """Espoo adopts a second model, which pays only these kinds to contracts of a class."""
    model = told.document()
    assert model.compensation is not None
    allowed = (AllowedKinds(contract_class=contract_class, kinds=kinds),)
    terms = model.compensation.model_copy(update={"allowed_kinds": allowed} | changed)
    known_at = told.SEPTEMBER.replace(month=since.month, day=5)
    later = {"document_id": "03:compensation_model:2", "number": 2, "compensation": terms, "recorded_at": known_at}
    await story.hear(pool, "registry.document", model.model_copy(update=later))
    phase = {
        "version": 6,
        "compensation_model": "03:compensation_model:2",
        "entered_on": since,
        "recorded_at": known_at,
    }
    await story.hear(pool, "registry.scheme", told.scheme().model_copy(update=phase))


async def charged(pool: Pool) -> int:
    """How many charges there are."""
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT count(*) AS n FROM charge")
    assert row is not None
    return int(row["n"])


async def test_a_base_payment_that_the_model_does_not_allow_stops_and_nothing_is_taken_back(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "registry.contract", cooperation())
    await story.close(pool, OCTOBER, at(11, 2))
    await adopt(pool, "cooperation", "capitation", "incentive", since=NOVEMBER)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await paid(pool) == [("10", "original", 160_00)]
    await story.assert_books_agree(pool)


async def test_another_class_and_another_kind_are_paid(pool: Pool) -> None:
    await story.open_area(pool)
    await adopt(pool, "basic", "capitation")
    await story.hear(pool, "registry.contract", cooperation())
    await story.close(pool, OCTOBER, at(11, 2))
    assert await paid(pool) == [("10", "original", 160_00)]


@pytest.mark.parametrize(("kinds", "charges"), [(("capitation",), 0), (("capitation", "effectiveness"), 1)])
async def test_a_measure_is_paid_only_where_the_model_pays_effectiveness(
    pool: Pool, kinds: tuple[CompensationKind, ...], charges: int
) -> None:
    await story.open_area(pool)
    await adopt(pool, "partnership", *kinds)
    await story.hear(pool, "registry.contract", partnership())
    await story.close(pool, OCTOBER, at(11, 2))
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20)))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await charged(pool) == charges


@pytest.mark.parametrize(("kinds", "reserves"), [(("capitation",), 0), (("capitation", "incentive"), 1)])
async def test_nothing_is_reserved_for_an_incentive_that_the_model_does_not_allow(
    pool: Pool, kinds: tuple[CompensationKind, ...], reserves: int
) -> None:
    await story.open_area(pool)
    await adopt(pool, "basic", *kinds, incentives=TERMS)
    with_incentive = {"version": 2, "compensation_kinds": ("capitation", "incentive")}
    await story.hear(pool, "registry.contract", told.contract(private=True).model_copy(update=with_incentive))
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1), private=True)))
    await story.close(pool, OCTOBER, at(11, 2))
    async with transaction(pool) as tx:
        assert len(await rows(tx, "SELECT * FROM incentive_reserve")) == reserves


async def test_fees_of_each_month_are_judged_by_what_was_known_when_it_closed(pool: Pool) -> None:
    """The model of November does not reach October; a contract that became known late reaches back, as its days do."""
    await story.open_area(pool)
    await story.close(pool, OCTOBER, at(11, 2))
    await adopt(pool, "basic", "capitation", since=NOVEMBER)
    late = visit(1, 1, date(2026, 10, 5), recorded_at=at(11, 20))
    await story.hear(pool, "monitoring.production", late, visit(2, 1, date(2026, 11, 5), recorded_at=at(11, 20)))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert [line["for_month"] for line in await story.lines(pool, "fee")] == [OCTOBER]
    async with transaction(pool) as tx:
        found = await reconciliation(tx, date(2026, 9, 1), date(2026, 12, 31))
    reports = [flow for flow in found.flows if flow["flow"] == "production report → resident line"]
    assert sum(int(str(flow["waiting"])) for flow in reports) == 1, "not lost, but refused"
    both = cooperation(contract_id="C-both", compensation_kinds=("capitation", "fee"), recorded_at=at(11, 6))
    await story.hear(pool, "registry.contract", both)
    await story.hear(pool, "monitoring.production", visit(3, 1, date(2026, 12, 5), recorded_at=at(12, 20)))
    await story.close(pool, date(2026, 12, 1), at(12, 31, 23))
    assert sorted(line["for_month"] for line in await story.lines(pool, "fee")) == [
        OCTOBER,
        NOVEMBER,
        date(2026, 12, 1),
    ]
    await story.assert_books_agree(pool)


async def test_capitation_that_the_model_does_not_allow_is_not_paid_to_that_class(pool: Pool) -> None:
    await story.open_area(pool)
    await adopt(pool, "basic", "fee")
    await story.hear(pool, "registry.contract", cooperation(compensation_kinds=("capitation",)))
    await story.hear(pool, "listing.resident", resident(1), resident(2))
    for number, private in ((1, True), (2, False)):
        listing = listed(number, span(date(2026, 9, 1), private=private))
        await story.hear(pool, "listing.listing", listing)
    await story.close(pool, OCTOBER, at(11, 2))
    paid_to = {line["producer_id"] for line in await story.lines(pool, "capitation")}
    assert paid_to == {told.PRIVATE}, "its other contract is of a class that is paid"
    await story.assert_books_agree(pool)


async def test_capitation_is_judged_by_the_class_also_where_the_contract_does_not_name_it(pool: Pool) -> None:
    await story.open_area(pool)
    only_fees = {"version": 2, "recorded_at": at(9, 10), "compensation_kinds": ("fee",)}
    await story.hear(pool, "registry.contract", told.contract(private=True).model_copy(update=only_fees))
    await adopt(pool, "basic", "fee")
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1), private=True)))
    await story.close(pool, OCTOBER, at(11, 2))
    assert await story.lines(pool) == []


async def test_a_first_contract_that_came_late_pays_everybody_what_a_closed_month_refused(pool: Pool) -> None:
    """Nothing became known of the residents themselves."""
    await story.open_area(pool)
    await adopt(pool, "basic", "fee")
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 9, 1), private=True)))
    await story.close(pool, OCTOBER, at(11, 2))
    assert await story.lines(pool, "capitation") == []
    late = cooperation(contract_id="C-late", compensation_kinds=("capitation",), recorded_at=at(11, 6))
    await story.hear(pool, "registry.contract", late)
    await story.close(pool, NOVEMBER, at(12, 2))
    assert [line["for_month"] for line in await story.lines(pool, "capitation")] == [OCTOBER, NOVEMBER]
    await story.assert_books_agree(pool)


async def test_who_hears_the_contract_warns_and_the_organiser_sees_it(pool: Pool) -> None:
    await story.open_area(pool)
    await adopt(pool, "cooperation", "capitation")
    with capture_logs() as logs:
        await story.hear(pool, "registry.contract", cooperation(recorded_at=at(10, 6)))
    refused = {
        "contract_id": "C-cooperation",
        "producer_id": told.PRIVATE,
        "contract_class": "cooperation",
        "kind": "base_payment",
        "models": ["03:compensation_model:2"],
    }
    assert logs == [{"event": "contract_kind_not_allowed", "log_level": "warning"} | refused]
    async with transaction(pool) as tx:
        assert await refused_kinds(tx, told.AREA, at(11, 2)) == [refused]
        assert await refused_kinds(tx, told.AREA, at(9, 30)) == [], "nobody knew yet"


async def test_a_unit_heard_after_the_cut_off_lets_nothing_be_paid_before_the_next_run(pool: Pool) -> None:
    """Espoo's model refuses what that of Vihti pays: the producer's unit in Vihti is known after October's cut-off."""
    await story.open_area(pool)
    await adopt(pool, "cooperation", "capitation")
    vihti = {"scheme_id": "vihti", "municipality": "927"}
    await story.hear(pool, "registry.scheme", told.scheme().model_copy(update=vihti))
    await story.hear(pool, "registry.contract", cooperation())
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, OCTOBER, "operator"), at(11, 2))
    unit = {"unit_id": f"{told.PRIVATE}9", "municipality": "927", "recorded_at": at(11, 1)}
    await story.hear(pool, "registry.unit", told.unit(private=True).model_copy(update=unit))
    assert await close_next(pool)
    assert await paid(pool) == [], "the run reads what was known before its cut-off"
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await paid(pool) == [("11", "original", 160_00), ("11", "original", 310_00)]
    await story.assert_books_agree(pool)


async def test_a_contract_that_ended_late_lets_no_other_class_be_paid_in_its_place(pool: Pool) -> None:
    """Basic contracts are paid fees, cooperation ones are not; that the basic one had ended is known a month later."""
    await story.open_area(pool)
    await adopt(pool, "cooperation", "base_payment")
    both = cooperation(starts_on=date(2026, 10, 1), compensation_kinds=("capitation", "fee"))
    await story.hear(pool, "registry.contract", both.model_copy(update={"monthly_base_payment_cents": None}))
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(date(2026, 10, 1), private=True)))
    await story.hear(pool, "monitoring.production", visit(1, 1, date(2026, 10, 20), recorded_at=at(10, 21)))
    await story.close(pool, OCTOBER, at(11, 2))
    ended = {"version": 2, "what": "ended", "recorded_at": at(11, 10), "ends_on": date(2026, 10, 1)}
    await story.hear(pool, "registry.contract", told.contract(private=True).model_copy(update=ended))
    await story.close(pool, NOVEMBER, at(12, 2))
    for component in ("fee", "capitation"):
        assert sorted(line["kind"] for line in await story.lines(pool, component)) == ["original", "refund"]
    await story.assert_books_agree(pool)
