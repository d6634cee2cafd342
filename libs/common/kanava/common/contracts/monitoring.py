"""Facts that `monitoring` states: production that producers reported and that was accepted."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from .base import Fact
from .registry import UnitOfMeasure


class Production(Fact):
    """A performed service as accepted from its producer; `report_id` is the producer's own id for it."""

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
