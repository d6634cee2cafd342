"""Processes of a profile: started with a pid file, found again by pid and start time, stopped for certain.

A pid alone may belong to somebody else by now, so every signal goes to a process whose start time is the one
that was written. Children of the demo and of tests are tied to their launcher by the kernel and die with it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kanava.local import launch
from kanava.local.problems import DiskFull, NotStarted

LAUNCH = str(Path(launch.__file__))


@dataclass(frozen=True)
class Process:
    """One running process: its name in the profile, its pid and its start (boot id and clock ticks)."""

    name: str
    pid: int
    started: str
    pid_file: Path

    def alive(self) -> bool:
        """Whether it still runs; a child of ours that ended is reaped on the way."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        try:
            return launch.start_ticks(self.pid) == self.started and not _is_zombie(self.pid)
        except OSError:
            return False

    def send(self, number: int) -> None:
        """Send a signal, unless the process has gone."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for its end; False when it still runs after the time."""
        until = time.monotonic() + timeout_seconds
        while self.alive():
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True

    def stop(self, number: int = signal.SIGTERM, *, timeout_seconds: float = 20) -> None:
        """End it with the signal, by SIGKILL when it takes too long, and forget its pid file."""
        self.send(number)
        if not self.wait(timeout_seconds):
            self.send(signal.SIGKILL)
            self.wait(10)
        self.pid_file.unlink(missing_ok=True)


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended and only waits for its parent to notice."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"


def find(pid_file: Path) -> Process | None:
    """The process that a pid file names, if it still runs; a stale file is removed."""
    try:
        record = json.loads(pid_file.read_text())
        process = Process(pid_file.stem, int(record["pid"]), str(record["started"]), pid_file)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if process.alive():
        return process
    pid_file.unlink(missing_ok=True)
    return None


def find_all(pids: Path) -> list[Process]:
    """All running processes of a folder of pid files, by name."""
    return [found for path in sorted(pids.glob("*.pid")) if (found := find(path))]


def spawn(
    command: Sequence[str],
    *,
    pid_file: Path,
    log: Path,
    tie: int | None = None,
    environment: Mapping[str, str] | None = None,
    drop_root: bool = False,
    folder: Path | None = None,
) -> Process:
    """Start a command in a session of its own with its output in `log`.

    `tie` is the signal that the kernel sends it when this process dies; None leaves it running then.
    Raises NotStarted when it ends before it became the command, DiskFull when there is no room for its log.
    """
    # The kernel watches the thread that started a child, not the process.
    assert tie is None or threading.current_thread() is threading.main_thread(), (
        "tied children need the main thread"
    )
    flags = ["--pid-file", str(pid_file), "--parent", str(os.getpid())]
    flags += ["--tie", str(int(tie))] if tie else []
    flags += ["--drop-root"] if drop_root else []
    pid_file.unlink(missing_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", LAUNCH, *flags, "--", *command],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            env=dict(environment) if environment is not None else None, cwd=folder,
        )  # fmt: skip
    process = _appeared(pid_file, child)
    child.returncode = 0  # reaped by Process.alive, never by this object
    if process is None:
        raise NotStarted(pid_file.stem, log, tail(log))
    return process


def _appeared(pid_file: Path, child: "subprocess.Popen[bytes]") -> Process | None:
    """Wait until the child has written its pid file; None when it ended before."""
    while child.poll() is None:
        if process := find(pid_file):
            return process
        time.sleep(0.005)
    return find(pid_file)


def wait_ready(process: Process, ready: Callable[[], bool], *, log: Path, timeout_seconds: float) -> None:
    """Poll until `ready` says so. Raises NotStarted when the process ends or takes too long."""
    until = time.monotonic() + timeout_seconds
    while not ready():
        if not process.alive() or time.monotonic() > until:
            process.stop(signal.SIGKILL)
            if "No space left on device" in tail(log):
                raise DiskFull(f"Starting {process.name}")
            raise NotStarted(process.name, log, tail(log))
        time.sleep(0.05)


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, for a message."""
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return ""
