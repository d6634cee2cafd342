"""The accounts that residents are paid to: given by themselves, sealed before they come near the database."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import orjson
from psycopg.rows import DictRow

from kanava.common.db import Tx
from kanava.common.seal import Seal

from ..resident_commands import GiveAccount
from ..views.resident_payments import accounts

_HOLD_ACCOUNTS = "SELECT pg_advisory_xact_lock(hashtext('resident accounts'))"
_HOLD_ONE = """
SELECT pg_advisory_xact_lock_shared(hashtext('resident accounts')),
       pg_advisory_xact_lock(hashtextextended('resident account' || %s, 0))
"""


@dataclass(frozen=True)
class GivenAccount:
    """By which number an account is known that a resident is paid to; the account itself is in no answer."""

    resident_id: UUID
    account_number: int
    given_at: datetime


@dataclass(frozen=True)
class Account:
    """An account as it was given: IBAN, name of the payee, and by which mandate an adviser gave it, if one did."""

    iban: str
    payee: str
    mandate: str = ""


async def give_account(tx: Tx, command: GiveAccount, now: datetime, *, seal: Seal) -> GivenAccount:
    """Keep a resident's account, sealed; given again as it is, it stays the one that it was.

    It waits while a release reads accounts, so that none changes between the selection and the file.
    """
    await tx.execute(_HOLD_ONE, (str(command.resident_id),))
    before = (await accounts(tx, [command.resident_id])).get(command.resident_id)
    given = Account(command.iban, command.payee, command.mandate)
    if before and before["given_role"] == command.role and opened(before, seal) == given:
        return GivenAccount(command.resident_id, before["number"], before["given_at"])
    number = before["number"] + 1 if before else 1
    sealed = seal.seal(command.resident_id, orjson.dumps(asdict(given)))
    await tx.execute(
        "INSERT INTO resident_account (resident_id, number, sealed, key_id, given_by, given_role, given_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (command.resident_id, number, sealed, seal.key_id, command.given_by, command.role, now),
    )
    return GivenAccount(command.resident_id, number, now)


async def hold_accounts(tx: Tx) -> None:
    """From here to the commit no resident's account changes."""
    await tx.execute(_HOLD_ACCOUNTS)


def opened(row: DictRow, seal: Seal) -> Account:
    """An account of its row; `SealBroken` where it is another resident's."""
    return Account(**orjson.loads(seal.open(row["resident_id"], bytes(row["sealed"]))))


async def account_of(tx: Tx, resident_id: UUID, *, seal: Seal) -> dict[str, object] | None:
    """The account of a resident, opened for the resident alone: who gave it when, and by which mandate."""
    row = (await accounts(tx, [resident_id])).get(resident_id)
    if row is None:
        return None
    shown = {"account_number": row["number"], "given_at": row["given_at"], "given_by": row["given_role"]}
    return {**asdict(opened(row, seal)), **shown}
