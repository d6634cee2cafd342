"""SQL that reads closed fiscal years."""

from psycopg.rows import DictRow

from kanava.common.db import Tx, rows


async def closed(tx: Tx, area: str) -> list[DictRow]:
    """The closed years of an area, each with who closed it, its digest and its trial balance; cents."""
    return await rows(
        tx,
        "SELECT y.*, (SELECT json_agg(json_build_object('account', b.account, 'opening_cents', b.opening_cents,"
        " 'debit_cents', b.debit_cents, 'credit_cents', b.credit_cents, 'closing_cents', b.closing_cents)"
        " ORDER BY b.account) FROM year_end_balance b WHERE b.area = y.area AND b.fiscal_year = y.fiscal_year)"
        " AS trial_balance FROM year_end y WHERE y.area = %s ORDER BY y.fiscal_year",
        (area,),
    )
