"""The yearly ceiling of client fees (maksukatto): what exceeds it goes back to the resident.

Act on client fees in social welfare and health care (734/1992), section 6 a: the fees of a child count together with
those of its guardian. The ceilings of the years are data. A voucher's self-pay (omavastuu) is no client fee.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

GROWN_UP_YEARS = 18


@dataclass(frozen=True)
class Child:
    """A resident with a guardian: counted with the guardian until the eighteenth birthday."""

    birth_date: date
    guardian_id: UUID


@dataclass(frozen=True)
class PaidFee:
    """A client fee that a producer collected from a resident, in cents, on the day of the service."""

    production_id: UUID
    resident_id: UUID
    performed_on: date
    amount_cents: int


def family_of(fee: PaidFee, children: Mapping[UUID, Child]) -> UUID:
    """With whom a fee counts: the guardian of who was a child on the day of the service, else the resident alone."""
    child = children.get(fee.resident_id)
    if child is None:
        return fee.resident_id
    born = child.birth_date
    # Who was born on 29 February comes of age on 28 February of a year without one, as PostgreSQL adds years.
    day = 28 if (born.month, born.day) == (2, 29) and (born.year + GROWN_UP_YEARS) % 4 else born.day
    grown_up_on = date(born.year + GROWN_UP_YEARS, born.month, day)
    return child.guardian_id if fee.performed_on < grown_up_on else fee.resident_id


def over_the_ceiling(
    fees: Sequence[PaidFee], children: Mapping[UUID, Child], ceilings: Mapping[int, int]
) -> dict[tuple[UUID, UUID, int], int]:
    """What goes back, in cents, by the resident of the service, the one it is owed to, and the year.

    Fees of a family and year count in the order of the day of service (then of the report), whatever the order of
    the input; each gives back what of it lies above the year's ceiling. A year without a known ceiling gives nothing.
    """
    counted: dict[tuple[UUID, int], int] = defaultdict(int)
    found: dict[tuple[UUID, UUID, int], int] = defaultdict(int)
    for fee in sorted(fees, key=lambda one: (one.performed_on, one.production_id)):
        assert fee.amount_cents > 0, "a fee that was paid is positive"
        family, year = family_of(fee, children), fee.performed_on.year
        if year not in ceilings:
            continue
        counted[family, year] += fee.amount_cents
        over_cents = min(fee.amount_cents, counted[family, year] - ceilings[year])
        if over_cents > 0:
            found[fee.resident_id, family, year] += over_cents
    assert all(cents > 0 for cents in found.values()), "nothing is not owed"
    return dict(found)
