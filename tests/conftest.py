"""Fixtures that every test may use, and how tests are spread over workers."""

import os
import signal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.cluster import cluster, shared_cluster
from tests.support.parallel import ByFile, long_ones_first, tie_to
from tests.support.platform import empty_database, kafka, platform_profile, postgres

__all__ = ["cluster", "empty_database", "kafka", "platform_profile", "postgres", "shared_cluster"]

# No property fails because the machine is busy, or on one run of many; `--hypothesis-profile=explore` looks further.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", settings.get_profile("suite"), derandomize=False, max_examples=1000)
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """Let a termination end the session like Ctrl-C, so that fixtures stop what they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if is_worker(config):
        tie_to(config.workerinput["controller"])  # type: ignore[attr-defined]  # xdist's


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a new worker who gives it work."""
    node.workerinput["controller"] = os.getpid()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Spread files over workers, in the order of the collection."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One process runs the quick tests first, as they stand; workers begin with the long ones."""
    if is_worker(config):
        long_ones_first(items)


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is given its tests by another."""
    return hasattr(config, "workerinput")
