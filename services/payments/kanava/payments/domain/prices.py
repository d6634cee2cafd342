"""Which version of a price (hinta) holds for a service, and what the service earns by it.

Settled question 1 of the design: a closed month is priced by what was known when it closed, unless a version
corrects an error and says why. Units of measure and price bases are those of the source's two packages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal
from uuid import UUID

from kanava.common.contracts.registry import PriceBasis
from kanava.common.money import half_up

ONE_WEIGHT = 10_000
"""The weight 1 in ten-thousandths."""
BY_WEIGHT: frozenset[PriceBasis] = frozenset({"drg_weight", "pdrg_weight"})


@dataclass(frozen=True)
class PriceVersion:
    """A version of a price of one node and unit: from which day on, known since when, and whether it corrects."""

    valid_from: date
    version: int
    recorded_at: datetime
    price_cents: int
    corrects: bool = False


def in_force(versions: Sequence[PriceVersion], day: date, closed_at: datetime | None) -> PriceVersion | None:
    """The version that prices a service of a day whose month was closed at an instant (None while it is open).

    Among those known when the month closed and those that correct an error: the latest to begin, then the newest.
    Where there is none, the first that came to be known: so a report that had no price gets one, and keeps it.
    """
    begun = [one for one in versions if one.valid_from <= day]
    reach = [one for one in begun if one.corrects or closed_at is None or one.recorded_at < closed_at]
    if reach:
        return max(reach, key=lambda one: (one.valid_from, one.version))
    return min(begun, key=lambda one: (one.recorded_at, -one.valid_from.toordinal(), -one.version), default=None)


def fee_cents(basis: PriceBasis, price_cents: int, quantity: int, weight_ten_thousandths: int | None) -> int | None:
    """What a service earns, in cents: price times quantity, by weight also times the weight, rounded once, half up.

    Nothing for a report that was withdrawn, which has the quantity 0.
    None where the price is by weight and the report has none: it is not paid and is listed with this reason.
    """
    assert price_cents >= 0 <= quantity, "a price and a quantity are not negative"
    if basis not in BY_WEIGHT:
        return price_cents * quantity
    if weight_ten_thousandths is None:
        return None
    return half_up(Fraction(price_cents * quantity * weight_ten_thousandths, ONE_WEIGHT))


@dataclass(frozen=True)
class Service:
    """A service of a package that a client got on a day."""

    production_id: UUID
    resident_id: UUID
    performed_on: date


def treated_clients(services: Sequence[Service], counted_each: Literal["month", "year"]) -> set[UUID]:
    """The services that earn a package's total price (kokonaishinta): each client's first of each month or year.

    The order of the input does not matter. Source: the price basis of the first example, the cost of
    the package through treated clients.
    """
    first: dict[tuple[UUID, date], UUID] = {}
    for one in sorted(services, key=lambda one: (one.performed_on, one.production_id)):
        period = one.performed_on.replace(day=1) if counted_each == "month" else date(one.performed_on.year, 1, 1)
        first.setdefault((one.resident_id, period), one.production_id)
    return set(first.values())
