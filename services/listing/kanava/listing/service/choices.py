"""Place a choice: load with a lock, decide, write, say it, and count the places last."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx
from kanava.common.outbox import emit

from ..commands import Mandate, PlaceChoice
from ..domain.choice import ChoiceRefusal, Decision, Refusal, decide
from ..domain.spans import Span
from ..errors import ChoiceRefused, UnitChanging, UnknownResident, UnknownUnit
from ..store import choices as store
from ..store.looks import log_looks
from .facts import listing_fact

ATTEMPTS = 2
"""A unit that the registry changes between our reading and our writing is read once more."""


@dataclass(frozen=True)
class Listed:
    """A stretch of days with a unit, as an answer shows it; `until` is the first day after it."""

    unit_id: str
    producer_id: str
    starts_on: date
    until: date | None
    origin: Literal["default", "choice", "move", "unit_closed"]
    coefficient_permille: int

    @classmethod
    def of(cls, span: Span) -> "Listed":
        """The answer's form of a span."""
        return cls(
            span.unit_id, span.producer_id, span.starts_on, span.until, span.origin, span.coefficient_permille
        )


@dataclass(frozen=True)
class ChoicePlaced:
    """A choice that was made: when it takes effect, what it ends, and from when the next one is free."""

    resident_id: UUID
    unit_id: str
    takes_effect_on: date
    next_choice_from: date
    ends: Listed | None
    listing: tuple[Listed, ...]


async def place_choice(tx: Tx, command: PlaceChoice, now: datetime) -> ChoicePlaced:
    """Choose a unit for a resident.

    Raises `UnknownResident`, `UnknownUnit`, `ChoiceRefused` with its reason, or `UnitChanging` (try again).
    """
    notice_on = helsinki_date(now)
    for _ in range(ATTEMPTS):
        loaded = await store.load(tx, command.resident_id, command.unit_id, notice_on)
        decision = _decided(loaded, notice_on)
        assert loaded is not None, "a decision without a resident"
        if not loaded.steady:
            raise UnitChanging
        counted = await store.save(
            tx,
            loaded,
            decision.change,
            resident_id=command.resident_id,
            unit_id=command.unit_id,
            chosen_on=notice_on,
            now=now,
        )
        if counted is not None:
            return await _placed(
                tx, command, decision, version=loaded.listing_version + 1, counted=counted, now=now
            )
    raise UnitChanging


def _decided(loaded: store.Loaded | None, notice_on: date) -> Decision:
    if loaded is None:
        raise UnknownResident
    if loaded.wish is None:
        raise UnknownUnit
    decision = decide(
        loaded.chooser,
        loaded.wish,
        rule_book=loaded.rule_book,
        scheme_phase=loaded.scheme_phase,
        notice_on=notice_on,
    )
    if isinstance(decision, Refusal):
        raise ChoiceRefused(decision)
    return decision


async def _placed(
    tx: Tx, command: PlaceChoice, decision: Decision, *, version: int, counted: list[str], now: datetime
) -> ChoicePlaced:
    """Say the choice, then count its place: the counter's row is the last lock before the commit."""
    spans = decision.change.spans
    fact = listing_fact("chosen", resident_id=command.resident_id, version=version, spans=spans, now=now)
    await emit(tx, fact)
    if command.mandate is not None:
        await _log_mandate(tx, command.resident_id, command.mandate, now)
    if not await store.count_move(tx, counted, command.unit_id):
        raise ChoiceRefused(Refusal(ChoiceRefusal.UNIT_FULL))
    return ChoicePlaced(
        resident_id=command.resident_id,
        unit_id=command.unit_id,
        takes_effect_on=decision.takes_effect_on,
        next_choice_from=decision.next_choice_from,
        ends=None if decision.ends is None else Listed.of(decision.ends),
        listing=tuple(Listed.of(span) for span in spans),
    )


async def _log_mandate(tx: Tx, resident_id: UUID, mandate: Mandate, now: datetime) -> None:
    """Let the resident see who chose for it, and by what right."""
    why = f"choice by mandate: {mandate.words}"
    await log_looks(tx, [resident_id], who=mandate.adviser, role="adviser", why=why, now=now)
