"""A municipality's scheme (käyttöönotto) goes through six phases, each with a gate.

1 planning (suunnittelu), 2 dialogue with producers (vuoropuhelu), 3 municipal decision (päätöksenteko),
4 roll-out (setelin käyttöönotto), 5 production (palvelutuotanto), 6 follow-up and development (seuranta).
Source: the roll-out slides of the model for steering producers, lines 238–240.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from kanava.common.clock import add_months, first_of_month
from kanava.common.errors import RefusalReason

from .violations import Violation


class Phase(IntEnum):
    """The six phases, by the numbers that the source gives them."""

    PLANNING = 1
    DIALOGUE = 2
    DECISION = 3
    ROLL_OUT = 4
    PRODUCTION = 5
    FOLLOW_UP = 6


class SchemeRefusal(RefusalReason):
    """Why a scheme does not move on, or does not take what it is given."""

    NOT_THE_NEXT_PHASE = "not_the_next_phase", "A scheme goes through its phases in order, one at a time."
    COMMENTS_UNANSWERED = (
        "comments_unanswered",
        "The dialogue ends when every comment of a producer has been answered.",
    )
    NOT_DECIDED = "not_decided", "The municipality has not decided on the scheme yet."
    DECIDED_AGAINST = "decided_against", "The municipality's latest decision rejects the scheme."
    NO_APPROVED_PRODUCER = (
        "no_approved_producer",
        "Production starts when a producer with an open unit in the municipality or the area is approved.",
    )
    NOT_IN_DIALOGUE = "not_in_dialogue", "Producers comment, and the organiser answers, in phase 2."
    NOT_IN_DECISION = "not_in_decision", "The municipality decides in phase 3, and later on new versions."
    ADOPTED_ALREADY = "adopted_already", "The municipality has adopted these versions already."
    ADOPTION_AHEAD = (
        "adoption_ahead",
        "A version that the municipality adopted does not hold yet; the scheme moves on from that day.",
    )
    ALREADY_ANSWERED = "already_answered", "The comment has its answer; what was answered stays."
    EXISTS_ALREADY = "exists_already", "The municipality has a scheme already."


@dataclass(frozen=True)
class Standing:
    """What the gates look at: the phase, open comments, the decision, the approved producers, what is still ahead."""

    phase: Phase
    comments_unanswered: int
    approved_by_municipality: bool | None
    approved_producers: int
    adoption_ahead: bool = False


def _dialogue_done(standing: Standing) -> SchemeRefusal | None:
    return SchemeRefusal.COMMENTS_UNANSWERED if standing.comments_unanswered else None


def _decided_for(standing: Standing) -> SchemeRefusal | None:
    if standing.approved_by_municipality is None:
        return SchemeRefusal.NOT_DECIDED
    return None if standing.approved_by_municipality else SchemeRefusal.DECIDED_AGAINST


def _has_producer(standing: Standing) -> SchemeRefusal | None:
    return None if standing.approved_producers else SchemeRefusal.NO_APPROVED_PRODUCER


GATES: dict[Phase, Callable[[Standing], SchemeRefusal | None]] = {
    Phase.DECISION: _dialogue_done,
    Phase.ROLL_OUT: _decided_for,
    Phase.PRODUCTION: _has_producer,
}
"""What must hold before a phase is entered; a phase that is not named here has no gate of its own."""


def refusal_to_enter(standing: Standing, wanted: int) -> SchemeRefusal | None:
    """Why the scheme cannot enter the phase `wanted`; None when it can."""
    if wanted != standing.phase + 1 or wanted > Phase.FOLLOW_UP:
        return SchemeRefusal.NOT_THE_NEXT_PHASE
    if standing.adoption_ahead:
        return SchemeRefusal.ADOPTION_AHEAD
    gate = GATES.get(Phase(wanted))
    return gate(standing) if gate else None


ADOPTED: tuple[str, ...] = ("rule_book", "compensation_model", "service_description")
"""The kinds of document that a municipality adopts, which are also the names of the fields that name them."""


@dataclass(frozen=True)
class Named:
    """A document that a decision names; what follows its id is None when it does not exist."""

    document_id: str | None
    kind: str | None = None
    area: str | None = None
    valid_from: date | None = None
    corrects: bool = False


def broken_by_adoption(*, approves: bool, area: str, named: Mapping[str, Named]) -> list[Violation]:
    """An approval adopts one version of each of the three documents of the area; a rejection adopts none."""
    broken = []
    for kind in ADOPTED:
        document = named[kind]
        if not approves and document.document_id is not None:
            broken.append(Violation(f"/{kind}", "adopts_nothing", "a rejection adopts no document"))
        elif approves and document.document_id is None:
            broken.append(Violation(f"/{kind}", "adopts_all", f"an approval adopts a {kind}"))
        elif approves and (document.kind, document.area) != (kind, area):
            broken.append(Violation(f"/{kind}", "document_of_area", f"not a published {kind} of area {area}"))
    return broken


def adopted_from(adopted: Sequence[Named], *, today: date, began_on: date) -> date:
    """The day from which newly adopted versions hold in a scheme that runs; at the earliest `began_on`.

    A version holds from its own first day, and of the middle of a month from the next, because a month is priced by
    one model; but not before the day of the decision, so that no closed month is priced again. Only the correction of
    an error reaches back (settled question 1).
    """
    assert adopted, "a decision that adopts nothing new has no day"
    starts = [began_on]
    for one in adopted:
        assert one.valid_from is not None, "a document that does not exist is not adopted"
        whole = one.valid_from if one.valid_from.day == 1 else add_months(first_of_month(one.valid_from), 1)
        starts.append(whole if one.corrects else max(whole, today))
    return max(starts)
