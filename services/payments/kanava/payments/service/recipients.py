"""From whom suspended money came and to whom it is sent back, sealed before it comes near the database."""

from dataclasses import asdict, dataclass
from uuid import UUID

import orjson
from psycopg.rows import DictRow

from kanava.common.db import Tx
from kanava.common.seal import Seal

from ..views import statements
from ..views import suspense as views


@dataclass(frozen=True)
class Recipient:
    """Who gets money back, and on which account."""

    payee: str
    iban: str


def sealed(recipient: Recipient, item_id: UUID, seal: Seal) -> bytes:
    """A recipient sealed for an item; it opens for no other."""
    return seal.seal(item_id, orjson.dumps(asdict(recipient)))


def recipient_of(step: DictRow, item_id: UUID, seal: Seal) -> Recipient:
    """The recipient that a step proposed. A step from before sealing has it as it is."""
    if step["sealed"] is None:
        return Recipient(step["payee"] or "", step["target"])
    return Recipient(**orjson.loads(seal.open(item_id, bytes(step["sealed"]))))


def sender_of(item: DictRow, seal: Seal) -> str | None:
    """The account that an item's money came from, if the bank told one. An item from before sealing has it as it is."""
    sealed_sender = item["sealed_sender"]
    return item["sender_iban"] if sealed_sender is None else seal.open(item["item_id"], bytes(sealed_sender)).decode()


def shown(item: DictRow, seal: Seal) -> DictRow:
    """An item of the queue for the operator, with the account of the sender opened."""
    return {name: value for name, value in item.items() if name != "sealed_sender"} | {
        "sender_iban": sender_of(item, seal)
    }


async def steps_of(tx: Tx, item_id: UUID, *, seal: Seal) -> list[dict[str, object]]:
    """Every step with an item, in order; to whom a return goes is opened for the operator who has to release it."""
    return [_opened(row, item_id, seal) for row in await views.steps(tx, item_id)]


def _opened(row: DictRow, item_id: UUID, seal: Seal) -> dict[str, object]:
    shown = {name: value for name, value in row.items() if name not in ("sealed", "payee")}
    if row["what"] != "return_proposed":
        return shown
    recipient = recipient_of(row, item_id, seal)
    return shown | {"target": recipient.iban, "payee": recipient.payee}


async def file_of(tx: Tx, payout_id: UUID, *, seal: Seal) -> bytes | None:
    """The pain.001 file of a payout, opened where it is sealed."""
    row = await statements.payout_file(tx, payout_id)
    if row is None:
        return None
    content = row["pain001"] if row["sealed"] is None else seal.open(payout_id, bytes(row["sealed"]))
    return bytes(content) if content is not None else None
