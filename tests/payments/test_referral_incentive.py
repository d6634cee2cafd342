"""Referrals to specialised care earn the incentive: frozen by monitoring, heard by payments, one story in both."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from kanava.common.auth import Caller, Role
from kanava.common.contracts.monitoring import Snapshot
from kanava.common.contracts.registry import IncentiveTerm
from kanava.common.db import Pool, rows, transaction
from kanava.local.postgres import Postgres
from kanava.monitoring import consumers
from kanava.monitoring.commands import FreezeIndicator
from kanava.monitoring.domain.snapshots import Frozen
from kanava.monitoring.errors import SnapshotInvalid, SnapshotRefused
from kanava.monitoring.service_snapshots import freeze
from tests.payments import story
from tests.payments.test_incentives import october, reserved_cents
from tests.support import facts as told
from tests.support.databases import service_database
from tests.support.facts import at

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
PER_POPULATION, PER_VISITS = "esh_referrals_per_1000", "esh_referrals_per_100_visits"
TERMS = tuple(
    IncentiveTerm(indicator=name, share_permille=500, direction="lower_is_better", floor=6_000, target=5_000, scale=2)
    for name in (PER_POPULATION, PER_VISITS)
)
THL = Caller("thl", Role.AUTHORITY)


@pytest.fixture
async def monitoring(postgres: Postgres) -> AsyncIterator[Pool]:
    """Monitoring's own database, which knows the producers."""
    with service_database(postgres, "monitoring") as database:
        async with database.pool() as opened:
            async with transaction(opened) as tx:
                await consumers.take_producers(tx, [told.producer(private=True), told.producer(private=False)])
            yield opened


def referrals(indicator: str, value: int, confirmed_by: str | None) -> FreezeIndicator:
    """The private producer's referrals of October, in hundredths, as the receiving side confirmed them or not."""
    of = (indicator, "producer", told.AREA, told.PRIVATE, None, None, OCTOBER, NOVEMBER, "lower_is_better")
    return FreezeIndicator(Frozen(*of, value, 2, 265, 4_812, None, None, confirmed_by), "thl")


async def freeze_in(monitoring: Pool, *commands: FreezeIndicator) -> list[Snapshot]:
    """Freeze on the 20th of November; what monitoring said of it."""
    async with transaction(monitoring) as tx:
        for command in commands:
            await freeze(tx, command, at(11, 20), caller=THL)
    return await said(monitoring)


async def said(monitoring: Pool) -> list[Snapshot]:
    """The snapshots that monitoring gave to the bus."""
    async with transaction(monitoring) as tx:
        found = await rows(tx, "SELECT body FROM outbox WHERE topic = 'kanava.monitoring.snapshot.v1' ORDER BY id")
    return [Snapshot.model_validate_json(row["body"]) for row in found]


async def test_confirmed_referrals_by_population_and_visits_earn_the_incentive(pool: Pool, monitoring: Pool) -> None:
    """5,500 is half way from floor to target, 4,800 is beyond it: 0.18 € and 0.35 € of two parts of 0.35 €."""
    await october(pool, TERMS)
    by_population, by_visits = referrals(PER_POPULATION, 5_500, told.OWN), referrals(PER_VISITS, 4_800, told.OWN)
    facts = await freeze_in(monitoring, by_population, by_visits)
    assert {(fact.direction, fact.confirmed_by) for fact in facts} == {("lower_is_better", told.OWN)}
    assert await story.hear(pool, "monitoring.snapshot", *facts) == 2
    await story.close(pool, NOVEMBER, at(12, 2))
    earned: dict[object, int] = {}
    for line in await story.lines(pool, "incentive"):
        earned[line["source"]] = earned.get(line["source"], 0) + line["amount_cents"]
    ids = {fact.indicator: fact.snapshot_id for fact in facts}
    assert earned == {ids[PER_POPULATION]: 18, ids[PER_VISITS]: 35}
    assert await reserved_cents(pool) == 70, "October is settled, November reserved"
    await story.assert_books_agree(pool)


async def test_referrals_that_nobody_else_confirmed_are_neither_frozen_nor_paid(pool: Pool, monitoring: Pool) -> None:
    await october(pool, TERMS)
    with pytest.raises(SnapshotInvalid) as unconfirmed:
        await freeze_in(monitoring, referrals(PER_POPULATION, 4_000, None))
    assert unconfirmed.value.rule == "confirmation_required"
    with pytest.raises(SnapshotRefused):
        await freeze_in(monitoring, referrals(PER_POPULATION, 4_000, told.PRIVATE))
    assert await said(monitoring) == []
    (confirmed,) = await freeze_in(monitoring, referrals(PER_POPULATION, 4_000, told.OWN))
    stripped = confirmed.model_copy(update={"confirmed_by": None})
    assert await story.hear(pool, "monitoring.snapshot", stripped) == 0, "payments does not trust the sender either"
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await story.lines(pool, "incentive") == []
    assert await reserved_cents(pool) == 2 * 70
