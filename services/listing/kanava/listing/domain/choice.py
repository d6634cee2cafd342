"""A resident's choice of a unit (valinta): may it be made now, and what does it change.

The window between two choices and the days to effect stand in the area's rule book; the capacity of a unit is
looked at here for a quick answer and kept exactly by the counter of the unit's row.
"""

from dataclasses import dataclass, replace
from datetime import date

from kanava.common.errors import RefusalReason

from .effect import effect_date, next_choice_from
from .spans import Change, Span, coefficient_of, last_open, replaced_from

ROLL_OUT_PHASE = 4
"""From this phase of the scheme on, vouchers are granted and private units can be chosen."""


class ChoiceRefusal(RefusalReason):
    """Why a choice is refused."""

    NOT_ALIVE = "not_alive", "The resident has died or moved away."
    NO_RULE_BOOK = "no_rule_book", "No rule book is in force in the resident's area on this day."
    TOO_EARLY = "too_early", "The time between two choices is not over; free_from says when it is."
    ALREADY_THERE = "already_there", "The resident is listed with this unit already."
    OTHER_AREA = "other_area", "The unit works for another area than the resident's."
    UNIT_NOT_OPEN = "unit_not_open", "The unit is not open on the day on which the choice would take effect."
    PRODUCER_NOT_APPROVED = "producer_not_approved", "The producer of the unit is not approved."
    SCHEME_NOT_READY = (
        "scheme_not_ready",
        "The scheme of the resident's municipality has not come to its roll-out (phase 4).",
    )
    UNIT_FULL = "unit_full", "Every place of the unit is taken."


@dataclass(frozen=True, slots=True)
class RuleBook:
    """What the rule book (sääntökirja) in force fixes for a choice."""

    months_between_choices: int
    days_to_effect: int


@dataclass(frozen=True, slots=True)
class Chooser:
    """The resident who chooses: `chosen_on` is the notice of the last choice, `free_choice` lifts the
    window."""

    area: str
    alive: bool
    chosen_on: date | None
    free_choice: bool
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """The unit that is wished for, as known to this service; `places_left` None means without limit."""

    unit_id: str
    producer_id: str
    area: str
    own: bool
    open: bool
    opens_on: date
    closes_on: date | None
    producer_approved: bool
    places_left: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """A choice that may be made: the day of its effect, the next free choice, the change, and what it ends.

    A pending choice that never came to hold ends on its own first day.
    """

    takes_effect_on: date
    next_choice_from: date
    change: Change
    ends: Span | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A choice that may not be made, and for TOO_EARLY the day from which it may."""

    reason: ChoiceRefusal
    free_from: date | None = None


def decide(
    chooser: Chooser, wish: Wish, *, rule_book: RuleBook | None, scheme_phase: int, notice_on: date
) -> Decision | Refusal:
    """The decision on a choice noticed on `notice_on`; a default listing does not count as a choice."""
    if not chooser.alive:
        return Refusal(ChoiceRefusal.NOT_ALIVE)
    if rule_book is None:
        return Refusal(ChoiceRefusal.NO_RULE_BOOK)
    free_from = _free_from(chooser, rule_book)
    if free_from is not None and notice_on < free_from:
        return Refusal(ChoiceRefusal.TOO_EARLY, free_from)
    takes_effect_on = effect_date(notice_on, rule_book.days_to_effect)
    reason = _unit_refusal(chooser, wish, scheme_phase=scheme_phase, takes_effect_on=takes_effect_on)
    if reason is not None:
        return Refusal(reason)
    return _decision(chooser.spans, wish, rule_book, notice_on=notice_on, takes_effect_on=takes_effect_on)


def _free_from(chooser: Chooser, rule_book: RuleBook) -> date | None:
    if chooser.free_choice or chooser.chosen_on is None:
        return None
    return next_choice_from(chooser.chosen_on, rule_book.months_between_choices)


def _unit_refusal(
    chooser: Chooser, wish: Wish, *, scheme_phase: int, takes_effect_on: date
) -> ChoiceRefusal | None:
    """What stands against the unit itself, in the order in which it is said."""
    there = last_open(chooser.spans)
    open_then = wish.open and wish.opens_on <= takes_effect_on
    closed_then = wish.closes_on is not None and wish.closes_on <= takes_effect_on
    against = {
        ChoiceRefusal.ALREADY_THERE: there is not None and there.unit_id == wish.unit_id,
        ChoiceRefusal.OTHER_AREA: wish.area != chooser.area,
        ChoiceRefusal.UNIT_NOT_OPEN: not open_then or closed_then,
        ChoiceRefusal.PRODUCER_NOT_APPROVED: not wish.producer_approved,
        ChoiceRefusal.SCHEME_NOT_READY: not wish.own and scheme_phase < ROLL_OUT_PHASE,
        ChoiceRefusal.UNIT_FULL: wish.places_left is not None and wish.places_left <= 0,
    }
    return next((reason for reason, holds in against.items() if holds), None)


def _decision(
    spans: tuple[Span, ...], wish: Wish, rule_book: RuleBook, *, notice_on: date, takes_effect_on: date
) -> Decision:
    chosen = Span(wish.unit_id, wish.producer_id, takes_effect_on, None, "choice", coefficient_of(spans))
    change = replaced_from(spans, takes_effect_on, chosen)
    following = next_choice_from(notice_on, rule_book.months_between_choices)
    there = last_open(spans)
    ends = None if there is None else replace(there, until=max(there.starts_on, takes_effect_on))
    return Decision(takes_effect_on, following, change, ends)
