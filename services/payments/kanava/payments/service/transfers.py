"""Transfers between areas, many in one transaction: the books are locked once, in the order of their areas."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kanava.common.db import Tx
from kanava.common.errors import Problem, Refused
from kanava.common.groupcommit import Asked
from kanava.common.ids import derived_id

from .. import ledger
from ..commands import PlaceTransfer
from ..domain import chart
from ..domain.chart import Draft
from ..errors import Reason
from .suspended import unexplained_debits


@dataclass(frozen=True)
class Transferred:
    """A transfer that was booked, by the reference that its two entries share."""

    transfer_id: UUID
    from_area: str
    to_area: str
    amount_cents: int


async def place_transfers(tx: Tx, asked: Sequence[Asked[PlaceTransfer]], now: datetime) -> list[Transferred | Problem]:
    """Book transfers in the order in which they are asked for; one that would cross a limit is refused alone.

    What came in by an earlier transfer of the same transaction may be spent by a later one; what left an account and
    nobody has explained cannot be spent a second time, as for payouts.
    """
    commands = [one.command for one in asked]
    areas = sorted({area for one in commands for area in (one.from_area, one.to_area)})
    books = await ledger.locked(tx, areas)
    gone_cents = await unexplained_debits(tx, areas)
    spendable = {area: book.spendable_cents - book.limit_cents - gone_cents[area] for area, book in books.items()}
    drafts: dict[str, list[Draft]] = defaultdict(list)
    outcomes = [_placed(one, spendable, drafts) for one in commands]
    for area in sorted(drafts):
        await ledger.post_on(tx, books[area], drafts[area], now)
    return outcomes


def _placed(command: PlaceTransfer, spendable: dict[str, int], drafts: dict[str, list[Draft]]) -> Transferred | Problem:
    """Take a transfer into the drafts of its two books, or the refusal."""
    if spendable[command.from_area] < command.amount_cents:
        return Refused(Reason.OVER_THE_LIMIT, pointer="/amount_cents")
    spendable[command.from_area] -= command.amount_cents
    spendable[command.to_area] += command.amount_cents
    transfer_id = derived_id("transfer", command.from_area, command.to_area, command.reference)
    out, into = chart.transfer(
        reference=transfer_id,
        from_area=command.from_area,
        to_area=command.to_area,
        amount_cents=command.amount_cents,
        text=command.reference,
    )
    drafts[command.from_area].append(out)
    drafts[command.to_area].append(into)
    return Transferred(transfer_id, command.from_area, command.to_area, command.amount_cents)
