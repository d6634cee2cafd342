"""What listing does about the registry's facts: keeps what it needs, and moves residents where it must."""

from collections.abc import Sequence
from datetime import date, datetime

from kanava.common.clock import Clock, helsinki_date
from kanava.common.contracts import registry
from kanava.common.db import Tx

from ..store import bulk
from ..store import read_models as store
from ..vault import Vault
from .closings import move_residents_of

GONE = frozenset({"revoked", "left"})
"""A producer with this standing has no listed residents."""


async def hear_documents(tx: Tx, facts: Sequence[registry.Document]) -> int:
    """Rule books and compensation models; returns how many were news."""
    return sum([await store.keep_document(tx, fact) for fact in facts])


async def hear_schemes(tx: Tx, facts: Sequence[registry.Scheme]) -> int:
    """Phases of schemes; returns how many were news."""
    return sum([await store.keep_scheme(tx, fact) for fact in facts])


async def hear_packages(tx: Tx, facts: Sequence[registry.Package]) -> int:
    """Packages with the level of choice of each node; returns how many were news."""
    return sum([await store.keep_package(tx, fact) for fact in facts])


async def hear_producers(tx: Tx, facts: Sequence[registry.Producer], *, vault: Vault, clock: Clock) -> int:
    """Producers' standing; the residents of one that is gone fall to own units. Returns how many were
    news."""
    now = await clock.now(tx)
    return sum([await _hear_producer(tx, fact, vault=vault, now=now) for fact in facts])


async def hear_units(tx: Tx, facts: Sequence[registry.Unit], *, vault: Vault, clock: Clock) -> int:
    """Units; the residents of a closed one fall to own units. Returns how many were news."""
    now = await clock.now(tx)
    return sum([await _hear_unit(tx, fact, vault=vault, now=now) for fact in facts])


async def _hear_producer(tx: Tx, fact: registry.Producer, *, vault: Vault, now: datetime) -> bool:
    await bulk.take_bulk_lock(tx)
    units = await store.units_of(tx, fact.producer_id)
    await bulk.lock_units(tx, units)
    news = await store.keep_producer(tx, fact)
    if news and fact.status in GONE and units:
        await move_residents_of(tx, units, helsinki_date(fact.recorded_at), now, vault=vault)
    return news


async def _hear_unit(tx: Tx, fact: registry.Unit, *, vault: Vault, now: datetime) -> bool:
    await bulk.take_bulk_lock(tx)
    await bulk.lock_units(tx, [fact.unit_id])
    was_counted = await store.is_counted(tx, fact.unit_id)
    news = await store.keep_unit(tx, fact)
    if news and not was_counted and fact.capacity is not None:
        await bulk.recount(tx, [fact.unit_id])
    if news and (ends_on := _ends_on(fact)) is not None:
        await move_residents_of(tx, [fact.unit_id], ends_on, now, vault=vault)
    return news


def _ends_on(fact: registry.Unit) -> date | None:
    """The first day without the unit; the day of the fact when it closed and names none."""
    if fact.status == "open":
        return fact.closes_on
    return fact.closes_on or helsinki_date(fact.recorded_at)
