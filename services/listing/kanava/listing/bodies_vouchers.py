"""What the routes of vouchers take in, and the commands that it becomes."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from kanava.common.auth import Caller
from kanava.common.contracts.registry import UnitOfMeasure
from kanava.common.dates import CalendarDay
from kanava.common.ids import valid_oid

from .bodies import Body, Reason
from .commands import AnnulVoucher, ChangePlan, EndVoucher, GrantVoucher
from .domain.vouchers import Grant, PlanRow, SelfPayRow, VoucherKind

MOST_CENTS = 100_000_000
Cents = Annotated[int, Field(strict=True, ge=0, le=MOST_CENTS)]
NodeCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,9}(\.[A-Za-z0-9]{1,10}){0,6}$")]


class SelfPayBandBody(Body):
    """A row of an income-tested table."""

    income_from_cents: Cents
    self_pay_cents: Cents


class SelfPayBody(Body):
    """The resident's own share: none, flat, or by a monthly income, which is not kept."""

    kind: Literal["none", "flat", "income_tested"] = "none"
    share_cents: Cents | None = None
    bands: tuple[SelfPayBandBody, ...] = Field(default=(), max_length=50)
    monthly_income_cents: Cents | None = Field(default=None, repr=False)


class PlanBody(Body):
    """A part of the plan of a personal budget."""

    node: NodeCode
    amount_cents: Cents

    def row(self) -> PlanRow:
        """The part as the rules see it."""
        return PlanRow(self.node, self.amount_cents)


class VoucherBody(Body):
    """A voucher or a personal budget for a resident, with the reasons of the decision."""

    kind: VoucherKind
    starts_on: CalendarDay
    until: CalendarDay
    node: NodeCode | None = None
    unit_of_measure: UnitOfMeasure | None = None
    value_cents: Cents | None = None
    self_pay: SelfPayBody = SelfPayBody()
    uses_granted: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = None
    sum_granted_cents: Cents | None = None
    plan: tuple[PlanBody, ...] = Field(default=(), max_length=100)
    producer_ids: tuple[Annotated[str, AfterValidator(valid_oid)], ...] = Field(default=(), max_length=100)
    reasons: Reason

    def command(self, voucher_id: UUID, resident_id: UUID, caller: Caller) -> GrantVoucher:
        """The command of an organiser."""
        parts = ("kind", "starts_on", "until", "node", "unit_of_measure", "value_cents", "uses_granted")
        grant = Grant(
            **{part: getattr(self, part) for part in parts},
            sum_granted_cents=self.sum_granted_cents,
            plan=tuple(one.row() for one in self.plan),
        )
        return GrantVoucher(
            voucher_id=voucher_id,
            resident_id=resident_id,
            grant=grant,
            self_pay_kind=self.self_pay.kind,
            flat_cents=self.self_pay.share_cents,
            bands=tuple(SelfPayRow(one.income_from_cents, one.self_pay_cents) for one in self.self_pay.bands),
            monthly_income_cents=self.self_pay.monthly_income_cents,
            producer_ids=self.producer_ids,
            reasons=self.reasons,
            decided_by=caller.subject,
        )


class PlanChangeBody(Body):
    """The plan of a personal budget anew, and its sum where that changes too."""

    plan: tuple[PlanBody, ...] = Field(min_length=1, max_length=100)
    sum_granted_cents: Cents | None = None
    reasons: Reason

    def command(self, voucher_id: UUID, caller: Caller) -> ChangePlan:
        """The command of an organiser."""
        plan = tuple(one.row() for one in self.plan)
        return ChangePlan(voucher_id, plan, self.sum_granted_cents, self.reasons, caller.subject)


class AnnulmentBody(Body):
    """A voucher never was: it was granted in error, or an appeal took it away."""

    ground: Literal["granted_in_error", "appeal"]
    reasons: Reason

    def command(self, voucher_id: UUID, caller: Caller) -> AnnulVoucher:
        """The command of an organiser."""
        return AnnulVoucher(voucher_id, self.ground, self.reasons, caller.subject)


class EndBody(Body):
    """A voucher ends early: `ends_on` is the first day without it."""

    ends_on: CalendarDay
    ground: Literal["need_ended", "moved_away", "died", "replaced", "appeal"]
    reasons: Reason

    def command(self, voucher_id: UUID, caller: Caller) -> EndVoucher:
        """The command of an organiser."""
        return EndVoucher(voucher_id, self.ends_on, self.ground, self.reasons, caller.subject)
