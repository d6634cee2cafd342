"""Vouchers (palveluseteli, asiakasseteli) and personal budgets (henkilökohtainen budjetti): what a grant must hold.

Sources: the act on service vouchers (laki palvelusetelistä 569/2009): a value, a self-pay share that is flat or by
income, a decision that can be appealed; the model for steering producers, lines 216-236: arrangements and time limit.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from kanava.common.clock import add_months
from kanava.common.errors import RefusalReason

VoucherKind = Literal["sote_centre", "service", "client_voucher", "personal_budget"]
VoucherStatus = Literal["granted", "annulled", "ended"]

ROLL_OUT_PHASE = 4
"""From this phase of the municipality's scheme on, vouchers are granted."""

BACK_DAYS = 366
"""How far back a voucher may start: a newborn, or an appeal that succeeded."""

LONGEST_DAYS = 5 * 366
"""The longest time for which a voucher is granted."""


class VoucherRefusal(RefusalReason):
    """Why a voucher is not granted or not changed."""

    NOT_ALIVE = "not_alive", "The resident has died or moved away by the voucher's first day."
    SCHEME_NOT_READY = (
        "scheme_not_ready",
        "The scheme of the resident's municipality has not come to its roll-out (phase 4).",
    )
    GRANTED_ALREADY = "granted_already", "The resident has a voucher for the same on one of these days."
    NOT_IN_FORCE = "not_in_force", "The voucher has been annulled or ended already."
    NO_PLAN = "no_plan", "Only a personal budget has a plan."


@dataclass(frozen=True, slots=True)
class Flaw:
    """A broken rule of the input: a JSON pointer, the rule's name, and a sentence."""

    pointer: str
    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class SelfPayRow:
    """A row of an income-tested table: from a monthly income in cents on, the share of each use in cents."""

    income_from_cents: int
    self_pay_cents: int


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A part of a personal budget's plan: a package node and the cents that are meant for it."""

    node: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Grant:
    """What is granted: money in cents, `until` is the first day on which it no longer holds."""

    kind: VoucherKind
    starts_on: date
    until: date
    node: str | None
    unit_of_measure: str | None
    value_cents: int | None
    uses_granted: int | None
    sum_granted_cents: int | None
    plan: tuple[PlanRow, ...]


@dataclass(frozen=True, slots=True)
class KindTerms:
    """Which parts a kind of voucher must have and which it may have."""

    needs: frozenset[str]
    may: frozenset[str] = frozenset()


PER_USE = KindTerms(
    frozenset({"node", "unit_of_measure", "value_cents"}), frozenset({"uses_granted", "sum_granted_cents"})
)
TERMS: dict[VoucherKind, KindTerms] = {
    "sote_centre": KindTerms(frozenset()),
    "service": PER_USE,
    "client_voucher": PER_USE,
    "personal_budget": KindTerms(frozenset({"sum_granted_cents", "plan"})),
}
"""The kinds as data: a sote-centre voucher is paid by capitation, a personal budget is a sum with a plan."""

_PARTS = ("node", "unit_of_measure", "value_cents", "uses_granted", "sum_granted_cents", "plan")


def broken_by_parts(grant: Grant) -> list[Flaw]:
    """Parts that the kind needs and that are missing, or that it does not have."""
    terms, broken = TERMS[grant.kind], []
    for part in _PARTS:
        given = bool(getattr(grant, part)) or getattr(grant, part) == 0
        if part in terms.needs and not given:
            broken.append(Flaw(f"/{part}", "part_of_kind", f"a voucher of the kind {grant.kind} has {part}"))
        if given and part not in terms.needs | terms.may:
            broken.append(Flaw(f"/{part}", "part_of_kind", f"a voucher of the kind {grant.kind} has no {part}"))
    return broken


def broken_by_days(grant: Grant, today: date) -> list[Flaw]:
    """A voucher holds for a day or more, for at most five years, and from at most a year ago."""
    if not timedelta(days=1) <= grant.until - grant.starts_on <= timedelta(days=LONGEST_DAYS):
        return [Flaw("/until", "days_in_range", f"a voucher holds for 1 to {LONGEST_DAYS} days")]
    if not abs(grant.starts_on - today) <= timedelta(days=BACK_DAYS):
        return [Flaw("/starts_on", "start_in_range", f"a voucher starts within {BACK_DAYS} days of today")]
    return []


def broken_by_limit(grant: Grant, valid_months: int | None) -> list[Flaw]:
    """A voucher holds no longer than the scheme's time limit (setelin käytön aikaraja), where it has one."""
    if valid_months is None or grant.until <= add_months(grant.starts_on, valid_months):
        return []
    return [Flaw("/until", "within_time_limit", f"the municipality's vouchers hold for {valid_months} months")]


def broken_by_plan(plan: Sequence[PlanRow], sum_granted_cents: int) -> list[Flaw]:
    """A plan names a node once and comes to no more than the sum that is granted."""
    nodes = [row.node for row in plan]
    broken = [
        Flaw(f"/plan/{place}/node", "node_once", f"the plan names {node} once")
        for place, node in enumerate(nodes)
        if node in nodes[:place]
    ]
    planned = sum(row.amount_cents for row in plan)
    if planned > sum_granted_cents:
        broken.append(Flaw("/plan", "plan_within_sum", f"the plan comes to {planned} cents"))
    return broken


def broken_by_nodes(nodes: Sequence[tuple[str, str]], published: Collection[str]) -> list[Flaw]:
    """Nodes (pointer, code) that no package in force on the first day has."""
    return [
        Flaw(pointer, "node_published", f"no package in force on the first day has the node {node}")
        for pointer, node in nodes
        if node not in published
    ]


def broken_by_table(rows: Sequence[SelfPayRow], value_cents: int) -> list[Flaw]:
    """An income-tested table starts at 0, rises by income and never by a falling share, and stays within the value."""
    if not rows or rows[0].income_from_cents != 0:
        return [Flaw("/self_pay/bands", "starts_at_zero", "the table starts at an income of 0")]
    broken = []
    for place, row in enumerate(rows):
        before = rows[place - 1] if place else None
        if before and row.income_from_cents <= before.income_from_cents:
            broken.append(Flaw(f"/self_pay/bands/{place}/income_from_cents", "incomes_rise", "incomes rise"))
        if before and row.self_pay_cents < before.self_pay_cents:
            broken.append(Flaw(f"/self_pay/bands/{place}/self_pay_cents", "shares_rise", "a share never falls"))
        if not 0 <= row.self_pay_cents <= value_cents:
            detail = f"a share is 0 to {value_cents} cents, the value of a use"
            broken.append(Flaw(f"/self_pay/bands/{place}/self_pay_cents", "share_within_value", detail))
    return broken


def share_of_income(rows: Sequence[SelfPayRow], monthly_income_cents: int) -> int:
    """The share in cents of the row that a monthly income falls into; the table is unbroken."""
    assert rows[0].income_from_cents == 0, "a table that starts at 0"
    assert monthly_income_cents >= 0, "an income is not negative"
    return [row.self_pay_cents for row in rows if row.income_from_cents <= monthly_income_cents][-1]


def refusal_to_grant(
    grant: Grant, *, lives_until: date | None, scheme_phase: int, overlaps: bool
) -> VoucherRefusal | None:
    """Why the voucher may not be granted to this resident; None when it may."""
    if lives_until is not None and grant.starts_on >= lives_until:
        return VoucherRefusal.NOT_ALIVE
    if scheme_phase < ROLL_OUT_PHASE:
        return VoucherRefusal.SCHEME_NOT_READY
    return VoucherRefusal.GRANTED_ALREADY if overlaps else None


def broken_by_end(starts_on: date, until: date, ends_on: date) -> list[Flaw]:
    """A voucher ends after its first day and before it would end anyway; one that never held is annulled."""
    if starts_on < ends_on < until:
        return []
    return [Flaw("/ends_on", "end_in_range", f"the voucher ends after {starts_on} and before {until}")]
