"""The share of fixed compensation (kiinteä osuus) in what each compensation model paid in a period.

Source: HE 16/2018, by which capitation and base payment are at least two thirds of all compensation; the guard is the
dated table of `kanava.common.fixed_share`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from kanava.common.fixed_share import FixedShareGuard
from kanava.common.money import half_up

FIXED = frozenset({"capitation", "base_payment"})
PAY = FIXED | {"performance", "fee", "voucher", "incentive", "effectiveness", "adjustment"}
"""What producers earn. Client fees that they collected, and sanctions, are no pay."""

Pricing = Mapping[tuple[date, str], str]
"""The model that priced a month in a municipality."""


@dataclass(frozen=True)
class Paid:
    """Cents of a component for a month (its first day), with the municipalities in which they were earned, if known."""

    month: date
    municipalities: frozenset[str]
    component: str
    amount_cents: int


@dataclass(frozen=True)
class FixedShare:
    """What a model paid, or what no single model priced (`model` None); cents, and the share in permille.

    `is_below` compares exactly; a share of nothing, or of less, is none.
    """

    model: str | None
    fixed_cents: int
    pay_cents: int
    fixed_permille: int | None
    is_below: bool


def model_of(paid: Paid, pricing: Pricing) -> str | None:
    """The one model that priced a payment's month in all its municipalities that had any; None for none or several."""
    models = {pricing[paid.month, code] for code in paid.municipalities if (paid.month, code) in pricing}
    return models.pop() if len(models) == 1 else None


def fixed_shares(paid: Sequence[Paid], pricing: Pricing, guard: FixedShareGuard | None) -> list[FixedShare]:
    """The share of each model in the order of their ids, then of what no single model priced; they sum to it all."""
    by_model: dict[str | None, list[Paid]] = {}
    for one in paid:
        by_model.setdefault(model_of(one, pricing), []).append(one)
    in_order = sorted(by_model, key=lambda model: (model is None, model or ""))
    found = [fixed_share(model, by_model[model], guard) for model in in_order]
    assert sum(one.pay_cents for one in found) == sum(one.amount_cents for one in paid), "a cent has no model"
    assert len({one.model for one in found}) == len(found), "a model stands once"
    return found


def fixed_share(model: str | None, paid: Collection[Paid], guard: FixedShareGuard | None) -> FixedShare:
    """The share of fixed compensation in what was paid, all of whose components are `PAY`."""
    assert all(one.component in PAY for one in paid), "a component that is no pay"
    pay_cents = sum(one.amount_cents for one in paid)
    fixed_cents = sum(one.amount_cents for one in paid if one.component in FIXED)
    share = Fraction(fixed_cents, pay_cents) if pay_cents > 0 else None
    return FixedShare(
        model,
        fixed_cents,
        pay_cents,
        fixed_permille=None if share is None else half_up(share * 1000),
        is_below=share is not None and guard is not None and share < guard.least,
    )
