"""A statement as a paper: what both its XLSX and its PDF show, in the reader's language (fi, sv, en)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx

from .domain.disputes import contest_until
from .errors import UnknownStatement
from .views import disputes, explained, receivables


@cache
def words() -> dict[str, dict[str, str]]:
    """The words of a statement by language and name."""
    text = files("kanava.payments").joinpath("data/statement_words.json").read_text(encoding="utf-8")
    read: dict[str, dict[str, str]] = json.loads(text)
    return read


@dataclass(frozen=True)
class Paper:
    """What is shown of a statement besides its lines, and the words of its language."""

    head: DictRow
    sums: Sequence[DictRow]
    offsets: Sequence[DictRow]
    disputes: Sequence[DictRow]
    left_cents: int
    language: str

    def word(self, name: str, kind: str = "") -> str:
        """A word by name, or a value by its kind; a value without a word stands as it is."""
        return words()[self.language].get(f"{kind}.{name}" if kind else name, name)

    @property
    def title(self) -> str:
        """What the paper is, of whom and for when."""
        title = self.word("final_title" if self.head["kind"] == "final" else "title")
        return f"{title} {self.month} – {self.head['producer'] or self.head['producer_id']}"

    @property
    def month(self) -> str:
        """The month, `2026-11`."""
        return f"{self.head['month']:%Y-%m}"

    @property
    def drawn_at(self) -> datetime:
        """When the statement was drawn, in UTC: the only instant in the metadata, so equal papers are equal bytes."""
        drawn: datetime = self.head["cut_off"] or self.head["final_drawn_at"]
        return drawn.astimezone(UTC)

    @property
    def lines(self) -> int:
        """How many resident lines stand on the statement."""
        return sum(row["lines"] for row in self.sums)

    def facts(self) -> list[tuple[str, str]]:
        """What is said of the statement as a whole: name and value, in the order of the paper."""
        head = self.head
        shown = [
            ("producer", head["producer"]),
            ("producer_id", head["producer_id"]),
            ("area", head["area"]),
            ("month", self.month),
            ("statement_id", head["statement_id"]),
            ("version", head["version"]),
            ("status", self.word(head["status"], "status")),
            ("bank", self.word(head["bank_status"] or "none", "bank")),
            ("bank_reason", head["bank_reason"]),
            ("end_to_end_id", head["end_to_end_id"]),
            ("ground", self.word(head["ground"], "ground") if head["ground"] else None),
            ("cut_off", f"{self.drawn_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("contest_until", self._contest_until()),
            ("digest", head["digest"]),
        ]
        return [(self.word(name), str(value)) for name, value in shown if value is not None]

    def as_json(self) -> dict[str, object]:
        """What the statement says besides its sums, for programs."""
        head = self.head
        return {
            "kind": head["kind"],
            "left_cents": self.left_cents,
            "bank": {
                "status": head["bank_status"],
                "reason": head["bank_reason"],
                "end_to_end_id": head["end_to_end_id"],
                "amount_cents": head["bank_cents"],
            },
            "offsets": list(self.offsets),
            "disputes": list(self.disputes),
            "contest_until": self._contest_until(),
            "cut_off": head["cut_off"],
            "digest": head["digest"],
            "ground": head["ground"],
        }

    def _contest_until(self) -> date | None:
        """The last day for contesting; a final statement has no lines of its own."""
        return contest_until(helsinki_date(self.drawn_at)) if self.head["kind"] == "month" else None


async def read_paper(tx: Tx, statement_id: UUID, language: str) -> Paper:
    """Read a statement for showing it; `UnknownStatement`."""
    head = await explained.head(tx, statement_id)
    if head is None:
        raise UnknownStatement(f"There is no statement {statement_id}.")
    return Paper(
        head=head,
        sums=await explained.component_sums(tx, statement_id),
        offsets=await receivables.offsets(tx, statement_id),
        disputes=(await disputes.states(tx, [statement_id])).get(statement_id, []),
        left_cents=sum((await receivables.left(tx, [statement_id]))[statement_id].values()),
        language=language,
    )


def fact_of(line: Mapping[str, object]) -> str:
    """The event behind a line: topic, key and version; empty where there is none."""
    return f"{line['fact_topic']} {line['fact_key']}" if line["fact_topic"] else ""
