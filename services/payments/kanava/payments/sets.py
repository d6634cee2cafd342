"""Records as columns, so that one statement with `unnest` writes many of them."""

from collections.abc import Iterable, Sequence
from typing import Any


def columns(records: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Records of `width` fields as columns; empty columns where there are no records."""
    found = [list(column) for column in zip(*records, strict=True)] or [[] for _ in range(width)]
    assert len(found) == width, "every record has the same fields"
    return found
