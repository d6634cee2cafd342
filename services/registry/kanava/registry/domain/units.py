"""Units (toimipisteet): when they may close."""

from datetime import date

from kanava.common.errors import RefusalReason

from .violations import Violation


class UnitRefusal(RefusalReason):
    """Why a unit is not changed."""

    CLOSED_ALREADY = "closed_already", "The unit is closed already."


def broken_by_closing(closes_on: date, today: date) -> list[Violation]:
    """A unit closes today at the earliest: who was listed there until yesterday stays so in the books."""
    if closes_on >= today:
        return []
    return [Violation("/closes_on", "not_in_past", f"a unit closes on {today.isoformat()} at the earliest")]
