"""The accounts of the areas at the bank: one account is never two areas'."""

from dataclasses import dataclass
from datetime import datetime

from kanava.common.db import Tx, one
from kanava.common.errors import Refused

from ..bank_commands import RegisterAccount
from ..errors import Reason
from ..figures import area_name
from ..iso20022 import Debtor


@dataclass(frozen=True)
class Registered:
    """The account that an area pays from."""

    area: str
    iban: str


async def register_account(tx: Tx, command: RegisterAccount, now: datetime) -> Registered:
    """Register an area's account at the bank; one account is never two areas'."""
    await _claim(tx, command.area, command.iban, by=command.registered_by, now=now)
    return Registered(command.area, command.iban)


async def debtor_of(tx: Tx, area: str, default_iban: str, *, by: str, now: datetime) -> Debtor:
    """An area with the account that it pays from; where there is one area it may register none and have the default."""
    query = "SELECT iban FROM area_account WHERE area = %s ORDER BY registered_at DESC, iban LIMIT 1"
    row = await one(tx, query, (area,))
    if row is None:
        await _claim(tx, area, default_iban, by=by, now=now)
    return Debtor(area_name(area), default_iban if row is None else str(row["iban"]))


async def _claim(tx: Tx, area: str, iban: str, *, by: str, now: datetime) -> None:
    await tx.execute(
        "INSERT INTO area_account (iban, area, registered_by, registered_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (iban, area, by, now),
    )
    if await area_of(tx, iban) != area:
        raise Refused(Reason.ACCOUNT_TAKEN)


async def area_of(tx: Tx, iban: str) -> str | None:
    """The area that an account belongs to."""
    row = await one(tx, "SELECT area FROM area_account WHERE iban = %s", (iban,))
    return str(row["area"]) if row else None
