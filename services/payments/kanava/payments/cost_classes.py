"""The dated tables of cost classes that payments carries."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources

from .domain.chart import Account
from .domain.cost_classes import ClassTable, CostClass, CostKind, Purpose


@cache
def class_tables() -> tuple[ClassTable, ...]:
    """The tables of `data/cost_classes.json`."""
    file = resources.files(__package__) / "data" / "cost_classes.json"
    tables = json.loads(file.read_text(encoding="utf-8"))["tables"]
    return tuple(
        ClassTable(
            valid_from=date.fromisoformat(table["valid_from"]),
            accounts={Account[name.upper()]: purpose for name, purpose in _purposes(table["accounts"]).items()},
            benefits=_purposes(table["benefits"]),
            nodes=_purposes(table["nodes"]),
        )
        for table in tables
    )


def _purposes(named: Mapping[str, Sequence[str]]) -> dict[str, Purpose]:
    return {
        name: Purpose(CostClass(cost_class), *(CostKind(kind) for kind in kinds))
        for name, (cost_class, *kinds) in named.items()
    }
