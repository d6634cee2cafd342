"""SQL that takes over the names of package nodes, so that costs can be shown by product."""

from collections.abc import Sequence

from kanava.common.contracts import registry
from kanava.common.db import Tx

_TAKE = """
INSERT INTO node_name AS n (code, package_id, number, valid_from, parent, level, name_fi)
VALUES (%(code)s, %(package_id)s, %(number)s, %(valid_from)s, %(parent)s, %(level)s, %(name_fi)s)
ON CONFLICT (code) DO UPDATE SET package_id = excluded.package_id, number = excluded.number,
    valid_from = excluded.valid_from, parent = excluded.parent, level = excluded.level, name_fi = excluded.name_fi
WHERE n.number < excluded.number
"""


async def merge_packages(tx: Tx, facts: Sequence[registry.Package]) -> int:
    """Keep the newest name of each node; a price names its node itself, so no money depends on it."""
    for fact in facts:
        shared = {"package_id": fact.package_id, "number": fact.number, "valid_from": fact.valid_from}
        fields = ({name: getattr(node, name) for name in ("code", "parent", "level", "name_fi")} for node in fact.nodes)
        async with tx.cursor() as cursor:
            await cursor.executemany(_TAKE, [shared | node for node in fields])
    return len(facts)
