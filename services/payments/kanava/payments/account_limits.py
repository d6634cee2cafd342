"""SQL that writes the limits of areas' accounts, and compares the one in force with the one that was set last."""

from datetime import datetime

from kanava.common.db import Tx, one

from .commands import SetAccountLimit

_WRITE = """
INSERT INTO account_limit (area, number, limit_cents, reason, set_by, set_at)
SELECT %(area)s::text, coalesce(max(number), 0) + 1, %(limit_cents)s, %(reason)s, %(set_by)s, %(now)s
FROM account_limit WHERE area = %(area)s::text RETURNING number
"""


async def write_limit(tx: Tx, command: SetAccountLimit, now: datetime) -> int:
    """Write a limit behind the others and put it in force; returns its number. The caller holds the area's book."""
    told = {"reason": command.reason, "set_by": command.set_by, "now": now}
    written = await one(tx, _WRITE, {"area": command.area, "limit_cents": command.limit_cents} | told)
    assert written is not None, "a limit that is written has a number"
    in_force = await tx.execute("UPDATE book SET limit_cents = %s WHERE area = %s", (command.limit_cents, command.area))
    assert in_force.rowcount == 1, "the book of a limit is locked, so it is there"
    return int(written["number"])


_COMPARE = """
SELECT coalesce((SELECT limit_cents FROM book WHERE area = %(area)s), 0) AS in_force_cents, coalesce((
    SELECT limit_cents FROM account_limit WHERE area = %(area)s ORDER BY number DESC LIMIT 1), 0) AS newest_cents
"""


async def flaw_of_limit(tx: Tx, area: str) -> str | None:
    """What is wrong with the limit in force: None where it is the one set last, or zero where none was."""
    found = await one(tx, _COMPARE, {"area": area})
    assert found is not None, "two numbers have one row"
    return None if found["in_force_cents"] == found["newest_cents"] else "the limit in force is not the one set last"
