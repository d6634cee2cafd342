"""SQL that takes over what steers producers, sanctions, contracts, snapshots: every one, with when it was known."""

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from kanava.common.contracts import monitoring, registry, steering
from kanava.common.db import Tx

from . import facts as newest
from .facts import known_since

_SANCTION = """
INSERT INTO sanction_version (sanction_id, version, recorded_at, area, producer_id, step, status, effective_on,
                              amount_cents)
VALUES (%(sanction_id)s, %(version)s, greatest(%(recorded_at)s, %(since)s), %(area)s, %(producer_id)s, %(step)s,
        %(status)s, %(effective_on)s, %(amount_cents)s)
ON CONFLICT DO NOTHING
"""


async def merge_sanctions(tx: Tx, facts: Sequence[steering.Sanction]) -> int:
    """Take over versions of sanctions; which one holds is decided when a month closes."""
    since, taken = await known_since(tx), 0
    for fact in facts:
        taken += (await tx.execute(_SANCTION, fact.model_dump() | {"since": since})).rowcount
    return taken


_CONTRACT = """
INSERT INTO contract_version (contract_id, version, recorded_at, area, producer_id, compensation_kinds, starts_on,
                              ends_on, monthly_base_payment_cents, effectiveness)
VALUES (%(contract_id)s, %(version)s, greatest(%(recorded_at)s, %(since)s), %(area)s, %(producer_id)s, %(kinds)s,
        %(starts_on)s, %(ends_on)s, %(monthly_base_payment_cents)s, %(effectiveness)s)
ON CONFLICT DO NOTHING
"""


async def merge_contracts(tx: Tx, facts: Sequence[registry.Contract]) -> int:
    """Take over contracts: their newest state, and every version of what they pay each month."""
    taken = await newest.merge_contracts(tx, facts)
    since = await known_since(tx)
    for fact in facts:
        terms = [term.model_dump(mode="json") for term in fact.effectiveness]
        more = {"since": since, "kinds": list(fact.compensation_kinds), "effectiveness": Jsonb(terms)}
        await tx.execute(_CONTRACT, fact.model_dump(exclude={"effectiveness", "compensation_kinds"}) | more)
    return taken


_SNAPSHOT = """
INSERT INTO snapshot (snapshot_id, recorded_at, area, producer_id, indicator, period_from, period_until, value, scale,
                      floor, target)
VALUES (%(snapshot_id)s, greatest(%(recorded_at)s, %(since)s), %(area)s, %(producer_id)s, %(indicator)s,
        %(period_from)s, %(period_until)s, %(value)s, %(scale)s, %(floor)s, %(target)s)
ON CONFLICT DO NOTHING
"""


async def merge_snapshots(tx: Tx, facts: Sequence[monitoring.Snapshot]) -> int:
    """Take over confirmed snapshots of producers; the others earn nothing, so they are none of this service's."""
    since, taken = await known_since(tx), 0
    for fact in facts:
        if fact.subject == "producer" and fact.producer_id is not None and fact.confirmed_by is not None:
            taken += (await tx.execute(_SNAPSHOT, fact.model_dump() | {"since": since})).rowcount
    return taken
