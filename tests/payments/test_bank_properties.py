"""Whatever the bank sends, in whatever order and however often: each payment is paid once, and nothing is lost.

The bank's facts are drawn first; then files tell them, split, repeated and shuffled. Each example runs on the
same released payments, in a transaction of its own that is rolled back.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kanava.common.db import Pool, Tx, one, rows
from kanava.payments.commands import TakeBankMessage
from kanava.payments.service.bank import take_bank_message
from kanava.payments.settings import PaymentsSettings
from kanava.payments.views import bank as views
from kanava.payments.views import books, suspense
from tests.payments import bank, clearing
from tests.payments.bank import Entry, Numbered, Part
from tests.support import facts as told
from tests.support.facts import at

SHARES = (1, 2, 3)
FUNDED_CENTS = 1_000_00
EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Fact:
    """An entry that the bank booked: of a payment (by its place), or of nobody's; or a rejection."""

    kind: str
    payment: int | None
    cents: int = 0


@dataclass(frozen=True)
class Telling:
    """A file: which facts it tells, whether only their sums, and as which message."""

    facts: tuple[int, ...]
    kind: str
    bare: bool


AN_ENTRY = st.builds(
    Fact,
    kind=st.sampled_from(["booked", "booked", "booked", "returned", "received"]),
    payment=st.sampled_from([0, 0, 1, 2, None]),
    cents=st.sampled_from([0, 0, 0, 0, 0, 5]),
)
A_REJECTION = st.builds(Fact, kind=st.just("rejected"), payment=st.sampled_from([0, 1, 2, None]))
FACTS = st.lists(st.one_of(AN_ENTRY, AN_ENTRY, AN_ENTRY, A_REJECTION), min_size=4, max_size=8)
TELLINGS = st.lists(
    st.builds(
        Telling,
        facts=st.lists(st.integers(0, 7), min_size=2, max_size=5, unique=True).map(tuple),
        kind=st.sampled_from(["camt.054", "camt.054", "camt.054", "pain.002"]),
        bare=st.sampled_from([False, False, True]),
    ),
    min_size=2,
    max_size=8,
)


class World:
    """The released payments, and files about them."""

    def __init__(self, ids: dict[int, str]) -> None:
        self.payments = sorted((cents, name) for cents, name in ids.items())

    def amount(self, fact: Fact) -> int:
        """What a fact is about: the payment's amount, or a little more."""
        return (9 if fact.payment is None else self.payments[fact.payment][0]) + fact.cents

    def entry(self, number: int, fact: Fact, *, bare: bool) -> Entry:
        """A fact as the bank's entry, with details or without."""
        name = "nobody" if fact.payment is None else self.payments[fact.payment][1]
        sign = "DBIT" if fact.kind == "booked" else "CRDT"
        returned = "AC04" if fact.kind == "returned" else None
        parts = [] if bare else [Part(name, self.amount(fact), returned=returned)]
        return Entry(f"B{number}", sign, parts, self.amount(fact))

    def file(self, place: int, telling: Telling, facts: Sequence[Fact]) -> bytes | None:
        """A file of a telling; None when none of its facts can be told like this."""
        chosen = [(number, facts[number]) for number in telling.facts if number < len(facts)]
        if telling.kind == "pain.002":
            names = {fact.payment for _, fact in chosen if fact.kind == "rejected"}
            rejected = [
                ("nobody", 9) if one is None else (self.payments[one][1], self.payments[one][0])
                for one in sorted(names, key=str)
            ]
            return bank.pain002(f"R{place}", rejected) if rejected else None
        entries = [self.entry(number, fact, bare=telling.bare) for number, fact in chosen if fact.kind != "rejected"]
        return bank.notification(f"M{place}", *entries, how=Numbered(number=place + 1)) if entries else None

    def moved_cents(self, number_told: set[int], facts: Sequence[Fact]) -> int:
        """By how much the facts that were told moved the account."""
        return sum(
            -self.amount(facts[number]) if facts[number].kind == "booked" else self.amount(facts[number])
            for number in number_told
            if facts[number].kind != "rejected"
        )


@pytest.fixture
async def released(pool: Pool) -> tuple[Pool, World]:
    """Three payments of 7, 14 and 21 euros that were given to the bank."""
    return pool, World(await clearing.released(pool, *SHARES))


@asynccontextmanager
async def undone(pool: Pool) -> AsyncIterator[Tx]:
    """A transaction whose constraints are checked and that leaves nothing behind."""
    async with pool.connection() as connection, connection.transaction(force_rollback=True):
        yield connection
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


async def everything_holds(tx: Tx) -> None:
    """Released = booked + rejected + open; the books, the clearing account and the suspense account agree."""
    found = await views.payments(tx, told.AREA, at(12, 9))
    assert found["equal"], found
    assert (await suspense.balance(tx, told.AREA))["equal"]
    assert all(row["equal"] for row in await books.sums(tx, told.AREA))
    assert sum(row["amount_cents"] for row in await books.trial_balance(tx, told.AREA)) == 0
    paid = await rows(
        tx,
        "SELECT p.status, count(*) FILTER (WHERE e.kind = 'booked') AS booked,"
        " count(*) FILTER (WHERE e.kind = 'returned') AS returned,"
        " count(*) FILTER (WHERE e.kind = 'rejected') AS rejected"
        " FROM payment p LEFT JOIN entry e ON e.reference = p.statement_id"
        " AND e.kind IN ('booked', 'returned', 'rejected') GROUP BY p.end_to_end_id",
    )
    for row in paid:
        assert row["booked"] <= 1, "a payment is paid once"
        expected = {"open": (0, 0, 0), "booked": (1, 0, 0), "returned": (1, 1, 0), "rejected": (0, 0, 1)}
        assert (row["booked"], row["returned"], row["rejected"]) == expected[row["status"]]


async def bank_cents(tx: Tx) -> int:
    """The area's bank account in the books."""
    row = await one(tx, "SELECT sum(amount_cents)::bigint AS cents FROM posting WHERE account = '1100'")
    assert row is not None
    return int(row["cents"])


@EXAMPLES
@given(facts=FACTS, tellings=TELLINGS)
async def test_each_payment_is_paid_once_whatever_the_bank_sends(
    released: tuple[Pool, World], facts: list[Fact], tellings: list[Telling]
) -> None:
    pool, world = released
    async with undone(pool) as tx:
        heard: set[int] = set()
        for place, telling in enumerate(tellings):
            content = world.file(place, telling, facts)
            if content is None:
                continue
            await take_bank_message(tx, TakeBankMessage(content), at(12, 4), seal=PaymentsSettings().payee_seal())
            if telling.kind != "pain.002":
                heard |= {number for number in telling.facts if number < len(facts)}
            assert await bank_cents(tx) == FUNDED_CENTS + world.moved_cents(heard, facts), "as the bank has it"
            await everything_holds(tx)
            again = await take_bank_message(
                tx, TakeBankMessage(content), at(12, 5), seal=PaymentsSettings().payee_seal()
            )
            changed = (again.booked, again.rejected, again.received, again.unmatched, again.explained)
            assert changed == (0, 0, 0, 0, 0), "repeating a file changes nothing"


SAID = {"open": (), "booked": ("booked",), "returned": ("booked", "returned"), "rejected": ("rejected",)}
"""What a bank that makes no mistakes says of a payment that ends in a state."""


@EXAMPLES
@given(states=st.tuples(*[st.sampled_from(sorted(SAID))] * 3), data=st.data())
async def test_the_order_of_the_files_does_not_matter(
    released: tuple[Pool, World], states: tuple[str, ...], data: st.DataObject
) -> None:
    pool, world = released
    facts = [Fact(kind, place) for place, state in enumerate(states) for kind in SAID[state]]
    files = data.draw(
        st.permutations([file for number, fact in enumerate(facts) for file in tellings_of(number, fact)])
    )
    async with undone(pool) as tx:
        for place, telling in enumerate(files):
            content = world.file(place, telling, facts)
            assert content is not None
            await take_bank_message(tx, TakeBankMessage(content), at(12, 4), seal=PaymentsSettings().payee_seal())
        await everything_holds(tx)
        ended = await rows(tx, "SELECT status FROM payment ORDER BY amount_cents")
        assert [row["status"] for row in ended] == list(states)
        assert await suspense.queue(tx, at(12, 9), limit=100) == []


def tellings_of(number: int, fact: Fact) -> list[Telling]:
    """A fact told twice with its details and once, if it is an entry, by its sum alone."""
    if fact.kind == "rejected":
        return [Telling((number,), "pain.002", bare=False)] * 2
    return [Telling((number,), "camt.054", bare=bare) for bare in (False, False, True)]
