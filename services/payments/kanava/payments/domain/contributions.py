"""Statutory insurance contributions (lakisääteiset vakuutusmaksut): collected as one sum, allocated to the areas."""

from collections.abc import Mapping

from kanava.common.money import split_by_largest_remainder


def allocate(total_cents: int, measures: Mapping[str, int]) -> dict[str, int]:
    """Each area's part of a collected sum by its measure, in cents, by largest remainder; areas without a cent
    are left out.

    The operator collects the contributions and allocates them to the areas' accounts (source, line 273).
    Raises `ValueError` when no area has a measure.
    """
    assert total_cents > 0, "what was collected is positive"
    areas = sorted(measures)
    parts = split_by_largest_remainder(total_cents, [measures[area] for area in areas])
    found = {area: cents for area, cents in zip(areas, parts, strict=True) if cents}
    assert sum(found.values()) == total_cents, "an allocation lost a cent"
    return found
