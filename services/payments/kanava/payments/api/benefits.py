"""Benefits to residents: the operator's decisions, and a resident's own page of them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from kanava.common.db import transaction
from kanava.common.idempotency import Key, once

from ..domain.benefits import BenefitKind
from ..service.benefits import DecideBenefit, decide_benefit
from ..views import benefits as views
from .inputs import MonthIn, Operator, Self

router = APIRouter()
MAX_BENEFIT_CENTS = 100_000_00


class BenefitIn(MonthIn):
    """A decision on a benefit: the matter it is on, whose it is, the month it is for, and what holds now."""

    reference: Annotated[str, Field(min_length=1, max_length=140)]
    resident_id: UUID
    kind: BenefitKind
    amount_cents: Annotated[int, Field(ge=0, le=MAX_BENEFIT_CENTS, strict=True)]
    reasons: Annotated[str, Field(min_length=1, max_length=2000)]


@router.post("/v1/benefits", status_code=201, tags=["residents"])
async def post_benefit(request: Request, body: BenefitIn, caller: Operator, key: Key) -> Response:
    """Decide on a benefit (etuus): medicines, travel or other. A later decision with the same `reference` says what
    holds from then on; the difference is owed, or no longer owed."""
    caller.must_be_in_area(body.area)
    matter = (body.area, body.reference, body.resident_id, body.kind, body.first)
    command = DecideBenefit(*matter, body.amount_cents, body.reasons, caller.subject)
    pool = request.app.state.pool
    return await once(request, pool, caller, key, lambda tx, now: decide_benefit(tx, command, now), status=201)


@router.get("/v1/residents/{resident_id}/benefits", tags=["residents"])
async def get_benefits(request: Request, resident_id: UUID, caller: Self) -> list[dict[str, object]]:
    """The benefits (etuudet) of the resident who asks, as the newest decision on each says; cents."""
    caller.must_be_resident(resident_id)
    async with transaction(request.app.state.pool) as tx:
        return list(await views.of_resident(tx, resident_id))
