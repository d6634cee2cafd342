"""SQL that shows a resident's benefits."""

from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows

_OF_RESIDENT = """
SELECT DISTINCT ON (area, reference) area, reference, kind, to_char(for_month, 'YYYY-MM') AS month,
       holds_cents AS amount_cents, reasons, decided_at
FROM benefit_decision WHERE resident_id = %s ORDER BY area, reference, number DESC LIMIT 1000
"""


async def of_resident(tx: Tx, resident_id: UUID) -> list[DictRow]:
    """A resident's benefits, as the newest decision on each matter says; cents."""
    return await rows(tx, _OF_RESIDENT, (resident_id,))
