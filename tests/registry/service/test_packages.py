"""Publishing the source's packages with all their rows, and pricing their nodes."""

from datetime import date
from importlib.resources import files

import orjson
import pytest

from kanava.common.errors import Forbidden
from kanava.registry import views
from kanava.registry.commands import PublishPackage, SetPrice
from kanava.registry.errors import InputRefused, PackageUnknown
from kanava.registry.service.packages import publish_package, set_price
from tests.registry.world import FOREIGN_ORGANISER, ORGANISER, THIS_MONTH, Registry, count, guidance_package

SOURCE = orjson.loads((files("kanava.registry") / "data" / "packages.json").read_bytes())


def price(**changes: object) -> SetPrice:
    said = {"area": "03", "node": "SOS.1.1", "unit_of_measure": "kaynti", "valid_from": "2026-10-01"}
    return SetPrice.model_validate(said | {"price_cents": 4500} | changes)


async def test_both_packages_of_the_source_load_as_they_are(registry: Registry) -> None:
    for tree in SOURCE["packages"]:
        command = PublishPackage(valid_from=THIS_MONTH, source=SOURCE["source"], package=tree)
        await registry.do(publish_package, command, by=ORGANISER)
    mental, reception = await registry.facts("package")
    assert (mental.package_id, len(mental.nodes)) == ("MTP:1", 110)
    assert (reception.package_id, len(reception.nodes)) == ("PVO:1", 107)
    rows = sum(
        len({node.code for node in fact.nodes} - {node.parent for node in fact.nodes}) for fact in (mental, reception)
    )
    assert rows == len(SOURCE["rows"]) == 120
    leaf = next(node for node in reception.nodes if node.code == "PVO.3.1.3")
    assert (leaf.price_basis, leaf.care_criteria) == ("hoidettu_asiakas_drg", ("lahete",))


async def test_a_package_is_read_back_with_the_lines_of_the_source(registry: Registry) -> None:
    tree = SOURCE["packages"][1]
    command = PublishPackage(valid_from=THIS_MONTH, source=SOURCE["source"], package=tree)
    published = await registry.do(publish_package, command, by=ORGANISER)
    read = await registry.read(views.package, "PVO:1")
    assert read == published
    assert read.nodes_count == len(read.nodes) == 107
    assert next(node for node in read.nodes if node.code == "PVO.3.15").source_lines == (248, 248)
    page = await registry.read(views.packages, views.PageRequest())
    assert [(one.package_id, one.nodes_count) for one in page.items] == [("PVO:1", 107)]
    with pytest.raises(PackageUnknown):
        await registry.read(views.package, "PVO:2")


async def test_a_new_version_leaves_the_old_one(registry: Registry) -> None:
    await registry.publish_guidance()
    await registry.publish_guidance()
    page = await registry.read(views.packages, views.PageRequest())
    assert [one.package_id for one in page.items] == ["SOS:1", "SOS:2"]
    assert [fact.number for fact in await registry.facts("package")] == [1, 2]


async def test_a_broken_tree_stores_nothing(registry: Registry) -> None:
    command = guidance_package()
    command.package["children"][0]["children"][0]["unit"] = "litra"
    with pytest.raises(InputRefused) as refused:
        await registry.do(publish_package, command, by=ORGANISER)
    assert (refused.value.pointer, refused.value.rule) == (
        "/package/children/0/children/0/unit",
        "known_unit",
    )
    async with registry.open() as tx:
        assert await count(tx, "package") == await count(tx, "outbox") == 0


async def test_a_price_is_set_from_a_day_on_and_every_version_stays(registry: Registry) -> None:
    await registry.publish_guidance()
    first = await registry.do(set_price, price(), by=ORGANISER)
    mended = await registry.do(set_price, price(price_cents=4600), by=ORGANISER)
    later = await registry.do(set_price, price(valid_from="2027-01-01"), by=ORGANISER)
    assert (first.price_id, first.version, mended.version) == ("03:SOS.1.1:2026-10-01", 1, 2)
    facts = await registry.facts("price")
    assert [(fact.price_id, fact.version, fact.price_cents) for fact in facts] == [
        ("03:SOS.1.1:2026-10-01", 1, 4500),
        ("03:SOS.1.1:2026-10-01", 2, 4600),
        (later.price_id, 1, 4500),
    ]
    page = await registry.read(views.prices, views.PageRequest(), area="03", node=None)
    assert [(one.valid_from, one.price_cents) for one in page.items] == [
        (date(2026, 10, 1), 4600),
        (date(2027, 1, 1), 4500),
    ]


@pytest.mark.parametrize(
    ("changes", "pointer", "rule"),
    [
        ({"node": "SOS.9"}, "/node", "node_published"),
        ({"node": "SOS.1"}, "/unit_of_measure", "unit_of_node"),
        ({"unit_of_measure": "hoitopaiva"}, "/unit_of_measure", "unit_of_node"),
        ({"valid_from": "2026-09-01"}, "/valid_from", "not_before_open_month"),
    ],
)
async def test_a_price_that_fits_no_node_is_refused(
    registry: Registry, changes: dict[str, str], pointer: str, rule: str
) -> None:
    await registry.publish_guidance()
    with pytest.raises(InputRefused) as refused:
        await registry.do(set_price, price(**changes), by=ORGANISER)
    assert (pointer, rule) in {(one["pointer"], one["rule"]) for one in refused.value.extra["errors"]}


async def test_an_organiser_prices_in_its_own_area_only(registry: Registry) -> None:
    await registry.publish_guidance()
    with pytest.raises(Forbidden):
        await registry.do(set_price, price(), by=FOREIGN_ORGANISER)


async def publish_source(registry: Registry) -> None:
    for tree in SOURCE["packages"]:
        command = PublishPackage(valid_from=THIS_MONTH, source=SOURCE["source"], package=tree)
        await registry.do(publish_package, command, by=ORGANISER)


async def test_a_node_is_priced_by_the_weight_that_the_source_binds_it_to(registry: Registry) -> None:
    await publish_source(registry)
    by_drg = {"node": "PVO.3.1.3", "unit_of_measure": "hoidettu_asiakas_drg", "price_basis": "drg_weight"}
    by_pdrg = {"node": "PVO.2.1.1", "unit_of_measure": "hoidettu_asiakas_pdrg", "price_basis": "pdrg_weight"}
    for changes in (by_drg, by_pdrg, {"node": "PVO.2.1.1"}):
        await registry.do(set_price, price(**changes), by=ORGANISER)
    said = [(fact.price_id, fact.price_basis) for fact in await registry.facts("price")]
    assert said == [
        ("03:PVO.3.1.3:hoidettu_asiakas_drg:2026-10-01", "drg_weight"),
        ("03:PVO.2.1.1:hoidettu_asiakas_pdrg:2026-10-01", "pdrg_weight"),
        ("03:PVO.2.1.1:2026-10-01", "unit"),
    ]
    for wrong, rule in (
        (by_drg | {"unit_of_measure": "kaynti"}, "unit_of_basis"),
        (by_drg | {"node": "PVO.2.1.1"}, "unit_of_node"),
        (by_drg | {"price_basis": "unit"}, "unit_of_basis"),
    ):
        with pytest.raises(InputRefused) as refused:
            await registry.do(set_price, price(**wrong), by=ORGANISER)
        assert refused.value.rule == rule


async def test_a_whole_package_has_a_total_price_with_indicative_prices_of_its_activities(registry: Registry) -> None:
    await publish_source(registry)
    activities = [
        {"node": "MTP.3", "unit_of_measure": "hoidettu_asiakas", "price_cents": 120_000},
        {"node": "MTP.7", "unit_of_measure": "hoitopaiva", "price_cents": 45_000},
    ]
    total = {"package": "MTP", "counted_each": "year", "activities": activities}
    whole = {"node": "MTP", "unit_of_measure": "hoidettu_asiakas", "price_basis": "package_total"}
    set_to = await registry.do(set_price, price(price_cents=380_000, total_price=total, **whole), by=ORGANISER)
    assert (set_to.price_id, set_to.price_cents) == ("03:MTP:2026-10-01", 380_000)
    (fact,) = await registry.facts("price")
    assert (fact.price_basis, fact.total_price.counted_each) == ("package_total", "year")
    assert [(one.node, one.price_cents) for one in fact.total_price.activities] == [
        ("MTP.3", 120_000),
        ("MTP.7", 45_000),
    ]
    page = await registry.read(views.prices, views.PageRequest(), area="03", node="MTP")
    assert [one.total_price for one in page.items] == [fact.total_price]
    for wrong in (total | {"package": "PVO"}, total | {"activities": [activities[0] | {"node": "PVO.1"}]}):
        with pytest.raises(InputRefused):
            await registry.do(set_price, price(total_price=wrong, **whole), by=ORGANISER)


async def test_only_a_reasoned_correction_prices_a_closed_month(registry: Registry) -> None:
    tree = guidance_package().model_copy(update={"valid_from": date(2026, 10, 1)})
    await registry.do(publish_package, tree, by=ORGANISER)
    registry.now = registry.now.replace(month=12)
    why = "Lokakuun hinta oli kirjattu väärin."
    with pytest.raises(InputRefused):
        await registry.do(set_price, price(), by=ORGANISER)
    corrected = await registry.do(set_price, price(correction_reason=why), by=ORGANISER)
    (fact,) = await registry.facts("price")
    assert (fact.valid_from, fact.correction_reason) == (date(2026, 10, 1), why)
    assert corrected.correction_reason == why
