"""What came late and was corrected again and again ends where it would have ended had it been known at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kanava.common.contracts import Fact
from kanava.common.contracts.registry import AllowedKinds, PackageTotal
from kanava.common.db import Pool, rows, transaction
from kanava.local.postgres import Postgres
from kanava.payments import ledger
from kanava.payments.commands import RequestRun
from kanava.payments.service.runs import close_next, request_run
from tests.payments import story
from tests.payments.test_prices import package
from tests.payments.test_vouchers import personal_budget, voucher
from tests.support import facts as told
from tests.support.databases import service_database
from tests.support.facts import at, listed, resident, resident_id, span, visit

AREAS = ("03", "05")
SLOTS = 2 * 3
"""Each of two areas closes three months in turn, facts come before each and after the last."""
UNITS = {
    ("03", True): (told.PRIVATE_UNIT, told.PRIVATE),
    ("03", False): (told.OWN_UNIT, told.OWN),
    ("05", True): (f"{told.PRIVATE}5", told.PRIVATE),
    ("05", False): (f"{told.OWN}5", told.OWN),
}
"""The units; the last is opened when a story says so, if ever."""
NODES = ("SOS.1.1", "SOS.1.2")
TOTAL = "MTP"
"""A package that is paid for each treated client of a month in one area and of a year in the other; its second node is
added when a story says so, if ever."""


def instant(slot: int) -> datetime:
    """When a slot begins: facts are heard then, and an hour later one area closes a month."""
    return at(12, 2 + slot, 9)


def day(number: int) -> date:
    """The n-th day from 1 September 2026."""
    return date(2026, 9, 1) + timedelta(days=number)


DAYS = st.integers(-20, 100)


@dataclass(frozen=True)
class Report:
    """A version of a report, or its withdrawal with a quantity of 0: what it is of, and the area that pays, which need
    not be the unit's."""

    number: int
    resident: int
    place: tuple[str, bool]
    node: str
    day: int
    cents: int
    area: str
    quantity: int

    def fact(self, version: int, now: datetime) -> Fact:
        """As monitoring would tell it."""
        made = visit(self.number, self.resident, day(self.day), recorded_at=now, fee_cents=self.cents, version=version)
        unit, producer = UNITS[self.place]
        changed = {"area": self.area, "unit_id": unit, "producer_id": producer, "node": self.node}
        withdrawn = {} if self.quantity else {"client_fee_cents": 0}
        return made.model_copy(update=changed | withdrawn | {"quantity": self.quantity})


@dataclass(frozen=True)
class Listing:
    """A version of a listing: places by the day they begin, each until the next, the last until `until`."""

    number: int
    begins: dict[int, tuple[tuple[str, bool], int]]
    until: int | None

    def fact(self, version: int, now: datetime) -> Fact:
        """As listing would tell it."""
        days = [one for one in sorted(self.begins) if self.until is None or one < self.until]
        spans = []
        for one, after in zip(days, [*days[1:], self.until], strict=False):
            place, permille = self.begins[one]
            unit, producer = UNITS[place]
            made = span(day(one), None if after is None else day(after), permille=permille)
            spans.append(made.model_copy(update={"unit_id": unit, "producer_id": producer}))
        return listed(self.number, *spans, version=version, recorded_at=now)


@dataclass(frozen=True)
class Person:
    """A version of a resident: its birth, its death, its area, its guardian."""

    number: int
    born: int
    dead: int | None
    area: str
    guardian: int | None

    def fact(self, version: int, now: datetime) -> Fact:
        """As listing would tell it."""
        lives = None if self.dead is None else day(self.dead)
        what = "corrected" if version > 1 else "registered"
        return resident(
            self.number,
            date(self.born, 10, 15),
            version=version,
            what=what,
            lives_until=lives,
            area=self.area,
            guardian_id=resident_id(self.guardian) if self.guardian else None,
            recorded_at=now,
        )


@dataclass(frozen=True)
class Price:
    """A version of a price that corrects an error."""

    number: int
    cents: int

    def fact(self, version: int, now: datetime) -> Fact:
        """As registry would tell it."""
        area, node = PRICED[self.number]
        changed = {"version": version + 1, "recorded_at": now, "correction_reason": "Kirjoitusvirhe"}
        return priced(area, node, self.cents).model_copy(update=changed)


@dataclass(frozen=True)
class Opened:
    """A unit becomes known."""

    number: int = 1

    def fact(self, version: int, now: datetime) -> Fact:
        """As registry would tell it."""
        return opened(("05", False)).model_copy(update={"version": version, "recorded_at": now})


@dataclass(frozen=True)
class Packaged:
    """A version of the package with another node, which has no price of its own."""

    number: int = 1

    def fact(self, version: int, now: datetime) -> Fact:
        """As registry would tell it."""
        made = package((), TOTAL)
        nodes = (*made.nodes, made.nodes[0].model_copy(update={"code": f"{TOTAL}.2"}))
        changed = {"number": version + 1, "package_id": f"{TOTAL}:{version + 1}", "recorded_at": now, "nodes": nodes}
        return made.model_copy(update=changed)


@dataclass(frozen=True)
class Contract:
    """A version of a producer's contract in an area: the day on which it ends. The third is of another class."""

    number: int
    ends: int | None

    def fact(self, version: int, now: datetime) -> Fact:
        """As registry would tell it."""
        made = told.contract(private=True)
        changed = {"ends_on": None if self.ends is None else day(self.ends), "recorded_at": now, "version": version + 1}
        return made.model_copy(update=changed | CONTRACTS[self.number])


@dataclass(frozen=True)
class Voucher:
    """A version of a service voucher of a few uses, or of a personal budget."""

    number: int
    resident: int
    granted: int
    begins: int
    days: int
    status: str

    def fact(self, version: int, now: datetime) -> Fact:
        """As listing would tell it."""
        make = personal_budget if self.number == 2 else voucher
        grant = (self.granted * 40_00,) if self.number == 2 else ()
        changed: dict[str, Any] = {
            "recorded_at": now,
            "version": version,
            "status": self.status,
            "starts_on": day(self.begins),
            "until": day(self.begins + self.days),
            "uses_granted": None if self.number == 2 else self.granted,
        }
        return make(self.number, self.resident, *grant, **changed)


def priced(area: str, node: str, cents: int) -> Fact:
    """A price of a node, or the total price of the package."""
    named: dict[str, Any] = {"price_id": f"{area}:{node}:x", "area": area, "node": node}
    if node == TOTAL:
        total = PackageTotal(package=TOTAL, counted_each="month" if area == told.AREA else "year")
        named |= {"unit_of_measure": "hoidettu_asiakas", "price_basis": "package_total", "total_price": total}
    return told.price(cents).model_copy(update=named)


def opened(place: tuple[str, bool]) -> Fact:
    """A unit of the second area."""
    unit, _ = UNITS[place]
    made = told.unit(private=place[1])
    return made.model_copy(update={"unit_id": unit, "area": "05", "municipality": "853"})


PRICED = dict(enumerate((area, node) for area in AREAS for node in (*NODES, TOTAL)))
CONTRACTS: dict[int, dict[str, Any]] = {
    1: {"contract_id": "C-True"},
    2: {"contract_id": "C-5", "area": "05"},
    3: {"contract_id": "C-other", "contract_class": "cooperation"},
}
TOPICS: dict[type, str] = {
    Price: "registry.price",
    Contract: "registry.contract",
    Voucher: "listing.voucher",
    Opened: "registry.unit",
    Packaged: "registry.package",
} | {Report: "monitoring.production", Listing: "listing.listing", Person: "listing.resident"}
Story = Report | Listing | Person | Price | Contract | Voucher | Opened | Packaged
PLACES = st.sampled_from(sorted(UNITS))
REPORTS = st.builds(
    Report,
    number=st.integers(1, 4),
    resident=st.integers(1, 3),
    place=PLACES,
    node=st.sampled_from((*NODES, f"{TOTAL}.1", f"{TOTAL}.2")),
    day=DAYS,
    cents=st.sampled_from((0, 20_00, 500_00)),
    area=st.sampled_from(AREAS),
    quantity=st.integers(0, 3),
)
LISTINGS = st.builds(
    Listing,
    number=st.integers(1, 3),
    begins=st.dictionaries(DAYS, st.tuples(PLACES, st.sampled_from((500, 1000, 1500))), max_size=3),
    until=st.none() | DAYS,
)
PEOPLE = st.builds(
    Person,
    number=st.integers(1, 3),
    born=st.sampled_from((1950, 1961, 2019, 2008)),
    dead=st.none() | DAYS,
    area=st.sampled_from(AREAS),
    guardian=st.none() | st.sampled_from((8, 9)),
)
PRICES = st.builds(Price, number=st.integers(0, len(PRICED) - 1), cents=st.sampled_from((40_00, 55_00)))
ENDED = st.builds(Contract, number=st.integers(1, 3), ends=st.none() | DAYS)
VOUCHERS = st.builds(
    Voucher,
    number=st.integers(1, 2),
    resident=st.integers(1, 3),
    granted=st.integers(1, 2),
    begins=DAYS,
    days=st.integers(20, 60),
    status=st.sampled_from(("granted", "annulled")),
)
LATE = st.builds(Opened) | st.builds(Packaged)
STORIES = st.lists(
    st.tuples(st.integers(0, SLOTS), REPORTS | REPORTS | LISTINGS | PEOPLE | PRICES | ENDED | VOUCHERS | LATE),
    min_size=8,
    max_size=24,
)


async def open_areas(pool: Pool) -> None:
    """Two areas with the same scheme and prices, and a unit of the private producer in each; the model of the first
    pays cooperation contracts neither capitation nor fees."""
    await story.open_area(pool)
    model, scheme = told.document(), told.scheme()
    limits = (AllowedKinds(contract_class="cooperation", kinds=("base_payment",)),)
    limited = {
        "document_id": "03:compensation_model:2",
        "compensation": told.terms().model_copy(update={"allowed_kinds": limits}),
    }
    await story.hear(pool, "registry.document", model.model_copy(update=limited))
    adopted = {"version": 6, "phase": 6, "compensation_model": "03:compensation_model:2"}
    await story.hear(pool, "registry.scheme", scheme.model_copy(update=adopted))
    changed = {"document_id": "05:compensation_model:1", "area": "05"}
    await story.hear(pool, "registry.document", model.model_copy(update=changed))
    changed = {"scheme_id": "other", "municipality": "853", "area": "05"}
    changed |= {"compensation_model": "05:compensation_model:1"}
    await story.hear(pool, "registry.scheme", scheme.model_copy(update=changed))
    await story.hear(pool, "registry.unit", opened(("05", True)))
    await story.hear(pool, "registry.package", package((), TOTAL))
    for area in AREAS:
        if area != told.AREA:
            for private in (True, False):
                named = {"contract_id": "C-5" if private else "C-5-own", "area": area}
                contract = told.contract(private=private).model_copy(update=named)
                await story.hear(pool, "registry.contract", contract)
        for node, cents in zip((*NODES, TOTAL), (45_00, 60_00, 400_00), strict=True):
            await story.hear(pool, "registry.price", priced(area, node, cents))


async def close(pool: Pool, area: str, month: date, now: datetime) -> None:
    """One area closes a month."""
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(area, month, "operator"), now)
    assert await close_next(pool)


async def lived(pool: Pool, slots: dict[int, list[tuple[str, Fact]]]) -> None:
    """Hear the facts of each slot; two areas close their months in turn, and once more after all."""
    await open_areas(pool)
    for slot in range(SLOTS + 1):
        for topic, fact in slots[slot]:
            await story.hear(pool, topic, fact)
        if slot < SLOTS:
            await close(pool, AREAS[slot % 2], date(2026, 9 + slot // 2, 1), instant(slot).replace(hour=10))
    for area in AREAS:
        await close(pool, area, date(2026, 12, 1), at(12, 31, 23))


async def stands(pool: Pool) -> list[tuple[object, ...]]:
    """What all runs together made: lines, uses of nodes, claims, each summed over the runs."""
    queries = (
        "SELECT run.area, resident_id::text, producer_id, component, for_month, unit_id, source::text,"
        " sum(amount_cents)::bigint AS cents FROM line JOIN run USING (run_id) GROUP BY 1, 2, 3, 4, 5, 6, 7",
        "SELECT area, producer_id, component, node, sum(amount_cents)::bigint AS cents FROM node_use"
        " GROUP BY 1, 2, 3, 4",
        "SELECT area, resident_id::text, payee_id::text, year, sum(amount_cents)::bigint AS cents FROM ceiling_claim"
        " GROUP BY 1, 2, 3, 4",
    )
    found: list[tuple[object, ...]] = []
    async with transaction(pool) as tx:
        for query in queries:
            found += [tuple(row.values()) for row in await rows(tx, query) if row["cents"]]
        for area in AREAS:
            assert (await ledger.verify(tx, area)).broken is None
    return sorted(found, key=repr)


def in_slots(told_in: Sequence[tuple[int, Story]]) -> dict[int, list[tuple[str, Fact]]]:
    """The facts of each slot, with the versions that their order gives them."""
    versions: dict[tuple[type, int], int] = defaultdict(int)
    slots: dict[int, list[tuple[str, Fact]]] = defaultdict(list)
    for slot, one in sorted(told_in, key=lambda pair: pair[0]):
        versions[type(one), one.number] += 1
        slots[slot].append((TOPICS[type(one)], one.fact(versions[type(one), one.number], instant(slot))))
    return slots


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told_in=STORIES)
async def test_it_does_not_matter_when_what_was_known(postgres: Postgres, told_in: list[tuple[int, Story]]) -> None:
    """Two areas, three closed months, versions of residents, listings and reports at any time: the sums are those
    of the same facts, in the same order, all told before the first month is closed."""
    outcomes = []
    for slots in (in_slots(told_in), in_slots([(0, one) for _, one in sorted(told_in, key=lambda pair: pair[0])])):
        with service_database(postgres, "payments") as database:
            async with database.pool() as pool:
                await lived(pool, slots)
                await story.assert_books_agree(pool)
                outcomes.append(await stands(pool))
    late, early = outcomes
    assert late == early
