"""`docs/coverage.md` names every row of the source documents once, and nothing that does not exist."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.tidy.source import ROOT

COVERAGE = ROOT / "docs" / "coverage.md"
SECTIONS = {
    "A1": 21, "A2": 10, "A3": 20, "A4": 13, "A5": 12, "A6": 6, "A7": 6,
    "B1": 8, "B2": 7, "B3": 8, "B4": 7, "B5": 6, "B6": 7, "B7": 8, "B8": 6, "B10": 11,
}
"""How many numbered rows each section has; part C has eight rows without sections."""
ROWS = 164
ROW = re.compile(r"^\| (?P<id>[ABC]\d+(?:\.\d+)?) \| (?P<what>.+?) \| (?P<where>.+?) \| (?P<test>.+?) \|$")
WITHOUT_TEST = ("not done", "context")


def wanted_ids() -> list[str]:
    """The ids of all rows, in their order."""
    numbered = [f"{section}.{n}" for section, count in SECTIONS.items() for n in range(1, count + 1)]
    return [*numbered, *(f"C{n}" for n in range(1, 9))]


def rows() -> list[dict[str, str]]:
    """The rows of the table."""
    lines = COVERAGE.read_text(encoding="utf-8").splitlines()
    return [match.groupdict() for line in lines if (match := ROW.match(line))]


def quoted(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names of the tests of a file; empty when there is no such file."""
    if not path.is_file():
        return frozenset()
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    named = (node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in named if name.startswith("test_"))


def test_every_row_is_there_once() -> None:
    assert len(wanted_ids()) == ROWS
    assert [row["id"] for row in rows()] == wanted_ids()


def test_every_line_of_the_table_is_read() -> None:
    """A row that is written wrongly is not skipped."""
    lines = COVERAGE.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.startswith("| ")]) == ROWS + 1


def test_every_path_exists() -> None:
    missing = [f"{row['id']}: {path}" for row in rows() for path in quoted(row["where"]) if not (ROOT / path).exists()]
    assert missing == []
    assert [row["id"] for row in rows() if not quoted(row["where"]) and row["where"] != "–"] == []


def test_every_test_exists() -> None:
    assert [f"{row_id}: {named}" for row_id, named in named_tests() if not exists(named)] == []


def named_tests() -> Iterator[tuple[str, str]]:
    """Every row with each test that it names."""
    return ((row["id"], named) for row in rows() for named in quoted(row["test"]))


def exists(named: str) -> bool:
    """Whether `path::name` is a test."""
    path, _, name = named.partition("::")
    return name in names_in(ROOT / path)


def test_a_row_names_a_test_and_a_place_or_says_that_there_is_none() -> None:
    for row in rows():
        named = quoted(row["test"])
        assert named or row["test"] in WITHOUT_TEST, row["id"]
        assert quoted(row["where"]) or not named, f"{row['id']} has a test and no place"


def test_the_sum_in_the_introduction_is_right() -> None:
    shown = sum(bool(quoted(row["test"])) for row in rows())
    context = sum(row["test"] == "context" for row in rows())
    rest = ROWS - shown - context
    sentence = f"Of {ROWS} rows {shown} are shown by a test, {context} are context, {rest} are not done."
    assert sentence in COVERAGE.read_text(encoding="utf-8")


def test_a_missing_test_would_be_noticed() -> None:
    assert exists("tests/tidy/test_coverage.py::test_a_missing_test_would_be_noticed")
    assert not exists("tests/tidy/test_coverage.py::test_that_nobody_wrote")
    assert not exists("tests/tidy/test_nowhere.py::test_every_path_exists")
