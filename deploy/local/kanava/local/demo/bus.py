"""Whether the bus is quiet: every fact that was said has been heard by every reader."""

import asyncio
import time
from dataclasses import dataclass

from kanava.common.contracts import TOPICS
from kanava.local.demo.story import SERVICES, Story
from kanava.local.problems import PlatformProblem

PAUSES_SECONDS = (0.2, 3.0)
FACTS_PER_SECOND = 20_000
"""About how many facts arrive in a second: counting them costs the databases work, so looks are spaced out."""
DEADLINE_SECONDS = 300.0


@dataclass(frozen=True)
class Reading:
    """One topic and one of its readers: what was published, received, and what had an effect.

    A broker delivers at least once, so more may be received than was published; the rest had no effect.
    """

    topic: str
    reader: str
    published: int
    waiting: int
    received: int
    effects: int
    dead: int

    @property
    def behind(self) -> int:
        """How many facts the reader has not digested yet; one that was delivered again counts once."""
        return max(0, self.published + self.waiting - min(self.received, self.effects + self.dead))


async def look(story: Story) -> list[Reading]:
    """How far every reader of every topic is."""
    views = await asyncio.gather(
        *(story.desk.get(service, "/v1/bus", who="operator") for service in SERVICES)
    )
    said = {
        (name, one["topic"]): one for name, view in zip(SERVICES, views, strict=True) for one in view["said"]
    }
    heard = {
        (name, one["topic"]): one for name, view in zip(SERVICES, views, strict=True) for one in view["heard"]
    }
    found = []
    for topic in TOPICS:
        spoken = said.get((topic.service, topic.name), {})
        for reader in topic.heard_by:
            got = heard.get((reader, topic.name), {})
            found.append(
                Reading(
                    *(topic.name, reader, spoken.get("published", 0), spoken.get("waiting", 0)),
                    *(got.get("received", 0), got.get("applied", 0), got.get("dead", 0)),
                )
            )
    return found


async def wait_until_quiet(story: Story, what: str) -> None:
    """Wait until nobody is behind; says every few seconds how much is left. Raises PlatformProblem in the end."""
    until, told = time.monotonic() + DEADLINE_SECONDS, time.monotonic()
    while behind := {f"{one.reader} of {one.topic}": one.behind for one in await look(story) if one.behind}:
        left, last = sum(behind.values()), max(behind, key=lambda name: behind[name])
        if time.monotonic() > until:
            raise PlatformProblem(
                f"After {what}, {left:,} facts had not arrived in {DEADLINE_SECONDS:.0f} s, most of them at {last}. "
                "Look at `./kanava logs` of that service."
            )
        if time.monotonic() - told > 5:
            story.say(f"  … {left:,} facts are on their way, most of them to {last}")
            told = time.monotonic()
        shortest, longest = PAUSES_SECONDS
        await asyncio.sleep(min(longest, max(shortest, left / FACTS_PER_SECOND)))
