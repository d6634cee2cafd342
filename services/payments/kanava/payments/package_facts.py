"""SQL that takes over package nodes: their names, so that costs show by product, and where a referral is asked for."""

from collections.abc import Sequence

from kanava.common.contracts import registry
from kanava.common.db import Tx

from .facts import known_since

REFERRAL = "lahete"
"""The care criterion (hoitokriteeri) by which a node asks for a referral."""

_TAKE = """
INSERT INTO node_name AS n (code, package_id, number, valid_from, parent, level, name_fi)
VALUES (%(code)s, %(package_id)s, %(number)s, %(valid_from)s, %(parent)s, %(level)s, %(name_fi)s)
ON CONFLICT (code) DO UPDATE SET package_id = excluded.package_id, number = excluded.number,
    valid_from = excluded.valid_from, parent = excluded.parent, level = excluded.level, name_fi = excluded.name_fi
WHERE n.number < excluded.number
"""
_CRITERION = """
INSERT INTO care_criterion (code, package_id, number, valid_from, recorded_at, needs_referral)
VALUES (%(code)s, %(package_id)s, %(number)s, %(valid_from)s, %(recorded_at)s, %(needs_referral)s)
ON CONFLICT DO NOTHING
"""


async def merge_packages(tx: Tx, facts: Sequence[registry.Package]) -> int:
    """Keep the newest name of each node, and of every version where it asks for a referral."""
    since = await known_since(tx)
    for fact in facts:
        shared: dict[str, object] = {name: getattr(fact, name) for name in ("package_id", "number", "valid_from")}
        shared["recorded_at"] = max(fact.recorded_at, since)
        nodes = [
            shared | node.model_dump(exclude={"care_criteria"}) | {"needs_referral": REFERRAL in node.care_criteria}
            for node in fact.nodes
        ]
        async with tx.cursor() as cursor:
            await cursor.executemany(_TAKE, nodes)
            await cursor.executemany(_CRITERION, nodes)
    return len(facts)
