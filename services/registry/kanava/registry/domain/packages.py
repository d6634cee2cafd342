"""Service packages (palvelupaketit): a tree of toiminta, palvelu, tuote and alatuote, flattened to nodes.

Choice, price basis, unit of measure and care criteria hold for everything below the node that states them.
Branches end at different levels, and a level may be left out, as in the source's first example.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from kanava.common.contracts.registry import PackageNode, UnitOfMeasure

from .prices import WEIGHTED
from .violations import Violation

LEVELS: dict[str, int] = {"toiminta": 1, "palvelu": 2, "tuote": 3, "alatuote": 4}
UNITS: tuple[str, ...] = get_args(UnitOfMeasure)
MOST_NODES = 1000
MOST_NAME_CHARACTERS = 200
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,79}")
_CODE = re.compile(r"[A-Z][A-Z0-9]{1,9}(\.[A-Za-z0-9]{1,10}){1,6}")
_PACKAGE_CODE = re.compile(r"[A-Z][A-Z0-9]{1,9}")


@dataclass(frozen=True)
class Inherited:
    """What a node hands down to its children."""

    choice: str | None = None
    price_basis: str | None = None
    units: tuple[str, ...] = ()
    care_criteria: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """A node with what it inherited, where it stood in the source, and its place in the published tree."""

    code: str
    parent: str | None
    level: int
    name_fi: str
    inherited: Inherited
    source_lines: tuple[int, ...]
    pointer: str

    @property
    def units(self) -> tuple[str, ...]:
        """The units of measure that the node takes: its own, and the weight by which its price is bound."""
        weighted = WEIGHTED.get(self.inherited.price_basis or "")
        return self.inherited.units if weighted is None else tuple(dict.fromkeys((*self.inherited.units, weighted)))

    def fact(self) -> PackageNode:
        """The node as the package's fact carries it."""
        return PackageNode.model_validate(
            {
                "code": self.code,
                "parent": self.parent,
                "level": self.level,
                "name_fi": self.name_fi,
                "choice": self.inherited.choice,
                "price_basis": self.inherited.price_basis,
                "units": self.units,
                "care_criteria": self.inherited.care_criteria,
            }
        )


def broken_by_package(package: Mapping[str, Any]) -> list[Violation]:
    """The rules that a package tree breaks; pointers name the node, as `/children/1/children/0/unit`."""
    if not _is_readable(package):
        return [Violation("", "unicode", "the package holds a text that is no Unicode")]
    if not _PACKAGE_CODE.fullmatch(str(package.get("id"))):
        return [Violation("/id", "package_code", "a package's code is 2 to 10 capital letters and digits")]
    if broken := _broken_by_names(package) + _broken_by_attributes(package, "") + _broken_by_children(package, "", 0):
        return broken
    nodes = nodes_of(package)
    return _broken_by_size(nodes) + _broken_by_codes(package["id"], nodes)


def nodes_of(package: Mapping[str, Any]) -> list[Node]:
    """All nodes of an unbroken package tree in reading order, codes derived where a node has none.

    A derived code is the parent's code and the node's place among its siblings: `PVO.2.1.3`.
    """
    inherited = _handed_down(package, Inherited())
    return list(_below(package, parent=None, prefix=package["id"], inherited=inherited, at=""))


def broken_by_priced_node(units: Sequence[str] | None, unit_of_measure: str) -> list[Violation]:
    """A price is for a published node, in a unit that it takes; `units` None is a node not published."""
    if units is None:
        detail = "no package that is in force on the price's first day has this node"
        return [Violation("/node", "node_published", detail)]
    if unit_of_measure in units:
        return []
    detail = f"the node takes: {', '.join(units) or 'no unit of measure'}"
    return [Violation("/unit_of_measure", "unit_of_node", detail)]


def _below(
    node: Mapping[str, Any], *, parent: str | None, prefix: str, inherited: Inherited, at: str
) -> Iterator[Node]:
    for place, child in enumerate(_children(node)):
        code = child.get("code") or f"{prefix}.{place + 1}"
        own = _handed_down(child, inherited)
        pointer = f"{at}/children/{place}"
        lines = tuple(child.get("lines") or ())
        yield Node(code, parent, LEVELS[child["level"]], child["name_fi"].strip(), own, lines, pointer)
        yield from _below(child, parent=code, prefix=code, inherited=own, at=pointer)


def _children(node: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return node.get("children") or ()


def _handed_down(node: Mapping[str, Any], inherited: Inherited) -> Inherited:
    """What holds from this node down: its own statements, and the parent's where it says nothing."""
    criterion = _code_of(node.get("care_criteria"))
    return Inherited(
        choice=node.get("choice_code") or _code_of(node.get("choice")) or inherited.choice,
        price_basis=node.get("price_basis_code") or _code_of(node.get("price_basis")) or inherited.price_basis,
        units=(node["unit"],) if node.get("unit") else inherited.units,
        care_criteria=(criterion,) if criterion else inherited.care_criteria,
    )


def _code_of(stated: object) -> str | None:
    """The code of an attribute that stands as `{"code": …, "text_fi": …}` or is left empty."""
    if isinstance(stated, Mapping):
        return stated.get("code")
    return None


def _is_readable(package: Mapping[str, Any]) -> bool:
    """Whether all texts, those of unknown fields too, can be stored: half of a surrogate pair cannot."""
    try:
        json.dumps(package, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_attribute(code: object) -> bool:
    return isinstance(code, str) and _ATTRIBUTE.fullmatch(code) is not None


def _broken_by_children(node: Mapping[str, Any], at: str, above: int) -> list[Violation]:
    """What is wrong with the children of a node at `at` whose own level is `above`; 0 is the package."""
    broken: list[Violation] = []
    children = node.get("children")
    if children is not None and not isinstance(children, list):
        return [Violation(f"{at}/children", "list_of_nodes", "children are a list of nodes")]
    for place, child in enumerate(children or ()):
        here = f"{at}/children/{place}"
        if not isinstance(child, Mapping):
            broken.append(Violation(here, "node", "a node is an object"))
            continue
        own = _broken_by_node(child, here, above)
        broken += own
        if not own:
            broken += _broken_by_children(child, here, LEVELS[child["level"]])
    return broken


def _broken_by_node(node: Mapping[str, Any], at: str, above: int) -> list[Violation]:
    level = LEVELS.get(str(node.get("level")))
    if level is None:
        return [Violation(f"{at}/level", "known_level", f"a level is one of: {', '.join(LEVELS)}")]
    broken = []
    if level <= above:
        broken.append(Violation(f"{at}/level", "level_below_parent", "a node's level is below its parent's"))
    name = node.get("name_fi")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= MOST_NAME_CHARACTERS:
        broken.append(Violation(f"{at}/name_fi", "name", "a node has a Finnish name of at most 200 characters"))
    if node.get("unit") is not None and node["unit"] not in UNITS:
        broken.append(Violation(f"{at}/unit", "known_unit", f"a unit of measure is one of: {', '.join(UNITS)}"))
    if node.get("code") is not None and not _CODE.fullmatch(str(node["code"])):
        broken.append(Violation(f"{at}/code", "node_code", "a node's code looks like PVO.2.1.3"))
    return broken + _broken_by_attributes(node, at)


def _broken_by_attributes(node: Mapping[str, Any], at: str) -> list[Violation]:
    broken = []
    for name in ("choice", "price_basis", "care_criteria"):
        stated = node.get(name)
        if stated is not None and not _is_attribute(_code_of(stated)):
            broken.append(Violation(f"{at}/{name}", "coded", f"{name} is an object with a code in snake case"))
    for name in ("choice_code", "price_basis_code"):
        if node.get(name) is not None and not _is_attribute(node[name]):
            broken.append(Violation(f"{at}/{name}", "coded", f"{name} is a code in snake case"))
    lines = node.get("lines")
    if lines is not None and not (isinstance(lines, list) and all(isinstance(line, int) for line in lines)):
        broken.append(Violation(f"{at}/lines", "source_lines", "lines are line numbers of the source"))
    return broken


def _broken_by_names(package: Mapping[str, Any]) -> list[Violation]:
    return [
        Violation(f"/{name}", "name", "a package has a name of at most 200 characters")
        for name in ("name_fi", "name_en")
        if not isinstance(package.get(name), str) or not 1 <= len(package[name].strip()) <= MOST_NAME_CHARACTERS
    ]


def _broken_by_size(nodes: Sequence[Node]) -> list[Violation]:
    if 1 <= len(nodes) <= MOST_NODES:
        return []
    return [Violation("/children", "size", f"a package has 1 to {MOST_NODES} nodes")]


def _broken_by_codes(package_code: str, nodes: Sequence[Node]) -> list[Violation]:
    times = Counter(node.code for node in nodes)
    broken = []
    for node in nodes:
        if times[node.code] > 1:
            detail = f"the code {node.code} stands more than once"
            broken.append(Violation(f"{node.pointer}/code", "code_unique", detail))
        if not node.code.startswith(f"{package_code}."):
            detail = f"a code of this package starts with {package_code}."
            broken.append(Violation(f"{node.pointer}/code", "code_of_package", detail))
    return broken
