"""The log of looks: who looked a resident up, why and when."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kanava.common.db import Tx


async def log_looks(
    tx: Tx, resident_ids: Sequence[UUID], *, who: str, role: str, why: str, now: datetime
) -> None:
    """Log one look for each resident."""
    await tx.execute(
        "INSERT INTO look (resident_id, who, role, why, at) SELECT unnest(%s::uuid[]), %s, %s, %s, %s",
        (list(resident_ids), who, role, why, now),
    )
