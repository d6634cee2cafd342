"""Base payment (peruskorvaus) of a cooperation contract: a sum per month, regardless of use.

Source: the model for steering producers, line 214, and settled question 4. Without resident lines (question 7).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from itertools import groupby

from kanava.common.clock import add_months
from kanava.common.money import half_up

from .charges import Claim

BASE_PAYMENT = "base_payment"


@dataclass(frozen=True)
class ContractVersion:
    """A version of a contract, from when it was known, and its monthly sum in cents: 0 where its kinds have none.

    The contract is in force on the days of `[starts_on, ends_on)`.
    """

    contract_id: str
    version: int
    recorded_at: datetime
    producer_id: str
    starts_on: date
    ends_on: date | None
    monthly_cents: int


def base_payment_cents(monthly_cents: int, starts_on: date, ends_on: date | None, first: date) -> int:
    """The cents of a month that begins on `first`: the whole sum, or its share by calendar days, half up."""
    assert monthly_cents >= 0, "a base payment is not negative"
    end = add_months(first, 1)
    days = (min(ends_on or end, end) - max(starts_on, first)).days
    if days <= 0:
        return 0
    cents = half_up(Fraction(monthly_cents * days, (end - first).days))
    assert cents <= monthly_cents, "a part of a month is paid no more than the month"
    return cents


def base_payments(
    versions: Iterable[ContractVersion],
    months: Sequence[tuple[date, datetime]],
    refused: Collection[tuple[date, str]] = (),
) -> dict[Claim, int]:
    """What base payments hold for months (their first day and their run's cut-off), in cents by claim.

    The days are those of the newest version. The sum is that of the newest version known at the month's own cut-off,
    or of the oldest when none was: a new sum never re-prices a closed month (settled question 1), while a contract
    that became known or ended late reaches into it. `refused` are months and contracts that no model in force pays.
    """
    holds: dict[Claim, int] = {}
    ordered = sorted(versions, key=lambda version: (version.contract_id, version.version))
    for contract_id, group in groupby(ordered, key=lambda version: version.contract_id):
        history = list(group)
        newest = history[-1]
        for first, cut_off in months:
            known = [version for version in history if version.recorded_at < cut_off] or history[:1]
            cents = base_payment_cents(known[-1].monthly_cents, newest.starts_on, newest.ends_on, first)
            if cents and (first, contract_id) not in refused:
                holds[Claim(newest.producer_id, BASE_PAYMENT, contract_id, first)] = cents
    return holds
