"""How a figure is measured and shown: ours and a yardstick by turns, best of a few, as a ratio."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

ROUNDS = 3


@dataclass(frozen=True)
class Figure:
    """A ratio and what it was made of. `higher_is_better` says which way the aim points."""

    name: str
    ours: float
    yardstick: float
    unit: str
    aim: float
    higher_is_better: bool

    @property
    def ratio(self) -> float:
        """Ours in terms of the yardstick."""
        return self.ours / self.yardstick

    @property
    def met(self) -> bool:
        """Whether the aim is met."""
        return self.ratio >= self.aim if self.higher_is_better else self.ratio <= self.aim

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return asdict(self) | {"ratio": self.ratio, "met": self.met}


async def seconds_of(action: Callable[[], Awaitable[object]]) -> float:
    """Wall-clock seconds of one action."""
    begun = time.perf_counter()
    await action()
    return time.perf_counter() - begun
