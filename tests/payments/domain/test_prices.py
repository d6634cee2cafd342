"""Prices: by weight rounded once, and a closed month repriced by reasoned corrections alone."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Literal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.prices import PriceVersion, Service, fee_cents, in_force, treated_clients

FIRST, CLOSED_AT = date(2026, 9, 1), datetime(2026, 11, 2, 9, tzinfo=UTC)
VERSIONS = st.builds(
    PriceVersion,
    st.integers(0, 60).map(lambda days: FIRST + timedelta(days=days)),
    st.integers(1, 5),
    st.integers(-60, 60).map(lambda days: CLOSED_AT + timedelta(days=days)),
    st.integers(0, 1_000_00),
    st.booleans(),
)
MANY = st.lists(VERSIONS, max_size=8, unique_by=lambda one: (one.valid_from, one.version))
DAYS = st.integers(0, 60).map(lambda days: FIRST + timedelta(days=days))


@given(st.integers(0, 10_000_00), st.integers(1, 100), st.integers(0, 200_000))
def test_a_fee_by_weight_is_rounded_once_and_grows_with_the_weight(price: int, quantity: int, weight: int) -> None:
    fee = fee_cents("drg_weight", price, quantity, weight)
    heavier = fee_cents("drg_weight", price, quantity, weight + 1)
    assert fee is not None
    assert heavier is not None
    assert abs(fee - Fraction(price * quantity * weight, 10_000)) <= Fraction(1, 2)
    assert fee <= heavier
    assert fee == (2 * price * quantity * weight + 10_000) // 20_000, "as the SQL rounds"
    assert fee_cents("pdrg_weight", price, quantity, 10_000) == fee_cents("unit", price, quantity, None)


def test_a_fee_by_weight_without_a_weight_is_not_paid() -> None:
    assert fee_cents("pdrg_weight", 45_00, 1, None) is None


@given(MANY, MANY, DAYS)
def test_what_comes_without_a_reason_after_the_closing_reprices_nothing(
    known: list[PriceVersion], more: list[PriceVersion], day: date
) -> None:
    before = in_force(known, day, CLOSED_AT)
    late = [
        PriceVersion(one.valid_from, one.version + 5, CLOSED_AT + timedelta(days=61), one.price_cents) for one in more
    ]
    after = in_force(known + late, day, CLOSED_AT)
    assert before is None or after == before


def test_what_became_known_at_the_closing_itself_is_not_known_by_it() -> None:
    early, at_once = (PriceVersion(FIRST, n, CLOSED_AT - timedelta(seconds=2 - n), n) for n in (1, 2))
    assert in_force([early, at_once], FIRST, CLOSED_AT) == early
    assert in_force([early, at_once], FIRST, CLOSED_AT + timedelta(microseconds=1)) == at_once


@given(MANY, DAYS)
def test_the_latest_to_begin_holds_in_an_open_month(known: list[PriceVersion], day: date) -> None:
    held = in_force(known, day, None)
    begun = [one for one in known if one.valid_from <= day]
    assert (held is None) == (not begun)
    assert all((one.valid_from, one.version) <= (held.valid_from, held.version) for one in begun if held)


SERVICES = st.lists(
    st.builds(Service, st.uuids(), st.integers(1, 3).map(lambda n: UUID(int=n)), st.dates(FIRST, date(2027, 3, 1))),
    unique_by=lambda one: one.production_id,
    max_size=30,
)


@given(SERVICES, st.sampled_from(["month", "year"]))
def test_a_treated_client_is_counted_once_in_a_period(services: list[Service], each: Literal["month", "year"]) -> None:
    counted = treated_clients(services, each)
    assert counted == treated_clients(services[::-1], each)
    periods = {
        (one.resident_id, one.performed_on.year, one.performed_on.month if each == "month" else 0) for one in services
    }
    assert len(counted) == len(periods)
    for one in services:
        period = one.performed_on.replace(day=1) if each == "month" else date(one.performed_on.year, 1, 1)
        earlier = [
            other
            for other in services
            if other.resident_id == one.resident_id
            and period <= other.performed_on
            and (other.performed_on, other.production_id) < (one.performed_on, one.production_id)
        ]
        assert (one.production_id in counted) == (not earlier), "the first of the period earns the total price"
    assert counted <= {one.production_id for one in services}


def test_of_prices_that_came_late_together_the_latest_to_begin_holds_in_its_newest_version() -> None:
    """A first price and its corrections heard at one cut-off: the month was closed before any of them."""
    at_once = date(2026, 10, 1), date(2026, 10, 10)
    known_at = datetime(2026, 12, 2, tzinfo=UTC)
    versions = [PriceVersion(day, number, known_at, number) for day in at_once for number in (1, 2)]
    closed_at = datetime(2026, 11, 2, tzinfo=UTC)
    for order in (versions, versions[::-1]):
        assert in_force(order, date(2026, 10, 9), closed_at) == versions[1]
        assert in_force(order, date(2026, 10, 10), closed_at) == versions[3]
