"""How the state of a listing is said on the bus."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from kanava.common.contracts import listing as contract

from ..domain.spans import Span


def listing_fact(
    what: Literal["listed", "chosen", "ended", "coefficient_set"],
    *,
    resident_id: UUID,
    version: int,
    spans: tuple[Span, ...],
    now: datetime,
) -> contract.Listing:
    """The whole history of one resident's listings as it is known now."""
    return contract.Listing(
        what=what,
        version=version,
        recorded_at=now,
        resident_id=resident_id,
        spans=tuple(contract_span(span) for span in spans),
    )


def contract_span(span: Span) -> contract.Span:
    """A span as the contract has it."""
    return contract.Span(
        unit_id=span.unit_id,
        producer_id=span.producer_id,
        starts_on=span.starts_on,
        until=span.until,
        origin=span.origin,
        coefficient_permille=span.coefficient_permille,
    )
