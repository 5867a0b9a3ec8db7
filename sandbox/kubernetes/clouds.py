"""Where API servers are: the clusters that the stand-in clouds have made, and this machine."""

from __future__ import annotations

from typing import Final

from sandbox.kubernetes.backend import Json, Unreachable
from sandbox.kubernetes.chart_definitions import given
from sandbox.state import Database

CLUSTERS: Final = (
    "aws:eks/cluster:Cluster",
    "gcp:container/cluster:Cluster",
    "azure-native:containerservice:ManagedCluster",
)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})


def is_local(host: str) -> bool:
    """Tell whether a host is this machine: a server that somebody else runs."""
    return host in _LOOPBACK


def exists(database: Database, host: str) -> bool:
    """Tell whether a cloud of the stage has a cluster with this address."""
    return bool(database.by_handle(CLUSTERS, host))


def definitions(database: Database, host: str) -> tuple[Json, ...]:
    """Return the definitions that a managed cluster has from the start: GKE's own vertical autoscaler.

    Source: cloud.google.com/kubernetes-engine/docs/concepts/verticalpodautoscaler, 2026-11.
    """
    for cluster in database.by_handle(CLUSTERS, host):
        wish = cluster.inputs.get("verticalPodAutoscaling")
        if cluster.type == CLUSTERS[1] and isinstance(wish, dict) and wish.get("enabled"):
            return given("vpa")
    return ()


def require(database: Database, host: str) -> None:
    """Raise Unreachable, in the resolver's words, for an address that no cloud has given out."""
    if not is_local(host) and not exists(database, host):
        raise Unreachable(f"dial tcp: lookup {host}: no such host")
