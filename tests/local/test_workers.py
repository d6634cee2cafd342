"""The suite on several workers: how many there are, and that none leaves a server behind, however a session ends."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from kanava.local import ports
from kanava.local.commands_test import WORKER_BYTES, workers
from kanava.local.profile import project_root
from tests.support import parallel

ENOUGH = 100 * WORKER_BYTES
CONFTEST = """
from tests.conftest import platform_profile, postgres, pytest_configure, pytest_configure_node
"""
TEST = """
import os, pathlib, time
def test_that_lasts(postgres):
    ready = pathlib.Path(__file__).with_name(f"{os.getpid()}.new")
    ready.write_text(str(postgres.port))
    ready.rename(ready.with_suffix(".ready"))
    time.sleep(120)
"""


@pytest.mark.parametrize(
    ("arguments", "cores", "free_bytes", "expected"),
    [
        ((), 2, ENOUGH, ["-n", "2"]),
        (("-q", "-x", "-k", "money"), 2, ENOUGH, ["-n", "2"]),
        ((), 64, ENOUGH, ["-n", "4"]),
        ((), 8, 2 * WORKER_BYTES, ["-n", "2"]),
        ((), 8, WORKER_BYTES, []),
        ((), 1, ENOUGH, []),
        (("tests/payments",), 8, ENOUGH, []),
        (("tests/local/test_workers.py::test_it",), 8, ENOUGH, []),
        (("-n3",), 8, ENOUGH, []),
        (("--pdb",), 8, ENOUGH, []),
        (("--collect-only",), 8, ENOUGH, []),
    ],
)
def test_the_whole_suite_uses_the_cores_and_a_part_of_it_one(
    monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], cores: int, free_bytes: int, expected: list[str]
) -> None:
    monkeypatch.chdir(project_root())
    assert workers(arguments, cores=cores, free_bytes=free_bytes) == expected


def test_the_files_that_are_named_for_the_workers_exist() -> None:
    named = [*parallel.ON_THE_CLUSTER, *(name for name in parallel.LONG if name != parallel.CLUSTER)]
    assert [name for name in named if not (project_root() / name).is_file()] == []


def test_whoever_asks_for_the_shared_cluster_is_on_the_same_worker() -> None:
    files = {path: path.read_text() for path in (project_root() / "tests").glob("*/test_*.py")}
    asking = {
        path.relative_to(project_root()).as_posix()
        for path, text in files.items()
        if any("cluster: Running" in taken for taken in re.findall(r"def test_\w+\((.*?)\) ->", text, re.DOTALL))
    }
    assert asking == set(parallel.ON_THE_CLUSTER)


@pytest.mark.platform
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_session_that_is_ended_takes_its_workers_and_their_servers_along(tmp_path: Path, number: int) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name in ("one", "two"):
        (tmp_path / f"test_{name}.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "-c", "/dev/null"]
    session = subprocess.Popen(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        env={**os.environ, "KANAVA_DATA": str(tmp_path / "data"), "PYTHONPATH": str(project_root())},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert until(lambda: len(list(tmp_path.glob("*.ready"))) == 2, seconds=120), "two workers began"
    begun = psutil.Process(session.pid).children(recursive=True)
    opened = [int(path.read_text()) for path in tmp_path.glob("*.ready")]
    assert all(ports.is_open(port) for port in opened)
    session.send_signal(number)
    session.wait(60)
    assert until(lambda: not any(alive(process) for process in begun), seconds=30), begun
    assert not any(ports.is_open(port) for port in opened)


def alive(process: psutil.Process) -> bool:
    """Whether it runs; one that waits for its parent to notice its end does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether a condition came true in time."""
    end = time.monotonic() + seconds
    while not (came := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return came
