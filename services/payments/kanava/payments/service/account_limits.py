"""Setting the limit of an area's account, under the lock of its book: whoever spends meanwhile waits for it."""

from dataclasses import dataclass
from datetime import datetime

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx
from kanava.common.errors import Refused

from .. import ledger
from ..account_limits import write_limit
from ..commands import SetAccountLimit
from ..domain.account_limits import Standing, limit_refusal
from .suspended import unexplained_debits_cents


@dataclass(frozen=True)
class LimitSet:
    """A limit that is in force now, by its number in the area, and the one that it replaced."""

    area: str
    number: int
    limit_cents: int
    replaced_cents: int
    set_at: datetime


async def set_account_limit(tx: Tx, command: SetAccountLimit, now: datetime) -> LimitSet:
    """Put a limit in force and record who set it and why; the first one opens the book of an area that has none.

    Raises `Refused` with what is spendable, in cents, when the limit is raised above that.
    """
    book = (await ledger.locked(tx, [command.area]))[command.area]
    spendable_cents = book.spendable_cents - await unexplained_debits_cents(tx, command.area)
    standing = Standing(book.limit_cents, spendable_cents)
    reason = limit_refusal(command.limit_cents, standing=standing, today=helsinki_date(now))
    if reason is not None:
        raise Refused(reason, pointer="/limit_cents", spendable_cents=spendable_cents)
    assert command.limit_cents <= book.spendable_cents, "no account is below its limit"
    number = await write_limit(tx, command, now)
    return LimitSet(command.area, number, command.limit_cents, book.limit_cents, now)
