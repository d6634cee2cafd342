"""Which sote area a municipality belongs to: the 26 municipalities of Uusimaa, from a file of the service."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@cache
def areas_of_municipalities() -> Mapping[str, str]:
    """Area code by municipality code, as in `data/uusimaa_municipalities.csv`."""
    text = (files(__package__) / "data" / "uusimaa_municipalities.csv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return MappingProxyType({row["municipality_code"]: row["area_code"] for row in csv.DictReader(lines)})
