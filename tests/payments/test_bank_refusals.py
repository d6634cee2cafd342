"""Bank's files that are well-formed and still wrong: what they contradict is named, and nothing of them is booked."""

from dataclasses import replace

import pytest

from kanava.common.db import Pool
from kanava.common.errors import Invalid
from kanava.payments import bankfiles
from tests.payments import bank, clearing
from tests.payments.bank import Numbered, Part, credit, debit, notification, pain002, statement
from tests.payments.test_bank_files import BATCH, FOURTEEN, GOOD, SEVEN, STATEMENT, entries

NTFCTN = "/Document/BkToCstmrDbtCdtNtfctn/Ntfctn"
NTRY = f"{NTFCTN}/Ntry"
STMT = "/Document/BkToCstmrStmt/Stmt"
PAGED = statement("M", debit("B", ("E", 1)), how=Numbered(number=1, opening=5, page=(1, True)))
WRONG = {
    "a transaction against its entry": (
        BATCH.replace(b"</Refs>", b"</Refs><CdtDbtInd>CRDT</CdtDbtInd>", 1),
        "direction",
        f"{NTRY}/NtryDtls/TxDtls[1]/CdtDbtInd",
    ),
    "a transaction of nothing": (
        BATCH.replace(b'<Amt Ccy="EUR">0.02<', b'<Amt Ccy="EUR">0.00<'),
        "amount",
        f"{NTRY}/NtryDtls/TxDtls[2]",
    ),
    "a transaction in another currency": (
        BATCH.replace(b'<Amt Ccy="EUR">0.02<', b'<Amt Ccy="USD">0.02<'),
        "currency",
        f"{NTRY}/NtryDtls/TxDtls[2]/Amt",
    ),
    "a day that is none": (
        GOOD.replace(bank.BOOKED_ON.encode(), b"2026-02-30"),
        "date",
        f"{NTRY}/BookgDt/Dt",
    ),
    "a file of no day": (
        GOOD.replace(bank.CREATED.encode(), b"yesterday", 1),
        "date",
        "/Document/BkToCstmrDbtCdtNtfctn/GrpHdr/CreDtTm",
    ),
    "no report at all": (
        GOOD.replace(b"Ntfctn>", b"Other>").replace(b"BkToCstmrDbtCdtOther", b"BkToCstmrDbtCdtNtfctn"),
        "element_present",
        "/Document/BkToCstmrDbtCdtNtfctn",
    ),
    "a statement of number 0": (
        STATEMENT.replace(b"<ElctrncSeqNb>1<", b"<ElctrncSeqNb>0<"),
        "sequence_number",
        STMT,
    ),
    "a statement of no number": (
        STATEMENT.replace(b"<ElctrncSeqNb>1<", b"<ElctrncSeqNb>-1<"),
        "sequence_number",
        STMT,
    ),
    "a page of no number": (PAGED.replace(b"<PgNb>1<", b"<PgNb>one<"), "sequence_number", STMT),
    "a status of no amount": (
        pain002("M", [("E", 1)]).replace(b">0.01<", b">0,01<"),
        "amount",
        "/Document/CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts/OrgnlTxRef/Amt/InstdAmt",
    ),
}


@pytest.mark.parametrize(("content", "rule", "pointer"), WRONG.values(), ids=WRONG)
async def test_a_file_that_contradicts_itself_is_refused_whole(
    pool: Pool, content: bytes, rule: str, pointer: str
) -> None:
    await clearing.released(pool, 1)
    before = await entries(pool)
    with pytest.raises(Invalid) as refused:
        await clearing.take(pool, content)
    assert (refused.value.rule, refused.value.pointer) == (rule, pointer)
    assert await entries(pool) == before


@pytest.mark.parametrize(
    ("limits", "content"),
    [({"entries": 1}, notification("M", debit("B", ("E", 1)), debit("C", ("F", 1)))), ({"details": 1}, BATCH)],
    ids=["entries", "transactions"],
)
def test_a_file_of_too_many_parts_is_refused(
    monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], content: bytes
) -> None:
    """A short file may still have millions of empty elements; the limits are data."""
    assert bankfiles.read_bank_message(content).reports
    monkeypatch.setattr(bankfiles, "LIMITS", replace(bankfiles.LIMITS, **limits))
    with pytest.raises(Invalid) as refused:
        bankfiles.read_bank_message(content)
    assert (refused.value.rule, refused.value.pointer) == ("file_size", "/")


async def test_parts_that_come_later_may_not_make_more_than_the_whole(pool: Pool) -> None:
    """7 of 21 are told, and then 21 more: the entry would be larger than what left the account."""
    ids = await clearing.released(pool, 1, 2)
    whole = SEVEN + FOURTEEN
    await clearing.take(pool, notification("M1", debit("B1", (ids[SEVEN], SEVEN), cents=whole)))
    before = await entries(pool)
    for parts in (((ids[FOURTEEN], whole),), ((ids[SEVEN], SEVEN - 1), (ids[FOURTEEN], FOURTEEN))):
        with pytest.raises(Invalid) as refused:
            await clearing.take(pool, notification("M2", debit("B1", *parts, cents=whole)))
        assert refused.value.rule == "entry_changed"
    assert await entries(pool) == before
    assert (await clearing.payments(pool))["booked_cents"] == SEVEN


async def test_an_entry_that_turns_round_is_refused(pool: Pool) -> None:
    ids = await clearing.released(pool, 1)
    await clearing.take(pool, notification("M1", debit("B1", (ids[SEVEN], SEVEN))))
    with pytest.raises(Invalid) as refused:
        await clearing.take(pool, notification("M2", credit("B1", Part(ids[SEVEN], SEVEN))))
    assert (refused.value.rule, refused.value.pointer) == ("entry_changed", f"{NTFCTN}/Ntry[1]")
    assert await clearing.bank_cents(pool) == 1_000_00 - SEVEN


async def test_our_file_booked_with_another_sum_pays_nobody_and_waits(pool: Pool) -> None:
    """Of two payments one cent is missing: which one was short, the bank has to say."""
    await clearing.released(pool, 1, 2)
    batch = (await clearing.payout_id(pool)).hex
    taken = await clearing.take(pool, notification("M1", debit("B1", cents=SEVEN + FOURTEEN - 1, batch=batch)))
    assert (taken.booked, taken.unmatched) == (0, 1)
    assert [(item["why"], item["left_cents"]) for item in await clearing.queue(pool)] == [
        ("without_details", SEVEN + FOURTEEN - 1)
    ]
    assert (await clearing.payments(pool))["open_cents"] == SEVEN + FOURTEEN
