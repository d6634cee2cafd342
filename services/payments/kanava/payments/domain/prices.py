"""Which version of a price (hinta) holds for a service, and what the service earns by it.

Settled question 1 of the design: a closed month is priced by what was known when it closed, unless a version
corrects an error and says why. Units of measure and price bases are those of the source's two packages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

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

    None where the price is by weight and the report has none: it is not paid and is listed with this reason.
    """
    assert price_cents >= 0 < quantity, "a price and a quantity are not negative"
    if basis not in BY_WEIGHT:
        return price_cents * quantity
    if weight_ten_thousandths is None:
        return None
    return half_up(Fraction(price_cents * quantity * weight_ten_thousandths, ONE_WEIGHT))
