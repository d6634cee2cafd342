"""Residents arrive by the registration feed, and some of their news comes late."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from kanava.local.demo.population import people, registration_files, registration_line
from kanava.local.demo.story import Story, at

LINES_PER_FILE = 30_000
ARRIVAL, LATE_NEWS = date(2026, 9, 15), date(2026, 11, 5)
FIRST_LATE_DAY = date(2026, 10, 12)
_COUNTED = ("lines", "registered", "without_unit", "listings_changed")


FEEDS = ("population", "population-2")
"""The feed comes in two streams, so that one file is read while another is written."""


async def register_everybody(story: Story) -> None:
    """Send the feed in numbered files; everybody is listed by default with one of the area's own units."""
    await story.move_clock(at(ARRIVAL))
    story.everybody = people(story.scale.residents, story.seed)
    totals: Counter[str] = Counter()
    files = list(registration_files(story.everybody, LINES_PER_FILE))
    story.found["feed_files"] = len(files[:: len(FEEDS)])
    await asyncio.gather(
        *(_send_all(story, feed, files[number :: len(FEEDS)], totals) for number, feed in enumerate(FEEDS))
    )
    story.found["residents"] = {
        "registered": totals["registered"],
        "listed_by_default": totals["listings_changed"],
    }


async def _send_all(story: Story, feed: str, files: Sequence[bytes], totals: Counter[str]) -> None:
    for sequence, content in enumerate(files, start=1):
        taken = await _send(story, content, sequence, feed)
        for name in _COUNTED:
            totals[name] += taken[name]
        story.say(f"  {totals['registered']:,} of {story.scale.residents:,} residents are registered and listed")


async def _send(story: Story, content: bytes, sequence: int, feed: str = FEEDS[0]) -> dict[str, int]:
    path = f"/v1/registrations?feed={feed}&sequence={sequence}"
    taken: dict[str, int] = await story.desk.upload("listing", path, content, "application/x-ndjson", who="operator")
    return taken


async def tell_late_news(story: Story) -> None:
    """On 5 November it becomes known that some died or moved away in the middle of October."""
    await story.move_clock(at(LATE_NEWS))
    chance = random.Random(f"late {story.seed}")
    lines = []
    for place, number in enumerate(story.late):
        day = FIRST_LATE_DAY + timedelta(days=chance.randrange(8))
        fact = "moved_away" if place % 2 else "died"
        lines.append(registration_line(story.everybody[number], number, fact=fact, on=day))
    taken = await _send(story, b"".join(lines), story.found["feed_files"] + 1)
    story.found["residents"] |= {"died_late": taken["died"], "moved_away_late": taken["moved_away"]}
