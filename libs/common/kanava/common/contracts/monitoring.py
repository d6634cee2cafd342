"""Facts that `monitoring` states: production that was accepted, and indicators frozen for a period."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from .base import Fact
from .registry import Direction, UnitOfMeasure


class Production(Fact):
    """A performed service as accepted from its producer; `report_id` is the producer's own id for it.

    A client grouped by DRG or pDRG has the grouper's weight in ten-thousandths (`10000` is the weight 1) and its
    group. `referral_id` names the referral (lähete) by which the client came. `corrects` is the version that this
    one replaces; with a `quantity` of 0 it withdraws it: the service did not take place.
    """

    aggregate: ClassVar[str] = "production"
    what: Literal["accepted", "corrected"]
    production_id: UUID
    report_id: str
    producer_id: str
    unit_id: str
    resident_id: UUID
    area: str
    node: str
    unit_of_measure: UnitOfMeasure
    performed_on: date
    quantity: int = 1
    client_fee_cents: int = 0
    weight_ten_thousandths: int | None = None
    drg_group: str | None = None
    referral_id: str | None = None
    corrects: int | None = None


class Snapshot(Fact):
    """An indicator (mittari) of a producer, unit, municipality or area, frozen for a period: it never changes again.

    The period runs from `period_from` up to, not including, `period_until`. `value`, `floor` and `target` are whole
    numbers of 10^-`scale`: 1234 with scale 2 is 12.34. What counts on a receiving side (referrals, lähetteet) is
    paid by only when `confirmed_by` names who confirmed it.
    """

    aggregate: ClassVar[str] = "snapshot"
    what: Literal["frozen"]
    snapshot_id: UUID
    indicator: str
    subject: Literal["producer", "unit", "municipality", "area"]
    area: str
    producer_id: str | None = None
    unit_id: str | None = None
    municipality: str | None = None
    period_from: date
    period_until: date
    direction: Direction
    value: int
    scale: int
    numerator: int | None = None
    denominator: int | None = None
    floor: int | None = None
    target: int | None = None
    confirmed_by: str | None = None
