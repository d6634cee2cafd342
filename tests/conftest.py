"""Fixtures that every test may use."""

import signal

from tests.support.cluster import cluster, shared_cluster
from tests.support.platform import empty_database, kafka, platform_profile, postgres

__all__ = ["cluster", "empty_database", "kafka", "platform_profile", "postgres", "shared_cluster"]


def pytest_configure() -> None:
    """Let a termination end the session like Ctrl-C, so that fixtures stop what they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
