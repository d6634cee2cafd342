"""Processes are found by pid and start time, die with a launcher they are tied to, and leave no file."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kanava.local import processes
from kanava.local.problems import NotStarted
from kanava.local.processes import Process

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
LAUNCHER = """
import signal, sys, time
from pathlib import Path
from kanava.local import processes
folder = Path(sys.argv[1])
processes.spawn([sys.executable, "-c", "import time; time.sleep(60)"], pid_file=folder / "child.pid",
                log=folder / "child.log", tie=signal.SIGKILL if sys.argv[2] == "tied" else None)
print("started", flush=True)
time.sleep(60)
"""


def start(folder: Path, name: str = "sleeper") -> Process:
    """A process that does nothing for a minute, tied to this one."""
    return processes.spawn(
        SLEEP, pid_file=folder / f"{name}.pid", log=folder / f"{name}.log", tie=signal.SIGKILL
    )


def test_a_started_process_is_found_again_and_stopped(tmp_path: Path) -> None:
    process = start(tmp_path)
    assert processes.find(tmp_path / "sleeper.pid") == process
    assert [each.name for each in processes.find_all(tmp_path)] == ["sleeper"]
    process.stop()
    assert not process.alive()
    assert processes.find_all(tmp_path) == []
    assert not (tmp_path / "sleeper.pid").exists()


def test_a_pid_that_belongs_to_somebody_else_by_now_is_left_alone(tmp_path: Path) -> None:
    process = start(tmp_path)
    record = json.loads((tmp_path / "sleeper.pid").read_text())
    (tmp_path / "stale.pid").write_text(json.dumps(record | {"started": "another-boot:1"}))
    assert processes.find(tmp_path / "stale.pid") is None
    assert not (tmp_path / "stale.pid").exists()
    Process("stale", process.pid, "another-boot:1", tmp_path / "stale.pid").stop()
    assert process.alive()
    process.stop(signal.SIGKILL)


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"pid": "x"}', "null"])
def test_a_damaged_pid_file_names_nobody(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "bad.pid").write_text(damaged)
    assert processes.find(tmp_path / "bad.pid") is None


def test_one_that_will_not_end_is_killed(tmp_path: Path) -> None:
    ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    stubborn = f"{ignore}; print('up', flush=True); time.sleep(60)"
    log = tmp_path / "stubborn.log"
    process = processes.spawn(
        [sys.executable, "-c", stubborn], pid_file=tmp_path / "stubborn.pid", log=log, tie=signal.SIGKILL
    )
    processes.wait_ready(process, lambda: "up" in processes.tail(log), log=log, timeout_seconds=10)
    process.stop(timeout_seconds=0.2)
    assert not process.alive()


def test_one_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "short.log"
    process = processes.spawn(
        [sys.executable, "-c", "raise SystemExit('no licence')"], pid_file=tmp_path / "short.pid", log=log
    )
    with pytest.raises(NotStarted, match="no licence"):
        processes.wait_ready(process, lambda: False, log=log, timeout_seconds=10)


@pytest.mark.parametrize(("how", "survives"), [("tied", False), ("free", True)])
def test_only_a_tied_child_dies_with_its_launcher(tmp_path: Path, how: str, *, survives: bool) -> None:
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, str(tmp_path), how], stdout=subprocess.PIPE)
    assert launcher.stdout is not None
    assert launcher.stdout.readline() == b"started\n"
    child = processes.find(tmp_path / "child.pid")
    assert child is not None
    os.kill(launcher.pid, signal.SIGKILL)
    launcher.communicate()
    time.sleep(0.2)
    assert child.alive() is survives
    child.stop(signal.SIGKILL)
