"""Facts that `listing` states: pseudonymous residents and where each is listed. Never an identity."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from .base import Fact, Part
from .registry import UnitOfMeasure

Origin = Literal["default", "choice", "move", "unit_closed"]


class Resident(Fact):
    """A pseudonymous resident. `lives_until` is the first day on which the resident is no longer there.

    `has_died` says that it is a death: who only moved away (muutto ulkomaille) lives, and is paid what it is owed.
    It holds from `died` on, also in versions after it, until the feed takes it back: the resident is registered anew,
    or had moved away that day. Writers older than the field leave it out, also of a death.
    `protected` is the safety prohibition (turvakielto): then `municipality` is None, like the address.
    `guardian_id` is the guardian (huoltaja) of a child, where the registration feed tells one: their client fees
    count together.
    """

    aggregate: ClassVar[str] = "resident"
    what: Literal["registered", "moved", "moved_away", "died", "corrected"]
    resident_id: UUID
    birth_date: date
    sex: Literal["male", "female"]
    municipality: str | None
    area: str
    protected: bool
    lives_until: date | None = None
    has_died: bool = False
    guardian_id: UUID | None = None


class Span(Part):
    """A stretch of being listed with one unit: from `starts_on` up to, not including, `until`."""

    unit_id: str
    producer_id: str
    starts_on: date
    until: date | None
    origin: Origin
    coefficient_permille: int = 1000


class Listing(Fact):
    """Where one resident is listed (listautuminen), the whole history, in order and without overlap."""

    aggregate: ClassVar[str] = "listing"
    what: Literal["listed", "chosen", "ended", "coefficient_set"]
    resident_id: UUID
    spans: tuple[Span, ...]


class SelfPayBand(Part):
    """A row of an income-tested self-pay table: from a monthly income on, up to the next row, a share in cents."""

    income_from_cents: int
    self_pay_cents: int


class SelfPay(Part):
    """The resident's own share (omavastuu) of each use of a voucher.

    `share_cents` is what this resident pays: flat, or the row of `bands` that the income fell into when the voucher
    was granted. The income itself stays in listing. It does not count towards the yearly ceiling of client fees.
    """

    kind: Literal["none", "flat", "income_tested"]
    share_cents: int
    bands: tuple[SelfPayBand, ...] = ()


class PlanItem(Part):
    """A part of the plan of a personal budget (henkilökohtainen budjetti): what it is for, and how much of it."""

    node: str
    amount_cents: int


class Voucher(Fact):
    """A decision that grants a resident a voucher (palveluseteli, asiakasseteli) or a personal budget.

    It holds from `starts_on` up to, not including, `until`, and for `uses_granted` uses or `sum_granted_cents`,
    where they are named. A sote-centre voucher is paid by capitation and has no value per use. `producer_ids` limits
    where it may be used; empty is any approved producer.
    """

    aggregate: ClassVar[str] = "voucher"
    what: Literal["granted", "plan_changed", "annulled", "ended"]
    voucher_id: UUID
    resident_id: UUID
    area: str
    kind: Literal["sote_centre", "service", "client_voucher", "personal_budget"]
    status: Literal["granted", "annulled", "ended"]
    starts_on: date
    until: date
    node: str | None = None
    unit_of_measure: UnitOfMeasure | None = None
    value_cents: int | None = None
    self_pay: SelfPay = SelfPay(kind="none", share_cents=0)
    uses_granted: int | None = None
    sum_granted_cents: int | None = None
    plan: tuple[PlanItem, ...] = ()
    producer_ids: tuple[str, ...] = ()
    ground: Literal["granted_in_error", "appeal", "need_ended", "moved_away", "died", "replaced"] | None = None
