"""What a run reads of earlier months to find the reports that something new touches, on a real PostgreSQL."""

from datetime import date
from uuid import UUID

import psycopg

from kanava.common.db import Pool, Tx, one, transaction
from kanava.payments.allowed_kinds import stage_refused_kinds
from kanava.payments.month import Month
from kanava.payments.touched_reports import stage_touched_reports
from tests.payments import story
from tests.support import facts as told
from tests.support.databases import ServiceDatabase
from tests.support.facts import at

PRODUCERS, REPORTS = 30, 6000
_REPORTS = """
INSERT INTO visit (production_id, version, recorded_from, report_id, producer_id, unit_id, resident_id, area, node,
                   unit_of_measure, performed_on, quantity, client_fee_cents)
SELECT gen_random_uuid(), 1, day + interval '1 day', 'R' || i, 'P' || i %% %(producers)s, 'U' || i %% %(producers)s,
       gen_random_uuid(), '03', 'SOS.1.1', 'kaynti', day, 1, 0
FROM (SELECT i, date '2026-09-01' + i %% 60 AS day FROM generate_series(1, %(reports)s) i ORDER BY 2) made
"""
_READ = """
SELECT (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint AS n FROM pg_stat_xact_user_tables
WHERE relname = 'visit'
"""


async def read(tx: Tx) -> int:
    """How many reports the transaction has read so far."""
    row = await one(tx, _READ)
    return int(row["n"]) if row else 0


async def test_new_versions_of_all_contracts_read_the_reports_of_earlier_months_once(
    pool: Pool, database: ServiceDatabase
) -> None:
    """At the turn of a year every contract has a new version, which the planner does not expect."""
    made = told.contract(private=True)
    for version in (1, 2):
        contracts = [
            made.model_copy(update={"contract_id": f"C{n}", "producer_id": f"P{n}", "version": version} | known)
            for n in range(PRODUCERS)
            for known in [{"recorded_at": told.SEPTEMBER if version == 1 else at(11, 10)}]
        ]
        await story.hear(pool, "registry.contract", *contracts)
        if version == 1:
            with psycopg.connect(database.admin_url, autocommit=True) as admin:
                admin.execute(_REPORTS, {"producers": PRODUCERS, "reports": REPORTS})
                admin.execute("VACUUM ANALYZE visit, contract_version")
    month = Month(UUID(int=1), told.AREA, date(2026, 11, 1), at(12, 2), at(11, 2))
    async with transaction(pool) as tx:
        await stage_refused_kinds(tx, month)
        before = await read(tx)
        assert await stage_touched_reports(tx, month)
        row = await one(tx, "SELECT count(*) AS n FROM touched_report")
        assert row == {"n": REPORTS}
        assert (await read(tx) - before) <= 6 * REPORTS, "not once for each contract"
        assert await one(tx, "SHOW enable_nestloop") == {"enable_nestloop": "on"}
