"""Whatever moves the capitation, and whatever disputes say of its incentives, each cent of them stands once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from kanava.common.clock import add_months
from kanava.common.db import Pool, Tx, one, rows, transaction
from kanava.common.errors import Invalid, Refused
from kanava.common.money import split_by_largest_remainder
from kanava.payments.commands import ContestLines, DecideDispute, RequestRun
from kanava.payments.domain.capitation import capitation_cents
from kanava.payments.domain.chart import Account
from kanava.payments.domain.disputes import Remedy
from kanava.payments.domain.incentives import Measured, Stands, holds
from kanava.payments.service.disputes import contest_lines, decide_dispute
from kanava.payments.service.runs import close_month, request_run
from tests.payments import story
from tests.payments.dispute_story import assert_all_agree, key_of
from tests.payments.test_facts_and_corrections import hear
from tests.payments.test_incentives import TERMS, snapshot
from tests.payments.test_performance import rolled_back
from tests.support import facts as told
from tests.support.facts import listed, resident, resident_id, span

MONTHS = tuple(add_months(date(2026, 10, 1), n) for n in range(4))
SINCE, PEOPLE = date(2026, 9, 1), (1, 2, 3)
DIRECTIONS = {term.indicator: term.direction for term in TERMS}


@dataclass(frozen=True)
class Left:
    """A resident is listed until a day, as is known now; None: still."""

    number: int
    day: date | None


@dataclass(frozen=True)
class Frozen:
    """An indicator of a month is frozen; the first one settles it."""

    indicator: str
    month: date
    value: int


@dataclass(frozen=True)
class Adjusted:
    """One of the newest incentive lines is contested and should have said so many cents."""

    chosen: int
    cents: int


Step = Left | Frozen | Adjusted
DAYS = st.dates(MONTHS[0], MONTHS[2])
STEPS = st.lists(
    st.lists(
        st.one_of(
            st.builds(Left, st.sampled_from(PEOPLE), st.one_of(st.none(), DAYS)),
            st.builds(Frozen, st.sampled_from(sorted(DIRECTIONS)), st.sampled_from(MONTHS), st.integers(0, 110)),
            st.builds(Adjusted, st.integers(0, 5), st.integers(0, 60)),
        ),
        min_size=2,
        max_size=5,
    ),
    min_size=4,
    max_size=4,
)


@dataclass
class World:
    """Until when each resident is listed, the snapshots that settle, and the adjustments that were accepted."""

    until: dict[int, date | None] = field(default_factory=dict)
    frozen: dict[tuple[str, date], tuple[UUID, int]] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=lambda: dict.fromkeys(PEOPLE, 1))
    adjusted: dict[UUID, tuple[int, date, int, int]] = field(default_factory=dict)
    gave: list[dict[tuple[int, date], int]] = field(default_factory=list)
    snapshots: int = 0

    def capitation(self, number: int, first: date) -> int:
        """What a resident's days of a month give."""
        after = add_months(first, 1)
        days = (min(self.until.get(number) or after, after) - first).days
        return capitation_cents(84_00, max(days, 0) * 1000, (after - first).days)

    def stands(self, first: date, newest: date) -> Stands:
        """The incentive of a month's capitation, as the run of the newest month leaves it."""
        total = sum(self.capitation(number, first) for number in PEOPLE)
        known = {
            indicator: Measured(value, 0)
            for (indicator, month), (_, value) in self.frozen.items()
            if month == first < newest
        }
        return holds(total, 5, TERMS, known)

    def shares(self, newest: date) -> dict[tuple[UUID, date, UUID], int]:
        """What each resident has of what each snapshot earned."""
        found: dict[tuple[UUID, date, UUID], int] = {}
        for (indicator, first), (snapshot_id, _) in self.frozen.items():
            if first >= newest:
                continue
            earning = [number for number in PEOPLE if self.capitation(number, first) > 0]
            weights = [self.capitation(number, first) for number in earning]
            earned = self.stands(first, newest).earned_cents(indicator)
            shares = split_by_largest_remainder(earned, weights) if earned else [0] * len(earning)
            for number, cents in zip(earning, shares, strict=True):
                found[resident_id(number), first, snapshot_id] = cents
        return {key: cents for key, cents in found.items() if cents}

    def adjustments(self, newest: date) -> dict[UUID, int]:
        """What each accepted adjustment has left: nothing, once its resident's own capitation changed."""
        self.gave.append({(n, m): self.capitation(n, m) for n in PEOPLE for m in MONTHS if m <= newest})
        found: dict[UUID, int] = {}
        for dispute_id, (number, first, run, cents) in self.adjusted.items():
            history = [gave[number, first] for gave in self.gave[run:]]
            event(f"stands: {len(set(history)) == 1}")
            if len(set(history)) == 1:
                found[dispute_id] = cents
        return {key: cents for key, cents in found.items() if cents}


_NEWEST = """
SELECT l.*, month FROM line l JOIN run USING (run_id) WHERE month = (SELECT max(month) FROM run)
AND component = 'incentive' AND producer_id = %s ORDER BY l
"""


async def tell(tx: Tx, world: World, step: Step, now: datetime) -> None:
    """A fact becomes known, or a line is contested and adjusted."""
    match step:
        case Left(number, day):
            world.until[number] = day
            world.versions[number] += 1
            held = span(SINCE, day, private=True)
            await hear(tx, "listing.listing", listed(number, held, version=world.versions[number], recorded_at=now))
        case Frozen(indicator, month, value):
            world.snapshots += 1
            period = {"period_from": month, "period_until": add_months(month, 1)}
            what = {"indicator": indicator, "direction": DIRECTIONS[indicator], "value": value}
            fact = snapshot(world.snapshots, now, **period, **what)
            await hear(tx, "monitoring.snapshot", fact)
            world.frozen.setdefault((indicator, month), (fact.snapshot_id, value))
        case Adjusted(chosen, cents):
            found = await rows(tx, _NEWEST, (told.PRIVATE,))
            if found:
                await adjust(tx, world, found[chosen % len(found)], cents, now)


async def adjust(tx: Tx, world: World, line: dict[str, object], cents: int, now: datetime) -> None:
    """Contest a line and accept."""
    statement = await one(
        tx, "SELECT statement_id FROM statement WHERE run_id = %s AND producer_id = %s", (line["run_id"], told.PRIVATE)
    )
    assert statement is not None
    key = key_of(line)
    command = ContestLines(statement["statement_id"], (key,), "Väärin laskettu.", "tuottaja")
    dispute_id = (await contest_lines(tx, command, now)).dispute_id
    decided = DecideDispute(dispute_id, True, "Perustelut.", "cecilia", Remedy.PAYMENTS, ((key, cents),))
    await decide_dispute(tx, decided, now)
    (number,) = [n for n in PEOPLE if resident_id(n) == key.resident_id]
    run = MONTHS.index(line["month"])  # type: ignore[arg-type]  # a month's first day
    event(f"adjusted a {key.kind}")
    world.adjusted[dispute_id] = (number, key.for_month, run, cents - int(str(line["amount_cents"])))


async def attempt(tx: Tx, world: World, step: Step, now: datetime) -> None:
    """What is refused changes nothing."""
    try:
        async with tx.transaction():
            await tell(tx, world, step, now)
    except (Refused, Invalid) as refused:
        event(f"{type(step).__name__}: {getattr(refused, 'reason', 'invalid')}")


async def close(tx: Tx, world: World, month: date, now: datetime) -> None:
    """Close a month; what stands of incentives, adjustments and reserves is what holds afresh."""
    await tx.execute("DISCARD TEMP")
    requested = await request_run(tx, RequestRun(told.AREA, month, "operator"), now)
    run = await one(tx, "SELECT * FROM run WHERE run_id = %s", (requested.run_id,))
    assert run is not None
    await close_month(tx, run)
    assert await sums(tx, "incentive", "resident_id, for_month, source") == world.shares(month)
    found = await sums(tx, "adjustment", "source")
    assert {source: cents for (source,), cents in found.items()} == world.adjustments(month)
    query = "SELECT coalesce(-sum(amount_cents), 0)::bigint AS cents FROM posting WHERE account = %s"
    reserved = await one(tx, query, (Account.RESERVED,))
    standing = [world.stands(first, month) for first in MONTHS if first <= month]
    assert reserved == {"cents": sum(each.reserved_cents - each.settled_cents for each in standing)}
    await assert_all_agree(tx)


async def sums(tx: Tx, component: str, columns: str) -> dict[tuple[object, ...], int]:
    """The cents of a component's lines by some columns, where they are not nothing."""
    found: dict[tuple[object, ...], int] = defaultdict(int)
    names = columns.split(", ")
    for row in await rows(tx, "SELECT * FROM line WHERE component = %s", (component,)):
        found[tuple(row[name] for name in names)] += row["amount_cents"]
    return {key: cents for key, cents in found.items() if cents}


async def open_once(pool: Pool) -> None:
    """An area whose model and contract pay incentives, with three residents, in every example the same."""
    async with transaction(pool) as tx:
        if await one(tx, "SELECT FROM unit LIMIT 1") is not None:
            return
    await story.open_area(pool)
    model = told.document()
    assert model.compensation is not None
    terms = model.compensation.model_copy(update={"incentives": TERMS})
    later = {"document_id": "03:compensation_model:2", "number": 2, "compensation": terms}
    await story.hear(pool, "registry.document", model.model_copy(update=later))
    adopted = {"version": 6, "compensation_model": "03:compensation_model:2"}
    await story.hear(pool, "registry.scheme", told.scheme().model_copy(update=adopted))
    kinds = {"version": 2, "compensation_kinds": ("capitation", "fee", "incentive")}
    await story.hear(pool, "registry.contract", told.contract(private=True).model_copy(update=kinds))
    await story.hear(pool, "listing.resident", *map(resident, PEOPLE))
    await story.hear(pool, "listing.listing", *(listed(n, span(SINCE, private=True)) for n in PEOPLE))


EXAMPLES = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@EXAMPLES
@given(steps=STEPS)
async def test_every_cent_of_an_incentive_stands_once(pool: Pool, steps: Sequence[Sequence[Step]]) -> None:
    """Four months, before each of which residents come and go, indicators are frozen and lines are adjusted."""
    await open_once(pool)
    async with rolled_back(pool) as tx:
        world = World()
        for first in MONTHS[:2]:
            await tell(tx, world, Frozen("esh", first, 60), datetime(2026, 10, 2, 9, tzinfo=UTC))
        for month, known in zip(MONTHS, steps, strict=True):
            closed_on = datetime.combine(add_months(month, 1), datetime.min.time(), UTC) + timedelta(days=1, hours=9)
            for number, step in enumerate(known):
                await attempt(tx, world, step, closed_on - timedelta(days=6) + timedelta(minutes=number))
            await close(tx, world, month, closed_on)
