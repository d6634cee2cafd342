"""The final statement (lopputilitys) of a producer that leaves: what it needs, as it is owed and owes it together.

Settled question 13 of the design: at its exit or insolvency the receivable and what a producer is owed are settled
in one final statement.
"""

from dataclasses import dataclass
from typing import Literal

from ..errors import Reason

Ground = Literal["left", "revoked", "insolvency"]
STANDINGS: dict[Ground, frozenset[str]] = {
    "left": frozenset({"left"}),
    "revoked": frozenset({"revoked"}),
    "insolvency": frozenset({"suspended", "left", "revoked"}),
}
"""The ground of a final statement, and the standings of the producer in registry that it fits."""


@dataclass(frozen=True)
class Exit:
    """A producer that wants to be settled: its standing and what is still open."""

    standing: str
    already_drawn: bool
    still_listed: bool
    payments_at_the_bank: int
    open_disputes: int
    waiting_corrections: int
    open_statements: int


def refusal(exit_: Exit, ground: Ground) -> Reason | None:
    """Why no final statement can be drawn now, or None; the first reason in the order of their weight."""
    if exit_.already_drawn:
        return Reason.FINAL_ALREADY_DRAWN
    if exit_.standing not in STANDINGS[ground]:
        return Reason.PRODUCER_STAYS
    if exit_.still_listed:
        return Reason.MONTHS_STILL_OPEN
    if exit_.payments_at_the_bank:
        return Reason.PAYMENT_AT_THE_BANK
    if exit_.open_disputes:
        return Reason.DISPUTE_OPEN
    if exit_.waiting_corrections:
        return Reason.CORRECTION_WAITS
    return None if exit_.open_statements else Reason.NOTHING_TO_SETTLE
