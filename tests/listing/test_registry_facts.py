"""What the registry says: kept by version, and residents moved when a unit or a producer goes."""

from datetime import date

from kanava.common.contracts import listing as said
from kanava.common.contracts import registry
from tests.listing.people import hetus, line
from tests.listing.test_choices import arrivals
from tests.listing.world import SECOND_OWN, SMALL, World, rule_book, unit
from tests.support import facts as told


async def test_an_older_version_changes_nothing(world: World) -> None:
    newer, older = unit(SMALL, version=3, name="New"), unit(SMALL, version=2, name="Old")
    assert await world.hear(newer, older, newer) == [1, 0, 0]
    assert (await world.query("SELECT name FROM unit WHERE unit_id = %s", SMALL))[0]["name"] == "New"
    assert await world.hear(rule_book(), told.scheme(), told.producer(private=True)) == [0, 0, 0]


async def test_nodes_of_a_package_are_kept_with_their_level_of_choice(world: World) -> None:
    node = registry.PackageNode(code="PVO.1", parent=None, level=1, name_fi="Toiminta", choice="asiakas")
    package = registry.Package(
        what="published",
        version=1,
        recorded_at=told.SEPTEMBER,
        package_id="PVO:1",
        number=1,
        valid_from=date(2026, 1, 1),
        name_fi="Palvelu",
        name_en="Service",
        source="test",
        nodes=(node,),
    )
    assert await world.hear(package) == [1]
    assert (await world.query("SELECT code, choice FROM package_node"))[0] == {
        "code": "PVO.1",
        "choice": "asiakas",
    }


async def test_a_closed_units_residents_fall_to_the_own_unit_and_may_choose_at_once(world: World) -> None:
    await world.hear(unit(SMALL))
    [aino, eino] = await arrivals(world, 2)
    await world.choose(aino, SMALL)
    await world.hear(unit(SMALL, version=2, what="closed", status="closed", closes_on=date(2026, 12, 1)))
    fact = (await world.said(said.Listing))[-1]
    assert (fact.resident_id, fact.what, fact.recorded_at) == (aino, "listed", world.instant)
    assert [(span.unit_id, span.starts_on, span.until, span.origin) for span in fact.spans] == [
        (told.OWN_UNIT, date(2026, 10, 1), date(2026, 11, 1), "default"),
        (SMALL, date(2026, 11, 1), date(2026, 12, 1), "choice"),
        (told.OWN_UNIT, date(2026, 12, 1), None, "unit_closed"),
    ]
    await world.choose(aino)
    assert [
        row["resident_id"] for row in await world.query("SELECT resident_id FROM resident WHERE free_choice")
    ] == []
    assert eino != aino


async def test_a_choice_elsewhere_survives_the_closing_of_the_unit_before_it(world: World) -> None:
    await world.hear(unit(SECOND_OWN, municipality="235"))
    [aino] = await arrivals(world, 1)
    await world.choose(aino)
    await world.hear(unit(SECOND_OWN, version=2))
    await world.hear(
        unit(told.OWN_UNIT, version=2, what="closed", status="closed", closes_on=date(2026, 10, 20))
    )
    spans = (await world.said(said.Listing))[-1].spans
    assert [(span.unit_id, span.until) for span in spans] == [
        (told.OWN_UNIT, date(2026, 10, 20)),
        (SECOND_OWN, date(2026, 11, 1)),
        (told.PRIVATE_UNIT, None),
    ]


async def test_a_revoked_producer_loses_the_residents_of_all_its_units(world: World) -> None:
    await world.hear(unit(SMALL, capacity=9))
    residents = await arrivals(world, 6)
    for place, one in enumerate(residents):
        await world.choose(one, (SMALL, told.PRIVATE_UNIT)[place % 2])
    assert await world.places(SMALL) == (3, 3)
    revoked = told.producer(private=True, version=2).model_copy(
        update={"what": "revoked", "status": "revoked"}
    )
    await world.hear(revoked.model_copy(update={"recorded_at": told.at(12, 3)}))
    assert await world.places(SMALL) == (0, 0)
    now_at = await world.query(
        "SELECT DISTINCT unit_id FROM span WHERE upper_inf(during) AND recorded_until = 'infinity'"
    )
    assert [row["unit_id"] for row in now_at] == [told.OWN_UNIT]


async def test_without_an_own_unit_the_residents_are_listed_nowhere(world: World) -> None:
    await arrivals(world, 2)
    await world.hear(
        unit(told.OWN_UNIT, version=2, what="closed", status="closed", closes_on=date(2026, 11, 1))
    )
    facts = (await world.said(said.Listing))[-2:]
    assert [(fact.what, fact.spans[-1].until) for fact in facts] == [("ended", date(2026, 11, 1))] * 2


async def test_a_capacity_that_comes_later_counts_who_is_there(world: World) -> None:
    await world.hear(unit(SMALL))
    for one in await arrivals(world, 3):
        await world.choose(one, SMALL)
    await world.hear(unit(SMALL, version=2, what="changed", capacity=4))
    assert await world.places(SMALL) == (3, 3)


async def test_default_listings_are_counted_but_never_refused(world: World) -> None:
    await world.hear(unit(told.OWN_UNIT, version=2, capacity=1))
    await world.feed(*(line(one) for one in hetus(3)))
    assert await world.places(told.OWN_UNIT) == (3, 3)
    await world.feed(line(next(hetus(1)), fact="died", effective_on="2026-10-20"))
    assert await world.places(told.OWN_UNIT) == (2, 2)
