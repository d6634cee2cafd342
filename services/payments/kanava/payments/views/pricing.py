"""Which compensation model priced which month: that of its own month, as the newest run knew it."""

from datetime import date

from kanava.common.clock import add_months
from kanava.common.db import Tx, rows

from ..month import SCHEMES

_CLOSED = "SELECT month, max(cut_off) OVER () AS cut_off FROM run WHERE area = %s AND status = 'closed' ORDER BY month"


async def pricing_of(tx: Tx, area: str, period: tuple[date, date]) -> dict[tuple[date, str], str]:
    """The model that priced each closed month of a period in each municipality that paid in it.

    A closed month stands as the newest run knew it: a late model of a closed month has corrected it there.
    """
    found: dict[tuple[date, str], str] = {}
    for run in await rows(tx, _CLOSED, (area,)):
        if period[0] <= run["month"] < period[1]:
            known = {"area": area, "cut_off": run["cut_off"], "end": add_months(run["month"], 1)}
            for scheme in await rows(tx, SCHEMES, known):
                found[run["month"], scheme["municipality"]] = scheme["document_id"]
    return found
