"""Set a client-specific coefficient (asiakaskohtainen korjaus) within the bounds of the compensation
model."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kanava.common.db import Tx
from kanava.common.errors import Forbidden
from kanava.common.outbox import emit

from ..commands import SetCoefficient
from ..domain.spans import corrected_from
from ..errors import CoefficientReason, CoefficientRefused, UnknownResident
from ..store import coefficients as store
from .choices import Listed
from .facts import listing_fact


@dataclass(frozen=True)
class CoefficientSet:
    """A resident's listing with the coefficient from the day on."""

    resident_id: UUID
    listing: tuple[Listed, ...]


async def set_coefficient(tx: Tx, command: SetCoefficient, now: datetime) -> CoefficientSet:
    """Give every stretch from a day on a coefficient; the stretch that holds on the day is split.

    The day may lie in a closed month: payments then corrects it in its next run. Raises `UnknownResident`,
    `Forbidden` for a resident of another area, `CoefficientRefused`.
    """
    resident = await store.lock_resident(tx, command.resident_id)
    if resident is None:
        raise UnknownResident
    if resident["area"] != command.area:
        raise Forbidden("the resident does not live in the caller's area", rule="own_area")
    await _check_bounds(tx, command)
    spans = await store.current_spans(tx, command.resident_id)
    change = corrected_from(spans, command.starts_on, command.coefficient_permille)
    if not change.added:
        raise CoefficientRefused(CoefficientReason.NOT_LISTED)
    version = resident["listing_version"] + 1
    await store.save(tx, command.resident_id, change, version=version, now=now)
    await store.note_decision(tx, command, version=version, now=now)
    await emit(
        tx,
        listing_fact(
            "coefficient_set", resident_id=command.resident_id, version=version, spans=change.spans, now=now
        ),
    )
    return CoefficientSet(command.resident_id, tuple(Listed.of(span) for span in change.spans))


async def _check_bounds(tx: Tx, command: SetCoefficient) -> None:
    bounds = await store.bounds_in_force(tx, command.area, command.starts_on)
    if bounds is None:
        raise CoefficientRefused(CoefficientReason.NO_MODEL)
    least, most = bounds["coefficient_min_permille"], bounds["coefficient_max_permille"]
    if not least <= command.coefficient_permille <= most:
        raise CoefficientRefused(
            CoefficientReason.OUT_OF_BOUNDS,
            min_permille=least,
            max_permille=most,
            pointer="/coefficient_permille",
        )
    if (reasons := bounds["coefficient_reasons"]) and command.reason not in reasons:
        raise CoefficientRefused(CoefficientReason.REASON_NOT_ALLOWED, pointer="/reason", reasons=reasons)
