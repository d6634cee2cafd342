"""What a compensation model (korvausmalli) fixes beside its rate table: reasons, incentives, kinds, fixed share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from kanava.common.contracts.registry import CompensationKind, ContractClass, Direction
from kanava.common.fixed_share import guard_on

from .contract_classes import class_terms
from .violations import Violation

WHOLE_PERMILLE = 1000
MONTHS = 12


@dataclass(frozen=True)
class Incentive:
    """An indicator with its share of the pool in permille, and where earning begins and is whole."""

    indicator: str
    share_permille: int
    direction: Direction
    floor: int
    target: int


def broken_by_rates(rates: Sequence[tuple[int | None, int | None]]) -> list[Violation]:
    """Each band has one rate, and all of a table are yearly or all are monthly; `rates` are (annual, monthly) cents.

    Pointers are relative to the table, as `/3/annual_cents`.
    """
    broken = []
    for place, (annual, monthly) in enumerate(rates):
        if (annual is None) == (monthly is None):
            broken.append(Violation(f"/{place}/annual_cents", "one_rate", "a band has a yearly or a monthly rate"))
    if not broken and len({annual is None for annual, _ in rates}) > 1:
        broken.append(Violation("", "rates_of_one_kind", "the rates of a table are all yearly or all monthly"))
    return broken


def annual_cents(annual: int | None, monthly: int | None) -> int:
    """The yearly rate in cents of a band that has one rate; twelve times a monthly one, so its twelfth is exact."""
    assert (annual is None) != (monthly is None), "a band with one rate"
    return annual if annual is not None else MONTHS * (monthly or 0)


def broken_by_range(direction: Direction, floor: int, target: int) -> list[Violation]:
    """A target lies on the better side of its floor: above it, or below where lower is better."""
    if (floor < target) if direction == "higher_is_better" else (floor > target):
        return []
    return [Violation("/target", "target_is_better", "the target is better than the floor")]


def broken_by_incentives(incentives: Sequence[Incentive], incentive_percent: int) -> list[Violation]:
    """Indicators that earn the pool stand once, share all of it, and there is a pool; pointers as `/0/target`."""
    broken, seen = [], set[str]()
    for place, one in enumerate(incentives):
        broken += [each.under(f"/{place}") for each in broken_by_range(one.direction, one.floor, one.target)]
        if one.indicator in seen:
            broken.append(Violation(f"/{place}/indicator", "indicator_once", f"{one.indicator} earns once"))
        seen.add(one.indicator)
    shared = sum(one.share_permille for one in incentives)
    if incentives and shared != WHOLE_PERMILLE:
        broken.append(Violation("", "shares_of_pool", f"the shares are {shared} of {WHOLE_PERMILLE} permille"))
    if incentives and incentive_percent == 0:
        broken.append(Violation("", "pool_to_earn", "indicators earn nothing from a pool of 0 percent"))
    return broken


def broken_by_reasons(codes: Sequence[str]) -> list[Violation]:
    """Reasons of coefficients stand once; pointers as `/1/code`."""
    return [
        Violation(f"/{place}/code", "reason_once", f"the reason {code} stands once")
        for place, code in enumerate(codes)
        if code in codes[:place]
    ]


def broken_by_allowed_kinds(
    allowed: Sequence[tuple[ContractClass, Sequence[CompensationKind]]], valid_from: date
) -> list[Violation]:
    """A model pays a class what it allows or less, and names a class once; pointers as `/0/kinds/1`."""
    broken, seen = [], set[ContractClass]()
    for place, (contract_class, kinds) in enumerate(allowed):
        terms = class_terms(contract_class, valid_from)
        if contract_class in seen or terms is None:
            broken.append(Violation(f"/{place}/contract_class", "class_once", "a class with terms stands once"))
            continue
        seen.add(contract_class)
        for number, kind in enumerate(kinds):
            if kind not in terms.kinds:
                detail = f"a {contract_class} contract allows: {', '.join(sorted(terms.kinds))}"
                broken.append(Violation(f"/{place}/kinds/{number}", "kind_of_class", detail))
    return broken


def warnings_of(fixed_share_permille: int | None, valid_from: date) -> tuple[Violation, ...]:
    """What to warn of in a model that is allowed nevertheless: a fixed share under two thirds, or none declared."""
    guard = guard_on(valid_from)
    if guard is None:
        return ()
    if fixed_share_permille is None:
        detail = f"the model declares no share of fixed compensation; the least is {guard.least} ({guard.source})"
        return (Violation("/compensation/fixed_share_permille", "fixed_share_declared", detail),)
    if Fraction(fixed_share_permille, WHOLE_PERMILLE) >= guard.least:
        return ()
    detail = f"fixed compensation is {fixed_share_permille} permille, less than {guard.least} ({guard.source})"
    return (Violation("/compensation/fixed_share_permille", "fixed_share", detail),)
