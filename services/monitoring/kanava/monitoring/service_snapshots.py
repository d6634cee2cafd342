"""Freezing an indicator: once for a subject and a period, and never again otherwise."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from kanava.common.auth import Caller
from kanava.common.clock import helsinki_date
from kanava.common.contracts.monitoring import Snapshot
from kanava.common.db import Tx
from kanava.common.errors import Forbidden
from kanava.common.ids import derived_id
from kanava.common.outbox import emit

from . import store
from .commands import FreezeIndicator
from .domain.snapshots import (
    Flaw,
    Frozen,
    broken_by_confirmation,
    broken_by_period,
    broken_by_range,
    broken_by_subject,
    refusal_to_freeze,
)
from .errors import SnapshotInvalid, SnapshotRefused
from .views_snapshots import SnapshotView, as_seen


async def freeze(tx: Tx, command: FreezeIndicator, now: datetime, *, caller: Caller) -> SnapshotView:
    """Freeze an indicator and say it; the same again changes nothing, other content is a conflict.

    Never by one who acts for the producer that the indicator is of.
    """
    frozen = command.frozen
    caller.must_be_in_area(frozen.area)
    if frozen.producer_id in caller.producers:
        raise Forbidden("nobody freezes an indicator of their own", rule="own_indicator")
    _require(
        broken_by_subject(frozen)
        + broken_by_period(frozen, helsinki_date(now))
        + broken_by_range(frozen)
        + broken_by_confirmation(frozen)
        + await _broken_by_world(tx, frozen)
    )
    if refusal := refusal_to_freeze(frozen, None):
        raise SnapshotRefused(refusal, pointer="/confirmed_by")
    period = (frozen.period_from.isoformat(), frozen.period_until.isoformat())
    snapshot_id = derived_id("snapshot", frozen.indicator, frozen.subject, frozen.subject_id(), *period)
    row = {**asdict(frozen), "snapshot_id": snapshot_id, "recorded_at": now, "frozen_by": command.frozen_by}
    known = await store.freeze_snapshot(tx, row)
    stands = {name: known[name] for name in asdict(frozen)} if known else None
    if refusal := refusal_to_freeze(frozen, Frozen(**stands) if stands else None):
        raise SnapshotRefused(refusal, pointer="/value")
    if known is None:
        await emit(tx, Snapshot.model_validate({**row, "what": "frozen", "version": 1}))
    return as_seen(known or row)


async def _broken_by_world(tx: Tx, frozen: Frozen) -> list[Flaw]:
    """A producer of the area, and a unit of the producer, that the registry has told of."""
    broken = []
    if frozen.producer_id and await store.area_of(tx, "producer", frozen.producer_id) != frozen.area:
        broken.append(Flaw("/producer_id", "producer_of_area", "the area has no such producer"))
    if frozen.unit_id and await store.area_of(tx, "unit", frozen.unit_id) != frozen.area:
        broken.append(Flaw("/unit_id", "unit_of_area", "the area has no such unit"))
    return broken


def _require(broken: list[Flaw]) -> None:
    if broken:
        first = broken[0]
        errors: list[dict[str, Any]] = [{"in": "body", **asdict(one)} for one in broken]
        raise SnapshotInvalid(first.detail, pointer=first.pointer, rule=first.rule, errors=errors)
