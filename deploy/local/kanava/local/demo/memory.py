"""How much memory the processes of a demo have together at their worst, sampled beside it.

Shared pages are counted once (proportional set size), as the kernel states them for each process.
"""

import itertools
import os
import threading
from pathlib import Path

import psutil

from kanava.local.profile import Profile

PAUSE_SECONDS = 2.0
EVERYTHING_EACH = 8
"""The database's processes share much memory and are slow to sum up, so only each eighth look counts them."""
KIBIBYTES_PER_MIB = 1024


class Gauge:
    """Samples in a thread until it is stopped: this process and everything of the profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.python_mib = 0
        """Peak of all Python processes together."""
        self.all_mib = 0
        """Peak of everything, PostgreSQL and Kafka included."""

    def __enter__(self) -> "Gauge":
        """Begin to sample."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End sampling with a look at everything."""
        self._done.set()
        self._thread.join()
        self.sample(everything=True)

    def _watch(self) -> None:
        for number in itertools.count(1):
            self.sample(everything=number % EVERYTHING_EACH == 0)
            if self._done.wait(PAUSE_SECONDS):
                return

    def sample(self, *, everything: bool) -> None:
        """Look once, at everything or at the Python processes alone, and keep the peaks."""
        pids = self._pids()
        python = {pid for pid in pids if _is_python(pid)}
        python_kib = sum(map(proportional_kib, python))
        self.python_mib = max(self.python_mib, python_kib // KIBIBYTES_PER_MIB)
        if everything:
            other_kib = sum(map(proportional_kib, pids - python))
            self.all_mib = max(self.all_mib, (python_kib + other_kib) // KIBIBYTES_PER_MIB)

    def _pids(self) -> set[int]:
        found = {os.getpid()}
        for running in self._profile.running():
            try:
                root = psutil.Process(running.pid)
                found |= {running.pid, *(child.pid for child in root.children(recursive=True))}
            except psutil.Error:
                continue
        return found


def proportional_kib(pid: int) -> int:
    """The proportional set size of a process in KiB; 0 when it has gone or may not be looked at."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return 0
    return 0


def _is_python(pid: int) -> bool:
    try:
        return "python" in Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        return False
