"""The municipalities that the registry knows, from its data file; the file names its source."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import orjson


@cache
def area_by_municipality() -> Mapping[str, str]:
    """The sote area of each municipality, by code; read on first use."""
    data = orjson.loads((files("kanava.registry") / "data" / "municipalities.json").read_bytes())
    return {code: entry["area"] for code, entry in data["municipalities"].items()}
