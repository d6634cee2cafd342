"""How many of everything a demo has: the full figures for Espoo's 292,796 residents, or in proportion to them."""

from dataclasses import dataclass
from fractions import Fraction

from kanava.common.money import half_up

ESPOO_RESIDENTS = 292_796
FEWEST_RESIDENTS = 100


@dataclass(frozen=True)
class Scale:
    """Counts of one demo: persons, requests, rows, and instalments in cents per resident."""

    residents: int
    choices: int
    too_early: int
    small_unit_places: int
    small_unit_refused: int
    visits: int
    doubled: int
    broken: int
    late: int
    state_cents_per_resident: int = 14_00
    municipal_cents_per_resident: int = 6_00


def scale_of(residents: int) -> Scale:
    """The counts for so many residents, none below one; two places of the small unit at least."""

    def share(full: int, least: int = 1) -> int:
        return max(least, half_up(Fraction(full * residents, ESPOO_RESIDENTS)))

    return Scale(
        residents=residents,
        choices=share(58_000),
        too_early=share(1_500),
        small_unit_places=share(1_200, 2),
        small_unit_refused=share(300, 2),
        visits=share(60_000),
        doubled=share(600),
        broken=share(60),
        late=share(40, 2),
    )
