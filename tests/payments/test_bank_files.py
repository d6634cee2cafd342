"""Files of the bank: read safely, refused whole, and harmless when repeated, out of order or split."""

from dataclasses import replace

import pytest

from kanava.common.db import Pool, one, rows, transaction
from kanava.common.errors import Invalid
from kanava.payments import bankfiles
from tests.payments import bank, clearing
from tests.payments.bank import Numbered, Part, credit, debit, notification, pain002, statement

SEVEN, FOURTEEN = 7_00, 14_00

BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "1234567890"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]>
<Document xmlns="urn:x"><BkToCstmrStmt><GrpHdr><MsgId>&y;</MsgId></GrpHdr></BkToCstmrStmt></Document>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd">
<Document xmlns="urn:x"><BkToCstmrStmt/></Document>"""
GROWING = b"".join(f'<!ENTITY x{place} "{f"&x{place - 1};" * 10}">'.encode() for place in range(1, 12))
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x0 "ha">' + GROWING + b"]><Document>&x11;</Document>"
GOOD = notification("M", debit("B", ("E", 1)))
STATEMENT = statement("M", debit("B", ("E", 1)), how=Numbered(number=1, opening=5))
BATCH = notification("M", debit("B", ("E", 1), ("F", 2)))


@pytest.mark.parametrize(
    ("content", "rule", "pointer"),
    [
        (BOMB, "no_doctype", "/"),
        (LAUGHS, "no_doctype", "/"),
        (OUTSIDE, "no_doctype", "/"),
        (GOOD[:-40], "well_formed", "/"),
        (b"", "well_formed", "/"),
        (b"\xff\xfe\x00", "well_formed", "/"),
        (b"<Document/>", "known_message", "/"),
        (GOOD.replace(b"Document", b"Dokument"), "known_message", "/"),
        (GOOD.replace(b">0.01<", b">0.015<"), "amount", "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Ntry/Amt"),
        (GOOD.replace(b">0.01<", b">1e3<"), "amount", "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Ntry/Amt"),
        (GOOD.replace(b">0.01<", b">-0.01<"), "amount", "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Ntry/Amt"),
        (GOOD.replace(b'Ccy="EUR"', b'Ccy="SEK"'), "currency", "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Ntry/Amt"),
        (
            GOOD.replace(b"<Ccy>EUR<", b"<Ccy>SEK<"),
            "currency",
            "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Acct/Ccy",
        ),
        (
            GOOD.replace(b"<MsgId>M</MsgId>", b"<MsgId/>"),
            "element_present",
            "/Document/BkToCstmrDbtCdtNtfctn/GrpHdr/MsgId",
        ),
        (
            GOOD.replace(b"<AcctSvcrRef>B</AcctSvcrRef>", b""),
            "element_present",
            "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Ntry",
        ),
        (
            GOOD.replace(b"DBIT", b"DEBIT"),
            "direction",
            "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Ntry/CdtDbtInd",
        ),
        (
            BATCH.replace(b">0.03<", b">0.02<"),
            "entry_sum",
            "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Ntry",
        ),
        (
            BATCH.replace(b'<Amt Ccy="EUR">0.02</Amt>', b""),
            "element_present",
            "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Ntry/NtryDtls/TxDtls[2]",
        ),
        (
            GOOD.replace(bank.IBAN.encode(), b"FI2112345600000786"),
            "iban",
            "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Acct/Id/IBAN",
        ),
        (
            notification("M", debit("B", ("E", 1)), how=Numbered(iban="FI5810171000000122")),
            "known_account",
            "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Acct/Id/IBAN",
        ),
        (STATEMENT.replace(b">0.04<", b">0.05<"), "balances", "/Document/BkToCstmrStmt/Stmt"),
        (STATEMENT.replace(b"CLBD", b"CLAV"), "element_present", "/Document/BkToCstmrStmt/Stmt"),
        (
            STATEMENT.replace(b"<ElctrncSeqNb>1</ElctrncSeqNb>", b""),
            "element_present",
            "/Document/BkToCstmrStmt/Stmt",
        ),
        (
            pain002("M", [("E", 1)]).replace(b"<OrgnlEndToEndId>E</OrgnlEndToEndId>", b""),
            "element_present",
            "/Document/CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts",
        ),
    ],
)
async def test_a_bad_file_is_refused_whole_with_rule_and_pointer(
    pool: Pool, content: bytes, rule: str, pointer: str
) -> None:
    await clearing.released(pool, 1)
    before = await entries(pool)
    with pytest.raises(Invalid) as refused:
        await clearing.take(pool, content)
    assert (refused.value.rule, refused.value.pointer, refused.value.status) == (rule, pointer, 422)
    assert await entries(pool) == before


async def entries(pool: Pool) -> list[object]:
    """Everything that a bank's file could have written."""
    async with transaction(pool) as tx:
        tables = ("bank_message", "bank_report", "bank_booking", "bank_entry", "bank_status", "suspense_item")
        found = [await one(tx, f"SELECT count(*) FROM {table}") for table in tables]
        return [*found, await rows(tx, "SELECT seq, kind FROM entry ORDER BY area, seq")]


async def test_a_good_entry_before_a_bad_one_is_not_booked(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    content = notification("M", debit("B1", (ids[SEVEN], SEVEN)), debit("B2", ("E", 1)))
    with pytest.raises(Invalid) as refused:
        await clearing.take(pool, content.replace(b">0.01<", b">x<"))
    assert refused.value.pointer == "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn/Ntry[2]/Amt"
    assert (await clearing.payments(pool))["open_cents"] == SEVEN


def test_a_file_beyond_the_limits_is_not_read() -> None:
    with pytest.raises(Invalid) as refused:
        bankfiles.read_bank_message(b" " * (bankfiles.LIMITS.size_bytes + 1))
    assert refused.value.rule == "file_size"
    assert bankfiles.LIMITS.size_bytes < 200_000_000


def test_a_file_of_too_many_entries_is_read_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused at the first entry that is too many, so that no tree of the whole file is made."""
    content = notification("M", *[debit(f"B{number}", ("E", 1)) for number in range(200)])
    monkeypatch.setattr(bankfiles, "LIMITS", replace(bankfiles.LIMITS, entries=100))
    with pytest.raises(Invalid) as refused:
        bankfiles.read_bank_message(content[:-40])
    assert refused.value.rule == "file_size"


async def test_a_file_twice_or_in_two_reports_books_once(pool: Pool) -> None:
    ids = await clearing.released(pool, 1, 2)
    both = (debit("B1", (ids[SEVEN], SEVEN)), debit("B2", (ids[FOURTEEN], FOURTEEN)))
    assert (await clearing.take(pool, notification("M1", *both))).booked == 2
    again = await clearing.take(pool, notification("M1", *both))
    assert (again.booked, again.known_before) == (0, 2)
    end_of_day = statement("S1", *both, how=Numbered(number=1, opening=1_000_00))
    at_night = await clearing.take(pool, end_of_day)
    assert (at_night.booked, at_night.known_before, at_night.unmatched) == (0, 2, 0)
    assert await clearing.bank_cents(pool) == 1_000_00 - SEVEN - FOURTEEN
    assert (await clearing.payments(pool))["booked_cents"] == SEVEN + FOURTEEN


async def test_an_entry_that_is_told_in_parts_is_booked_in_parts(pool: Pool) -> None:
    """First its sum alone, then its details in two files: the money is on the account from the first file on."""
    ids = await clearing.released(pool, 1, 2)
    whole = SEVEN + FOURTEEN
    first = await clearing.take(pool, statement("S1", debit("B1", cents=whole), how=Numbered(number=1)))
    assert (first.booked, first.unmatched) == (0, 1)
    assert [item["why"] for item in await clearing.queue(pool)] == ["without_details"]
    assert await clearing.bank_cents(pool) == 1_000_00 - whole
    second = await clearing.take(pool, notification("M1", debit("B1", (ids[SEVEN], SEVEN), cents=whole)))
    assert (second.booked, second.explained) == (1, 1)
    assert [item["left_cents"] for item in await clearing.queue(pool)] == [FOURTEEN]
    third = await clearing.take(pool, notification("M2", debit("B1", (ids[FOURTEEN], FOURTEEN), cents=whole)))
    assert (third.booked, third.explained) == (1, 1)
    assert await clearing.queue(pool) == []
    assert await clearing.bank_cents(pool) == 1_000_00 - whole
    assert (await clearing.payments(pool))["booked_cents"] == whole


async def test_details_first_and_the_sum_later_is_the_same(pool: Pool) -> None:
    ids = await clearing.released(pool, 1, 2)
    parts = ((ids[SEVEN], SEVEN), (ids[FOURTEEN], FOURTEEN))
    assert (await clearing.take(pool, notification("M1", debit("B1", *parts)))).booked == 2
    whole = SEVEN + FOURTEEN
    later = await clearing.take(pool, statement("S1", debit("B1", cents=whole), how=Numbered(number=1)))
    assert (later.booked, later.known_before, later.unmatched) == (0, 1, 0)
    assert await clearing.bank_cents(pool) == 1_000_00 - whole


async def test_our_file_booked_as_one_sum_pays_everybody_in_it(pool: Pool) -> None:
    await clearing.released(pool, 1, 2)
    batch = (await clearing.payout_id(pool)).hex
    taken = await clearing.take(pool, notification("M1", debit("B1", cents=SEVEN + FOURTEEN, batch=batch)))
    assert taken.booked == 2
    assert (await clearing.payments(pool))["open_cents"] == 0


async def test_an_entry_told_again_with_another_sum_is_refused(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    await clearing.take(pool, notification("M1", debit("B1", (ids[SEVEN], SEVEN))))
    with pytest.raises(Invalid) as refused:
        await clearing.take(pool, notification("M2", debit("B1", (ids[SEVEN], SEVEN + 1))))
    assert refused.value.rule == "entry_changed"


async def test_a_file_is_accepted_in_part(pool: Pool) -> None:
    """Two accepted, one rejected; the rejected one returns to its producer and is paid again."""
    ids = await clearing.released(pool, 1, 2, 3)
    answer = pain002("R1", [(ids[SEVEN], SEVEN)], accepted=[ids[FOURTEEN], ids[21_00]])
    assert b"<GrpSts>PART<" in answer
    taken = await clearing.take(pool, answer)
    assert (taken.rejected, taken.booked, taken.unmatched) == (1, 0, 0)
    found = await clearing.payments(pool)
    assert (found["open_cents"], found["rejected_cents"]) == (FOURTEEN + 21_00, SEVEN)
    assert {one["last_status"] for one in found["waiting"]} == {"ACSC"}
    assert {one["age_days"] for one in found["waiting"]} == {7}
    again = await clearing.take(pool, answer)
    assert (again.rejected, again.known_before) == (0, 1)
    await clearing.take(pool, notification("M1", debit("B1", (ids[FOURTEEN], FOURTEEN), (ids[21_00], 21_00))))
    found = await clearing.payments(pool)
    assert (found["open_cents"], found["booked_cents"]) == (0, FOURTEEN + 21_00)


async def test_a_whole_file_is_rejected(pool: Pool) -> None:
    await clearing.released(pool, 1, 2)
    original = (await clearing.payout_id(pool)).hex
    assert (await clearing.take(pool, pain002("R0", [], group="ACCP", original=original))).rejected == 0
    assert (await clearing.take(pool, pain002("R1", [], group="RJCT", original=original))).rejected == 2
    assert (await clearing.payments(pool))["rejected_cents"] == SEVEN + FOURTEEN
    unknown = await clearing.take(pool, pain002("R2", [], group="RJCT", original="somebody-elses"))
    assert unknown.unmatched == 1
    assert [item["why"] for item in await clearing.queue(pool)] == ["unknown_payment"]


async def test_a_return_that_comes_before_its_booking_waits_for_it(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    early = await clearing.take(pool, notification("M2", bank.back("B2", ids[SEVEN], SEVEN)))
    assert (early.rejected, early.unmatched) == (0, 1)
    late = await clearing.take(pool, notification("M1", debit("B1", (ids[SEVEN], SEVEN))))
    assert (late.booked, late.explained) == (1, 1)
    found = await clearing.payments(pool)
    assert (found["returned_cents"], found["open_cents"]) == (SEVEN, 0)
    assert await clearing.queue(pool) == []
    assert await clearing.bank_cents(pool) == 1_000_00


async def test_a_rejection_after_the_booking_waits_and_the_return_explains_it(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    await clearing.take(pool, notification("M1", debit("B1", (ids[SEVEN], SEVEN))))
    assert (await clearing.take(pool, pain002("R1", [(ids[SEVEN], SEVEN)]))).unmatched == 1
    assert [(item["why"], item["left_cents"]) for item in await clearing.queue(pool)] == [("already_paid", 0)]
    returned = await clearing.take(pool, notification("M2", bank.back("B2", ids[SEVEN], SEVEN)))
    assert (returned.rejected, returned.explained) == (1, 1)
    assert await clearing.queue(pool) == []


async def test_a_payment_booked_twice_is_paid_once_and_the_banks_correction_explains_the_rest(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    await clearing.take(pool, notification("M1", debit("B1", (ids[SEVEN], SEVEN))))
    twice = await clearing.take(pool, notification("M2", debit("B2", (ids[SEVEN], SEVEN))))
    assert (twice.booked, twice.unmatched) == (0, 1)
    assert (await clearing.payments(pool))["booked_cents"] == SEVEN
    correction = await clearing.take(pool, notification("M3", credit("B3", Part(ids[SEVEN], SEVEN, returned="DUPL"))))
    assert (correction.rejected, correction.explained) == (0, 1)
    assert (await clearing.payments(pool))["booked_cents"] == SEVEN, "the payment itself stays paid"
    assert await clearing.queue(pool) == []
