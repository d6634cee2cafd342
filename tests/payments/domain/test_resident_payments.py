"""What a batch takes: everything owed to each payee, netted, once, whatever the order."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain import chart
from kanava.payments.domain.chart import Account, EntryKind
from kanava.payments.domain.resident_payments import Due, Matter, Waits, draw, dues

START = datetime(2026, 11, 1, tzinfo=UTC)
PEOPLE = [UUID(int=number) for number in range(6)]
CENTS = st.integers(-100_00, 200_00).filter(bool)


@st.composite
def matters(draws: st.DrawFn) -> list[Matter]:
    """Matters of up to six payees, each matter once."""
    found = []
    for number in range(draws(st.integers(0, 25))):
        payee, cents = draws(st.sampled_from(PEOPLE)), draws(CENTS)
        since = START + timedelta(days=draws(st.integers(0, 60))) if cents > 0 else None
        source = draws(st.sampled_from(("benefit", "ceiling")))
        found.append(Matter(source, payee, payee, f"E-{number}", payee, cents, since))  # type: ignore[arg-type]  # a literal
    return found


SETS = st.frozensets(st.sampled_from(PEOPLE))


@given(matters(), SETS, SETS, st.integers(1, 6))
def test_every_matter_is_taken_or_waits_once_and_no_cent_is_lost(
    owed: list[Matter], known: frozenset[UUID], dead: frozenset[UUID], at_most: int
) -> None:
    drawn = draw(dues(owed), with_account=known, dead=dead, at_most=at_most)
    everybody = [*drawn.taken, *(due for due, _ in drawn.waiting)]
    assert sorted(str(one) for due in everybody for one in due.matters) == sorted(map(str, owed))
    assert sum(due.amount_cents for due in everybody) == sum(one.cents for one in owed)
    assert all(due.amount_cents == sum(one.cents for one in due.matters) for due in everybody)
    assert all(due.amount_cents > 0 and due.payee_id in known - dead for due in drawn.taken)
    assert len(drawn.taken) <= at_most
    assert len({due.payee_id for due in everybody}) == len(everybody), "each payee gets one payment"


@given(matters(), SETS, st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(
    owed: list[Matter], known: frozenset[UUID], chance: random.Random
) -> None:
    first = draw(dues(owed), with_account=known)
    chance.shuffle(owed)
    assert draw(dues(owed), with_account=known) == first


@given(matters())
def test_the_longest_owed_comes_first(owed: list[Matter]) -> None:
    found = dues(owed)
    ages = [due.since for due in found if due.since is not None]
    assert ages == sorted(ages)
    for due in found:
        assert due.since == min((one.since for one in due.matters if one.since), default=None)


@given(matters(), st.integers(1, 6))
def test_batches_one_after_the_other_take_what_one_takes(owed: list[Matter], at_most: int) -> None:
    whole = draw(dues(owed), with_account=PEOPLE)
    taken: list[Due] = []
    left = list(owed)
    while batch := draw(dues(left), with_account=PEOPLE, at_most=at_most).taken:
        taken += batch
        gone = {due.payee_id for due in batch}
        left = [one for one in left if one.payee_id not in gone]
    assert tuple(taken) == whole.taken


def test_each_reason_to_wait() -> None:
    known = {PEOPLE[1], PEOPLE[2], PEOPLE[4], PEOPLE[5]}
    sums = {0: 10, 1: -10, 2: 10, 4: 10, 5: 10}
    owed = [
        Matter("benefit", PEOPLE[who], PEOPLE[who], "E", PEOPLE[who], cents, START + timedelta(days=who))
        for who, cents in sums.items()
    ]
    drawn = draw(dues(owed), with_account=known, dead={PEOPLE[2]}, at_most=1)
    assert [due.payee_id for due in drawn.taken] == [PEOPLE[4]]
    assert {due.payee_id: why for due, why in drawn.waiting} == {
        PEOPLE[0]: Waits.NO_ACCOUNT,
        PEOPLE[1]: Waits.OVERPAID,
        PEOPLE[2]: Waits.DIED,
        PEOPLE[5]: Waits.NEXT_BATCH,
    }
    assert all(why.sentence.endswith(".") for why in Waits)


@given(st.integers(1, 10**9), st.sampled_from(("booked", "rejected", "returned")))
def test_a_payment_leaves_the_bank_or_is_owed_again(cents: int, end: str) -> None:
    kinds = {
        "booked": (EntryKind.RELEASE, EntryKind.BOOKED),
        "rejected": (EntryKind.RELEASE, EntryKind.REJECTED),
        "returned": (EntryKind.RELEASE, EntryKind.BOOKED, EntryKind.RETURNED),
    }
    left: dict[Account, int] = {}
    for kind in kinds[end]:
        for posting in chart.resident_payment(kind, item_id=PEOPLE[1], amount_cents=cents).postings:
            left[posting.account] = left.get(posting.account, 0) + posting.amount_cents
    moved = {account: sum_ for account, sum_ in left.items() if sum_}
    assert moved == ({Account.OWED_TO_RESIDENTS: cents, Account.BANK: -cents} if end == "booked" else {})


def test_who_is_owed_as_much_as_was_overpaid_gets_no_payment_of_nothing() -> None:
    owed = [
        Matter("benefit", PEOPLE[0], PEOPLE[0], matter, PEOPLE[0], cents, START if cents > 0 else None)
        for matter, cents in (("E-1", 5_00), ("E-2", -5_00))
    ]
    drawn = draw(dues(owed), with_account=PEOPLE)
    assert (drawn.taken, [why for _, why in drawn.waiting]) == ((), [Waits.OVERPAID])
