"""The whole country filled set-based for benchmarks: 22 areas, 5,503,664 residents by single year of age and sex.

8 % have a coefficient, 2 % switch in the middle of November, and for 1 % a fact of October becomes known after
October was closed.
"""

from collections.abc import Sequence

from kanava.common.db import Pool, transaction
from kanava.payments.figures import populations, rate_table

ALAND = "91"

_AREA = """
INSERT INTO model (document_id, recorded_at, area, number, valid_from, terms)
SELECT %(area)s || ':m', '2026-09-01', %(area)s, 1, '2026-09-01', jsonb_build_object('proration', 'calendar_days',
    'bands', %(bands)s::jsonb, 'coefficient_min_permille', 500, 'coefficient_max_permille', 2000,
    'incentive_percent', 5, 'label', 'bench');
INSERT INTO scheme_phase VALUES ('s' || %(area)s, 5, '2026-09-01', 'm' || %(area)s, %(area)s, 5, '2026-09-01',
    %(area)s || ':m');
INSERT INTO producer (producer_id, version, area, name, kind, status, iban)
SELECT 'p' || %(area)s || n, 1, %(area)s, 'P' || n, 'private', 'approved', 'FI2112345600000785'
FROM generate_series(0, 4) n;
INSERT INTO unit SELECT 'u' || %(area)s || n, 1, '2026-09-01', 'p' || %(area)s || n %% 5, %(area)s, 'm' || %(area)s,
    n %% 5 = 0 FROM generate_series(0, 9) n
"""
_RESIDENTS = """
INSERT INTO resident (resident_id, version, recorded_from, birth_date, sex, area)
SELECT gen_random_uuid(), 1, '2026-09-01', date '2026-10-01' - age * 365 - (random() * 364)::int, sex, %(area)s
FROM unnest(%(ages)s::int[], %(sexes)s::text[], %(counts)s::int[]) AS band (age, sex, count),
    generate_series(1, count)
"""
_SPANS = """
INSERT INTO span (resident_id, version, number, recorded_from, unit_id, producer_id, starts_on, until,
                  coefficient_permille)
SELECT resident_id, 1, part, '2026-09-01', 'u' || area || (n + part) % 10, 'p' || area || (n + part) % 5,
       CASE part WHEN 0 THEN date '2026-09-01' ELSE switched END,
       CASE WHEN part = 0 AND n % 50 = 0 THEN switched END, CASE WHEN n % 12 = 0 THEN 1150 ELSE 1000 END
FROM (SELECT resident_id, area, row_number() OVER () AS n, date '2026-11-02' + (random() * 25)::int AS switched
      FROM resident) r
CROSS JOIN LATERAL generate_series(0, CASE WHEN n % 50 = 0 THEN 1 ELSE 0 END) part
"""
_LATE = """
WITH late AS (
    SELECT resident_id, unit_id, producer_id FROM span
    WHERE number = 0 AND until IS NULL AND hashtext(resident_id::text) % 100 = 0
), closed AS (
    UPDATE span s SET recorded_until = '2026-11-10' FROM late WHERE s.resident_id = late.resident_id
)
INSERT INTO span (resident_id, version, number, recorded_from, unit_id, producer_id, starts_on, until,
                  coefficient_permille)
SELECT resident_id, 2, part, '2026-11-10', unit_id, producer_id,
       CASE part WHEN 0 THEN date '2026-09-01' ELSE date '2026-10-12' END,
       CASE part WHEN 0 THEN date '2026-10-12' END, CASE part WHEN 0 THEN 1000 ELSE 1300 END
FROM late CROSS JOIN generate_series(0, 1) part
"""


def areas() -> list[str]:
    """The 22 areas, smallest first."""
    people = {code: sum(found.values()) for (kind, code), found in populations().items() if kind == "area"}
    return sorted((code for code in people if code != ALAND), key=lambda code: people[code])


def residents_of(codes: Sequence[str]) -> int:
    """How many residents some areas have."""
    return sum(sum(populations()["area", code].values()) for code in codes)


async def fill(owner: Pool) -> None:
    """Fill an empty payments database with the country; keys are built after loading."""
    bands = "[" + ",".join(band.model_dump_json() for band in rate_table("demo")) + "]"
    async with transaction(owner) as tx:
        await tx.execute("ALTER TABLE resident DROP CONSTRAINT resident_pkey")
        await tx.execute("ALTER TABLE span DROP CONSTRAINT span_pkey")
        for area in areas():
            for statement in _AREA.split(";"):
                await tx.execute(statement, {"area": area, "bands": bands})
            people = populations()["area", area]
            columns = {"ages": [age for age, _ in people], "sexes": [sex for _, sex in people]}
            await tx.execute(_RESIDENTS, columns | {"counts": list(people.values()), "area": area})
        await tx.execute(_SPANS)
        await tx.execute("ALTER TABLE resident ADD PRIMARY KEY (resident_id, version)")
        await tx.execute("ALTER TABLE span ADD PRIMARY KEY (resident_id, version, number)")
    async with owner.connection() as connection:
        await connection.execute("VACUUM ANALYZE resident, span")


async def tell_late(owner: Pool) -> None:
    """On 10 November it becomes known that 1 % had a coefficient from 12 October on."""
    async with transaction(owner) as tx:
        await tx.execute(_LATE)
    async with owner.connection() as connection:
        await connection.execute("VACUUM ANALYZE span")
