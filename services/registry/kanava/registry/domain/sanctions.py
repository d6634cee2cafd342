"""The ladder of sanctions: huomautus, varoitus, sanktio, hyväksymisen peruutus.

Source: the roll-out process, phase 5 (line 240): 1 notice, 2 warning, 3 sanction, 4 revocation of the approval. The
steps are taken in order; one may be skipped with a reason that is recorded.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from kanava.common.contracts.steering import SanctionStatus, SanctionStep
from kanava.common.errors import RefusalReason

from .violations import Violation

APPEAL_DAYS = 30
"""Days after the decision on which an appeal may still be made (oikaisuvaatimus, hallintolaki 434/2003, 49 c §)."""

LONGEST_DELAY_DAYS = 366
"""How far ahead a sanction may take effect, days."""


class SanctionRefusal(RefusalReason):
    """Why a step of the ladder is not taken or not changed."""

    OUT_OF_ORDER = "step_out_of_order", "The step before this one has not been taken, and no reason is given for it."
    NOT_UNDER_CONTROL = "producer_not_approved", "Only a producer that is approved or suspended can be sanctioned."
    APPEAL_TOO_LATE = "appeal_too_late", "The time for an appeal has passed."
    NOT_IN_FORCE = "not_in_force", "Only a sanction in force that nobody has appealed yet can be appealed."
    NOT_APPEALED = "not_appealed", "Only an appealed sanction can be upheld."
    WITHDRAWN_ALREADY = "withdrawn_already", "The sanction has been withdrawn already."
    SUM_NOT_SMALLER = "sum_not_smaller", "An appeal upholds the sum of the sanction or a smaller one."


@dataclass(frozen=True)
class Step:
    """A step of the ladder from a day on, with its names, and whether a sum of money goes with it."""

    step: int
    name: SanctionStep
    name_fi: str
    name_sv: str
    name_en: str
    takes_sum: bool
    valid_from: date


LADDER: tuple[Step, ...] = (
    Step(1, "huomautus", "huomautus", "anmärkning", "notice", takes_sum=False, valid_from=date(2018, 12, 10)),
    Step(2, "varoitus", "varoitus", "varning", "warning", takes_sum=False, valid_from=date(2018, 12, 10)),
    Step(3, "sanktio", "sanktio", "sanktion", "sanction", takes_sum=True, valid_from=date(2018, 12, 10)),
    Step(
        *(4, "hyvaksymisen_peruutus", "hyväksymisen peruutus", "återkallande av godkännandet", "revocation"),
        takes_sum=False,
        valid_from=date(2018, 12, 10),
    ),
)
"""The ladder as a dated table; 10.12.2018 is the day of the source."""


def step_on(step: int, day: date) -> Step | None:
    """A step as it is on a day; None where the ladder has none."""
    dated = (row for row in LADDER if row.step == step and row.valid_from <= day)
    return max(dated, key=lambda row: row.valid_from, default=None)


def broken_by_sum(step: Step, amount_cents: int | None) -> list[Violation]:
    """A sum in cents goes with the steps that take one, and with no other."""
    if step.takes_sum and amount_cents is None:
        return [Violation("/amount_cents", "sum_of_step", f"a {step.name} has a sum")]
    if not step.takes_sum and amount_cents is not None:
        return [Violation("/amount_cents", "sum_of_step", f"a {step.name} has no sum")]
    return []


def broken_by_effect(step: int, effective_on: date, today: date) -> list[Violation]:
    """A sanction takes effect from the first of this month on; a revocation on the day of its decision.

    A revocation moves the listed residents at once, so it cannot wait, and nobody was to be moved yesterday.
    """
    if step == len(LADDER) and effective_on != today:
        return [Violation("/effective_on", "revocation_today", "a revocation takes effect on the day of its decision")]
    if today.replace(day=1) <= effective_on <= today + timedelta(days=LONGEST_DELAY_DAYS):
        return []
    detail = f"a sanction takes effect within {LONGEST_DELAY_DAYS} days and not in a month before this one"
    return [Violation("/effective_on", "effect_in_range", detail)]


def refusal_of_step(step: int, taken: Iterable[int], override_reason: str | None) -> SanctionRefusal | None:
    """Why the step may not be taken now; `taken` are the steps that stand against the producer, withdrawn ones not.

    A step may be repeated. A step whose predecessor does not stand needs a reason.
    """
    highest = max(taken, default=0)
    if step <= highest + 1 or override_reason:
        return None
    return SanctionRefusal.OUT_OF_ORDER


def refusal_of_appeal(status: SanctionStatus, decided_on: date, today: date) -> SanctionRefusal | None:
    """Why the producer may not appeal now; None when it may."""
    if status != "in_force":
        return SanctionRefusal.NOT_IN_FORCE
    if today > decided_on + timedelta(days=APPEAL_DAYS):
        return SanctionRefusal.APPEAL_TOO_LATE
    return None


def refusal_of_outcome(
    status: SanctionStatus, outcome: SanctionStatus, *, sum_cents: int | None, upheld_cents: int | None
) -> SanctionRefusal | None:
    """Why a sanction of `sum_cents` may not be upheld with `upheld_cents` (None: as it is) or withdrawn."""
    if status == "withdrawn":
        return SanctionRefusal.WITHDRAWN_ALREADY
    if outcome == "upheld" and status != "appealed":
        return SanctionRefusal.NOT_APPEALED
    if upheld_cents is not None and (outcome != "upheld" or sum_cents is None or upheld_cents > sum_cents):
        return SanctionRefusal.SUM_NOT_SMALLER
    return None
