"""Facts of two months that fault tests close: thousands of residents who switch, die late and are visited.

Everything comes from a seed, so the same month can be told twice: in peace and under faults.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from random import Random

from kanava.common.contracts import TOPIC_OF, Fact
from kanava.common.db import Pool, transaction
from kanava.payments import ledger
from kanava.payments.consumers import SUBSCRIPTIONS
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
OCTOBER_CLOSES, NOVEMBER_CLOSES = at(11, 2), at(12, 2)
LISTED_FROM = date(2026, 9, 1)
AT_ONCE = 5000


def setting() -> list[Fact]:
    """The area: a model, a scheme in production, two producers with a unit each, and a price."""
    both = (True, False)
    return [
        told.document(),
        told.scheme(),
        told.price(),
        *(told.producer(private=private) for private in both),
        *(told.unit(private=private) for private in both),
        *(told.contract(private=private) for private in both),
    ]


def before_october_closed(residents: int, seed: int) -> list[Fact]:
    """Residents of all ages, a third of whom switch to the private unit on some day, and visits to it."""
    chance, facts = Random(seed), setting()
    for n in range(residents):
        born = date(1930, 1, 1) + timedelta(days=chance.randrange(35_000))
        facts.append(told.resident(n, born))
        facts.append(told.listed(n, told.span(LISTED_FROM)))
        if chance.random() < 1 / 3:
            facts.append(switched(n, date(2026, 10, 1) + timedelta(days=chance.randrange(61))))
    for n in range(residents // 20):
        day = date(2026, 10, 1) + timedelta(days=chance.randrange(31))
        fee_cents = 100 * chance.randrange(30)
        facts.append(told.visit(n, chance.randrange(residents), day, recorded_at=at(11, 1), fee_cents=fee_cents))
    return facts


def switched(n: int, day: date) -> Fact:
    """A resident who chose the private unit from a day on."""
    return told.listed(n, told.span(LISTED_FROM, day), told.span(day, private=True), version=2, recorded_at=at(9, 20))


def known_in_november(residents: int, seed: int) -> list[Fact]:
    """What comes after October was closed: late deaths, coefficients, visits of both months, a correction."""
    chance, facts = Random(seed + 1), list[Fact]()
    for n in chance.sample(range(residents), residents // 50):
        day = date(2026, 10, 1) + timedelta(days=chance.randrange(45))
        facts.append(told.resident(n, date(1950, 1, 1), version=2, what="died", lives_until=day, recorded_at=at(11, 9)))
        facts.append(told.listed(n, told.span(LISTED_FROM, day), version=3, recorded_at=at(11, 9)))
    for n in chance.sample(range(residents), residents // 50):
        higher = told.span(LISTED_FROM, permille=1250)
        facts.append(told.listed(n, higher, version=4, recorded_at=at(11, 10)))
    for n in range(residents // 20, residents // 10):
        day = date(2026, 10, 15) + timedelta(days=chance.randrange(45))
        facts.append(told.visit(n, chance.randrange(residents), day, recorded_at=at(11, 30)))
    return facts


def by_topic(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """Facts by the name of their topic, in their order."""
    found: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        found[TOPIC_OF[type(fact)].name].append(fact)
    return found


async def hear(pool: Pool, facts: Iterable[Fact]) -> None:
    """Take facts over in peace: each once, in order, without a bus."""
    for topic, own in by_topic(facts).items():
        for first in range(0, len(own), AT_ONCE):
            async with transaction(pool) as tx:
                await SUBSCRIPTIONS[topic](tx, own[first : first + AT_ONCE])


_IN_ORDER = "ORDER BY run_id, resident_id, component, kind, for_month, unit_id, source"


async def outcome(pool: Pool) -> dict[str, str]:
    """What the runs came to, as texts to compare: digests, sums of statements, and every line byte for byte."""
    async with transaction(pool) as tx:
        found = {}
        for name, query in {
            "runs": "SELECT area, month, cut_off, status, digest FROM run ORDER BY area, month",
            "statements": "SELECT statement_id, amount_cents FROM statement ORDER BY statement_id",
            "sums": "SELECT * FROM statement_sum ORDER BY statement_id, component",
            "book": "SELECT seq, kind, reference, lines_digest FROM entry WHERE area = '03' ORDER BY seq",
            "lines": f"SELECT * FROM line {_IN_ORDER}",
        }.items():
            async with tx.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copied:
                found[name] = b"".join([bytes(part) async for part in copied]).decode()
        return found


async def assert_sound(pool: Pool, area: str = told.AREA) -> None:
    """Invariants 1 and 3 on the books: the three sums agree, the balance is zero, the chain holds."""
    await story.assert_books_agree(pool)
    async with transaction(pool) as tx:
        verified = await ledger.verify(tx, area)
    assert verified.broken is None, verified.broken
