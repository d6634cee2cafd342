"""How the whole suite is spread over workers: a file stays with one of them, and the longest begin first.

Every worker has servers of its own. The tests that share the cluster of services count as one file, so that
only one cluster runs beside them.
"""

import ctypes
import os
import signal

import pytest
from xdist.scheduler import LoadFileScheduling

from kanava.local.launch import PR_SET_PDEATHSIG

CLUSTER = "on the shared cluster"
LONG = (
    CLUSTER,
    "tests/journeys/test_demo.py",
    "tests/failure/test_broker_killed.py",
    "tests/failure/test_broker_loss.py",
    "tests/common/test_inbox.py",
    "tests/monitoring/test_bus.py",
    "tests/tidy/test_tools.py",
    "tests/payments/test_bank_files.py",
)
"""What takes longest, most of it waiting; begun last, one of them would keep a single worker busy at the end."""
ON_THE_CLUSTER = (
    "tests/failure/test_choices_race.py",
    "tests/failure/test_crash_points.py",
    "tests/failure/test_postgres_restart.py",
    "tests/failure/test_run_killed.py",
    "tests/journeys/test_trace.py",
    "tests/journeys/test_vault.py",
)


def share_of(nodeid: str) -> str:
    """The file of a test, or what its file belongs to: the tests that must follow each other on one worker."""
    file = nodeid.partition("::")[0]
    return CLUSTER if file in ON_THE_CLUSTER else file


def long_ones_first(items: list[pytest.Item]) -> None:
    """Bring the tests into the order in which workers are given them."""
    items.sort(key=lambda item: LONG.index(share) if (share := share_of(item.nodeid)) in LONG else len(LONG))


class ByFile(LoadFileScheduling):
    """Gives a worker the tests of one share at a time."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)


def tie_to(controller: int) -> None:
    """Let the kernel end this worker as SIGTERM does when the process that gave it work dies."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != controller:  # it died before the line above
        os.kill(os.getpid(), signal.SIGTERM)
