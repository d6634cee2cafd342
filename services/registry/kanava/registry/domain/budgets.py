"""The budget (talousarvio) of an area for a year: one item, or earmarked to packages or a strategic focus.

Source: the model for steering producers, line 224: the budget is granted as one item (1 momentti) at the level of the
enterprise, and a part of it may be tied to a service whole or to strategic focuses.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from .violations import Violation

LineKind = Literal["one_item", "package", "strategic_focus"]


@dataclass(frozen=True)
class Line:
    """A line of a budget, `amount_cents` for the year: whose it is and which nodes it is for."""

    line: str
    kind: LineKind
    amount_cents: int
    producer_id: str | None
    nodes: tuple[str, ...]


def broken_by_budget(
    lines: Sequence[Line], *, known_nodes: Collection[str], area_producers: Collection[str]
) -> list[Violation]:
    """The rules that a budget breaks; pointers as `/lines/1/nodes/0`.

    A line stands once. One item has no nodes, an earmark has some, and all are published. A producer is of the area.
    Two lines of one kind and producer never cover the same node, so a posting draws on one line of each kind.
    """
    broken: list[Violation] = []
    for place, line in enumerate(lines):
        broken += _broken_by_line(place, line, known_nodes, area_producers)
        for other in lines[:place]:
            broken += _broken_by_pair(place, line, other)
    return broken


def covers(above: str, node: str) -> bool:
    """Whether a node is another one or lies below it: `MTP` covers `MTP.3.1`."""
    return node == above or node.startswith(f"{above}.")


def _broken_by_line(
    place: int, line: Line, known_nodes: Collection[str], area_producers: Collection[str]
) -> list[Violation]:
    broken = []
    if line.kind == "one_item" and line.nodes:
        broken.append(Violation(f"/lines/{place}/nodes", "nodes_of_kind", "one item is not tied to nodes"))
    if line.kind != "one_item" and not line.nodes:
        broken.append(Violation(f"/lines/{place}/nodes", "nodes_of_kind", "an earmark names what it is tied to"))
    for number, node in enumerate(line.nodes):
        if node not in known_nodes:
            detail = f"no package in force on the first day has the node {node}"
            broken.append(Violation(f"/lines/{place}/nodes/{number}", "node_published", detail))
    if line.producer_id is not None and line.producer_id not in area_producers:
        detail = "the producer is not one of the area"
        broken.append(Violation(f"/lines/{place}/producer_id", "producer_of_area", detail))
    return broken


def _broken_by_pair(place: int, line: Line, other: Line) -> list[Violation]:
    if line.line == other.line:
        return [Violation(f"/lines/{place}/line", "line_once", f"the line {line.line} stands once")]
    if (line.kind, line.producer_id) != (other.kind, other.producer_id):
        return []
    if line.kind == "one_item":
        return [Violation(f"/lines/{place}/kind", "one_item_once", "a producer, or the area, has one item once")]
    for number, node in enumerate(line.nodes):
        if any(covers(one, node) or covers(node, one) for one in other.nodes):
            detail = f"the line {other.line} covers {node} already"
            return [Violation(f"/lines/{place}/nodes/{number}", "nodes_overlap", detail)]
    return []
