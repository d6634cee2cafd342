"""Package trees: every row of the source arrives, what is inherited holds, and codes are derived by place."""

from importlib.resources import files
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.registry.domain.packages import LEVELS, Node, broken_by_package, broken_by_priced_node, nodes_of


def data_file(name: str) -> dict[str, Any]:
    return orjson.loads((files("kanava.registry") / "data" / name).read_bytes())


SOURCE = data_file("packages.json")
MTP, PVO = SOURCE["packages"]
(SOS,) = data_file("sosiaaliohjaus.json")["packages"]


def path_of(node: Node, by_code: dict[str, Node]) -> dict[str, str]:
    names = {level: name for name, level in LEVELS.items()}
    path = {names[node.level]: node.name_fi}
    while node.parent is not None:
        node = by_code[node.parent]
        path[names[node.level]] = node.name_fi
    return path


def as_row(node: Node, package: str, by_code: dict[str, Node]) -> tuple[Any, ...]:
    """A leaf as a row of the source's table: names by level, choice, price basis, care criterion."""
    path = path_of(node, by_code)
    criteria = node.inherited.care_criteria
    attributes = (node.inherited.choice, node.inherited.price_basis, criteria[0] if criteria else None)
    return (package, *(path.get(level) for level in LEVELS), *attributes)


def test_every_row_of_the_source_arrives_as_a_node_with_what_it_inherits() -> None:
    leaves = []
    for package in (MTP, PVO):
        nodes = nodes_of(package)
        by_code = {node.code: node for node in nodes}
        parents = {node.parent for node in nodes}
        leaves += [as_row(node, package["id"], by_code) for node in nodes if node.code not in parents]
    columns = ("package", *LEVELS, "choice", "price_basis", "care_criteria")
    rows = [tuple(row[column] for column in columns) for row in SOURCE["rows"]]
    assert len(rows) == 120
    assert sorted(map(str, leaves)) == sorted(map(str, rows))


@pytest.mark.parametrize(("package", "count"), [(MTP, 110), (PVO, 107), (SOS, 2)])
def test_the_data_files_are_whole_packages(package: dict[str, Any], count: int) -> None:
    assert broken_by_package(package) == []
    assert len(nodes_of(package)) == count


def test_leaves_keep_their_line_numbers_of_the_source() -> None:
    by_code = {node.code: node for node in nodes_of(PVO)}
    assert by_code["PVO.3.15.4"].name_fi == "ryhmäkäynti"
    assert all(node.source_lines for node in [*nodes_of(MTP), *nodes_of(PVO)])


def test_units_come_from_the_nearest_node_above() -> None:
    by_code = {node.code: node for node in nodes_of(MTP)}
    assert by_code["MTP.3.1.1"].inherited.units == ("hoidettu_asiakas",)
    assert by_code["MTP.3.1.1.1"].inherited.units == ("suorite",)
    assert by_code["MTP.2.1.1"].level == LEVELS["alatuote"]


def test_the_third_package_is_kanavas_own_and_says_so() -> None:
    visit = nodes_of(SOS)[1]
    assert (visit.code, visit.inherited.units) == ("SOS.1.1", ("kaynti",))
    assert data_file("sosiaaliohjaus.json")["from_source"] is False


attributes = st.fixed_dictionaries(
    {},
    optional={
        "choice": st.sampled_from([None, {"code": "oma_valinta"}, {"code": "ei_valinnanvapautta"}]),
        "unit": st.sampled_from(["suorite", "kaynti"]),
        "care_criteria": st.sampled_from([None, {"code": "lahete"}]),
    },
)


@st.composite
def nodes(draw: st.DrawFn, above: int = 0) -> dict[str, Any]:
    level = draw(st.integers(above + 1, 4))
    named = {"level": list(LEVELS)[level - 1], "name_fi": draw(st.text("abcåäö", min_size=1, max_size=5))}
    children = draw(st.lists(nodes(level), max_size=3)) if level < 4 else []
    return {**named, **draw(attributes), "children": children}


trees = st.lists(nodes(), min_size=1, max_size=3).map(
    lambda children: {"id": "TST", "name_fi": "Koe", "name_en": "Trial", "children": children}
)


def raw_nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for child in node["children"] for one in (child, *raw_nodes(child))]


@given(trees)
def test_any_tree_flattens_to_its_nodes_with_codes_of_their_own(tree: dict[str, Any]) -> None:
    assert broken_by_package(tree) == []
    flat = nodes_of(tree)
    assert [node.name_fi for node in flat] == [raw["name_fi"] for raw in raw_nodes(tree)]
    assert len({node.code for node in flat}) == len(flat)


@given(trees)
def test_a_node_has_what_it_states_and_else_what_its_parent_has(tree: dict[str, Any]) -> None:
    flat = nodes_of(tree)
    by_code = {node.code: node for node in flat}
    for node, raw in zip(flat, raw_nodes(tree), strict=True):
        above = by_code[node.parent].inherited if node.parent else None
        assert node.inherited.choice == ((raw.get("choice") or {}).get("code") or (above.choice if above else None))
        assert node.inherited.units == ((raw["unit"],) if "unit" in raw else above.units if above else ())
        if above and above.care_criteria:
            assert node.inherited.care_criteria


def tree_with(**changes: Any) -> dict[str, Any]:
    first = {"level": "toiminta", "name_fi": "A", "children": [{"level": "palvelu", "name_fi": "B"}]}
    return {"id": "TST", "name_fi": "Koe", "name_en": "Trial", "children": [{**first, **changes}]}


@pytest.mark.parametrize(
    ("tree", "pointer", "rule"),
    [
        ({**tree_with(), "id": "p"}, "/id", "package_code"),
        ({**tree_with(), "name_en": ""}, "/name_en", "name"),
        ({**tree_with(), "children": []}, "/children", "size"),
        (tree_with(level="osasto"), "/children/0/level", "known_level"),
        (tree_with(level="palvelu"), "/children/0/children/0/level", "level_below_parent"),
        (tree_with(unit="litra"), "/children/0/unit", "known_unit"),
        (tree_with(unit=[]), "/children/0/unit", "known_unit"),
        (tree_with(name_fi=" "), "/children/0/name_fi", "name"),
        (tree_with(choice="oma"), "/children/0/choice", "coded"),
        (tree_with(choice_code=7), "/children/0/choice_code", "coded"),
        (tree_with(lines=["a"]), "/children/0/lines", "source_lines"),
        (tree_with(children={}), "/children/0/children", "list_of_nodes"),
        (tree_with(children=["x"]), "/children/0/children/0", "node"),
        (tree_with(code="1"), "/children/0/code", "node_code"),
        (tree_with(code="XYZ.1"), "/children/0/code", "code_of_package"),
        (tree_with(code="TST.1.1"), "/children/0/code", "code_unique"),
    ],
)
def test_a_broken_tree_names_the_node_and_the_rule(tree: dict[str, Any], pointer: str, rule: str) -> None:
    if rule == "code_unique":
        tree["children"][0]["children"][0]["code"] = "TST.1.1"
    assert (pointer, rule) in {(one.pointer, one.rule) for one in broken_by_package(tree)}


def test_a_price_needs_a_published_node_and_its_unit() -> None:
    assert broken_by_priced_node(["kaynti"], "kaynti") == []
    assert [one.rule for one in broken_by_priced_node(["kaynti"], "suorite")] == ["unit_of_node"]
    assert [one.rule for one in broken_by_priced_node(None, "kaynti")] == ["node_published"]
