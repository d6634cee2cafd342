"""The command line as a person meets it: quick to start, and one sentence for what stands in the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kanava.local import cli
from kanava.local.commands_up import parse_copies
from kanava.local.problems import PlatformProblem


def run(*arguments: str, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with a data folder of its own."""
    environment = {**os.environ, "KANAVA_DATA": str(data), **settings}
    command = [sys.executable, "-m", "kanava.local", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


def test_help_lists_the_commands(tmp_path: Path) -> None:
    shown = run("--help", data=tmp_path)
    assert shown.returncode == 0
    for command in ("test", "up", "down", "status", "logs", "doctor", "token"):
        assert command in shown.stdout


def test_a_command_imports_only_what_it_needs() -> None:
    loaded = (
        "import sys, kanava.local.cli; print(sorted({'fastapi', 'aiokafka', 'psycopg'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["token", "--as", "king"], "There is no persona 'king'"),
        (["token", "--as", "operator"], "has no issuer yet. Start it with `./kanava up`"),
        (["logs", "listing"], "There is no log of 'listing'"),
        (["up", "--copies", "bank=2"], "There is no service 'bank'"),
        (["up", "--copies", "listing=many"], "says no number of copies"),
        (["up", "--profile", "../x"], "is no profile name"),
    ],
)
def test_what_stands_in_the_way_is_one_sentence_and_exit_code_1(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    shown = run(*arguments, data=tmp_path)
    assert shown.returncode == 1
    assert sentence in shown.stderr
    assert "Traceback" not in shown.stderr


def test_nothing_runs_in_an_empty_folder(tmp_path: Path) -> None:
    assert "Nothing runs" in run("status", data=tmp_path).stdout
    assert run("down", data=tmp_path).returncode == 0


def test_the_doctor_names_a_server_that_does_not_answer(tmp_path: Path) -> None:
    shown = run("doctor", data=tmp_path, KANAVA_POSTGRES="postgresql://a:b@127.0.0.1:1/postgres")
    assert shown.returncode == 1
    assert "127.0.0.1:1" in shown.stdout
    assert "unset KANAVA_POSTGRES" in shown.stdout


def test_copies_are_read_by_service() -> None:
    assert parse_copies(["listing=2", "payments=3"]) == {"listing": 2, "payments": 3}
    for wrong in ("listing", "listing=0", "listing=9", "listing=-1"):
        with pytest.raises(PlatformProblem):
            parse_copies([wrong])


def test_a_command_without_a_module_is_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.COMMANDS, "fly", "kanava.local.commands_fly")
    group = cli.LazyGroup(name="x")
    assert "fly" not in group.list_commands(None)
    assert group.get_command(None, "fly") is None
