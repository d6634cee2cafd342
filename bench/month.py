"""A month for Espoo against a plain copy of the same lines.

Ours: capitation, corrections and fees written, indexed, summed, digested, booked, statements drawn. Yardstick:
`INSERT … SELECT` of the same lines into a bare identical table, followed by building the same index.
"""

from datetime import UTC, date, datetime

from kanava.common.clock import add_months
from kanava.common.db import Pool, one, transaction
from kanava.payments.commands import RequestRun
from kanava.payments.service.runs import close_next, request_run

from .measured import ROUNDS, Figure, seconds_of
from .population import fill

FIRST = date(2026, 10, 1)
AIM = 3.0


async def month(pool: Pool, owner: Pool, residents: int) -> Figure:
    """Close three months of an area one after the other, each beside its yardstick; the best of each counts.

    `pool` has the application's role, `owner` may make the yardstick's table.
    """
    await fill(owner, residents)
    ours, plain = [], []
    for number in range(ROUNDS):
        first = add_months(FIRST, number)
        ours.append(await seconds_of(lambda first=first: _close(pool, first)))
        plain.append(await seconds_of(lambda first=first: _copy(owner, first)))
    return Figure(f"month of {residents:,} residents", min(ours), min(plain), "s", AIM, higher_is_better=False)


async def _close(pool: Pool, first: date) -> None:
    now = datetime.combine(add_months(first, 1), datetime.min.time(), UTC).replace(day=2)
    async with transaction(pool) as tx:
        requested = await request_run(tx, RequestRun("03", first, "bench"), now)
    while await close_next(pool):
        pass
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT status, problem FROM run WHERE run_id = %s", (requested.run_id,))
    assert row is not None
    assert row["status"] == "closed", row["problem"]


async def _copy(pool: Pool, first: date) -> None:
    """The same lines into a bare identical table, then the same index."""
    source = f"line_03_{first:%Y%m}"
    async with transaction(pool) as tx:
        await tx.execute(f"CREATE TABLE plain (LIKE {source})")
        await tx.execute(f"INSERT INTO plain SELECT * FROM {source}")
        await tx.execute(
            "ALTER TABLE plain ADD PRIMARY KEY (resident_id, component, kind, for_month, unit_id, source, run_id)"
        )
    async with transaction(pool) as tx:
        await tx.execute("DROP TABLE plain")
