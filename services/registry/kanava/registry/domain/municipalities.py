"""Which sote area a municipality belongs to."""

from collections.abc import Mapping

from .violations import Violation


def broken_by_municipality(areas: Mapping[str, str], municipality: str, area: str) -> list[Violation]:
    """A municipality is known and lies in the area; `areas` maps municipality codes to area codes."""
    if municipality not in areas:
        return [Violation("/municipality", "municipality_known", "not a municipality that is known here")]
    if areas[municipality] != area:
        detail = f"the municipality lies in area {areas[municipality]}"
        return [Violation("/municipality", "municipality_of_area", detail)]
    return []
