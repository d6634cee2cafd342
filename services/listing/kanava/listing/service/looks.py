"""Look persons up by their HETU: pseudonymous ids only, and every look is logged for the resident to see."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kanava.common.db import Tx

from ..commands import LookUp
from ..store import looks as store
from ..store.feed import known_residents
from ..vault import Vault


@dataclass(frozen=True)
class Found:
    """The pseudonymous id of each person that was asked for, in the order of the question; None if
    unknown."""

    resident_ids: tuple[UUID | None, ...]


async def look_up(tx: Tx, command: LookUp, now: datetime, *, vault: Vault) -> Found:
    """Find residents by HETU; one line of the log for each that was found."""
    indexes = [vault.index_of(hetu) for hetu in command.hetus]
    known = await known_residents(tx, indexes)
    await store.log_looks(
        tx, sorted(set(known.values())), who=command.who, role=command.role, why=command.reason, now=now
    )
    return Found(tuple(known.get(index) for index in indexes))
