"""Who leaves by the registration feed: moving away (muutto) and death (kuolema), in any order and on any day."""

from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from kanava.common.auth import Caller, Role
from kanava.common.contracts import listing as said
from kanava.listing.errors import FeedInvalid
from tests.listing.conftest import Api
from tests.listing.people import hetu_of, line
from tests.listing.world import World
from tests.support import facts as told

AINO = hetu_of(date(1984, 5, 17), 900)
Step = tuple[str, int]


def on(fact: str, day: int, **changes: Any) -> dict[str, Any]:
    """A line of Aino that holds from a day of October."""
    return line(AINO, fact=fact, effective_on=f"2026-10-{day:02d}") | changes


async def told_last(world: World) -> tuple[str, int | None, bool]:
    """What was said last of Aino: what happened, the day of October from which she is gone, whether by death."""
    fact = (await world.said(said.Resident))[-1]
    return fact.what, fact.lives_until and fact.lives_until.day, fact.has_died


async def days(world: World) -> list[tuple[int, int | None]]:
    """The stretches that were said last, by their days of October."""
    spans = (await world.said(said.Listing))[-1].spans
    return [(span.starts_on.day, span.until and span.until.day) for span in spans]


@pytest.mark.parametrize(
    ("steps", "last", "listed"),
    [
        ((("moved_away", 5),), ("moved_away", 5, False), [(1, 5)]),
        ((("died", 5),), ("died", 5, True), [(1, 5)]),
        ((("moved_away", 5), ("died", 20)), ("died", 5, True), [(1, 5)]),
        ((("moved_away", 5), ("died", 5)), ("died", 5, True), [(1, 5)]),
        ((("moved_away", 20), ("died", 5)), ("died", 5, True), [(1, 5)]),
        ((("died", 20), ("moved_away", 5)), ("moved_away", 5, True), [(1, 5)]),
        ((("died", 5), ("moved_away", 5)), ("moved_away", 5, False), [(1, 5)]),
        ((("died", 20), ("died", 5)), ("died", 5, True), [(1, 5)]),
        ((("moved_away", 20), ("moved_away", 5)), ("moved_away", 5, False), [(1, 5)]),
        ((("moved_away", 5), ("died", 20), ("died", 25)), ("died", 5, True), [(1, 5)]),
        ((("moved_away", 5), ("died", 20), ("died", 3)), ("died", 3, True), [(1, 3)]),
        ((("died", 20), ("moved_away", 5), ("moved_away", 3)), ("moved_away", 3, True), [(1, 3)]),
        ((("died", 5), ("moved_away", 5), ("died", 20)), ("died", 5, True), [(1, 5)]),
        ((("died", 5), ("registered", 5)), ("registered", None, False), [(1, 5), (5, None)]),
        ((("moved_away", 5), ("registered", 10)), ("registered", None, False), [(1, 5), (10, None)]),
        ((("moved_away", 5), ("died", 20), ("registered", 20)), ("registered", None, False), [(1, 5), (20, None)]),
        ((("moved_away", 5), ("registered", 10), ("died", 20)), ("died", 20, True), [(1, 5), (10, 20)]),
        ((("died", 5), ("registered", 10), ("moved_away", 20)), ("moved_away", 20, False), [(1, 5), (10, 20)]),
    ],
)
@pytest.mark.parametrize("files", ["one", "many"])
async def test_the_earlier_day_ends_the_listing_and_a_death_is_said_wherever_it_was(
    world: World, steps: tuple[Step, ...], last: tuple[str, int | None, bool], listed: list[tuple[int, int]], files: str
) -> None:
    await world.feed(line(AINO))
    lines = [on(*step) for step in steps]
    for file in [lines] if files == "one" else [[one] for one in lines]:
        await world.feed(*file)
    assert await told_last(world) == last
    assert await days(world) == listed
    facts = await world.said(said.Resident)
    assert [fact.version for fact in facts] == list(range(1, len(steps) + 2)), "every line said something"
    listings = await world.said(said.Listing)
    assert all(before.spans != after.spans for before, after in pairwise(listings)), "a listing is said if it changed"


@pytest.mark.parametrize(
    "steps",
    [
        (("moved_away", 5), ("moved_away", 5)),
        (("died", 5), ("died", 5)),
        (("moved_away", 5), ("died", 20), ("died", 20)),
        (("moved_away", 5), ("died", 20), ("moved_away", 5)),
        (("died", 20), ("moved_away", 5), ("moved_away", 5)),
        (("died", 20), ("moved_away", 5), ("died", 20)),
    ],
)
async def test_what_is_known_already_changes_nothing(world: World, steps: tuple[Step, ...]) -> None:
    await world.feed(line(AINO), *(on(*step) for step in steps[:-1]))
    before = await world.said(said.Resident), await world.said(said.Listing)
    taken = await world.feed(on(*steps[-1]))
    assert (taken.lines, taken.unchanged) == (1, 1)
    assert (await world.said(said.Resident), await world.said(said.Listing)) == before


@pytest.mark.parametrize(
    ("steps", "field", "rule"),
    [
        ((("moved_away", 5), ("moved_away", 20)), "fact", "resident_present"),
        ((("died", 5), ("moved_away", 20)), "fact", "resident_present"),
        ((("died", 5), ("died", 20)), "fact", "resident_present"),
        ((("moved_away", 5), ("died", 20), ("moved_away", 20)), "fact", "resident_present"),
        ((("moved_away", 5), ("moved", 20)), "fact", "resident_present"),
        ((("died", 5), ("registered", 3)), "effective_on", "registered_after_leaving"),
        ((("moved_away", 5), ("died", 20), ("registered", 10)), "effective_on", "registered_after_leaving"),
    ],
)
async def test_what_contradicts_the_days_that_are_known_is_refused(
    world: World, steps: tuple[Step, ...], field: str, rule: str
) -> None:
    await world.feed(line(AINO), *(on(*step) for step in steps[:-1]))
    before = await told_last(world)
    with pytest.raises(FeedInvalid) as refused:
        await world.feed(on(*steps[-1]))
    assert (refused.value.pointer, refused.value.rule) == (f"/0/{field}", rule)
    assert await told_last(world) == before


async def test_a_newcomer_is_said_to_live_and_a_move_or_a_correction_does_not_change_that(world: World) -> None:
    await world.feed(line(AINO), on("moved", 3, municipality="235"), on("registered", 3, municipality="235"))
    await world.feed(line(AINO, municipality="235", protected=True))
    facts = await world.said(said.Resident)
    assert [fact.what for fact in facts] == ["registered", "moved", "corrected"]
    assert {fact.has_died for fact in facts} == {False}
    rows = await world.query("SELECT body::jsonb -> 'has_died' AS written FROM outbox WHERE topic LIKE '%%resident%%'")
    assert [row["written"] for row in rows] == [False] * 3, "a reader need not rely on what a missing field means"


async def test_the_receipt_counts_a_death_abroad_and_the_place_is_free_since_the_move(world: World) -> None:
    await world.feed(line(AINO))
    await world.feed(on("moved_away", 5))
    places = await world.places(told.OWN_UNIT)
    taken = await world.feed(on("died", 20))
    assert (taken.died, taken.moved_away, taken.unchanged, taken.listings_changed) == (1, 0, 0, 0)
    assert await world.places(told.OWN_UNIT) == places


async def test_who_left_before_days_of_death_were_kept_is_put_right_by_the_feed(world: World) -> None:
    """The migration takes who is gone for dead; moved away that day, told once more, says that she lives."""
    await world.feed(line(AINO), on("moved_away", 5))
    await world.query("UPDATE resident SET died_on = lives_until RETURNING 1")
    taken = await world.feed(on("moved_away", 5))
    assert (taken.moved_away, taken.unchanged) == (1, 0)
    assert await told_last(world) == ("moved_away", 5, False)
    await world.feed(on("died", 20))
    assert await told_last(world) == ("died", 5, True)


async def test_a_resident_is_shown_with_the_day_and_whether_it_was_a_death(api: Api, world: World) -> None:
    await world.feed(line(AINO))
    [aino] = await world.ids(AINO)
    organiser = Caller("organiser-1", Role.ORGANISER, area="03")
    shown = []
    for step in (None, ("moved_away", 5), ("died", 20)):
        if step:
            await world.feed(on(*step))
        row = (await api.call(organiser, "GET", f"/v1/residents/{aino}")).json()
        shown.append((row["lives_until"], row["has_died"]))
    assert shown == [(None, False), ("2026-10-05", False), ("2026-10-05", True)]
    assert "died_on" not in row, "nobody asks for the day"
