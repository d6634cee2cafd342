"""The file to the bank is valid by its schema, whatever a producer is called, and says what is paid and when."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from kanava.common.ids import AREA_CODES
from kanava.payments import iso20022
from kanava.payments.figures import area_name
from kanava.payments.iso20022 import Debtor, Transfer, pain001
from tests.payments import bank
from tests.support.schemas import schema_errors

IBAN = "FI2112345600000785"
DEBTOR = Debtor("Länsi-Uudenmaan hyvinvointialue", IBAN)
NOW = datetime(2026, 12, 4, 9, tzinfo=UTC)


def paid(creditor: str = "Yksityinen Oy", reference: str = "RF18539007547034", cents: int = 31_40) -> Transfer:
    """A transfer to a producer."""
    return Transfer(UUID(int=1), UUID(int=1).hex + "001", cents, creditor, IBAN, reference, "Palautus 7")


def test_the_file_is_valid_by_the_schema_of_iso_20022() -> None:
    transfers = [paid(), paid(reference="13"), paid(reference="")]
    content = pain001(UUID(int=2), DEBTOR, transfers, NOW)
    assert schema_errors(content) == []
    assert etree.QName(etree.fromstring(content)).namespace == iso20022.PAIN_001


def test_a_file_that_breaks_the_schema_is_noticed() -> None:
    content = pain001(UUID(int=2), DEBTOR, [paid()], NOW)
    assert schema_errors(content.replace(b"<EndToEndId>", b"<EndToEndId>too-long-by-far-")) != []
    assert schema_errors(content.replace(b"<ChrgBr>SLEV</ChrgBr>", b"")) == [], "charges may be left to the bank"
    assert schema_errors(content.replace(b'Ccy="EUR"', b"")) != []


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=120), st.integers(1, 10**13 - 1), st.sampled_from(["", "13", "RF18539007547034"]))
def test_whatever_a_producer_is_called_the_file_is_valid(name: str, cents: int, reference: str) -> None:
    content = pain001(UUID(int=2), DEBTOR, [paid(name, reference, cents)], NOW)
    assert schema_errors(content) == []


@pytest.mark.parametrize(
    ("reference", "issuer", "text"),
    [("RF18539007547034", "ISO", None), ("1234561", None, None), ("", None, "Palautus 7")],
)
def test_a_reference_is_rf_or_viitenumero_or_a_text(reference: str, issuer: str | None, text: str | None) -> None:
    root = etree.fromstring(pain001(UUID(int=2), DEBTOR, [paid(reference=reference)], NOW))
    assert root.findtext(".//{*}CdtrRefInf/{*}Ref") == (reference or None)
    assert root.findtext(".//{*}CdtrRefInf/{*}Tp/{*}Issr") == issuer
    assert root.findtext(".//{*}RmtInf/{*}Ustrd") == text


def test_the_payer_is_the_area_by_its_name() -> None:
    """All 22 are told apart, and no name is cut."""
    payers = {}
    for area in sorted(AREA_CODES):
        content = pain001(UUID(int=2), Debtor(area_name(area), IBAN), [paid()], NOW)
        assert schema_errors(content) == []
        payers[area] = etree.fromstring(content).findtext(".//{*}Dbtr/{*}Nm") or ""
    assert (payers["03"], payers["90"]) == ("Lansi-Uudenmaan hyvinvointialue", "Helsingin kaupunki")
    assert len(set(payers.values())) == 22
    assert [len(name) for name in payers.values()] == [len(area_name(area)) for area in payers]


@pytest.mark.parametrize(("cents", "text"), [(1, "0.01"), (31_05, "31.05"), (31_50, "31.50"), (1_000_00, "1000.00")])
def test_a_sum_is_written_with_two_decimals(cents: int, text: str) -> None:
    root = etree.fromstring(pain001(UUID(int=2), DEBTOR, [paid(cents=cents)], NOW))
    assert {root.findtext(".//{*}InstdAmt"), *(one.text for one in root.iter("{*}CtrlSum"))} == {text}


def test_every_id_has_at_most_35_characters() -> None:
    root = etree.fromstring(pain001(UUID(int=2), DEBTOR, [paid()], NOW))
    ids = [element.text or "" for element in root.iter() if etree.QName(element).localname.endswith("Id")]
    assert {name for name in ids if name.strip()}
    assert all(len(name) <= 35 for name in ids)


@pytest.mark.parametrize(
    ("asked", "executed"),
    [
        (date(2026, 12, 4), date(2026, 12, 4)),
        (date(2026, 12, 5), date(2026, 12, 7)),
        (date(2026, 12, 25), date(2026, 12, 28)),
        (date(2027, 1, 1), date(2027, 1, 4)),
        (date(2027, 3, 26), date(2027, 3, 30)),
        (date(2026, 5, 1), date(2026, 5, 4)),
        (date(2026, 12, 6), date(2026, 12, 7)),
        (date(2023, 12, 30), date(2024, 1, 2)),
    ],
)
def test_payments_leave_on_a_target_day(asked: date, executed: date) -> None:
    """TARGET is closed on weekends, 1.1., Good Friday, Easter Monday, 1.5., 25. and 26.12., and on no Finnish day."""
    assert iso20022.next_target_day(asked) == executed


def test_the_banks_files_of_these_tests_are_valid_too() -> None:
    sent = bank.Part("E1", 7, sender=IBAN, text="11/12")
    entries = (bank.debit("B1", ("E1", 5)), bank.debit("B2", cents=5, batch="P"), bank.credit("B3", sent))
    how = bank.Numbered(number=7, opening=100)
    files = [
        bank.notification("M1", *entries, bank.back("B4", "E2", 9)),
        bank.statement("M2", *entries, how=how),
        bank.pain002("M3", [("E1", 5)], accepted=["E2"]),
        bank.pain002("M4", [], group="RJCT"),
    ]
    assert [schema_errors(content) for content in files] == [[], [], [], []]
