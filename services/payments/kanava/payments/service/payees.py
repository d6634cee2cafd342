"""What a producer's payment goes to: an account that changed is confirmed anew, and the reference it asked for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kanava.common.db import Tx, one
from kanava.common.errors import Refused

from ..bank_commands import AskForReference, ConfirmAccount
from ..errors import Reason
from .statements import statement_row, tell


@dataclass(frozen=True)
class Confirmed:
    """A statement whose payment goes to the account that somebody confirmed."""

    statement_id: UUID
    confirmations: int


@dataclass(frozen=True)
class Asked:
    """The kind of reference that a producer's payments carry from now on."""

    producer_id: str
    kind: str


async def confirm_account(tx: Tx, command: ConfirmAccount, now: datetime) -> Confirmed:
    """Confirm anew the account of an approved statement; somebody else has to release it.

    The person names the account that was checked, so that a second change in between is noticed.
    """
    statement = await statement_row(tx, command.statement_id)
    producer = await one(tx, "SELECT iban FROM producer WHERE producer_id = %s FOR SHARE", (statement["producer_id"],))
    current = producer["iban"] if producer else None
    if current != command.iban:
        raise Refused(Reason.ACCOUNT_DIFFERS)
    changed = await tx.execute(
        "UPDATE statement SET approved_iban = %s, version = version + 1"
        " WHERE statement_id = %s AND status = 'approved' AND approved_iban IS DISTINCT FROM %s",
        (command.iban, command.statement_id, command.iban),
    )
    if changed.rowcount != 1:
        raise Refused(Reason.NOTHING_TO_CONFIRM)
    row = await one(
        tx,
        "INSERT INTO account_confirmation (statement_id, number, iban, reason, confirmed_by, confirmed_at)"
        " SELECT %(id)s, count(*) + 1, %(iban)s, %(reason)s, %(by)s, %(now)s FROM account_confirmation"
        " WHERE statement_id = %(id)s RETURNING number",
        {"id": command.statement_id, "iban": command.iban, "reason": command.reason}
        | {"by": command.confirmed_by, "now": now},
    )
    assert row is not None, "a confirmation was written"
    await tell(tx, [command.statement_id], now)
    return Confirmed(command.statement_id, row["number"])


async def ask_for_reference(tx: Tx, command: AskForReference, now: datetime) -> Asked:
    """Remember which kind of reference a producer wants; the newest wish counts."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 21))", (command.producer_id,))
    await tx.execute(
        "INSERT INTO reference_wish (producer_id, number, kind, asked_by, asked_at)"
        " SELECT %(producer)s::text, count(*) + 1, %(kind)s, %(by)s, %(now)s FROM reference_wish"
        " WHERE producer_id = %(producer)s::text",
        {"producer": command.producer_id, "kind": command.kind, "by": command.asked_by, "now": now},
    )
    return Asked(command.producer_id, command.kind)
