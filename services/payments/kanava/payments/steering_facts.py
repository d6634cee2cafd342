"""SQL that takes over what steers producers, sanctions, contracts, snapshots: every one, with when it was known."""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from psycopg.types.json import Jsonb

from kanava.common.clock import first_of_month, helsinki_date
from kanava.common.contracts import monitoring, registry, steering
from kanava.common.db import Tx

from .allowed_kinds import refused_now
from .facts import known_since

log = structlog.get_logger()

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
INSERT INTO contract_version (contract_id, version, recorded_at, area, producer_id, contract_class,
                              compensation_kinds, starts_on, ends_on, monthly_base_payment_cents, effectiveness)
VALUES (%(contract_id)s, %(version)s, greatest(%(recorded_at)s, %(since)s), %(area)s, %(producer_id)s,
        %(contract_class)s, %(kinds)s, %(starts_on)s, %(ends_on)s, %(monthly_base_payment_cents)s, %(effectiveness)s)
ON CONFLICT DO NOTHING
"""


async def merge_contracts(tx: Tx, facts: Sequence[registry.Contract]) -> int:
    """Take over contracts, every version of them; which one holds is decided when a month closes.

    A kind that no model in force pays to the class is warned of here, and listed by `views.allowed_kinds`.
    """
    since, taken = await known_since(tx), 0
    for fact in facts:
        terms = [term.model_dump(mode="json") for term in fact.effectiveness]
        more = {"since": since, "kinds": list(fact.compensation_kinds), "effectiveness": Jsonb(terms)}
        stated = fact.model_dump(exclude={"effectiveness", "compensation_kinds"})
        taken += (await tx.execute(_CONTRACT, stated | more)).rowcount
    await _warn(tx, facts)
    return taken


async def _warn(tx: Tx, facts: Sequence[registry.Contract]) -> None:
    """Warn of kinds of the contracts heard that no model in force when they begin, or now, pays to their class."""
    for fact in {fact.contract_id: fact for fact in facts}.values():
        known_at = max(fact.recorded_at, await known_since(tx)) + timedelta(microseconds=1)
        first = first_of_month(max(fact.starts_on, helsinki_date(known_at)))
        for refused in await refused_now(tx, fact.area, first, known_at):
            if refused["contract_id"] == fact.contract_id:
                log.warning("contract_kind_not_allowed", **refused)


_SNAPSHOT = """
INSERT INTO snapshot (snapshot_id, recorded_at, area, producer_id, municipality, indicator, period_from, period_until,
                      value, scale, floor, target)
VALUES (%(snapshot_id)s, greatest(%(recorded_at)s, %(since)s), %(area)s, %(producer_id)s, %(municipality)s,
        %(indicator)s, %(period_from)s, %(period_until)s, %(value)s, %(scale)s, %(floor)s, %(target)s)
ON CONFLICT DO NOTHING
"""


async def merge_snapshots(tx: Tx, facts: Sequence[monitoring.Snapshot]) -> int:
    """Take over confirmed snapshots of producers and municipalities; the others earn nothing here."""
    since, taken = await known_since(tx), 0
    for fact in facts:
        subject_id = {"producer": fact.producer_id, "municipality": fact.municipality}.get(fact.subject)
        if subject_id is not None and fact.confirmed_by is not None:
            taken += (await tx.execute(_SNAPSHOT, fact.model_dump() | {"since": since})).rowcount
    return taken
