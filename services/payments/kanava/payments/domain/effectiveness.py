"""Effectiveness payment (vaikuttavuuskorvaus) of a partnership contract: a sum for a frozen indicator.

Source: the model for steering producers, line 214, and settled question 4. Without resident lines, as a base payment.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from kanava.common.clock import first_of_month
from kanava.common.contracts.registry import EffectivenessTerm
from kanava.common.money import half_up

from .charges import Claim
from .incentives import Measured, earned_share

EFFECTIVENESS = "effectiveness"


@dataclass(frozen=True)
class Frozen:
    """A confirmed indicator of a producer, frozen for the days of `[period_from, period_until)`."""

    snapshot_id: str
    recorded_at: datetime
    producer_id: str
    indicator: str
    period_from: date
    period_until: date
    measured: Measured


@dataclass(frozen=True)
class Agreed:
    """A version of a contract, from when it was known, and the measures it pays for; none where its kinds have none."""

    contract_id: str
    version: int
    recorded_at: datetime
    producer_id: str
    starts_on: date
    ends_on: date | None
    terms: tuple[EffectivenessTerm, ...]


def effectiveness_cents(measured: Measured, term: EffectivenessTerm) -> int:
    """The cents that a frozen indicator earns of a measure: linear from floor to target, rounded once, half up."""
    assert term.amount_cents >= 0, "a measure never takes"
    cents = half_up(term.amount_cents * earned_share(measured, term))
    assert cents <= term.amount_cents, "a measure pays at most its sum"
    return cents


def effectiveness(
    versions: Sequence[Agreed], snapshots: Sequence[Frozen], refused: Collection[tuple[date, str]] = ()
) -> dict[Claim, int]:
    """What measures of contracts earned, in cents by claim; `versions` of a contract in their order.

    A period is paid once, by its first known snapshot (`snapshots` are in that order), when the contract was in force
    all of it; the terms are those known when it was frozen, or the oldest. `refused` are months in which periods begin,
    and contracts, that no model in force pays.
    """
    holds: dict[Claim, int] = {}
    for contract_id in dict.fromkeys(version.contract_id for version in versions):
        history = [version for version in versions if version.contract_id == contract_id]
        paid: set[tuple[str, date, date]] = set()
        for frozen in snapshots:
            period = (frozen.indicator, frozen.period_from, frozen.period_until)
            if period in paid or not _covers(history[-1], frozen):
                continue
            paid.add(period)
            known = [version for version in history if version.recorded_at <= frozen.recorded_at] or history[:1]
            cents = sum(
                effectiveness_cents(frozen.measured, term)
                for term in known[-1].terms
                if term.indicator == frozen.indicator
            )
            source = f"{contract_id}:{frozen.snapshot_id}"
            claim = Claim(frozen.producer_id, EFFECTIVENESS, source, first_of_month(frozen.period_from))
            is_refused = (claim.for_month, contract_id) in refused
            holds |= {claim: cents} if cents and not is_refused else {}
    return holds


def _covers(contract: Agreed, frozen: Frozen) -> bool:
    is_in_force = contract.starts_on <= frozen.period_from and (contract.ends_on or frozen.period_until) >= (
        frozen.period_until
    )
    return contract.producer_id == frozen.producer_id and is_in_force
