"""A statement as tagged PDF (PDF/UA-1), set by the Typst compiler from `data/statement.typ`.

Fonts are those of the compiler, never the machine's, and the only instant is that of the statement: the same
statement gives the same bytes everywhere.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import orjson
import typst
from psycopg.rows import DictRow

from kanava.common.languages import money_text

from .statement_paper import Paper

PDF_LINES = 1_000
"""How many lines a PDF shows; who wants the others takes the XLSX, and the paper says so."""


def statement_pdf(paper: Paper, lines: Sequence[DictRow]) -> bytes:
    """The PDF of a statement with its first lines; takes about half a second for a thousand, so call it in a thread."""
    source = files("kanava.payments").joinpath("data/statement.typ").read_bytes()
    made = typst.compile(
        source,
        sys_inputs={"data": orjson.dumps(_content(paper, lines)).decode()},
        pdf_standards=["ua-1"],
        timestamp=paper.drawn_at,
        ignore_system_fonts=True,
    )
    assert isinstance(made, bytes), "one document gives one file"
    return made


def _content(paper: Paper, lines: Sequence[DictRow]) -> dict[str, Any]:
    """Everything that the template shows, as text."""
    return {
        "lang": paper.language,
        "title": paper.title,
        "page": paper.word("page"),
        "head": paper.facts(),
        "summary": _table(paper, "summary", ("component", "lines", "amount"), _sums(paper)),
        "offsets": _table(paper, "offsets", ("month", "other", "component", "amount"), _offsets(paper)),
        "disputes": _table(paper, "disputes", ("disputes", "status", "lines", "due_on"), _disputes(paper)),
        "lines": _table(paper, "lines", LINE_COLUMNS, [_line(paper, line) for line in lines])
        | {"note": _note(paper, len(lines))},
    }


def _table(paper: Paper, title: str, head: Sequence[str], rows: list[list[str]]) -> dict[str, Any]:
    return {"title": paper.word(title), "head": [paper.word(name) for name in head], "rows": rows}


def _sums(paper: Paper) -> list[list[str]]:
    shown = [
        [paper.word(one["component"], "component"), str(one["lines"]), money_text(one["amount_cents"], paper.language)]
        for one in paper.sums
    ]
    total = [paper.word("total"), str(paper.lines), money_text(paper.head["amount_cents"], paper.language)]
    return [*shown, total, [paper.word("left"), "", money_text(paper.left_cents, paper.language)]]


def _offsets(paper: Paper) -> list[list[str]]:
    return [
        [
            *(one["month"], str(one["statement_id"]), paper.word(one["component"], "component")),
            money_text(one["amount_cents"], paper.language),
        ]
        for one in paper.offsets
    ]


def _disputes(paper: Paper) -> list[list[str]]:
    return [
        [str(one["dispute_id"]), paper.word(one["status"], "status"), str(one["lines"]), str(one["due_on"])]
        for one in paper.disputes
    ]


LINE_COLUMNS = ("resident", "component", "kind", "for_month", "rule", "report", "rate", "amount")


def _line(paper: Paper, line: DictRow) -> list[str]:
    return [
        str(line["resident_id"]),
        paper.word(line["component"], "component"),
        paper.word(line["kind"], "kind"),
        line["for_month"],
        line["rule"] or "",
        line["report_id"] or line["reason"] or _fact(paper, line),
        money_text(line["rate_cents"], paper.language),
        money_text(line["amount_cents"], paper.language),
    ]


def _fact(paper: Paper, line: DictRow) -> str:
    return f"{paper.word('fact')} {line['fact_version']}" if line["fact_version"] else ""


def _note(paper: Paper, shown: int) -> str:
    if paper.head["kind"] == "final":
        return paper.word("no_lines")
    return f"{paper.word('more_lines')} {paper.lines - shown}" if paper.lines > shown else ""
