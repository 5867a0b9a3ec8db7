"""Where API servers are: the clusters that the stand-in clouds have made, and this machine."""

from __future__ import annotations

from typing import Final

from sandbox.kubernetes.backend import Json, Unreachable
from sandbox.kubernetes.chart_definitions import given
from sandbox.kubernetes.snapshots import SNAPSHOTS
from sandbox.state import Database, Thing

CLUSTERS: Final = (
    "aws:eks/cluster:Cluster",
    "gcp:container/cluster:Cluster",
    "azure-native:containerservice:ManagedCluster",
)
ADDON: Final = "aws:eks/addon:Addon"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})


def is_local(host: str) -> bool:
    """Tell whether a host is this machine: a server that somebody else runs."""
    return host in _LOOPBACK


def exists(database: Database, host: str) -> bool:
    """Tell whether a cloud of the stage has a cluster with this address."""
    return bool(database.by_handle(CLUSTERS, host))


def definitions(database: Database, host: str) -> tuple[Json, ...]:
    """Return the definitions that a managed cluster has from the start: GKE's own vertical autoscaler, and snapshots.

    EKS has those only with its add-on. Source: cloud.google.com/kubernetes-engine/docs/concepts/verticalpodautoscaler,
    .../how-to/persistent-volumes/volume-snapshots, https://learn.microsoft.com/azure/aks/azure-disk-csi,
    docs.aws.amazon.com/eks/latest/userguide/csi-snapshot-controller.html, 2026-11.
    """
    found: tuple[Json, ...] = ()
    for cluster in database.by_handle(CLUSTERS, host):
        wish = cluster.inputs.get("verticalPodAutoscaling")
        if cluster.type == CLUSTERS[1] and isinstance(wish, dict) and wish.get("enabled"):
            found += given("vpa")
        if cluster.type != CLUSTERS[0] or _takes_snapshots(database, cluster):
            found += SNAPSHOTS
    return found


def _takes_snapshots(database: Database, cluster: Thing) -> bool:
    addons = database.find("type=?", (ADDON,))
    mine = [each for each in addons if each.inputs.get("clusterName") == cluster.inputs.get("name")]
    return any(each.inputs.get("addonName") == "snapshot-controller" for each in mine)


def require(database: Database, host: str) -> None:
    """Raise Unreachable, in the resolver's words, for an address that no cloud has given out."""
    if not is_local(host) and not exists(database, host):
        raise Unreachable(f"dial tcp: lookup {host}: no such host")
