"""SQL that takes over what other services stated: one set-based merge for each topic.

Each function takes facts in their order and returns how many had an effect. Versioned facts that are not newer
than what is known have none, so a repeated or late delivery changes nothing.

A fact that arrives after a run was requested counts as known from that run's cut-off on, whenever its owner
recorded it: so a run reads the same facts each time it is repeated, and what came late is never passed over.
"""

import contextlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from operator import attrgetter
from uuid import UUID

from psycopg.errors import UniqueViolation

from kanava.common.contracts import Fact, listing, monitoring, registry
from kanava.common.db import Tx, one, stage

MERGE_LOCK = 20_260_001
"""Advisory lock: shared while facts are taken over, exclusive for the instant in which a run begins."""


async def known_since(tx: Tx) -> datetime:
    """The earliest instant from which facts of this transaction may count as known: the newest cut-off."""
    await tx.execute("SELECT pg_advisory_xact_lock_shared(%s)", (MERGE_LOCK,))
    row = await one(tx, "SELECT max(cut_off) AS cut_off FROM run")
    return row["cut_off"] if row and row["cut_off"] else datetime.min.replace(tzinfo=UTC)


_LIFT = """
UPDATE staged_{staged} s SET recorded_from = lifted.recorded_from
FROM (
    SELECT s.{key}, s.version, greatest(max(s.recorded_from) OVER (PARTITION BY s.{key} ORDER BY s.version),
        (SELECT max(t.recorded_from) FROM {table} t WHERE t.{key} = s.{key})) AS recorded_from
    FROM staged_{staged} s
) lifted
WHERE s.{key} = lifted.{key} AND s.version = lifted.version AND s.recorded_from < lifted.recorded_from
"""
"""A version is known no earlier than those before it, also where its owner's clock stepped back between them."""

_CLOSE_AND_FRESHEN = """
WITH known AS (
    SELECT {key}, max(version) AS version FROM {table} WHERE {key} IN (SELECT {key} FROM staged_{table}) GROUP BY {key}
), closed AS (
    UPDATE {table} t SET recorded_until = first.recorded_from
    FROM (SELECT DISTINCT ON (s.{key}) s.{key}, s.recorded_from, k.version
          FROM staged_{table} s JOIN known k USING ({key}) WHERE s.version > k.version
          ORDER BY s.{key}, s.version) first
    WHERE t.{key} = first.{key} AND t.version = first.version
)
DELETE FROM staged_{table} s USING known k WHERE s.{key} = k.{key} AND s.version <= k.version
"""
"""Close what a newer version replaces, at the instant from which the newer is known; drop what is not newer."""

_INSERT_VERSIONS = """
INSERT INTO {table} ({columns}, recorded_from, recorded_until)
SELECT {columns}, recorded_from, coalesce(min(recorded_from) OVER later, 'infinity')
FROM staged_{table}
WINDOW later AS (PARTITION BY {key} ORDER BY version GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
ON CONFLICT DO NOTHING
"""


_INSERT_FIRST = """
INSERT INTO {table} ({columns}, recorded_from)
SELECT {columns}, recorded_from FROM staged_{table} s
LEFT JOIN LATERAL (SELECT true AS known FROM {table} t WHERE t.{key} = s.{key} LIMIT 1) t ON true
WHERE t.known IS NULL
"""
"""First versions of what was never heard of; each looks its key up, whatever the planner believes of the table."""


_RESIDENT_FIELDS = ("birth_date", "sex", "area", "lives_until", "guardian_id")


async def merge_residents(tx: Tx, facts: Sequence[listing.Resident]) -> int:
    """Take over versions of pseudonymous residents; a death says so of itself, where its writer knew no `has_died`."""
    since = await known_since(tx)
    await stage(
        tx,
        "staged_resident",
        "resident_id uuid, version int4, recorded_from timestamptz, has_died bool, birth_date date, sex text,"
        " area text, lives_until date, guardian_id uuid",
        (
            (
                *(f.resident_id, f.version, max(f.recorded_at, since), f.has_died or f.what == "died"),
                *(getattr(f, name) for name in _RESIDENT_FIELDS),
            )
            for f in facts
        ),
    )
    columns = "resident_id, version, birth_date, sex, area, lives_until, has_died, guardian_id"
    only_first = _only_first([(fact.resident_id, fact.version) for fact in facts])
    return await merge_versions(tx, "resident", "resident_id", columns, only_first=only_first)


_VISIT_FIELDS = attrgetter(
    "production_id",
    "version",
    "recorded_at",
    "report_id",
    "producer_id",
    "unit_id",
    "resident_id",
    "area",
    "node",
    "unit_of_measure",
    "performed_on",
    "quantity",
    "client_fee_cents",
    "weight_ten_thousandths",
    "drg_group",
    "referral_id",
)


async def merge_visits(tx: Tx, facts: Sequence[monitoring.Production]) -> int:
    """Take over accepted reports; the price is looked up when a month closes, so order between topics is free."""
    since = await known_since(tx)
    await stage(
        tx,
        "staged_visit",
        "production_id uuid, version int4, recorded_from timestamptz, report_id text, producer_id text, unit_id text,"
        " resident_id uuid, area text, node text, unit_of_measure text, performed_on date, quantity int4,"
        " client_fee_cents int4, weight_ten_thousandths int4, drg_group text, referral_id text",
        map(_VISIT_FIELDS, facts),
    )
    await tx.execute("UPDATE staged_visit SET recorded_from = %s WHERE recorded_from < %s", (since, since))
    columns = (
        "production_id, version, report_id, producer_id, unit_id, resident_id, area, node, unit_of_measure,"
        " performed_on, quantity, client_fee_cents, weight_ten_thousandths, drg_group, referral_id"
    )
    only_first = _only_first([(fact.production_id, fact.version) for fact in facts])
    return await merge_versions(tx, "visit", "production_id", columns, only_first=only_first)


def _only_first(versions: Sequence[tuple[UUID, int]]) -> bool:
    """Whether keys and versions are first versions alone, each key once: nearly every batch is."""
    return len({key for key, version in versions if version == 1}) == len(versions)


async def merge_versions(tx: Tx, table: str, key: str, columns: str, *, only_first: bool = False) -> int:
    """Take the versions over that were staged as `staged_{table}`; returns how many were new.

    `only_first` says that each staged row is the first version of a key of its own, which spares closing any. Being
    ready for conflicts would look each key up once more; there is one only when two members hold the same records.
    """
    if only_first:
        with contextlib.suppress(UniqueViolation):
            async with tx.transaction():
                return (await tx.execute(_INSERT_FIRST.format(table=table, key=key, columns=columns))).rowcount
    await tx.execute(_LIFT.format(staged=table, table=table, key=key))
    await tx.execute(_CLOSE_AND_FRESHEN.format(table=table, key=key))
    return (await tx.execute(_INSERT_VERSIONS.format(table=table, key=key, columns=columns))).rowcount


_CLOSE_SPANS = """
WITH known AS (
    SELECT resident_id, max(version) AS version FROM span
    WHERE resident_id IN (SELECT resident_id FROM staged_listing) GROUP BY resident_id
), stale AS (
    DELETE FROM staged_listing s USING known k WHERE s.resident_id = k.resident_id AND s.version <= k.version
    RETURNING s.resident_id, s.version
)
UPDATE span t SET recorded_until = first.recorded_from
FROM (SELECT resident_id, min(recorded_from) AS recorded_from FROM staged_listing s
      WHERE NOT EXISTS (SELECT FROM known k WHERE k.resident_id = s.resident_id AND s.version <= k.version)
      GROUP BY resident_id) first
WHERE t.resident_id = first.resident_id AND t.recorded_until = 'infinity'
"""
_INSERT_SPANS = """
INSERT INTO span (resident_id, version, number, unit_id, producer_id, starts_on, until, coefficient_permille,
                  recorded_from, recorded_until)
SELECT resident_id, version, number, unit_id, producer_id, starts_on, until, coefficient_permille, recorded_from,
       recorded_until
FROM staged_span JOIN (
    SELECT resident_id, version, recorded_from, coalesce(min(recorded_from) OVER later, 'infinity') AS recorded_until
    FROM staged_listing
    WINDOW later AS (PARTITION BY resident_id ORDER BY version GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
) dated USING (resident_id, version) ON CONFLICT DO NOTHING
"""


_NOWHERE = ("", "", date.min, date.min, 1000)
"""A span of no days at no unit: the only one of a version that holds none, so that the version is remembered."""


def _spans(fact: listing.Listing) -> list[tuple[str, str, date, date | None, int]]:
    held = [(s.unit_id, s.producer_id, s.starts_on, s.until, s.coefficient_permille) for s in fact.spans]
    return held or [_NOWHERE]


async def merge_listings(tx: Tx, facts: Sequence[listing.Listing]) -> int:
    """Take over versions of residents' listings: a newer version replaces all spans of the one before."""
    since = await known_since(tx)
    heads = "resident_id uuid, version int4, recorded_from timestamptz"
    await stage(tx, "staged_listing", heads, ((f.resident_id, f.version, max(f.recorded_at, since)) for f in facts))
    await stage(
        tx,
        "staged_span",
        "resident_id uuid, version int4, number int2, unit_id text, producer_id text, starts_on date, until date,"
        " coefficient_permille int4",
        ((f.resident_id, f.version, n, *span) for f in facts for n, span in enumerate(_spans(f))),
    )
    if not _only_first([(fact.resident_id, fact.version) for fact in facts]):
        await tx.execute(_LIFT.format(staged="listing", table="span", key="resident_id"))
    await tx.execute(_CLOSE_SPANS)
    await tx.execute(_INSERT_SPANS)
    row = await one(tx, "SELECT count(DISTINCT (resident_id, version)) AS fresh FROM staged_listing")
    assert row is not None, "a count has one row"
    return int(row["fresh"])


async def merge_producers(tx: Tx, facts: Sequence[registry.Producer]) -> int:
    """Take over the newest state of producers."""
    return await _each(
        tx,
        "INSERT INTO producer AS p (producer_id, version, area, name, kind, status, iban)"
        " VALUES (%(producer_id)s, %(version)s, %(area)s, %(name)s, %(kind)s, %(status)s, %(iban)s)"
        " ON CONFLICT (producer_id) DO UPDATE SET version = excluded.version, name = excluded.name,"
        " status = excluded.status, iban = excluded.iban WHERE p.version < excluded.version",
        facts,
    )


async def merge_units(tx: Tx, facts: Sequence[registry.Unit]) -> int:
    """Take over the newest state of units."""
    return await _each(
        tx,
        "INSERT INTO unit AS u (unit_id, version, recorded_at, producer_id, area, municipality, own, name) VALUES"
        " (%(unit_id)s, %(version)s, %(recorded_at)s, %(producer_id)s, %(area)s, %(municipality)s, %(own)s, %(name)s)"
        " ON CONFLICT (unit_id) DO UPDATE SET version = excluded.version, name = excluded.name"
        " WHERE u.version < excluded.version",
        facts,
    )


async def merge_schemes(tx: Tx, facts: Sequence[registry.Scheme]) -> int:
    """Take over the phases that schemes entered."""
    return await _each(
        tx,
        "INSERT INTO scheme_phase (scheme_id, version, recorded_at, municipality, area, phase, entered_on,"
        " compensation_model) VALUES (%(scheme_id)s, %(version)s, %(recorded_at)s, %(municipality)s, %(area)s,"
        " %(phase)s, %(entered_on)s, %(compensation_model)s) ON CONFLICT DO NOTHING",
        facts,
    )


async def merge_documents(tx: Tx, facts: Sequence[registry.Document]) -> int:
    """Take over compensation models; the other documents are none of this service's business."""
    models = [fact for fact in facts if fact.compensation is not None]
    taken = await _each(
        tx,
        "INSERT INTO model (document_id, recorded_at, area, number, valid_from, terms) VALUES (%(document_id)s,"
        " %(recorded_at)s, %(area)s, %(number)s, %(valid_from)s, %(terms)s::jsonb) ON CONFLICT DO NOTHING",
        models,
    )
    return taken + len(facts) - len(models)


async def merge_prices(tx: Tx, facts: Sequence[registry.Price]) -> int:
    """Take over prices, every version of them."""
    return await _each(
        tx,
        "INSERT INTO price (price_id, version, recorded_at, area, node, unit_of_measure, valid_from, price_cents,"
        " price_basis, total_price, correction_reason) VALUES (%(price_id)s, %(version)s, %(recorded_at)s, %(area)s,"
        " %(node)s, %(unit_of_measure)s, %(valid_from)s, %(price_cents)s, %(price_basis)s, %(total)s::jsonb,"
        " %(correction_reason)s) ON CONFLICT DO NOTHING",
        facts,
    )


async def _each(tx: Tx, statement: str, facts: Sequence[Fact]) -> int:
    """Run a statement for each fact of an ordinary topic; there are few of these."""
    since, taken = await known_since(tx), 0
    for fact in facts:
        parameters = fact.model_dump() | {"recorded_at": max(fact.recorded_at, since)}
        if isinstance(fact, registry.Document) and fact.compensation is not None:
            parameters["terms"] = fact.compensation.model_dump_json()
        if isinstance(fact, registry.Price):
            parameters["total"] = fact.total_price.model_dump_json() if fact.total_price else None
        taken += (await tx.execute(statement, parameters)).rowcount
    return taken
