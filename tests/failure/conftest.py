"""Fixtures of the fault tests."""

from tests.support.cluster import cluster, shared_cluster

__all__ = ["cluster", "shared_cluster"]
