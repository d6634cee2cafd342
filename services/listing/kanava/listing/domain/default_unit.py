"""The area's own unit with which a resident is listed when no choice was made (oletuslistautuminen)."""

from collections.abc import Sequence
from typing import TypeVar
from zlib import crc32

Unit = TypeVar("Unit")


def default_unit(postal_code: str, units: Sequence[Unit]) -> Unit | None:
    """One of the open own units of the municipality, given in order of id; None when there is none.

    By the checksum of the postal code, so that neighbours come to the same unit and a repeat gives the same.
    """
    return units[crc32(postal_code.encode()) % len(units)] if units else None
