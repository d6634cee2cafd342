"""The trial balance: it balances whatever was posted, and years follow each other without a gap."""

from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.chart import CLEARING, Account, EntryKind
from kanava.payments.domain.trial_balance import Movement, class_of, result_cents, trial_balance

POSTED = [account for account in Account if account is not Account.EARLIER_YEARS]
pairs = st.lists(
    st.tuples(st.sampled_from([2025, 2026]), st.sampled_from(POSTED), st.sampled_from(POSTED), st.integers(1, 10**12)),
    max_size=30,
)
Pairs = list[tuple[int, Account, Account, int]]


def movements(entries: Pairs, year: int) -> list[Movement]:
    """What entries of one debit and one credit each moved, seen from a year."""
    found = []
    for account in POSTED:
        before = sum(c * ((d is account) - (k is account)) for y, d, k, c in entries if y < year)
        debit = sum(c for y, d, _, c in entries if y == year and d is account)
        credit = sum(c for y, _, k, c in entries if y == year and k is account)
        found.append(Movement(account.value, before, debit, credit))
    return found


@given(pairs)
def test_debits_are_credits_and_the_balance_is_zero(entries: Pairs) -> None:
    lines = trial_balance(movements(entries, 2026))
    assert sum(line.closing_cents for line in lines) == 0
    assert sum(line.debit_cents for line in lines) == sum(c for y, *_, c in entries if y == 2026)
    assert all(line.closing_cents == line.opening_cents + line.debit_cents - line.credit_cents for line in lines)


@given(pairs)
def test_a_year_opens_as_the_one_before_closed(entries: Pairs) -> None:
    old = {line.account: line.closing_cents for line in trial_balance(movements(entries, 2025))}
    new = {line.account: line.opening_cents for line in trial_balance(movements(entries, 2026))}
    for account in POSTED:
        if class_of(account).name in ("ASSET", "LIABILITY"):
            assert new.get(account.value, 0) == old.get(account.value, 0)
        else:
            assert new.get(account.value, 0) == 0
    left = old.get(Account.EARLIER_YEARS, 0) - result_cents(trial_balance(movements(entries, 2025)))
    assert new.get(Account.EARLIER_YEARS, 0) == left


def test_a_small_year_by_hand() -> None:
    entries = [
        (2025, Account.BANK, Account.STATE_FUNDING, 100),
        (2025, Account.CAPITATION, Account.PAYABLE, 70),
        (2026, Account.PAYABLE, Account.BANK, 70),
    ]
    lines = {line.account: line for line in trial_balance(movements(entries, 2026))}
    assert {name: (one.opening_cents, one.closing_cents) for name, one in lines.items()} == {
        Account.BANK: (100, 30),
        Account.PAYABLE: (-70, 0),
        Account.EARLIER_YEARS: (-30, -30),
    }
    assert result_cents(trial_balance(movements(entries, 2025))) == 30


def test_every_account_has_a_class_and_a_number_of_its_own() -> None:
    assert {class_of(account).name for account in Account} == {"ASSET", "LIABILITY", "INCOME", "COST"}
    assert len({account.value for account in Account}) == len(Account.__members__), "two accounts share a number"
    assert len({kind.value for kind in EntryKind}) == len(EntryKind.__members__)
    assert all(class_of(account).name in ("ASSET", "LIABILITY") for account in CLEARING)
