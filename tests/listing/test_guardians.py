"""Guardians (huoltajat) of the registration feed: resolved by a keyed hash, versioned, said in the fact."""

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.common.auth import Caller, Role
from kanava.common.contracts import listing as said
from kanava.listing.domain.hetu import person_of
from kanava.listing.domain.registration import guardian_fault
from kanava.listing.errors import FeedInvalid
from kanava.listing.feed import MOST_ERRORS, FeedReader
from kanava.listing.municipalities import areas_of_municipalities
from kanava.listing.settings import ListingSettings
from tests.listing.conftest import Api
from tests.listing.people import content_digest, file_of, hetu_of, hetus, line
from tests.listing.world import World
from tests.support.databases import ServiceDatabase
from tests.support.dumps import dumped, holds

AINO = hetu_of(date(1984, 5, 17), 900)
BERTTA = hetu_of(date(1986, 2, 3), 902)
LAPSI = hetu_of(date(2015, 3, 1), 901)
OPERATOR = Caller("operator-1", Role.OPERATOR)


def child(**changes: Any) -> dict[str, Any]:
    """A line of a child whose guardian is Aino."""
    return line(LAPSI) | {"guardian_hetu": AINO} | changes


async def told(world: World, of: UUID) -> list[tuple[str, int, UUID | None]]:
    """What was said of a resident: what happened, its version, and the guardian."""
    facts = await world.said(said.Resident)
    return [(fact.what, fact.version, fact.guardian_id) for fact in facts if fact.resident_id == of]


async def test_a_guardian_is_found_before_after_or_in_an_earlier_file(world: World) -> None:
    second, third = hetu_of(date(2016, 3, 1), 901), hetu_of(date(2017, 3, 1), 901)
    taken = await world.feed(child(), line(AINO), child(hetu=second))
    assert (taken.registered, taken.listings_changed) == (3, 3)
    await world.feed(child(hetu=third))
    aino, *children = await world.ids(AINO, LAPSI, second, third)
    assert [await told(world, one) for one in children] == [[("registered", 1, aino)]] * 3
    assert await told(world, aino) == [("registered", 1, None)]
    kept = await world.query("SELECT guardian_id FROM resident WHERE guardian_id IS NOT NULL")
    assert [row["guardian_id"] for row in kept] == [aino] * 3


async def test_another_guardian_or_none_is_a_new_version_and_the_same_again_is_none(world: World) -> None:
    await world.feed(line(AINO), line(BERTTA), line(LAPSI))
    counts = []
    for changes in ({}, {}, {"guardian_hetu": BERTTA}, {"guardian_hetu": None}):
        taken = await world.feed(child(**changes))
        counts.append((taken.corrected, taken.unchanged))
    assert counts == [(1, 0), (0, 1), (1, 0), (1, 0)]
    aino, bertta, lapsi = await world.ids(AINO, BERTTA, LAPSI)
    whats = [("registered", 1, None), ("corrected", 2, aino), ("corrected", 3, bertta), ("corrected", 4, None)]
    assert await told(world, lapsi) == whats


async def test_a_line_without_the_field_leaves_the_guardian_as_it_is(world: World) -> None:
    await world.feed(line(AINO), child())
    await world.feed(line(LAPSI, fact="moved", municipality="235", effective_on="2026-10-09"))
    await world.feed(line(LAPSI, fact="moved_away", effective_on="2026-10-12"))
    await world.feed(line(LAPSI, effective_on="2026-10-20"))
    aino, lapsi = await world.ids(AINO, LAPSI)
    whats = ["registered", "moved", "moved_away", "registered"]
    assert await told(world, lapsi) == [(what, version, aino) for version, what in enumerate(whats, 1)]


async def test_who_moves_may_be_told_with_another_guardian_in_the_same_line(world: World) -> None:
    await world.feed(line(AINO), child())
    moved = child(guardian_hetu=BERTTA, fact="moved", municipality="235", effective_on="2026-10-09")
    await world.feed(moved, line(BERTTA))
    bertta, lapsi = await world.ids(BERTTA, LAPSI)
    assert (await told(world, lapsi))[-1] == ("moved", 2, bertta)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"guardian_hetu": BERTTA}, "guardian_known"),
        ({"guardian_hetu": LAPSI}, "not_oneself"),
        ({"guardian_hetu": AINO[:-1] + "!"}, "hetu"),
        ({"guardian_hetu": 7}, "string_type"),
        ({"guardian_hetu": hetu_of(date(2015, 3, 2), 901)}, "guardian_older"),
        ({"hetu": hetu_of(date(2008, 10, 1), 901)}, "guardian_of_a_child"),
    ],
)
async def test_a_guardian_that_cannot_be_refuses_the_file_and_names_field_and_rule(
    world: World, changes: dict[str, Any], rule: str
) -> None:
    with pytest.raises(FeedInvalid) as refused:
        await world.feed(line(AINO), child(**changes))
    assert (refused.value.pointer, refused.value.rule) == ("/1/guardian_hetu", rule)
    assert (
        await world.query("SELECT 1 FROM vault UNION ALL SELECT 1 FROM outbox UNION ALL SELECT 1 FROM feed_file") == []
    )


async def test_every_line_with_an_unknown_guardian_is_named_in_order(world: World) -> None:
    many = [hetu_of(date(2012, 1, 1 + number), 901) for number in range(6)]
    unknown = [child(hetu=one, guardian_hetu=(AINO, BERTTA)[number % 2]) for number, one in enumerate(many)]
    with pytest.raises(FeedInvalid) as refused:
        await world.feed(line(next(hetus(1))), *unknown, line(BERTTA))
    named = [error["pointer"] for error in refused.value.extra["errors"]]
    assert named == ["/1/guardian_hetu", "/3/guardian_hetu", "/5/guardian_hetu"]
    assert len(named) < MOST_ERRORS


async def test_a_family_in_one_file_with_many_lines_of_each_keeps_its_guardian(world: World) -> None:
    await world.feed(child(), child(guardian_hetu=BERTTA), line(BERTTA), line(AINO), child(guardian_hetu=None))
    aino, bertta, lapsi = await world.ids(AINO, BERTTA, LAPSI)
    assert [guardian for _, _, guardian in await told(world, lapsi)] == [aino, bertta, None]


async def test_the_guardian_is_shown_to_the_resident_alone(api: Api, world: World) -> None:
    await world.feed(line(AINO), child())
    aino, lapsi = await world.ids(AINO, LAPSI)
    own = Caller(str(lapsi), Role.RESIDENT, resident=lapsi)
    organiser = Caller("organiser-1", Role.ORGANISER, area="03")
    seen = [(await api.call(who, "GET", f"/v1/residents/{lapsi}")).json()["guardian_id"] for who in (own, organiser)]
    assert seen == [str(aino), None]


async def test_a_planted_guardian_is_found_nowhere(
    api: Api,
    world: World,
    database: ServiceDatabase,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Taken, changed, and refused for every rule: then every table, line and answer is searched for the HETU."""
    caplog.set_level(logging.DEBUG)
    planted, unknown = hetu_of(date(1981, 7, 9), 987), hetu_of(date(1979, 8, 9), 986)
    files = [
        file_of(child(guardian_hetu=planted), line(planted)),
        file_of(child(guardian_hetu=None)),
        file_of(child(guardian_hetu=planted)),
        file_of(child(guardian_hetu=unknown)),
        file_of(child(guardian_hetu=planted[:-1] + "!")),
        file_of(child(guardian_hetu=[planted])),
        file_of(child(hetu=planted, guardian_hetu=planted)),
        file_of(child(guardian_hetu=planted))[:-20],
    ]
    answers = [await send(api, body, number) for number, body in enumerate(files[:3], start=1)]
    answers += [await send(api, body, 4) for body in files[3:]]
    assert [status for status, _ in answers] == [201] * 3 + [422] * 5
    out, err = capfd.readouterr()
    texts = {
        "dump": dumped(database),
        "log": caplog.text,
        "output": out + err,
        "answers": "".join(t for _, t in answers),
    }
    words = [form for hetu in (planted, unknown) for form in (hetu, hetu[:6] + hetu[7:])]
    assert [(name, word) for name, text in texts.items() for word in words if holds(text, word)] == []
    [lapsi] = await world.ids(LAPSI)
    [aino] = await world.ids(planted)
    assert [guardian for _, _, guardian in await told(world, lapsi)] == [aino, None, aino]


async def send(api: Api, body: bytes, sequence: int) -> tuple[int, str]:
    """What the route answers to a file: status and text."""
    headers = {"content_type": "application/x-ndjson", "content_digest": content_digest(body)}
    path = f"/v1/registrations?sequence={sequence}"
    answer = await api.call(OPERATOR, "POST", path, content=body, idempotency_key=str(uuid4()), **headers)
    return answer.status_code, answer.text


def test_guardians_are_looked_for_with_the_persons_of_a_chunk_and_once_each() -> None:
    """However many children name a guardian, a chunk asks the vault once for it, beside its own persons."""
    reader = FeedReader(ListingSettings().vault(), areas_of_municipalities(), uuid4)
    children = [hetu_of(date(2012, 1, 1), 900 + number) for number in range(100)]
    read = reader.read(file_of(*(child(hetu=one) for one in children)).splitlines(keepends=True))
    assert reader.errors == []
    assert len(reader.not_met(read)) == 101
    ids = guardians_of(reader.sealed(read, {}))
    assert len(set(ids)) == 1
    later = reader.read(file_of(line(AINO)).splitlines(keepends=True))
    [aino] = reader.sealed(later, {})
    assert (aino.resident_id, aino.known) == (ids[0], False)
    reader.refuse_unknown_guardians()
    assert reader.errors == []


def guardians_of(sealed: Sequence[Any]) -> list[UUID]:
    """The guardians of sealed lines."""
    return [one.guardian_id for one in sealed]


@given(
    st.dates(date(2005, 1, 1), date(2026, 1, 1)),
    st.dates(date(1940, 1, 1), date(2026, 1, 1)),
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
)
def test_only_who_is_not_eighteen_has_a_guardian_and_an_older_one(born: date, guardian: date, on: date) -> None:
    fault = guardian_fault(person_of(hetu_of(born, 901)), person_of(hetu_of(guardian, 900)), on)
    day = 28 if (born.month, born.day) == (2, 29) else born.day
    grown_up = on >= date(born.year + 18, born.month, day)
    assert (fault == "guardian_of_a_child") == grown_up
    if not grown_up:
        assert (fault == "guardian_older") == (guardian >= born)
