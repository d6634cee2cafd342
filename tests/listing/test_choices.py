"""Choices on a real database: exact capacity, one listing a day, nothing lost to somebody at the same
time."""

import asyncio
from collections import Counter
from datetime import date
from uuid import UUID, uuid4

import psycopg
import pytest

from kanava.common.contracts import listing as said
from kanava.listing.domain.choice import ChoiceRefusal
from kanava.listing.errors import ChoiceRefused, UnknownResident, UnknownUnit
from tests.listing.people import hetus, line
from tests.listing.world import SECOND_OWN, SMALL, World, rule_book, unit
from tests.support import facts as told


async def arrivals(world: World, count: int) -> list[UUID]:
    """So many residents of Espoo, listed by default."""
    people = list(hetus(count))
    await world.feed(*(line(one) for one in people))
    return await world.ids(*people)


async def outcome(world: World, resident: UUID, unit_id: str) -> str:
    """What became of a choice: `made` or the reason."""
    try:
        await world.choose(resident, unit_id)
    except ChoiceRefused as refused:
        return refused.reason.value
    return "made"


async def test_a_choice_is_answered_said_and_kept(world: World) -> None:
    [aino] = await arrivals(world, 1)
    placed = await world.choose(aino)
    assert (placed.takes_effect_on, placed.next_choice_from) == (date(2026, 11, 1), date(2027, 10, 12))
    assert placed.ends is not None
    assert (placed.ends.unit_id, placed.ends.until) == (told.OWN_UNIT, date(2026, 11, 1))
    fact = (await world.said(said.Listing))[-1]
    assert (fact.what, fact.version) == ("chosen", 2)
    assert [(span.unit_id, span.until, span.origin) for span in fact.spans] == [
        (told.OWN_UNIT, date(2026, 11, 1), "default"),
        (told.PRIVATE_UNIT, None, "choice"),
    ]


async def test_a_second_choice_is_too_early_until_the_window_is_over(world: World) -> None:
    [aino] = await arrivals(world, 1)
    await world.choose(aino)
    world.instant = told.at(10, 14)
    with pytest.raises(ChoiceRefused) as refused:
        await world.choose(aino, told.OWN_UNIT)
    assert refused.value.reason is ChoiceRefusal.TOO_EARLY
    assert refused.value.extra["free_from"] == "2027-10-12"
    world.instant = world.instant.replace(year=2027)
    await world.choose(aino, told.OWN_UNIT)


async def test_a_newer_rule_book_shortens_the_window(world: World) -> None:
    [aino] = await arrivals(world, 1)
    await world.choose(aino)
    terms = rule_book().rule_book
    assert terms is not None
    shorter = terms.model_copy(update={"months_between_choices": 6})
    named = {
        "document_id": "03:rule_book:2",
        "number": 2,
        "valid_from": date(2027, 1, 1),
        "rule_book": shorter,
    }
    await world.hear(rule_book(**named))
    world.instant = world.instant.replace(year=2027, month=4, day=20)
    assert (await world.choose(aino, told.OWN_UNIT)).next_choice_from == date(2027, 10, 20)


async def test_after_a_move_a_choice_is_free_at_once_and_once(world: World) -> None:
    people = list(hetus(1))
    await world.feed(line(people[0]))
    [aino] = await world.ids(*people)
    await world.choose(aino)
    await world.feed(line(people[0], fact="moved", municipality="235", effective_on="2026-10-12"))
    await world.hear(told.scheme().model_copy(update={"scheme_id": "kauniainen", "municipality": "235"}))
    await world.choose(aino, told.OWN_UNIT)
    assert await outcome(world, aino, told.PRIVATE_UNIT) == ChoiceRefusal.TOO_EARLY.value


async def test_unknown_units_and_residents_are_not_found(world: World) -> None:
    [aino] = await arrivals(world, 1)
    with pytest.raises(UnknownUnit):
        await world.choose(aino, SMALL)
    with pytest.raises(UnknownResident):
        await world.choose(uuid4())


async def test_a_private_unit_waits_for_the_scheme(bare: World) -> None:
    await bare.settle()
    await bare.hear(told.scheme(6).model_copy(update={"phase": 3}))
    [aino] = await arrivals(bare, 1)
    assert await outcome(bare, aino, told.PRIVATE_UNIT) == ChoiceRefusal.SCHEME_NOT_READY.value


async def test_a_hundred_at_once_for_the_last_five_places(world: World) -> None:
    await world.hear(unit(SMALL, capacity=5))
    residents = await arrivals(world, 100)
    outcomes = Counter(await asyncio.gather(*(outcome(world, one, SMALL) for one in residents)))
    assert outcomes == {"made": 5, ChoiceRefusal.UNIT_FULL.value: 95}
    assert await world.places(SMALL) == (5, 5)
    assert len([fact for fact in await world.said(said.Listing) if fact.what == "chosen"]) == 5


async def test_a_hundred_move_both_ways_between_two_counted_units(world: World) -> None:
    await world.hear(unit(SMALL, capacity=60), unit(told.PRIVATE_UNIT, capacity=60, version=2))
    residents = await arrivals(world, 100)
    for place, one in enumerate(residents):
        await world.choose(one, (SMALL, told.PRIVATE_UNIT)[place % 2])
    world.instant = world.instant.replace(year=2027)
    swap = [(one, (told.PRIVATE_UNIT, SMALL)[place % 2]) for place, one in enumerate(residents)]
    outcomes = Counter(await asyncio.gather(*(outcome(world, *one) for one in swap)))
    assert set(outcomes) <= {"made", ChoiceRefusal.UNIT_FULL.value}
    assert outcomes["made"] >= 20
    for unit_id in (SMALL, told.PRIVATE_UNIT):
        counted, there = await world.places(unit_id)
        assert counted == there <= 60


async def test_one_resident_choosing_twice_at_once_has_one_choice(world: World) -> None:
    await world.hear(unit(SMALL), unit(SECOND_OWN))
    [aino] = await arrivals(world, 1)
    wishes = [told.PRIVATE_UNIT, SMALL, SECOND_OWN] * 4
    outcomes = Counter(await asyncio.gather(*(outcome(world, aino, one) for one in wishes)))
    assert outcomes["made"] == 1
    assert outcomes[ChoiceRefusal.TOO_EARLY.value] == len(wishes) - 1
    assert [fact.version for fact in await world.said(said.Listing)] == [1, 2]


async def test_a_unit_that_closes_while_many_choose_it_keeps_nobody(world: World) -> None:
    await world.hear(unit(SMALL))
    residents = await arrivals(world, 40)
    closing = unit(SMALL, version=2, what="closed", status="closed", closes_on=date(2026, 10, 20))
    outcomes, _ = await asyncio.gather(
        asyncio.gather(*(outcome(world, one, SMALL) for one in residents)), world.hear(closing)
    )
    assert set(outcomes) <= {"made", ChoiceRefusal.UNIT_NOT_OPEN.value}
    assert await world.places(SMALL) == (0, 0)
    on = await world.query(
        "SELECT count(*) AS n FROM span WHERE recorded_until = 'infinity' AND upper_inf(during)"
    )
    assert on[0]["n"] == 40


async def test_the_database_itself_refuses_two_units_on_one_day(world: World) -> None:
    [aino] = await arrivals(world, 1)
    with pytest.raises(psycopg.errors.ExclusionViolation):
        await world.query(
            "INSERT INTO span (resident_id, during, unit_id, producer_id, origin, recorded_from)"
            " VALUES (%s, '[2026-10-05,2026-10-06)', 'u', 'p', 'choice', now()) RETURNING 1",
            aino,
        )
