"""Money that comes into an area's account."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kanava.common.db import Tx
from kanava.common.ids import derived_id

from .. import ledger
from ..commands import PlaceFunding
from ..domain import chart


@dataclass(frozen=True)
class Funded:
    """The entry that booked an instalment."""

    entry_id: UUID
    area: str
    amount_cents: int


async def place_funding(tx: Tx, command: PlaceFunding, now: datetime) -> Funded:
    """Book an instalment: bank debit, funding credit."""
    draft = chart.funding(
        reference=derived_id("funding", command.area, command.payer, command.party, command.reference),
        payer=command.payer,
        party=command.party,
        amount_cents=command.amount_cents,
        text=f"{command.reference} received {command.received_on}",
    )
    (entry_id,) = await ledger.post(tx, command.area, [draft], now)
    return Funded(entry_id, command.area, command.amount_cents)
