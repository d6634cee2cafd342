"""Statements line by line with rule and event, as XLSX and as PDF."""

import io
import tracemalloc
import zipfile
from datetime import date
from uuid import UUID

import pytest
from lxml import etree
from psycopg.rows import DictRow

from kanava.common.db import Pool, transaction
from kanava.common.languages import LANGUAGES
from kanava.payments.statement_paper import Paper, read_paper, words
from kanava.payments.statement_pdf import statement_pdf
from kanava.payments.statement_xlsx import COLUMNS, StatementBook
from kanava.payments.views import explained
from tests.payments import story
from tests.payments.bank import pain002
from tests.payments.test_payout import closed_month, payment, tell
from tests.payments.test_receivables import DECEMBER, LATER, joined, overpaid, released
from tests.support import facts as told
from tests.support.facts import at

NOVEMBER = date(2026, 11, 1)
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


async def statement_id(pool: Pool, month: date = NOVEMBER) -> UUID:
    """The id of the private producer's statement of a month."""
    async with transaction(pool) as tx:
        cursor = await tx.execute(
            "SELECT statement_id FROM statement WHERE producer_id = %s AND month = %s", (told.PRIVATE, month)
        )
        row = await cursor.fetchone()
    assert row is not None
    found: UUID = row["statement_id"]
    return found


async def read(pool: Pool, month: date = NOVEMBER, language: str = "fi") -> tuple[Paper, list[DictRow]]:
    """The private producer's statement of a month as a paper, with its lines."""
    named = await statement_id(pool, month)
    async with transaction(pool) as tx:
        paper = await read_paper(tx, named, language)
        return paper, await explained.lines(tx, paper.head, limit=1000)


def book_of(paper: Paper, lines: list[DictRow]) -> bytes:
    """The XLSX of a statement."""
    out = io.BytesIO()
    book = StatementBook(out, paper)
    book.write(lines)
    book.close()
    return out.getvalue()


def cells(content: bytes, sheet: int) -> dict[str, str]:
    """What stands in the cells of a sheet, as stored."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        strings = (
            ["".join(map(str, one.itertext())) for one in etree.fromstring(archive.read("xl/sharedStrings.xml"))]
            if "xl/sharedStrings.xml" in archive.namelist()
            else []
        )
        root = etree.fromstring(archive.read(f"xl/worksheets/sheet{sheet}.xml"))
    found = {}
    for cell in root.iter(f"{SHEET}c"):
        text = "".join(map(str, cell.itertext()))
        found[str(cell.get("r"))] = strings[int(text)] if cell.get("t") == "s" else text
    return found


async def test_each_line_names_its_rule_and_its_event(pool: Pool) -> None:
    await closed_month(pool)
    _, lines = await read(pool)
    by_component = {line["component"]: line for line in lines}
    capitation, fee = by_component["capitation"], by_component["fee"]
    assert (capitation["rule_kind"], capitation["rule"]) == ("compensation_model", told.MODEL)
    assert (capitation["fact_topic"], capitation["fact_key"]) == ("kanava.listing.listing.v1", told.resident_id(2))
    assert (fee["rule_kind"], fee["rule"]) == ("price", "03:SOS.1.1:2026-09-01")
    assert (fee["fact_topic"], fee["fact_key"]) == ("kanava.monitoring.production.v1", UUID(int=2 * 10**30 + 1))
    assert (fee["fact_version"], fee["report_id"], fee["performed_on"]) == (1, "R1", date(2026, 11, 15))
    fee_of_client = by_component["client_fee"]
    assert (fee_of_client["report_id"], fee_of_client["rule"]) == ("R1", None), "collected, so no rule of ours"


async def test_a_refund_is_explained_by_what_it_takes_back_and_a_correction_by_what_holds(pool: Pool) -> None:
    """The report is corrected and, later, the price set anew: the refund keeps the old rule, with its month."""
    await closed_month(pool)
    corrected = told.visit(1, 2, date(2026, 11, 15), recorded_at=at(12, 21), fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", corrected.model_copy(update={"quantity": 2}))
    reasoned = {"recorded_at": at(12, 22), "correction_reason": "Kirjoitusvirhe"}
    renewed = told.price(50_00, date(2026, 11, 10)).model_copy(update=reasoned)
    await story.hear(pool, "registry.price", renewed)
    await story.close(pool, DECEMBER, LATER)
    _, lines = await read(pool, DECEMBER)
    fees = {line["kind"]: line for line in lines if line["component"] == "fee"}
    assert {kind: (line["amount_cents"], line["fact_version"], line["rule"]) for kind, line in fees.items()} == {
        "refund": (-45_00, 1, "03:SOS.1.1:2026-09-01"),
        "correction": (100_00, 2, "03:SOS.1.1:2026-11-10"),
    }
    assert {line["corrects_statement_of"] for line in fees.values()} == {"2026-11"}


async def test_the_pages_of_lines_are_the_whole(pool: Pool) -> None:
    await closed_month(pool)
    paper, whole = await read(pool)
    pages, place = [], explained.FIRST_LINE
    async with transaction(pool) as tx:
        while page := await explained.lines(tx, paper.head, after=place, limit=1):
            pages += page
            place = explained.place_of(page[-1])  # type: ignore[assignment]  # as many texts as the first place
    assert pages == whole
    assert len(pages) == 3


async def test_the_xlsx_has_sums_as_euros_and_every_line(pool: Pool) -> None:
    await closed_month(pool)
    paper, lines = await read(pool)
    content = book_of(paper, lines)
    summary, rows = cells(content, 1), cells(content, 2)
    assert {"31.40", "7.00", "45.00", "-20.60"} <= set(summary.values()), "numbers, not texts"
    assert {"kapitaatio", "suoritekorvaus", "asiakasmaksu"} <= set(summary.values())
    assert rows["A1"] == "Asukas"
    assert rows["A2"] == str(told.resident_id(2))
    amounts = [rows[f"J{n}"] for n in (2, 3, 4)]
    assert sorted(amounts) == ["-20.60", "45.00", "7.00"]
    assert "A5" not in rows


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_same_statement_gives_the_same_bytes(pool: Pool, language: str) -> None:
    await closed_month(pool)
    paper, lines = await read(pool, language=language)
    again, lines_again = await read(pool, language=language)
    assert book_of(paper, lines) == book_of(again, lines_again)
    assert statement_pdf(paper, lines) == statement_pdf(again, lines_again)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_pdf_is_tagged_and_says_its_language(pool: Pool, language: str) -> None:
    """Typst refuses to write PDF/UA-1 that breaks its rules; the marks of the standard are in the file."""
    await closed_month(pool)
    paper, lines = await read(pool, language=language)
    content = statement_pdf(paper, lines)
    assert content.startswith(b"%PDF-1.")
    assert f"/Lang ({language})".encode() in content.replace(b"/Lang(", b"/Lang (")
    assert b"<pdfuaid:part>1</pdfuaid:part>" in content
    assert b"/MarkInfo" in content
    assert b"2026-12-02" in content, "the instant of the metadata is the cut-off"


async def test_the_bank_s_answer_and_what_was_offset_are_shown(pool: Pool) -> None:
    await overpaid(pool)
    await released(pool, NOVEMBER)
    await joined(pool, 10, 2)
    await story.close(pool, DECEMBER, LATER)
    await released(pool, DECEMBER)
    paper, _ = await read(pool, DECEMBER)
    assert (paper.head["bank_status"], paper.left_cents) == ("open", 7_00)
    assert ("Pankin tila", "avoin: pankki ei ole vahvistanut") in paper.facts()
    assert [(one["month"], one["amount_cents"]) for one in paper.offsets] == [("2026-11", -7_00)]
    await tell(pool, pain002("M", [await payment(pool)]))
    paper, _ = await read(pool, DECEMBER, "en")
    facts = dict(paper.facts())
    assert (facts["Bank status"], facts["The bank's reason"]) == ("rejected or returned", "AC04")


async def test_lines_leave_memory_as_they_are_written(pool: Pool) -> None:
    """What stays after a page is the same after six: 300,000 lines take no more memory than these."""
    await closed_month(pool)
    paper, lines = await read(pool)
    out = io.BytesIO()
    book = StatementBook(out, paper)
    book.write(lines * 100)
    tracemalloc.start()
    for _ in range(5):
        book.write(lines * 300)
    stayed_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    book.close()
    assert stayed_bytes < 100_000
    assert f"A{1 + 3 * 100 + 5 * 3 * 300}" in cells(out.getvalue(), 2)


def test_every_language_has_every_word() -> None:
    assert set(words()) == set(LANGUAGES)
    assert len({frozenset(own) for own in words().values()}) == 1
    assert all(all(own.values()) for own in words().values())
    assert {name for name, _, _ in COLUMNS} <= set(words()["fi"])
