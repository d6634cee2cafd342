"""What the operator is told on the command line: books that hold or are broken, letters, and what is in the way."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from kanava.common.ids import AREA_CODES
from kanava.local import commands_dlq, commands_ledger, commands_token
from kanava.local.demo import command as demo
from kanava.local.problems import PlatformProblem

GROUP = {
    "service": "payments", "topic": "kanava.listing.listing.v1", "reason": "not a valid fact", "letters": 2,
    "oldest_at": "2026-11-01T09:00:00Z", "newest_at": "2026-11-02T09:00:00Z", "letter_ids": ["aa-1", "bb-2"],
}  # fmt: skip
ENTRY = str(UUID(int=11))
Asked = list[tuple[str, str, Any]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Questions that monitoring was asked, answered with two letters of one group."""
    questions: Asked = []

    def ask(name: str, service: str, method: str, path: str, *, told: Any = None) -> Any:
        questions.append((method, path, told))
        page = {"letters": 2, "groups": [GROUP], "cursor": "newest", "next_cursor": None}
        return page if told is None else {"letter_ids": told["letter_ids"]}

    monkeypatch.setattr(commands_dlq, "ask", ask)
    return questions


def verified(monkeypatch: pytest.MonkeyPatch, broken: dict[str, Any] | None) -> tuple[int, str]:
    """What `ledger verify` says when payments answers like this."""
    answer = {"area": "03", "entries": 28, "head": "ab" * 32, "broken": broken}
    monkeypatch.setattr(commands_ledger, "ask", lambda *_: answer)
    result = CliRunner().invoke(commands_ledger.app, ["verify", "--area", "03"])
    return result.exit_code, result.output


def test_books_that_hold_are_said_to_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    code, told = verified(monkeypatch, None)
    assert code == 0
    assert "The books of area 03 hold: 28 entries" in told


def test_the_first_broken_entry_is_named_with_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"seq": 29, "entry_id": ENTRY, "reason": "its resident lines were changed"}
    code, told = verified(monkeypatch, broken)
    assert code == 1
    assert f"broken at entry 29 ({ENTRY}): its resident lines were changed" in told


def test_a_run_or_statement_beside_the_chain_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "The run of 2026-11: its digest is not that of its lines, charges and claims"
    code, told = verified(monkeypatch, {"seq": 29, "entry_id": str(UUID(int=0)), "reason": reason})
    assert code == 1
    assert f"The books of area 03 are broken: {reason}. All 28 entries hold." in told


def test_without_an_area_all_books_are_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(name: str, service: str, method: str, path: str) -> dict[str, Any]:
        area = path.split("/")[3]
        asked.append(area)
        broken = {"seq": 2, "entry_id": ENTRY, "reason": "its hash differs"} if area == "90" else None
        return {"area": area, "entries": 1 if area in ("03", "90") else 0, "head": "ab" * 32, "broken": broken}

    monkeypatch.setattr(commands_ledger, "ask", ask)
    result = CliRunner().invoke(commands_ledger.app, ["verify"])
    assert set(asked) == AREA_CODES
    assert (result.exit_code, len(result.output.splitlines())) == (1, 2)
    assert "area 03 hold: 1 entries" in result.output
    assert "area 90 are broken at entry 2" in result.output


@pytest.mark.parametrize("words", [["--resident", "Matti"], ["--area", "99"]])
def test_a_token_that_no_service_takes_is_not_made(words: list[str]) -> None:
    result = CliRunner().invoke(commands_token.app, ["--as", "resident", *words])
    assert isinstance(result.exception, PlatformProblem)
    assert "No service would take this token" in str(result.exception)


def test_letters_are_listed_and_one_is_found_by_how_its_id_begins(asked: Asked) -> None:
    assert "2 dead letters" in CliRunner().invoke(commands_dlq.app, ["list"]).output
    assert "bb-2" in CliRunner().invoke(commands_dlq.app, ["show", "aa"]).output


def test_a_letter_or_its_whole_group_is_driven_again_with_a_reason(asked: Asked) -> None:
    words = ["redrive", "bb", "--reason", "the reader was mended"]
    assert CliRunner().invoke(commands_dlq.app, words).exit_code == 0
    assert asked[-1][2] == {"letter_ids": ["bb-2"], "reason": "the reader was mended", "force": False}
    CliRunner().invoke(commands_dlq.app, [*words, "--group"])
    assert asked[-1][2]["letter_ids"] == ["bb-2", "aa-1"], "the oldest first"


def test_a_letter_that_is_not_there_is_said_to_be_missing(asked: Asked) -> None:
    result = CliRunner().invoke(commands_dlq.app, ["show", "zz"])
    assert isinstance(result.exception, PlatformProblem)
    assert "No dead letter begins with 'zz'" in str(result.exception)


@pytest.mark.parametrize(
    ("words", "settings", "sentence"),
    [
        (["--profile", "up"], {}, "never takes those of 'up'"),
        ([], {"KANAVA_POSTGRES": "postgresql://x"}, "Unset KANAVA_POSTGRES"),
        (["--json", "/no/such/folder/result.json"], {}, "cannot be written"),
    ],
)
def test_the_demo_says_at_once_what_would_only_fail_at_its_end_or_harm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], settings: dict[str, str], sentence: str
) -> None:
    monkeypatch.setenv("KANAVA_DATA", str(tmp_path))
    for name in demo.NOT_FOR_THE_DEMO:
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(demo.app, words)
    assert isinstance(result.exception, PlatformProblem)
    assert sentence in str(result.exception)
    assert not any(tmp_path.iterdir())
