"""Listing over HTTP: who may do what, what is asked twice, and what is refused with field and rule."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from kanava.common.auth import Caller, Role
from tests.listing.conftest import Api
from tests.listing.people import content_digest, file_of, hetus, line
from tests.listing.test_choices import arrivals
from tests.listing.world import SMALL, World, unit
from tests.support import facts as told

OPERATOR = Caller("operator-1", Role.OPERATOR)
ADVISER = Caller("adviser-1", Role.ADVISER, area="03", municipality="049")
ORGANISER = Caller("organiser-1", Role.ORGANISER, area="03")
ELSEWHERE = Caller("organiser-2", Role.ORGANISER, area="04")
PRODUCER = Caller("producer-1", Role.PRODUCER, producers=frozenset({told.PRIVATE}))
OTHER_PRODUCER = Caller("producer-2", Role.PRODUCER, producers=frozenset({told.OWN}))
NDJSON = "application/x-ndjson"


def resident(resident_id: UUID) -> Caller:
    """The resident itself."""
    return Caller(f"resident {resident_id}", Role.RESIDENT, resident=resident_id)


async def choose(api: Api, caller: Caller, body: dict[str, Any], key: str = "key-1") -> httpx.Response:
    """A choice over HTTP."""
    return await api.call(caller, "POST", "/v1/choices", body, idempotency_key=key)


async def upload(
    api: Api, body: bytes, *, path: str = "/v1/registrations?sequence=1", **headers: str
) -> httpx.Response:
    """A file of the feed over HTTP."""
    given = {"content_type": NDJSON, "content_digest": content_digest(body), "idempotency_key": str(uuid4())}
    return await api.call(OPERATOR, "POST", path, content=body, **(given | headers))


async def test_a_choice_and_its_repeat_have_one_effect_and_equal_answers(api: Api, world: World) -> None:
    [aino] = await arrivals(world, 1)
    first = await choose(api, resident(aino), {"unit_id": told.PRIVATE_UNIT})
    again = await choose(api, resident(aino), {"unit_id": told.PRIVATE_UNIT})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotent-replay"] == "true"
    assert first.json()["takes_effect_on"] == "2026-11-01"
    other = await choose(api, resident(aino), {"unit_id": told.OWN_UNIT})
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")


async def test_a_refusal_says_its_reason_and_the_day(api: Api, world: World) -> None:
    [aino] = await arrivals(world, 1)
    await choose(api, resident(aino), {"unit_id": told.PRIVATE_UNIT})
    refused = await choose(api, resident(aino), {"unit_id": told.OWN_UNIT}, "key-2")
    assert refused.status_code == 409
    problem = refused.json()
    assert (problem["type"], problem["reason"], problem["free_from"]) == (
        "/problems/choice-refused",
        "too_early",
        "2027-10-12",
    )
    assert problem["detail"].startswith("The time between two choices")


async def test_only_the_resident_or_an_adviser_with_a_mandate_chooses(api: Api, world: World) -> None:
    aino, eino = await arrivals(world, 2)
    body = {"unit_id": told.PRIVATE_UNIT, "resident_id": str(eino)}
    assert (await choose(api, resident(aino), body)).status_code == 403
    assert (await choose(api, PRODUCER, body)).status_code == 403
    unsaid = await choose(api, ADVISER, body)
    assert (unsaid.status_code, unsaid.json()["pointer"]) == (422, "/mandate")
    assert (await choose(api, ADVISER, body | {"mandate": "Valtakirja 7/2026"})).status_code == 201
    [look] = (await api.call(resident(eino), "GET", f"/v1/residents/{eino}/looks")).json()["items"][:1]
    assert (look["who"], look["why"]) == ("adviser-1", "choice by mandate: Valtakirja 7/2026")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"unit_id": "x"}, "/unit_id"), ({}, "/unit_id"), ({"unit_id": told.OWN_UNIT, "more": 1}, "/more")],
)
async def test_bad_input_names_its_field(api: Api, world: World, body: dict[str, Any], pointer: str) -> None:
    [aino] = await arrivals(world, 1)
    answer = await choose(api, resident(aino), body)
    assert (answer.status_code, answer.json()["pointer"]) == (422, pointer)


async def test_without_a_key_and_for_an_unknown_unit(api: Api, world: World) -> None:
    [aino] = await arrivals(world, 1)
    answer = await api.call(resident(aino), "POST", "/v1/choices", {"unit_id": told.OWN_UNIT})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/missing-idempotency-key")
    assert (await choose(api, resident(aino), {"unit_id": SMALL})).status_code == 404


async def test_a_file_is_taken_once_and_a_cut_one_not_at_all(api: Api, world: World) -> None:
    body = file_of(*(line(one) for one in hetus(3)))
    cut = await upload(api, body[:-30], content_digest=content_digest(body))
    assert (cut.status_code, cut.json()["type"]) == (400, "/problems/digest-mismatch")
    assert await world.query("SELECT 1 FROM vault") == []
    taken = await upload(api, body)
    assert (taken.status_code, taken.json()["registered"]) == (201, 3)
    assert (await upload(api, body)).json()["repeated"] is True


@pytest.mark.parametrize(
    ("headers", "status", "slug"),
    [
        ({"content_digest": ""}, 400, "digest-missing"),
        ({"content_digest": "sha-512=:YQ==:"}, 400, "digest-missing"),
        ({"content_type": "application/json"}, 415, "unsupported-media"),
    ],
)
async def test_a_file_needs_its_headers(api: Api, headers: dict[str, str], status: int, slug: str) -> None:
    answer = await upload(api, file_of(line(next(hetus(1)))), **headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")


async def test_a_broken_line_and_a_gap_in_the_feed_are_refused(api: Api) -> None:
    broken = await upload(api, file_of(line(next(hetus(1)), protected="maybe")))
    assert (broken.status_code, broken.json()["errors"][0]["pointer"]) == (422, "/0/protected")
    gap = await upload(api, file_of(line(next(hetus(1)))), path="/v1/registrations?sequence=7")
    assert (gap.status_code, gap.json()["reason"], gap.json()["expected_sequence"]) == (
        409,
        "feed_out_of_order",
        1,
    )


async def test_a_resident_sees_its_identity_and_others_do_not(api: Api, world: World) -> None:
    aino, eino = await arrivals(world, 2)
    own = (await api.call(resident(aino), "GET", f"/v1/residents/{aino}")).json()
    assert own["identity"]["family_name"] == "Esimerkki"
    seen = (await api.call(ORGANISER, "GET", f"/v1/residents/{aino}")).json()
    assert (seen["identity"], seen["municipality"]) == (None, "049")
    for caller in (resident(eino), ELSEWHERE, PRODUCER):
        assert (await api.call(caller, "GET", f"/v1/residents/{aino}")).status_code == 403
    assert (await api.call(ORGANISER, "GET", f"/v1/residents/{uuid4()}")).status_code == 404


async def test_where_a_protected_person_is_listed_is_its_own_matter(api: Api, world: World) -> None:
    hidden = next(hetus(1))
    await world.feed(line(hidden, protected=True))
    [aino] = await world.ids(hidden)
    assert (await api.call(resident(aino), "GET", f"/v1/residents/{aino}/listing")).status_code == 200
    assert (await api.call(ORGANISER, "GET", f"/v1/residents/{aino}/listing")).status_code == 403
    assert (await api.call(ORGANISER, "GET", f"/v1/residents/{aino}")).json()["municipality"] is None


async def test_history_is_asked_by_day_and_by_what_was_known(api: Api, world: World) -> None:
    [aino] = await arrivals(world, 1)
    world.instant = told.at(10, 13)
    await world.choose(aino)
    path = f"/v1/residents/{aino}/listing"

    async def units(query: str) -> list[str]:
        answer = await api.call(resident(aino), "GET", f"{path}{query}")
        return [span["unit_id"] for span in answer.json()["spans"]]

    assert await units("") == [told.OWN_UNIT, told.PRIVATE_UNIT]
    assert await units("?as_of=2026-10-31") == [told.OWN_UNIT]
    assert await units("?as_of=2026-11-01") == [told.PRIVATE_UNIT]
    assert await units("?as_of=2026-11-01&known_at=2026-10-12T23:00:00Z") == [told.OWN_UNIT]
    assert await units("?as_of=2026-09-30") == []


async def test_a_coefficient_is_the_organisers_to_set(api: Api, world: World) -> None:
    [aino] = await arrivals(world, 1)
    path, body = (
        f"/v1/residents/{aino}/coefficient",
        {"coefficient_permille": 1200, "starts_on": "2026-10-15"},
    )
    for caller, status in ((PRODUCER, 403), (ELSEWHERE, 403), (ORGANISER, 201)):
        assert (
            await api.call(caller, "POST", path, body, idempotency_key=caller.subject)
        ).status_code == status
    refused = await api.call(
        ORGANISER, "POST", path, body | {"coefficient_permille": 9000}, idempotency_key="k"
    )
    assert (refused.status_code, refused.json()["reason"]) == (409, "out_of_bounds")


async def test_every_look_is_there_for_the_resident_to_see(api: Api, world: World) -> None:
    people = list(hetus(3))
    await world.feed(*(line(one) for one in people))
    asked = {"hetus": people, "reason": "sisäänkirjautuminen"}
    found = (await api.call(OPERATOR, "POST", "/v1/residents/lookup", asked)).json()["resident_ids"]
    assert len(found) == 3
    assert (await api.call(ADVISER, "POST", "/v1/residents/lookup", asked)).json()["rule"] == "one_at_a_time"
    aino = UUID(found[0])
    [look] = (await api.call(resident(aino), "GET", f"/v1/residents/{aino}/looks")).json()["items"]
    assert (look["who"], look["role"], look["why"]) == ("operator-1", "operator", "sisäänkirjautuminen")
    assert (await api.call(resident(UUID(found[1])), "GET", f"/v1/residents/{aino}/looks")).status_code == 403


async def test_units_are_compared_page_by_page(api: Api, world: World) -> None:
    await world.hear(unit(SMALL, capacity=1))
    first = (await api.call(ADVISER, "GET", "/v1/units?municipality=049&limit=2")).json()
    rest = (
        await api.call(ADVISER, "GET", f"/v1/units?municipality=049&limit=2&cursor={first['next_cursor']}")
    ).json()
    assert [one["unit_id"] for one in first["items"] + rest["items"]] == [
        told.OWN_UNIT,
        told.PRIVATE_UNIT,
        SMALL,
    ]
    assert [one["places_left"] for one in first["items"] + rest["items"]] == [None, None, 1]
    assert (await api.call(ADVISER, "GET", "/v1/units?municipality=091")).json()["items"] == []


async def test_a_producer_sees_its_clients_by_pseudonym(api: Api, world: World) -> None:
    residents = await arrivals(world, 3)
    path = f"/v1/units/{told.OWN_UNIT}/clients"
    page = (await api.call(OTHER_PRODUCER, "GET", f"{path}?on=2026-10-05&limit=2")).json()
    rest = (
        await api.call(OTHER_PRODUCER, "GET", f"{path}?on=2026-10-05&limit=2&cursor={page['next_cursor']}")
    ).json()
    found = [one["resident_id"] for one in page["items"] + rest["items"]]
    assert found == sorted(map(str, residents))
    assert (await api.call(PRODUCER, "GET", path)).status_code == 403
    assert (await api.call(PRODUCER, "GET", f"/v1/units/{SMALL}/clients")).status_code == 404
