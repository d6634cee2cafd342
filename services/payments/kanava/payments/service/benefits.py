"""Decisions on benefits to residents: recorded, and owed from then on."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx, rows
from kanava.common.errors import Refused
from kanava.common.ids import derived_id

from .. import ledger
from ..domain import chart
from ..domain.benefits import BenefitKind, change_cents
from ..errors import Reason


@dataclass(frozen=True)
class DecideBenefit:
    """Decide what a resident is granted in a matter, named by its `reference`; a later decision replaces it."""

    area: str
    reference: str
    resident_id: UUID
    kind: BenefitKind
    for_month: date
    holds_cents: int
    reasons: str
    decided_by: str


@dataclass(frozen=True)
class Decided:
    """A decision, by its number within the matter, and by how many cents it changed what is owed."""

    reference: str
    number: int
    holds_cents: int
    change_cents: int


async def decide_benefit(tx: Tx, command: DecideBenefit, now: datetime) -> Decided:
    """Record a decision on a benefit and book what it changes. A matter stays with its resident, kind and month.

    The resident may not be known yet: facts of residents and decisions come in any order.
    """
    if command.for_month > helsinki_date(now):
        raise Refused(Reason.BENEFIT_IN_THE_FUTURE, pointer="/month")
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('benefit' || %s || %s, 0))", (command.area, command.reference)
    )
    query = "SELECT * FROM benefit_decision WHERE area = %s AND reference = %s ORDER BY number"
    earlier = await rows(tx, query, (command.area, command.reference))
    matter = (command.resident_id, command.kind, command.for_month)
    if any((row["resident_id"], row["kind"], row["for_month"]) != matter for row in earlier):
        raise Refused(Reason.OTHER_MATTER, pointer="/reference")
    changed = change_cents([row["change_cents"] for row in earlier], command.holds_cents)
    decided = Decided(command.reference, len(earlier) + 1, command.holds_cents, changed)
    await _record(tx, command, decided, now)
    if changed:
        reference = derived_id("benefit", command.area, command.reference, decided.number)
        draft = chart.benefit(reference=reference, kind=command.kind, change_cents=changed)
        await ledger.post(tx, command.area, [draft], now)
    return decided


async def _record(tx: Tx, command: DecideBenefit, decided: Decided, now: datetime) -> None:
    await tx.execute(
        "INSERT INTO benefit_decision (area, reference, number, resident_id, kind, for_month, holds_cents,"
        " change_cents, reasons, decided_by, decided_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(command.area, command.reference, decided.number, command.resident_id, command.kind, command.for_month),
            *(decided.holds_cents, decided.change_cents, command.reasons, command.decided_by, now),
        ),
    )
