"""An area filled set-based for benchmarks: Espoo's rates, five producers, switches and coefficients."""

from kanava.common.db import Pool, transaction
from kanava.payments.figures import rate_table

_MODEL = """
INSERT INTO model (document_id, recorded_at, area, number, valid_from, terms)
SELECT 'm', '2026-09-01', '03', 1, '2026-09-01', jsonb_build_object('proration', 'calendar_days',
    'bands', %s::jsonb, 'coefficient_min_permille', 500, 'coefficient_max_permille', 2000,
    'incentive_percent', 5, 'label', 'bench')
"""
_AREA = """
INSERT INTO scheme_phase VALUES ('s', 5, '2026-09-01', '049', '03', 5, '2026-09-01', 'm');
INSERT INTO producer SELECT 'p' || n, 1, '03', 'P' || n, 'private', 'approved', 'FI2112345600000785'
    FROM generate_series(0, 4) n;
INSERT INTO unit SELECT '1.2.246.10.32213473.10.' || n, 1, '2026-09-01', 'p' || n % 5, '03', '049', n % 5 = 0
    FROM generate_series(0, 29) n;
INSERT INTO contract_version (contract_id, version, recorded_at, area, producer_id, contract_class, compensation_kinds,
    starts_on, effectiveness)
SELECT 'c' || n, 1, '2026-09-01', '03', 'p' || n, 'basic', ARRAY['capitation', 'fee'], '2026-09-01', '[]'
    FROM generate_series(0, 4) n;
INSERT INTO price (price_id, version, recorded_at, area, node, unit_of_measure, valid_from, price_cents, price_basis)
VALUES ('x', 1, '2026-09-01', '03', 'SOS.1.1', 'kaynti', '2026-09-01', 4500, 'unit')
"""
_RESIDENTS = """
INSERT INTO resident (resident_id, version, recorded_from, birth_date, sex, area)
SELECT gen_random_uuid(), 1, '2026-09-01', date '1930-01-01' + (random() * 35000)::int,
       CASE n %% 2 WHEN 0 THEN 'male' ELSE 'female' END, '03' FROM generate_series(1, %s) n
"""
_SPANS = """
INSERT INTO span (resident_id, version, number, recorded_from, unit_id, producer_id, starts_on, until,
                  coefficient_permille)
SELECT resident_id, 1, part, '2026-09-01', '1.2.246.10.32213473.10.' || (n + part) % 30, 'p' || (n + part) % 5,
       CASE part WHEN 0 THEN date '2026-09-01' ELSE switched END,
       CASE WHEN part = 0 AND n % 50 = 0 THEN switched END,
       CASE WHEN n % 12 = 0 THEN 1150 ELSE 1000 END
FROM (SELECT resident_id, row_number() OVER () AS n, date '2026-10-10' + (random() * 70)::int AS switched
      FROM resident) r
CROSS JOIN LATERAL generate_series(0, CASE WHEN n % 50 = 0 THEN 1 ELSE 0 END) part
"""


async def fill(pool: Pool, residents: int) -> None:
    """Fill an empty payments database with an area of so many residents; 8 % have a coefficient, 2 % switch."""
    bands = "[" + ",".join(band.model_dump_json() for band in rate_table("demo")) + "]"
    async with transaction(pool) as tx:
        await tx.execute(_MODEL, (bands,))
        for statement in _AREA.split(";"):
            await tx.execute(statement)
        await tx.execute(_RESIDENTS, (residents,))
        await tx.execute(_SPANS)
    async with pool.connection() as connection:
        await connection.execute("VACUUM ANALYZE resident, span")
