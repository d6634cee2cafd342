"""Kinds of compensation in contracts in force that no compensation model in force pays to their class."""

from datetime import datetime

from kanava.common.clock import first_of_month, helsinki_date
from kanava.common.db import Tx

from ..allowed_kinds import refused_now


async def refused_kinds(tx: Tx, area: str, now: datetime) -> list[dict[str, object]]:
    """Each contract in force this month, and kind of it, that is not paid, with the models that refuse it."""
    return await refused_now(tx, area, first_of_month(helsinki_date(now)), now)
