"""A statement as XLSX: a summary and all lines, written row by row to disk in bounded memory.

The only instants in the file are those of the statement, so the same statement gives the same bytes.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import IO, Any

from psycopg.rows import DictRow
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from .statement_paper import Paper, fact_of

EURO_FORMAT = '#,##0.00 "€"'
SHEET_ROWS = 1_000_000
"""Excel takes 1,048,576 rows on a sheet; a statement with more lines goes on on another."""


def in_euros(cents: int) -> Decimal:
    """Cents as an exact number of euros."""
    return Decimal(cents).scaleb(-2)


Value = Callable[[Paper, DictRow], Any]
COLUMNS: tuple[tuple[str, int, Value], ...] = (
    ("resident", 38, lambda paper, line: str(line["resident_id"])),
    ("component", 18, lambda paper, line: paper.word(line["component"], "component")),
    ("kind", 14, lambda paper, line: paper.word(line["kind"], "kind")),
    ("for_month", 12, lambda paper, line: line["for_month"]),
    ("unit", 28, lambda paper, line: line["unit_id"]),
    ("product", 28, lambda paper, line: line["product"] or line["node"]),
    ("days", 8, lambda paper, line: line["days"] or None),
    ("quantity", 8, lambda paper, line: line["quantity"]),
    ("rate", 14, lambda paper, line: in_euros(line["rate_cents"])),
    ("amount", 14, lambda paper, line: in_euros(line["amount_cents"])),
    ("rule", 30, lambda paper, line: line["rule"]),
    ("fact", 60, lambda paper, line: fact_of(line)),
    ("fact_version", 10, lambda paper, line: line["fact_version"]),
    ("report", 24, lambda paper, line: line["report_id"]),
    ("reason", 40, lambda paper, line: line["reason"]),
    ("performed_on", 12, lambda paper, line: str(line["performed_on"]) if line["performed_on"] else None),
    ("corrects", 12, lambda paper, line: line["corrects_statement_of"]),
    ("source", 38, lambda paper, line: str(line["source"]) if line["source"] else None),
)
"""The columns of the sheet of lines: the name of the heading, the width, and what stands in it."""
MONEY_COLUMNS = frozenset({"rate", "amount"})


class StatementBook:
    """A workbook of one statement that is being written to `out`; rows leave memory as they are written."""

    def __init__(self, out: IO[bytes], paper: Paper) -> None:
        self._paper = paper
        self._book = Workbook(out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
        drawn = paper.drawn_at.replace(tzinfo=None)
        self._book.set_properties({"title": paper.title, "author": "Kanava", "created": drawn})
        self._bold = self._book.add_format({"bold": True})
        self._euro = self._book.add_format({"num_format": EURO_FORMAT})
        self._money = [self._euro if name in MONEY_COLUMNS else None for name, _, _ in COLUMNS]
        self._summarise(self._book.add_worksheet(paper.word("summary")))
        self._sheet: Worksheet | None = None
        self._sheets = self._row = 0

    def _summarise(self, sheet: Worksheet) -> None:
        """The first sheet: what the statement is, its sums, what was offset, and what is left."""
        paper, row = self._paper, 0
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 2, 40)
        sheet.write_string(row, 0, paper.title, self._bold)
        for name, value in paper.facts():
            row += 1
            sheet.write_string(row, 0, name)
            sheet.write_string(row, 1, value)
        row = self._table(sheet, row + 2, ("component", "lines", "amount"), rows=self._sums())
        row = self._table(sheet, row + 1, ("offsets", "other", "amount"), rows=self._offsets())
        self._table(sheet, row + 1, ("disputes", "due_on", "lines"), rows=self._disputes())

    def _sums(self) -> Iterable[tuple[Any, ...]]:
        paper = self._paper
        for one in paper.sums:
            yield paper.word(one["component"], "component"), one["lines"], in_euros(one["amount_cents"])
        yield paper.word("total"), paper.lines, in_euros(paper.head["amount_cents"])
        yield paper.word("left"), None, in_euros(paper.left_cents)

    def _offsets(self) -> Iterable[tuple[Any, ...]]:
        for one in self._paper.offsets:
            named = f"{one['month']} {one['statement_id']}"
            yield self._paper.word(one["component"], "component"), named, in_euros(one["amount_cents"])

    def _disputes(self) -> Iterable[tuple[Any, ...]]:
        for one in self._paper.disputes:
            yield self._paper.word(one["status"], "status"), str(one["due_on"]), one["lines"]

    def _table(self, sheet: Worksheet, row: int, head: tuple[str, ...], *, rows: Iterable[tuple[Any, ...]]) -> int:
        """A small table under a heading; answers the row behind it."""
        for column, name in enumerate(head):
            sheet.write_string(row, column, self._paper.word(name), self._bold)
        for values in rows:
            row += 1
            for column, value in enumerate(values):
                self._cell(sheet, (row, column), value)
        return row + 1

    def _cell(self, sheet: Worksheet, place: tuple[int, int], value: Any) -> None:
        if isinstance(value, str):
            sheet.write_string(*place, value)
        elif value is not None:
            sheet.write_number(*place, value, self._euro if isinstance(value, Decimal) else None)

    def write(self, lines: Iterable[DictRow]) -> None:
        """Write lines behind those that are there."""
        for line in lines:
            if self._sheet is None or self._row > SHEET_ROWS:
                self._sheet = self._next_sheet()
            for column, (_, _, value_of) in enumerate(COLUMNS):
                value = value_of(self._paper, line)
                if isinstance(value, str):
                    self._sheet.write_string(self._row, column, value)
                elif value is not None:
                    self._sheet.write_number(self._row, column, value, self._money[column])
            self._row += 1

    def _next_sheet(self) -> Worksheet:
        self._sheets += 1
        named = self._paper.word("lines")
        sheet = self._book.add_worksheet(named if self._sheets == 1 else f"{named} {self._sheets}")
        for column, (name, width, _) in enumerate(COLUMNS):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, self._paper.word(name), self._bold)
        sheet.freeze_panes(1, 0)
        self._row = 1
        return sheet

    def close(self) -> None:
        """Finish the file."""
        self._book.close()
