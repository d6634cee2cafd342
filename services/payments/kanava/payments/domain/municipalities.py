"""Which municipalities (kunnat) pay into an area's account: those of the area, in the years in which they exist."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from kanava.common.errors import RefusalReason


class Stranger(RefusalReason):
    """Why a municipality does not pay into an area's account; the value is the rule that is broken."""

    UNKNOWN = "municipality_known", "There is no municipality with this code."
    OTHER_AREA = "municipality_of_area", "The municipality lies in another area."
    ENDED = "municipality_of_year", "The municipality was no longer one in that fiscal year."


@dataclass(frozen=True)
class Municipality:
    """A municipality by the code list: its area, the day on which it ended, and which one went on with it."""

    area: str
    until: date | None = None
    successor: str | None = None


@dataclass(frozen=True)
class Flaw:
    """What is wrong with a municipality as a payer, as a rule and as a sentence for a person."""

    rule: Stranger
    detail: str


def flaw_of_payer(
    listed: Mapping[str, Municipality], code: str, *, area: str, fiscal_years: Iterable[int]
) -> Flaw | None:
    """What is wrong with a municipality that is to pay for fiscal years into an area's account; None if nothing.

    One that ended pays for every year in which it still existed for a day: a year stays as it was when its
    municipalities merge. `listed` is the code list. Source: Act 617/2021, and the classification of municipalities.
    """
    found = listed.get(code)
    if found is None:
        return Flaw(Stranger.UNKNOWN, f"There is no municipality {code}.")
    if found.area != area:
        return Flaw(Stranger.OTHER_AREA, f"Municipality {code} lies in area {found.area}.")
    if found.until is None or all(found.until > date(year, 1, 1) for year in fiscal_years):
        return None
    ended = f"Municipality {code} ended before {found.until}"
    return Flaw(Stranger.ENDED, f"{ended}; {found.successor} went on with it." if found.successor else f"{ended}.")
