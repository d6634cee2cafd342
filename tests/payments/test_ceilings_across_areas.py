"""The ceiling of client fees over two areas on a real PostgreSQL: whoever closes when, nothing is lost or doubled."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kanava.common.contracts.monitoring import Production
from kanava.common.db import Pool, rows, transaction
from kanava.local.postgres import Postgres
from kanava.payments.commands import RequestRun
from kanava.payments.domain.ceilings import Child, PaidFee, over_the_ceiling
from kanava.payments.figures import fee_ceilings
from kanava.payments.service.runs import close_next, request_run
from tests.payments import story
from tests.support.databases import service_database
from tests.support.facts import at, resident, resident_id, visit

AREAS = ("03", "05")
BORN = {1: date(1980, 1, 1), 2: date(2008, 10, 20), 3: date(2015, 1, 1), 4: date(1990, 1, 1)}
"""Two grown-ups, one who comes of age on the way, and a child."""


@dataclass(frozen=True)
class Told:
    """A version of a report, as it is told in a slot between two requests of runs."""

    number: int
    resident: int
    area: str
    day: int
    cents: int
    slot: int

    def fact(self, version: int) -> Production:
        """The version as monitoring would tell it."""
        told = visit(
            self.number,
            self.resident,
            date(2026, 9, 1) + timedelta(days=self.day),
            recorded_at=instant(self.slot),
            fee_cents=self.cents,
            version=version,
        )
        return told.model_copy(update={"area": self.area})


SLOTS = 2 * 3
"""Each of two areas closes three months in turn, facts come before each."""
TOLD = st.builds(
    Told,
    number=st.integers(1, 6),
    resident=st.integers(1, 4),
    area=st.sampled_from(AREAS),
    day=st.integers(0, 90),
    cents=st.sampled_from((0, 50_00, 400_00, 815_00)),
    slot=st.integers(0, SLOTS),
)


def instant(slot: int) -> datetime:
    """When a slot begins: facts are heard then, and an hour later one area closes a month."""
    return at(12, 2 + slot, 9)


async def close(pool: Pool, area: str, month: date, now: datetime) -> None:
    """One area closes a month."""
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(area, month, "operator"), now)
    assert await close_next(pool)


async def claims(pool: Pool) -> dict[tuple[UUID, UUID, int], int]:
    """What all areas together claimed, by the resident of the service, the one it is owed to, and the year."""
    async with transaction(pool) as tx:
        found = await rows(
            tx,
            "SELECT resident_id, payee_id, year, sum(amount_cents)::bigint AS cents FROM ceiling_claim"
            " GROUP BY resident_id, payee_id, year HAVING sum(amount_cents) <> 0",
        )
    return {(row["resident_id"], row["payee_id"], row["year"]): row["cents"] for row in found}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(TOLD, min_size=4, max_size=14), guardian_slot=st.integers(0, SLOTS))
async def test_claims_of_two_areas_are_the_rule_whatever_came_when_to_whom(
    postgres: Postgres, told: list[Told], guardian_slot: int
) -> None:
    """Reports are corrected to another resident, area, month or fee; a guardian becomes known; then all settles."""
    versions: dict[int, int] = defaultdict(int)
    heard: dict[int, list[Production]] = defaultdict(list)
    for one in sorted(told, key=lambda one: one.slot):
        versions[one.number] += 1
        heard[one.slot].append(one.fact(versions[one.number]))
    with service_database(postgres, "payments") as database:
        async with database.pool() as pool:
            await story.open_area(pool)
            await story.hear(pool, "listing.resident", *(resident(n, born) for n, born in BORN.items()))
            for slot in range(SLOTS + 1):
                if slot == guardian_slot:
                    linked = [
                        resident(n, BORN[n], version=2, guardian_id=resident_id(1), recorded_at=instant(slot))
                        for n in (2, 3)
                    ]
                    await story.hear(pool, "listing.resident", *linked)
                if heard[slot]:
                    await story.hear(pool, "monitoring.production", *heard[slot])
                if slot < SLOTS:
                    month = date(2026, 9 + slot // 2, 1)
                    await close(pool, AREAS[slot % 2], month, instant(slot).replace(hour=10))
            for area in AREAS:
                await close(pool, area, date(2026, 12, 1), at(12, 31, 23))
            newest = {fact.production_id: fact for facts in heard.values() for fact in facts}
            paid = [
                PaidFee(fact.production_id, fact.resident_id, fact.performed_on, fact.client_fee_cents)
                for fact in newest.values()
                if fact.client_fee_cents
            ]
            children = {resident_id(n): Child(BORN[n], resident_id(1)) for n in (2, 3)}
            assert await claims(pool) == over_the_ceiling(paid, children, fee_ceilings())
            await story.assert_books_agree(pool)
