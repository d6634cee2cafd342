"""SQL that takes over budgets and annual orders."""

from collections.abc import Sequence

from kanava.common.contracts import steering
from kanava.common.db import Tx

from .facts import known_since

_TAKE = """
INSERT INTO year_order (order_id, version, recorded_at, area, year, kind, valid_from, status, content)
VALUES (%(order_id)s, %(version)s, %(recorded_at)s, %(area)s, %(year)s, %(kind)s, %(valid_from)s, %(status)s,
        %(content)s::jsonb) ON CONFLICT DO NOTHING
"""


async def merge_orders(tx: Tx, facts: Sequence[steering.Order]) -> int:
    """Take over versions of budgets and annual orders; returns how many were new."""
    since, taken = await known_since(tx), 0
    for fact in facts:
        content = fact.budget if fact.kind == "budget" else fact.annual_order
        fields = fact.model_dump(exclude={"budget", "annual_order"}) | {
            "recorded_at": max(fact.recorded_at, since),
            "content": content.model_dump_json() if content else None,
        }
        taken += (await tx.execute(_TAKE, fields)).rowcount
    return taken
