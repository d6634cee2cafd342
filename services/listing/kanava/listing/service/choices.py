"""Place choices: load with locks, decide each, write them together, and say them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx
from kanava.common.errors import Problem
from kanava.common.groupcommit import Asked
from kanava.common.outbox import emit

from ..commands import Mandate, PlaceChoice
from ..domain.choice import Decision, Refusal, decide
from ..domain.spans import Span, last_open
from ..errors import ChoiceRefused, UnitChanging, UnknownResident, UnknownUnit
from ..store import choices as store
from ..store.looks import log_looks
from .facts import listing_fact


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
        return cls(span.unit_id, span.producer_id, span.starts_on, span.until, span.origin, span.coefficient_permille)


@dataclass(frozen=True)
class ChoicePlaced:
    """A choice that was made: when it takes effect, what it ends, and from when the next one is free."""

    resident_id: UUID
    unit_id: str
    takes_effect_on: date
    next_choice_from: date
    ends: Listed | None
    listing: tuple[Listed, ...]


async def place_choices(tx: Tx, asked: Sequence[Asked[PlaceChoice]], now: datetime) -> list[ChoicePlaced | Problem]:
    """Choose units for residents, in the order in which they ask; each resident is named once.

    A choice that may not be made is answered by its problem and changes nothing: `UnknownResident`,
    `UnknownUnit`, `ChoiceRefused` with its reason, or `UnitChanging` (try again).
    """
    notice_on = helsinki_date(now)
    loaded = await store.load(tx, [one.command for one in asked], notice_on)
    moved: Counter[str] = Counter()
    decided = [_decided(loaded, one.command, moved, notice_on) for one in asked]
    made = [
        (one, found, loaded.residents[one.command.resident_id].listing_version + 1)
        for one, found in zip(asked, decided, strict=True)
        if isinstance(found, Decision)
    ]
    if made:
        placed = [store.Placed(one.command.resident_id, found.change) for one, found, _ in made]
        await store.save(tx, placed, moved, chosen_on=notice_on, now=now)
        await _say(tx, made, now)
    return [
        found if isinstance(found, Problem) else _placed(one.command, found)
        for one, found in zip(asked, decided, strict=True)
    ]


def _decided(loaded: store.Loaded, command: PlaceChoice, moved: Counter[str], notice_on: date) -> Decision | Problem:
    """The decision on one choice, and its places in `moved`; the unit that is left has one more at once."""
    resident, wish = loaded.residents.get(command.resident_id), loaded.wishes.get(command.unit_id)
    if resident is None:
        return UnknownResident()
    if wish is None:
        return UnknownUnit()
    if wish.places_left is not None:
        wish = replace(wish, places_left=wish.places_left - moved[wish.unit_id])
    decision = decide(
        resident.chooser,
        wish,
        rule_book=loaded.rule_books.get(resident.chooser.area),
        scheme_phase=loaded.phases.get(resident.municipality, 0),
        notice_on=notice_on,
    )
    if isinstance(decision, Refusal):
        return ChoiceRefused(decision)
    if resident.unit_changing:
        return UnitChanging()
    moved[wish.unit_id] += 1
    left = last_open(resident.chooser.spans)
    if left is not None:
        moved[left.unit_id] -= 1
    return decision


async def _say(tx: Tx, made: Sequence[tuple[Asked[PlaceChoice], Decision, int]], now: datetime) -> None:
    """Say each choice on the bus, and log for the resident who chose for it by a mandate."""
    facts = [
        listing_fact(
            "chosen",
            resident_id=one.command.resident_id,
            version=version,
            spans=decision.change.spans,
            now=now,
        )
        for one, decision, version in made
    ]
    await emit(tx, *facts, traceparents=[one.traceparent for one, _, _ in made])
    for one, _, _ in made:
        if one.command.mandate is not None:
            await _log_mandate(tx, one.command.resident_id, one.command.mandate, now)


def _placed(command: PlaceChoice, decision: Decision) -> ChoicePlaced:
    return ChoicePlaced(
        resident_id=command.resident_id,
        unit_id=command.unit_id,
        takes_effect_on=decision.takes_effect_on,
        next_choice_from=decision.next_choice_from,
        ends=None if decision.ends is None else Listed.of(decision.ends),
        listing=tuple(Listed.of(span) for span in decision.change.spans),
    )


async def _log_mandate(tx: Tx, resident_id: UUID, mandate: Mandate, now: datetime) -> None:
    """Let the resident see who chose for it, and by what right."""
    why = f"choice by mandate: {mandate.words}"
    await log_looks(tx, [resident_id], who=mandate.adviser, role="adviser", why=why, now=now)
