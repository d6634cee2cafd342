"""Twelve months of visits in one area, a hundredth of each corrected in the next: what a month costs after a year."""

import time
from datetime import date, datetime, timedelta

from kanava.common.clock import HELSINKI, add_months
from kanava.common.db import Pool, one, transaction
from kanava.payments.commands import RequestRun
from kanava.payments.service.runs import close_next, request_run

from .population import fill

MONTHS, VISITS, RESIDENTS, RECEIVERS = 12, 50_000, 20_000, 50_000
FIRST = date(2027, 1, 1)
CORRECTED_EACH = 100

_VISITS = """
INSERT INTO visit (production_id, version, recorded_from, report_id, producer_id, unit_id, resident_id, area, node,
                   unit_of_measure, performed_on, quantity, client_fee_cents)
SELECT md5(%(month)s || '-' || n)::uuid, 1, %(told)s::timestamptz + n * interval '1 millisecond', 'R' || n, 'p1',
       '1.2.246.10.32213473.10.1', md5((n %% %(receivers)s)::text)::uuid, '03', 'SOS.1.1', 'kaynti',
       %(month)s::date + n %% 9, 1, CASE WHEN n %% 3 = 0 THEN 2060 ELSE 0 END
FROM generate_series(1, %(visits)s) n
"""
_CORRECTED = """
WITH closed AS (
    UPDATE visit SET recorded_until = %(told)s WHERE recorded_until = 'infinity' AND production_id IN (
        SELECT md5(%(before)s || '-' || n)::uuid FROM generate_series(1, %(visits)s, %(each)s) n)
    RETURNING *
)
INSERT INTO visit (production_id, version, recorded_from, report_id, producer_id, unit_id, resident_id, area, node,
                   unit_of_measure, performed_on, quantity, client_fee_cents)
SELECT production_id, version + 1, %(told)s, report_id, producer_id, unit_id, resident_id, area, node, unit_of_measure,
       performed_on, 2, client_fee_cents
FROM closed
"""


async def twelve_months(pool: Pool, owner: Pool) -> dict[str, object]:
    """Seconds of each month's close, and the last three against the first three."""
    await fill(owner, RESIDENTS)
    seconds = [await _close(pool, owner, add_months(FIRST, number)) for number in range(MONTHS)]
    return {"seconds": seconds, "last_to_first": sum(seconds[-3:]) / sum(seconds[:3])}


async def _close(pool: Pool, owner: Pool, month: date) -> float:
    await _tell(owner, month)
    after = datetime.combine(add_months(month, 1), datetime.min.time(), HELSINKI) + timedelta(days=1)
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun("03", month, "bench"), after)
    begun = time.perf_counter()
    while await close_next(pool):
        pass
    seconds = time.perf_counter() - begun
    async with transaction(pool) as tx:
        run = await one(tx, "SELECT status, problem FROM run WHERE month = %s", (month,))
    assert run == {"status": "closed", "problem": None}, run
    return seconds


async def _tell(owner: Pool, month: date) -> None:
    """The month's visits become known from the 10th on, and so do corrections of the month before."""
    told = datetime.combine(month, datetime.min.time(), HELSINKI) + timedelta(days=10)
    known = {"month": month.isoformat(), "before": add_months(month, -1).isoformat(), "told": told}
    sizes: dict[str, int] = {"visits": VISITS, "receivers": RECEIVERS, "each": CORRECTED_EACH}
    async with transaction(owner) as tx:
        for statement in (_VISITS, _CORRECTED) if month > FIRST else (_VISITS,):
            await tx.execute(statement, known | sizes)
    async with owner.connection() as connection:
        await connection.execute("VACUUM ANALYZE visit")
