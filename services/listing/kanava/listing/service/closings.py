"""A unit closed, or its producer left or was revoked: its residents fall to the area's own unit.

They may choose anew at once. The default unit goes by the postal code, which only the vault has: it is opened
here in memory and goes nowhere.
"""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import orjson
from psycopg.rows import DictRow

from kanava.common.db import Tx

from ..domain.default_unit import default_unit
from ..feed import is_open_on
from ..store import bulk, feed
from ..store import read_models as store
from ..vault import Vault


async def move_residents_of(
    tx: Tx, unit_ids: Sequence[str], ends_on: date, now: datetime, *, vault: Vault
) -> int:
    """End every listing with units on a day; returns how many listings changed.

    The caller holds the bulk lock and the units' locks. A stretch that begins later is replaced whole; what a
    resident has chosen elsewhere stays. Who has no own unit to fall to is listed nowhere.
    """
    held = await store.listed_after(tx, unit_ids, ends_on)
    if not held:
        return 0
    own = [unit for unit in await feed.own_units(tx) if unit["unit_id"] not in unit_ids]
    fall_back = await asyncio.to_thread(_fall_back, held, own, vault)
    await bulk.prepare(tx)
    await store.fill_fall_back(tx, unit_ids, ends_on, fall_back)
    return (await bulk.apply(tx, now, frees_choice=True)).listings


def _fall_back(held: Sequence[DictRow], own: Sequence[DictRow], vault: Vault) -> list[tuple[UUID, str, str]]:
    """The own unit of each resident: (resident, unit, producer)."""
    found = []
    for row in held:
        postal_code = orjson.loads(vault.open(row["resident_id"], row["sealed"]))["postal_code"]
        near = [u for u in own if u["municipality"] == row["municipality"] and is_open_on(u, row["from_on"])]
        unit = default_unit(postal_code, near)
        if unit is not None:
            found.append((row["resident_id"], unit["unit_id"], unit["producer_id"]))
    return found
