"""The registration feed: who arrives, moves and leaves; files in order, whole or not at all."""

import hashlib
from datetime import date
from typing import Any

import pytest

from kanava.common.contracts import listing as said
from kanava.listing.commands import TakeFile
from kanava.listing.errors import FeedInvalid, FeedReason, FeedRefused
from tests.listing.people import file_of, hetu_of, hetus, line
from tests.listing.world import SECOND_OWN, World, unit
from tests.support import facts as told

AINO = hetu_of(date(1984, 5, 17), 900)
EINO = hetu_of(date(2026, 10, 3), 901)


async def test_newcomers_are_listed_with_an_own_unit_and_both_facts_are_said(world: World) -> None:
    await world.hear(unit(SECOND_OWN))
    people = list(hetus(40))
    taken = await world.feed(*(line(one, postal_code=f"021{place:02d}") for place, one in enumerate(people)))
    assert (taken.registered, taken.listings_changed, taken.without_unit, taken.position) == (40, 40, 0, 40)
    listings = await world.said(said.Listing)
    assert {fact.spans[0].unit_id for fact in listings} == {told.OWN_UNIT, SECOND_OWN}
    assert all(fact.what == "listed" and fact.spans[0].origin == "default" for fact in listings)
    residents = {fact.resident_id: fact for fact in await world.said(said.Resident)}
    assert set(residents) == {fact.resident_id for fact in listings} == set(await world.ids(*people))


async def test_a_resident_fact_says_what_the_hetu_says(world: World) -> None:
    await world.feed(line(EINO, effective_on="2026-10-03"))
    [fact] = await world.said(said.Resident)
    assert (fact.what, fact.version, fact.recorded_at) == ("registered", 1, world.instant)
    assert (fact.birth_date, fact.sex, fact.municipality, fact.area) == (
        date(2026, 10, 3),
        "male",
        "049",
        "03",
    )
    assert fact.lives_until is None


async def test_a_protected_municipality_is_not_said(world: World) -> None:
    await world.feed(line(AINO, protected=True))
    [fact] = await world.said(said.Resident)
    assert (fact.protected, fact.municipality) == (True, None)


async def test_without_an_own_unit_somebody_is_listed_nowhere_and_the_receipt_says_so(world: World) -> None:
    taken = await world.feed(line(AINO, municipality="091"))
    assert (taken.registered, taken.without_unit, taken.listings_changed) == (1, 1, 0)
    assert await world.said(said.Listing) == []


async def test_a_death_ends_the_listing_on_the_day_and_annuls_a_later_choice(world: World) -> None:
    await world.feed(line(AINO))
    [aino] = await world.ids(AINO)
    await world.choose(aino)
    taken = await world.feed(line(AINO, fact="died", effective_on="2026-10-20"))
    assert taken.died == 1
    last = (await world.said(said.Listing))[-1]
    assert (last.what, last.version) == ("ended", 3)
    assert [(span.unit_id, span.until) for span in last.spans] == [(told.OWN_UNIT, date(2026, 10, 20))]
    resident = (await world.said(said.Resident))[-1]
    assert (resident.what, resident.version, resident.lives_until) == ("died", 2, date(2026, 10, 20))


async def test_what_was_known_before_stays_known(world: World) -> None:
    await world.feed(line(AINO))
    world.instant = told.at(11, 5)
    await world.feed(line(AINO, fact="moved_away", effective_on="2026-10-20"))
    found = await world.query(
        "SELECT during::text, recorded_until = 'infinity' AS known FROM span ORDER BY span_id"
    )
    assert [(row["during"], row["known"]) for row in found] == [
        ("[2026-10-01,)", False),
        ("[2026-10-01,2026-10-20)", True),
    ]


async def test_a_move_inside_the_area_keeps_the_unit_and_frees_the_choice(world: World) -> None:
    await world.feed(line(AINO))
    taken = await world.feed(line(AINO, fact="moved", municipality="235", effective_on="2026-10-09"))
    assert (taken.moved, taken.listings_changed) == (1, 0)
    assert [fact.municipality for fact in await world.said(said.Resident)] == ["049", "235"]
    assert (await world.query("SELECT free_choice FROM resident"))[0]["free_choice"] is True


async def test_a_move_to_another_area_ends_the_listing_and_lists_there(world: World) -> None:
    vantaa = unit(SECOND_OWN, area="04", municipality="092")
    await world.hear(vantaa)
    await world.feed(line(AINO))
    await world.feed(line(AINO, fact="moved", municipality="092", effective_on="2026-10-09"))
    spans = (await world.said(said.Listing))[-1].spans
    assert [(span.unit_id, span.starts_on, span.until, span.origin) for span in spans] == [
        (told.OWN_UNIT, date(2026, 10, 1), date(2026, 10, 9), "default"),
        (SECOND_OWN, date(2026, 10, 9), None, "move"),
    ]


async def test_who_comes_back_is_listed_anew(world: World) -> None:
    await world.feed(line(AINO))
    await world.feed(line(AINO, fact="moved_away", effective_on="2026-10-05"))
    taken = await world.feed(line(AINO, effective_on="2026-10-10"))
    assert taken.registered == 1
    assert (await world.said(said.Resident))[-1].lives_until is None
    assert [span.starts_on.day for span in (await world.said(said.Listing))[-1].spans] == [1, 10]


async def test_lines_of_one_person_in_one_file_keep_their_order(world: World) -> None:
    died = line(AINO, fact="died", effective_on="2026-10-20")
    taken = await world.feed(
        line(AINO), line(AINO, municipality="235", fact="moved", effective_on="2026-10-05"), died
    )
    assert (taken.lines, taken.registered, taken.moved, taken.died) == (3, 1, 1, 1)
    assert [fact.version for fact in await world.said(said.Resident)] == [1, 2, 3]


async def test_the_same_fact_again_changes_nothing(world: World) -> None:
    await world.feed(line(AINO))
    taken = await world.feed(line(AINO, street_address="Toinen katu 3"))
    assert taken.unchanged == 1
    assert len(await world.said(said.Resident)) == 1


@pytest.mark.parametrize(
    ("changes", "pointer", "rule"),
    [
        ({"hetu": "170584-900A"}, "/1/hetu", "hetu"),
        ({"municipality": "999"}, "/1/municipality", "known_municipality"),
        ({"municipality": "Espoo"}, "/1/municipality", "string_pattern_mismatch"),
        ({"postal_code": "2100"}, "/1/postal_code", "string_pattern_mismatch"),
        ({"effective_on": "2026-02-30"}, "/1/effective_on", "date_from_datetime_parsing"),
        ({"effective_on": "1984-05-16"}, "/1/effective_on", "effective_after_birth"),
        ({"fact": "vanished"}, "/1/fact", "literal_error"),
        ({"fact": "died"}, "/1/hetu", "resident_known"),
        ({"family_name": ""}, "/1/family_name", "string_too_short"),
    ],
)
async def test_one_broken_line_refuses_the_file_and_names_field_and_rule(
    world: World, changes: dict[str, Any], pointer: str, rule: str
) -> None:
    with pytest.raises(FeedInvalid) as refused:
        await world.feed(line(EINO, effective_on="2026-10-03"), line(AINO) | changes)
    assert (refused.value.pointer, refused.value.rule) == (pointer, rule)
    assert (
        await world.query(
            "SELECT 1 FROM vault UNION ALL SELECT 1 FROM outbox UNION ALL SELECT 1 FROM feed_file"
        )
        == []
    )


async def test_no_value_and_no_made_up_field_is_said_back(world: World) -> None:
    body = b'{"hetu":"170584-900A","Salainen Nimi":1,"given_names":"Salainen","municipality":"Salainen"}\n'
    with pytest.raises(FeedInvalid) as refused:
        await world.take(TakeFile("population", 1, body, b"digest"))
    assert "Salainen" not in str(refused.value.extra)
    assert "170584" not in str(refused.value.extra)


async def test_the_dead_do_not_move(world: World) -> None:
    await world.feed(line(AINO))
    await world.feed(line(AINO, fact="died", effective_on="2026-10-05"))
    with pytest.raises(FeedInvalid) as refused:
        await world.feed(line(AINO, fact="moved", municipality="235", effective_on="2026-10-09"))
    assert (refused.value.pointer, refused.value.rule) == ("/0/fact", "resident_present")


async def test_a_repeated_file_is_known_and_a_wrong_number_refused(world: World) -> None:
    body = file_of(line(AINO))
    command = TakeFile("population", 1, body, hashlib.sha256(body).digest())
    first = await world.take(command)
    again = await world.take(command)
    assert (again.repeated, again.registered) == (True, first.registered)
    assert len(await world.said(said.Resident)) == 1
    with pytest.raises(FeedRefused) as refused:
        await world.take(TakeFile("population", 1, body + body, b"other"))
    assert refused.value.reason is FeedReason.REPEATED
    with pytest.raises(FeedRefused) as refused:
        await world.take(TakeFile("population", 3, body, command.digest))
    assert (refused.value.reason, refused.value.extra["expected_sequence"]) == (FeedReason.OUT_OF_ORDER, 2)


async def test_an_empty_file_is_refused(world: World) -> None:
    with pytest.raises(FeedInvalid):
        await world.feed()
