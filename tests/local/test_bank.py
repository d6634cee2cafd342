"""The bank simulator answers a pain.001 so that payments can read it, and refuses what is none."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from kanava.local import bank
from kanava.payments.bankfiles import read_bank_message
from kanava.payments.iso20022 import Debtor, Transfer, pain001
from tests.support.schemas import schema_errors

GOOD, CLOSED = "FI6950001500000001", "FI1550001500000003"
NOW = datetime(2026, 12, 2, 20, tzinfo=UTC)


def ordered(*transfers: tuple[str, int, str]) -> bytes:
    """A pain.001 of (end-to-end id, cents, IBAN)."""
    made = [
        Transfer(UUID(int=1), name, cents, "Tuottaja Oy", iban, "RF18539007547034") for name, cents, iban in transfers
    ]
    return pain001(UUID(int=2), Debtor("Länsi-Uudenmaan hyvinvointialue", "FI2112345600000785"), made, NOW)


def test_it_books_all_but_the_closed_account() -> None:
    answers = bank.answer(ordered(("a", 10_001, GOOD), ("b", 20_000, CLOSED)), closed={CLOSED})
    assert (answers.booked, answers.rejected) == (1, 1)
    assert answers.camt054 is not None
    assert answers.pain002 is not None
    assert schema_errors(answers.camt054) == schema_errors(answers.pain002) == []
    (report,) = read_bank_message(answers.camt054).reports
    assert (report.iban, report.number, report.year) == ("FI2112345600000785", 1, 2026)
    (booked,) = report.bookings[0].details
    (rejected,) = read_bank_message(answers.pain002).statuses
    assert (booked.end_to_end_id, booked.outcome, booked.amount_cents) == ("a", "booked", 10_001)
    assert (rejected.end_to_end_id, rejected.status, rejected.amount_cents) == ("b", "RJCT", 20_000)
    assert rejected.reason == "AC04"


def test_it_says_nothing_where_there_is_nothing_to_say() -> None:
    answers = bank.answer(ordered(("a", 10_001, GOOD)))
    assert answers.pain002 is None
    answers = bank.answer(ordered(("a", 10_001, CLOSED)), closed={CLOSED})
    assert answers.camt054 is None


def test_the_same_file_gets_the_same_answer_so_that_a_repeat_is_harmless() -> None:
    file = ordered(("a", 1, GOOD), ("b", 2, GOOD))
    assert bank.answer(file) == bank.answer(file)


def test_a_file_with_other_control_sums_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole"):
        bank.answer(ordered(("a", 1, GOOD)).replace(b"<NbOfTxs>1<", b"<NbOfTxs>2<"))
