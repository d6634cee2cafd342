"""Contesting a statement (riitautus): until when, by when it is decided, and who may decide.

Settled question 14 of the design: a case with a deadline, whose outcome changes money only through a later refund
and correction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import holidays

from ..errors import Reason
from .performance import limits_on

SATURDAY = 5
MAX_LINES = 500
"""How many lines one case may contest."""


class Remedy(StrEnum):
    """The fact that an accepted dispute says is wrong, and so who corrects it."""

    REPORT = "report"
    """The production report: the producer reports it anew, monitoring accepts it."""
    LISTING = "listing"
    """Where or with which coefficient a resident was listed: listing corrects it."""
    PRICE = "price"
    """The price: the organiser sets it anew in registry, as the reasoned correction of an error."""
    MODEL = "model"
    """The compensation model or the scheme: the organiser corrects it in registry."""
    PAYMENTS = "payments"
    """A cent that payments itself owes or is owed: recorded here, taken by the next run."""


OWNER_OF = {
    Remedy.REPORT: "monitoring",
    Remedy.LISTING: "listing",
    Remedy.PRICE: "registry",
    Remedy.MODEL: "registry",
    Remedy.PAYMENTS: "payments",
}
"""The service whose fact has to change."""


@dataclass(frozen=True)
class Terms:
    """Days for contesting a statement and for deciding on it, for statements drawn from a day on."""

    valid_from: date
    contest_days: int
    decide_days: int


TERMS = (Terms(date(2026, 1, 1), contest_days=30, decide_days=30),)
"""Dated, oldest first: a new row changes the days of statements drawn from its day on."""


def terms_on(day: date) -> Terms:
    """The terms in force on a day; before the first ones, the first."""
    return next((terms for terms in reversed(TERMS) if terms.valid_from <= day), TERMS[0])


def deadline(day: date, days: int) -> date:
    """The last day of a time of `days` that begins on `day`; one that ends on a day off goes on to a working day.

    Act on the calculation of statutory time limits (laki säädettyjen määräaikain laskemisesta) 150/1930, 5 §.
    """
    assert days > 0, "a time limit has days"
    last = day + timedelta(days=days)
    while last.weekday() >= SATURDAY or last in holidays.country_holidays("FI", years=last.year):
        last += timedelta(days=1)
    assert last >= day + timedelta(days=days), "nobody loses a day"
    return last


def contest_refusal(*, drawn_on: date, today: date, lines: int) -> Reason | None:
    """Why lines of a statement drawn on a day cannot be contested today, or None."""
    if not 1 <= lines <= MAX_LINES:
        return Reason.TOO_MANY_LINES
    return Reason.CONTESTED_TOO_LATE if today > contest_until(drawn_on) else None


def contest_until(drawn_on: date) -> date:
    """The last day on which a statement drawn on a day can be contested."""
    return deadline(drawn_on, terms_on(drawn_on).contest_days)


def decide_until(opened_on: date) -> date:
    """The day by which a case opened on a day is decided."""
    return deadline(opened_on, terms_on(opened_on).decide_days)


def decision_refusal(*, status: str, decided_by: str, hands: Sequence[str | None]) -> Reason | None:
    """Why somebody cannot decide a case, or None; `hands` are those who approved, released or contested."""
    if status != "open":
        return Reason.DISPUTE_DECIDED
    return Reason.DECIDED_BY_THE_SAME if decided_by in hands else None


COUNTED_ELSEWHERE = frozenset({"client_fee", "voucher"})
"""Components of which something else than the line is counted: the resident's ceiling, what is left of a voucher."""


@dataclass(frozen=True)
class Adjusted:
    """A contested line that payments itself is to correct: what stood, what it should have said, what came since."""

    component: str
    kind: str
    stood_cents: int
    holds_cents: int
    is_revoked: bool = False
    """Whether the decision on the performance line is revoked."""
    is_own: bool = False
    """Whether the decision on the performance line is of the one who decides the case."""
    is_corrected: bool = False
    """Whether a later run has written lines for the same fact."""
    takes_back: bool = False
    """Whether it is a refund with a correction beside it, or takes an adjustment back."""
    is_adjusted: bool = False
    """Whether an adjustment of the same fact stands."""
    earns_incentive: bool = False
    """Whether it is capitation that an incentive is a share of."""


def adjustment_refusal(line: Adjusted, today: date) -> Reason | None:
    """Why a contested line cannot be adjusted today, or None; nothing is corrected twice, and nothing turned round."""
    assert line.holds_cents != line.stood_cents, "what holds differs from what stood"
    if line.component in COUNTED_ELSEWHERE or (line.component == "capitation" and line.earns_incentive):
        return Reason.COUNTED_ELSEWHERE
    if line.is_revoked:
        return Reason.LINE_REVOKED
    if line.is_own:
        return Reason.SAME_PERSON
    if line.is_corrected:
        return Reason.LINE_CORRECTED_SINCE
    if line.takes_back:
        return Reason.TAKES_BACK
    if line.is_adjusted:
        return Reason.ADJUSTED_BEFORE
    if _turns(line):
        return Reason.HOLDS_TURN_THE_LINE
    is_large = line.component == "performance" and abs(line.holds_cents) > limits_on(today).most_cents
    return Reason.PERFORMANCE_TOO_LARGE if is_large else None


def _turns(line: Adjusted) -> bool:
    """Whether what holds has the other sign, or a refund would take back more than stood. Nothing counts as positive:
    it is what a day at a low rate gives.
    """
    if line.kind == "refund" and abs(line.holds_cents) > abs(line.stood_cents):
        return True
    return line.holds_cents > 0 if line.stood_cents < 0 else line.holds_cents < 0
