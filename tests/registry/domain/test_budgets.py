"""A budget's lines: one item without nodes, earmarks with published ones, and no node twice in a kind."""

from kanava.registry.domain.budgets import Line, LineKind, broken_by_budget, covers

OWN = "1.2.246.10.32213406.10.0"
NODES = frozenset({"MTP", "MTP.3", "PVO", "SOS.1.1"})


def line(code: str, kind: LineKind = "package", nodes: tuple[str, ...] = (), producer: str | None = None) -> Line:
    return Line(code, kind, 1_000_00, producer, nodes)


def rules(*lines: Line) -> list[tuple[str, str]]:
    broken = broken_by_budget(lines, known_nodes=NODES, area_producers={OWN})
    return [(one.pointer, one.rule) for one in broken]


def test_one_item_and_earmarks_beside_it_are_a_budget() -> None:
    whole = [
        line("1", "one_item", producer=OWN),
        line("1.1", nodes=("MTP",), producer=OWN),
        line("2", nodes=("MTP",)),
        line("3", "strategic_focus", nodes=("MTP.3", "SOS.1.1")),
        line("4", "one_item"),
    ]
    assert rules(*whole) == []


def test_an_earmark_names_published_nodes_and_one_item_none() -> None:
    assert rules(line("1", "one_item", nodes=("MTP",)), line("2"), line("3", nodes=("PVO", "ABC"))) == [
        ("/lines/0/nodes", "nodes_of_kind"),
        ("/lines/1/nodes", "nodes_of_kind"),
        ("/lines/2/nodes/1", "node_published"),
    ]


def test_two_lines_of_a_kind_never_cover_the_same_node() -> None:
    assert rules(line("1", nodes=("MTP.3",)), line("2", nodes=("PVO", "MTP"))) == [
        ("/lines/1/nodes/1", "nodes_overlap")
    ]
    assert rules(line("1", nodes=("MTP",)), line("2", nodes=("MTP.3",))) == [("/lines/1/nodes/0", "nodes_overlap")]
    assert rules(line("1", "one_item"), line("2", "one_item")) == [("/lines/1/kind", "one_item_once")]
    assert rules(line("1", nodes=("MTP",)), line("1", nodes=("PVO",))) == [("/lines/1/line", "line_once")]


def test_a_line_is_for_a_producer_of_the_area() -> None:
    assert rules(line("1", "one_item", producer="1.2.3")) == [("/lines/0/producer_id", "producer_of_area")]


def test_a_node_covers_itself_and_what_lies_below() -> None:
    assert [covers("MTP", node) for node in ("MTP", "MTP.3.1", "PVO")] == [True, True, False]
    assert [covers("MTP.3", node) for node in ("MTP.30", "MTP")] == [False, False]
