"""Whatever happens between months, each cent stands once: facts, performance lines, disputes, on a real PostgreSQL.

One resident. Facts come late and change, performance lines are decided and revoked, lines of statements are contested
and adjusted, statements are paid. After each month the lines of every fact sum to what the newest facts give when
they are computed afresh, and every adjustment whose line still stands is there once.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from psycopg.rows import DictRow

from kanava.common.clock import add_months
from kanava.common.db import Pool, Tx, one, rows, transaction
from kanava.common.errors import Invalid, Refused
from kanava.payments.commands import (
    ApproveStatements,
    ContestLines,
    DecideDispute,
    PlaceFunding,
    ReleasePayout,
    RequestRun,
)
from kanava.payments.consumers import SUBSCRIPTIONS
from kanava.payments.domain.capitation import capitation_cents
from kanava.payments.domain.ceilings import PaidFee, over_the_ceiling
from kanava.payments.domain.disputes import Remedy
from kanava.payments.figures import fee_ceilings
from kanava.payments.service.disputes import contest_lines, decide_dispute
from kanava.payments.service.funding import place_funding
from kanava.payments.service.performance import RevokePerformance, decide_performance, revoke_performance
from kanava.payments.service.runs import close_month, request_run
from kanava.payments.service.statements import approve_statements, release_payout
from tests.payments import story
from tests.payments.dispute_story import assert_all_agree, key_of
from tests.payments.test_performance import rolled_back, wanted
from tests.payments.test_vouchers import voucher
from tests.support import facts as told
from tests.support.facts import listed, resident, resident_id, span, visit

MONTHS = tuple(add_months(date(2026, 11, 1), n) for n in range(4))
SINCE, FIRST = date(2026, 9, 1), MONTHS[0]
NO_SOURCE = UUID(int=0)
Key = tuple[str, date, str, UUID]
"""What a line is about: component, month, unit and source."""


@dataclass(frozen=True)
class Moved:
    """The listing as it is known now: with the private unit until a day, then with the own one, or nowhere."""

    until: date | None
    goes_on: bool
    permille: int


@dataclass(frozen=True)
class Died:
    """The resident's last day is before this one; None takes the death back."""

    day: date | None


@dataclass(frozen=True)
class Reported:
    """One of two reports, new, revised, or withdrawn with a quantity of 0."""

    number: int
    day: date
    quantity: int
    fee_cents: int


@dataclass(frozen=True)
class Priced:
    """The price corrects an error from the beginning."""

    cents: int


@dataclass(frozen=True)
class Vouched:
    """A voucher of the resident is granted from the beginning, for so many uses, or annulled (None)."""

    uses: int | None


@dataclass(frozen=True)
class Ended:
    """The contract of the private producer ended on a day, as is known now; None: it goes on."""

    day: date | None


@dataclass(frozen=True)
class Performed:
    """A performance line for a day is decided on."""

    cents: int
    day: date


@dataclass(frozen=True)
class Revoked:
    """One of the performance lines is revoked."""

    chosen: int


@dataclass(frozen=True)
class Contested:
    """Lines of the newest statement are contested, of a component if it has some; `permille` of what stands they
    should have said, or that stays open.
    """

    component: str
    lines: int
    permille: int | None


@dataclass(frozen=True)
class Decided:
    """The oldest open case is decided: its lines should have said so many permille of what stands."""

    permille: int


@dataclass(frozen=True)
class Paid:
    """Everything that is drawn is approved and released."""


Step = Moved | Died | Reported | Priced | Vouched | Ended | Performed | Revoked | Contested | Decided | Paid
FACT = (Moved, Died, Reported, Priced, Vouched, Ended, Performed)
DAYS = st.dates(FIRST, MONTHS[-1] + timedelta(days=27))
PERMILLE = st.sampled_from([0, 400, 1500, 0, 400, 1500, -1000])
COMPONENTS = ["capitation", "fee", "performance", "adjustment", "client_fee", "voucher"]
FACTS: st.SearchStrategy[Step] = st.one_of(
    st.builds(Moved, st.one_of(st.none(), DAYS), st.booleans(), st.sampled_from([500, 1000, 1250])),
    st.builds(Died, st.one_of(st.none(), DAYS)),
    st.builds(Reported, st.integers(1, 2), DAYS, st.integers(1, 3), st.sampled_from([0, 20_60, 500_00])),
    st.builds(Reported, st.integers(1, 2), DAYS, st.just(0), st.just(0)),
    st.builds(Priced, st.integers(40_00, 60_00)),
    st.builds(Vouched, st.sampled_from([None, None, 1, 2, 9])),
    st.builds(Ended, st.one_of(st.none(), DAYS)),
    st.builds(Performed, st.integers(-200_00, 200_00).filter(bool), DAYS),
)
DECISIONS: st.SearchStrategy[Step] = st.one_of(
    st.builds(Revoked, st.integers(0, 3)),
    st.builds(Contested, st.sampled_from(COMPONENTS), st.integers(1, 3), st.one_of(st.none(), PERMILLE)),
    st.builds(Decided, PERMILLE),
    st.just(Paid()),
)
STEPS = st.lists(
    st.tuples(st.lists(FACTS, max_size=3), st.lists(DECISIONS, min_size=1, max_size=4)), min_size=4, max_size=4
)


FIRST_REPORT = Reported(1, date(2026, 11, 15), 1, 20_60)


@dataclass
class Adjusted:
    """An adjustment that was accepted: the fact of its line, the run of it, and what became of it."""

    fact: Key
    place: tuple[UUID, date, str]
    run: int
    stood_cents: int
    holds_cents: int
    state: str = "waiting"


@dataclass
class World:
    """What is known, and what a fresh computation makes of it."""

    spans: Sequence[tuple[bool, date, date | None, int]] = ((True, SINCE, None, 1000),)
    lives_until: date | None = None
    reports: dict[int, Reported] = field(default_factory=lambda: {1: FIRST_REPORT})
    price_cents: int = 45_00
    uses: int | None = None
    contract_until: date | None = None
    decided: dict[UUID, Performed] = field(default_factory=dict)
    revoked: set[UUID] = field(default_factory=set)
    versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    open_cases: list[tuple[UUID, list[DictRow]]] = field(default_factory=list)
    adjusted: list[Adjusted] = field(default_factory=list)
    gave: list[dict[Key, int]] = field(default_factory=list)
    wrote: list[set[Key]] = field(default_factory=list)

    def version(self, of: str) -> int:
        """The next version of a fact."""
        self.versions[of] += 1
        return self.versions[of]

    def holds(self, end: date) -> dict[Key, int]:
        """What every fact gives of the months before `end`, computed afresh from what is known now."""
        found: dict[Key, int] = defaultdict(int)
        for first in (month for month in MONTHS if month < end):
            for (private, _), permille_days in self._listed(first).items():
                unit = told.PRIVATE_UNIT if private else told.OWN_UNIT
                days = (add_months(first, 1) - first).days
                found["capitation", first, unit, NO_SOURCE] += capitation_cents(84_00, permille_days, days)
        left = self.uses
        for source, report in self._reports(end):
            place = (report.day.replace(day=1), told.PRIVATE_UNIT, source)
            if self.contract_until is not None and report.day >= self.contract_until:
                continue
            if left is not None:
                used = min(left, report.quantity)
                left -= used
                found["voucher", *place] += 50_00 * used
            else:
                found["fee", *place] += self.price_cents * report.quantity
                found["client_fee", *place] -= report.fee_cents
        for performance_id, line in self.decided.items():
            if performance_id not in self.revoked and line.day < end:
                found["performance", line.day.replace(day=1), told.PRIVATE_UNIT, performance_id] += line.cents
        return {key: cents for key, cents in found.items() if cents}

    def _listed(self, first: date) -> Mapping[tuple[bool, date], int]:
        after = add_months(first, 1)
        found: dict[tuple[bool, date], int] = defaultdict(int)
        for private, starts_on, until, permille in self.spans:
            last = min(day for day in (until, self.lives_until, after) if day is not None)
            days = (last - max(starts_on, first)).days
            if days > 0:
                found[private, first] += days * permille
        return found

    def _reports(self, end: date) -> list[tuple[UUID, Reported]]:
        """The reports before `end`, in the order in which a voucher pays them."""
        known = [report for report in self.reports.values() if report.day < end]
        known.sort(key=lambda report: (report.day, report.number))
        return [(UUID(int=2 * 10**30 + report.number), report) for report in known]

    def over_the_ceiling(self, end: date) -> int:
        """What of the client fees lies above the ceilings of their years."""
        own = resident_id(1)
        fees = [
            PaidFee(source, own, report.day, report.fee_cents)
            for source, report in self._reports(end)
            if report.fee_cents and self.uses is None
        ]
        return sum(over_the_ceiling(fees, {}, fee_ceilings()).values())

    def closed(self, end: date) -> None:
        """A month closed: what now holds, whose lines were written, and what became of the adjustments."""
        before, now = self.gave[-1] if self.gave else {}, self.holds(end)
        wrote = {key for key in before.keys() | now.keys() if before.get(key, 0) != now.get(key, 0)}
        self.gave.append(now)
        groups: dict[tuple[int, tuple[UUID, date, str]], list[Adjusted]] = defaultdict(list)
        for one_ in self.adjusted:
            groups[one_.run, one_.place].append(one_)
        for (_, (dispute_id, for_month, unit_id)), group in sorted(groups.items()):
            pair = [0, 0]
            for one_ in group:
                _follow(one_, one_.fact in wrote, pair)
            if any(pair):
                wrote.add(("adjustment", for_month, unit_id, dispute_id))
        self.wrote.append(wrote)


def _follow(one_: Adjusted, is_overtaken: bool, pair: list[int]) -> None:
    """Take an adjustment, or take it back, once."""
    if one_.state == "waiting" and not is_overtaken:
        one_.state = "taken"
        pair[0], pair[1] = pair[0] - one_.stood_cents, pair[1] + one_.holds_cents
    elif one_.state == "taken" and is_overtaken:
        one_.state = "undone"
        pair[0], pair[1] = pair[0] - one_.holds_cents, pair[1] + one_.stood_cents
    elif is_overtaken:
        one_.state = "undone"


async def hear(tx: Tx, topic: str, fact: Any) -> None:
    """Take a fact over as the consumer would."""
    await SUBSCRIPTIONS[f"kanava.{topic}.v1"](tx, [fact])


async def tell(tx: Tx, world: World, step: Step, now: datetime) -> None:
    """A fact becomes known."""
    match step:
        case Moved(until, goes_on, permille):
            world.spans = [(True, SINCE, until, permille)]
            if until is not None and goes_on:
                world.spans = [*world.spans, (False, until, None, 1000)]
            spans = [span(s, u, private=p, permille=k) for p, s, u, k in world.spans]
            await hear(tx, "listing.listing", listed(1, *spans, version=world.version("listing"), recorded_at=now))
        case Died(day):
            world.lives_until = day
            version = {"version": world.version("resident"), "recorded_at": now, "what": "died" if day else "corrected"}
            await hear(tx, "listing.resident", resident(1, lives_until=day, **version))
        case Reported(number, day, quantity, fee_cents):
            world.reports[number] = step
            version_ = world.version(f"report {number}")
            fact = visit(number, 1, day, recorded_at=now, fee_cents=fee_cents, version=version_)
            await hear(tx, "monitoring.production", fact.model_copy(update={"quantity": quantity}))
        case Priced(cents):
            world.price_cents = cents
            changed = {"version": world.version("price") + 1, "price_cents": cents, "correction_reason": "Virhe"}
            await hear(tx, "registry.price", told.price().model_copy(update=changed | {"recorded_at": now}))
        case Vouched(uses):
            world.uses = uses
            what = "annulled" if uses is None else "granted"
            version = {"version": world.version("voucher"), "what": what, "status": what, "recorded_at": now}
            await hear(tx, "listing.voucher", voucher(1, 1, uses_granted=uses, **version))
        case Ended(day):
            world.contract_until = day
            changed = {"version": world.version("contract") + 1, "ends_on": day, "recorded_at": now}
            await hear(tx, "registry.contract", told.contract(private=True).model_copy(update=changed))
        case Performed():
            decided = await decide_performance(tx, wanted(step.cents, step.day), now)
            world.decided[decided.performance_id] = step


_NEWEST = """
SELECT l.* FROM line l JOIN run USING (run_id) WHERE producer_id = %s AND month = (SELECT max(month) FROM run)
ORDER BY l.component <> %s, l
"""


async def act(tx: Tx, world: World, step: Step, now: datetime) -> None:
    """Somebody decides something."""
    match step:
        case Revoked(chosen) if world.decided:
            performance_id = list(world.decided)[chosen % len(world.decided)]
            await revoke_performance(tx, RevokePerformance(performance_id, "Virhe.", "bertta"), now)
            assert not [one_ for one_ in world.adjusted if one_.fact[3] == performance_id], "corrected once already"
            world.revoked.add(performance_id)
        case Contested(component, count, permille):
            own = (await rows(tx, _NEWEST, (told.PRIVATE, component)))[:count]
            if own:
                dispute_id = await contest(tx, own, now)
                world.open_cases.append((dispute_id, own))
                if permille is not None:
                    await settle(tx, world, len(world.open_cases) - 1, permille, now)
        case Decided(permille) if world.open_cases:
            await settle(tx, world, 0, permille, now)
        case Paid():
            for month in MONTHS:
                await approve_statements(tx, ApproveStatements(told.AREA, month, "anna"), now)
            await release_payout(tx, ReleasePayout(told.AREA, story.DEBTOR, "bertta"), now)


async def contest(tx: Tx, own: Sequence[DictRow], now: datetime) -> UUID:
    """Contest lines of a statement."""
    statement = await one(
        tx,
        "SELECT statement_id FROM statement WHERE run_id = %s AND producer_id = %s",
        (own[0]["run_id"], told.PRIVATE),
    )
    assert statement is not None
    lines = tuple(key_of(line) for line in own)
    command = ContestLines(statement["statement_id"], lines, "Väärin laskettu.", "tuottaja")
    return (await contest_lines(tx, command, now)).dispute_id


async def settle(tx: Tx, world: World, place: int, permille: int, now: datetime) -> None:
    """Adjust the lines of an open case; refused, it stays open."""
    dispute_id, lines = world.open_cases[place]
    holds = [(line, line["amount_cents"] * permille // 1000) for line in lines]
    keyed = tuple((key_of(line), cents) for line, cents in holds)
    command = DecideDispute(dispute_id, True, "Perustelut.", "cecilia", Remedy.PAYMENTS, keyed)
    await decide_dispute(tx, command, now)
    world.open_cases.pop(place)
    for line, holds_cents in holds:
        run = await one(tx, "SELECT month FROM run WHERE run_id = %s", (line["run_id"],))
        assert run is not None
        fact: Key = (line["component"], line["for_month"], line["unit_id"], line["source"])
        number, place_ = MONTHS.index(run["month"]), (dispute_id, line["for_month"], line["unit_id"])
        assert not any(fact in later for later in world.wrote[number + 1 :]), "what a run corrected is not adjusted"
        assert fact[3] not in world.revoked, "what was revoked is not adjusted"
        assert line["amount_cents"] * holds_cents >= 0, "a line is not turned round"
        world.adjusted.append(Adjusted(fact, place_, number, line["amount_cents"], holds_cents))


async def attempt(tx: Tx, world: World, step: Step, now: datetime) -> None:
    """What is refused changes nothing."""
    cases = list(world.open_cases)
    try:
        async with tx.transaction():
            await (tell if isinstance(step, FACT) else act)(tx, world, step, now)
    except (Refused, Invalid) as refused:
        event(f"{type(step).__name__}: {getattr(refused, 'reason', 'invalid')}")
        world.open_cases = cases


async def close(tx: Tx, world: World, month: date, now: datetime) -> None:
    """Close a month, and compare its books with what everything gives afresh."""
    await tx.execute("DISCARD TEMP")
    requested = await request_run(tx, RequestRun(told.AREA, month, "operator"), now)
    run = await one(tx, "SELECT * FROM run WHERE run_id = %s", (requested.run_id,))
    assert run is not None
    await close_month(tx, run)
    end = add_months(month, 1)
    world.closed(end)
    assert await standing(tx) == world.gave[-1]
    for one_ in world.adjusted:
        event(f"adjusted {one_.fact[0]}: {one_.state}")
    expected: dict[UUID, int] = defaultdict(int)
    for one_ in world.adjusted:
        if one_.state == "taken":
            expected[one_.place[0]] += one_.holds_cents - one_.stood_cents
    assert await adjustments(tx) == {source: cents for source, cents in expected.items() if cents}
    claimed = await one(tx, "SELECT coalesce(sum(amount_cents), 0)::bigint AS cents FROM ceiling_claim")
    assert claimed == {"cents": world.over_the_ceiling(end)}
    await assert_all_agree(tx)


async def standing(tx: Tx) -> dict[Key, int]:
    """What stands in the lines of each fact."""
    found = await rows(
        tx,
        "SELECT component, for_month, unit_id, source, sum(amount_cents)::bigint AS cents FROM line"
        " WHERE component <> 'adjustment' GROUP BY 1, 2, 3, 4 HAVING sum(amount_cents) <> 0",
    )
    return {(row["component"], row["for_month"], row["unit_id"], row["source"]): row["cents"] for row in found}


async def adjustments(tx: Tx) -> dict[UUID, int]:
    """What stands of each dispute's adjustments."""
    found = await rows(
        tx,
        "SELECT source, sum(amount_cents)::bigint AS cents FROM line WHERE component = 'adjustment'"
        " GROUP BY source HAVING sum(amount_cents) <> 0",
    )
    return {row["source"]: row["cents"] for row in found}


async def open_once(pool: Pool) -> None:
    """The area with its one resident, in every example the same."""
    async with transaction(pool) as tx:
        if await one(tx, "SELECT FROM unit LIMIT 1") is not None:
            return
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "listing.listing", listed(1, span(SINCE, private=True)))


EXAMPLES = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@EXAMPLES
@given(steps=STEPS)
async def test_every_cent_stands_once_whatever_comes_in_between(
    pool: Pool, steps: Sequence[tuple[Sequence[Step], Sequence[Step]]]
) -> None:
    """Four months, before each of which facts come and somebody decides."""
    await open_once(pool)
    async with rolled_back(pool) as tx:
        world = World()
        world.versions |= {"listing": 1, "resident": 1}
        await tell(tx, world, FIRST_REPORT, datetime(2026, 11, 16, 9, tzinfo=UTC))
        funding = PlaceFunding(told.AREA, "state", "", 1_000_000_00, FIRST, "1/12")
        await place_funding(tx, funding, datetime(2026, 11, 2, 9, tzinfo=UTC))
        for month, (heard, decided) in zip(MONTHS, steps, strict=True):
            closed_on = datetime.combine(add_months(month, 1), datetime.min.time(), UTC) + timedelta(days=1, hours=9)
            for number, step in enumerate((*heard, *decided)):
                now = closed_on - timedelta(days=6) + timedelta(minutes=number)
                await attempt(tx, world, step, now)
            await close(tx, world, month, closed_on)
