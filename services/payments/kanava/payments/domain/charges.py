"""Charges: what a producer is paid, or has to pay, without resident lines; and how they change.

Settled question 7: a base payment and a sanction are on no resident. A charge that changes after its run gives a
refund of what stood and a correction with what holds now (settled question 1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kanava.common.clock import first_of_month

SANCTION = "sanction"
STEP_WITH_A_SUM = 3


@dataclass(frozen=True, order=True)
class Claim:
    """What a charge is about: whose it is, its component, the sanction or contract behind it, and the month."""

    producer_id: str
    component: str
    source: str
    for_month: date


@dataclass(frozen=True)
class Charge:
    """Cents of one claim: `original`, `refund` of what stood, or `correction` with what holds."""

    claim: Claim
    kind: str
    amount_cents: int


@dataclass(frozen=True)
class Sanction:
    """A sanction (seuraamus) as it was last known: a step of the ladder, its status and its sum in cents."""

    sanction_id: str
    producer_id: str
    step: int
    status: str
    effective_on: date
    amount_cents: int | None


def changes(stood: Mapping[Claim, int], holds: Mapping[Claim, int]) -> list[Charge]:
    """The charges that bring what `stood` to what `holds`, both in cents by claim, in the order of their claims.

    `stood` keeps a claim that was charged once and refunded, with 0: what comes after that is a correction.
    """
    found = []
    for claim in sorted(stood.keys() | holds.keys()):
        old, new = stood.get(claim, 0), holds.get(claim, 0)
        if old == new:
            continue
        if old:
            found.append(Charge(claim, "refund", -old))
        if new:
            found.append(Charge(claim, "correction" if claim in stood else "original", new))
    moved = sum(charge.amount_cents for charge in found)
    assert moved == sum(holds.values()) - sum(stood.values()), "charges move what stood to what holds"
    assert all(charge.amount_cents for charge in found), "a charge of nothing is none"
    return found


def deductions(sanctions: Sequence[Sanction], stood: Mapping[Claim, int], until: date) -> dict[Claim, int]:
    """What sanctions in effect before `until` take off, in (negative) cents by claim; the ladder of domain.md.

    Only step 3 has a sum. An appealed sanction is not final: nothing new is taken for it, and what was taken stays
    as it stood until the appeal is decided. A withdrawn one takes nothing.
    """
    holds: dict[Claim, int] = {}
    for sanction in sanctions:
        if sanction.step != STEP_WITH_A_SUM:
            continue
        if sanction.status == "appealed":
            holds |= {claim: cents for claim, cents in stood.items() if _is_of(claim, sanction)}
        elif sanction.status in ("in_force", "upheld") and sanction.effective_on < until:
            claim = Claim(sanction.producer_id, SANCTION, sanction.sanction_id, first_of_month(sanction.effective_on))
            holds[claim] = -(sanction.amount_cents or 0)
    assert all(cents <= 0 for cents in holds.values()), "a sanction never pays"
    return holds


def _is_of(claim: Claim, sanction: Sanction) -> bool:
    return (claim.component, claim.source) == (SANCTION, sanction.sanction_id)
