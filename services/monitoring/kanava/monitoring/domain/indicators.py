"""Indicators (mittarit) as data: what each divides by what, and what of it may be shown to whom."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Final, Literal

from kanava.common.money import half_up

SMALL_CELL: Final = 5
"""A count below this could point at a person and is suppressed (tietosuoja: small cells)."""

SENSITIVE_MEASURES: Final = frozenset({"listed_clients", "switches_in", "switches_out", "visits"})
"""Measures that count people or what they did. Money is suppressed through its denominator."""

Direction = Literal["higher_is_better", "lower_is_better", "neutral"]


@dataclass(frozen=True)
class Indicator:
    """An indicator: its names, the measure it takes, the measure it divides by, and which way is better."""

    id: str
    fi: str
    sv: str
    en: str
    numerator: str
    denominator: str | None
    unit: str
    direction: Direction


@dataclass(frozen=True)
class Reading:
    """An indicator's value, half up to a whole number; None if suppressed or divided by nobody."""

    value: int | None
    suppressed: bool


@cache
def declared() -> tuple[Indicator, ...]:
    """The indicators of `data/indicators.json`, in its order."""
    text = resources.files("kanava.monitoring").joinpath("data/indicators.json").read_text()
    return tuple(Indicator(**entry) for entry in json.loads(text))


def read_indicator(indicator: Indicator, measures: Mapping[str, int], *, see_small_cells: bool) -> Reading:
    """The indicator over a producer's measures, the same for every kind of producer."""
    parts = [name for name in (indicator.numerator, indicator.denominator) if name is not None]
    small = any(name in SENSITIVE_MEASURES and measures[name] < SMALL_CELL for name in parts)
    if small and not see_small_cells:
        return Reading(None, suppressed=True)
    if indicator.denominator is None:
        return Reading(measures[indicator.numerator], suppressed=False)
    if measures[indicator.denominator] == 0:
        return Reading(None, suppressed=False)
    ratio = Fraction(measures[indicator.numerator], measures[indicator.denominator])
    return Reading(half_up(ratio), suppressed=False)
