"""Reconciliation (täsmäytys): what came in and what it did, flow by flow and day by day; nothing may be missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Tally:
    """A flow on a day (None: since the beginning): `came` in, `done` with the effect that the flow promises,
    `waiting` for a reason that is known; `missing` names some of those that have neither."""

    flow: str
    day: date | None
    came: int
    done: int
    waiting: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """A tally with its outcome; `lost` is how many came and neither had their effect nor wait."""

    tally: Tally
    lost: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing, and nothing was done that nobody asked for."""
        return self.lost == 0 and not self.tally.missing


def reconcile(tallies: Sequence[Tally]) -> tuple[Checked, ...]:
    """Each tally with what it lost, those that lost something first, then by day and flow.

    A negative loss means effects without a cause, which is a break like any other.
    """
    checked = [Checked(one, one.came - one.done - one.waiting) for one in tallies]
    assert all(min(one.came, one.done, one.waiting) >= 0 for one in tallies), "a tally counts below zero"
    assert len({(one.flow, one.day) for one in tallies}) == len(tallies), "a flow stands twice on a day"
    return tuple(sorted(checked, key=lambda one: (one.is_whole, one.tally.day or date.min, one.tally.flow)))
