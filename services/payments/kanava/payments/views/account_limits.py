"""SQL that reads the limits that were set for an area's account."""

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

_LIMITS = """
SELECT number, limit_cents, reason, set_by, set_at FROM account_limit
WHERE area = %(area)s AND number < %(before)s ORDER BY number DESC LIMIT %(limit)s
"""


async def limits(tx: Tx, area: str, *, before: int, limit: int) -> list[DictRow]:
    """The limits of an area's account, the newest first, each with who set it, when and why."""
    return await rows(tx, _LIMITS, {"area": area, "before": before, "limit": limit})
