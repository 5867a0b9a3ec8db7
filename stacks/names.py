"""Names as the clouds take them: how long they may be, and what is left of ours after the cut."""

from __future__ import annotations

from typing import Final

from stacks.clouds import Cloud

CLUSTER_LENGTH: Final[dict[Cloud, int]] = {"aws": 100, "gcp": 40, "azure": 63}
"""https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

POOL_LENGTH: Final[dict[Cloud, int]] = {"aws": 63, "gcp": 40, "azure": 12}
"""https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html
https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters.nodePools
https://learn.microsoft.com/azure/aks/create-node-pools: Linux pools, lower-case letters and digits
"""

AUTONAME_LENGTH: Final = 8
"""The dash and seven digits that the engine adds, so that a new pool can exist beside the one it replaces."""


def cluster_name(environment: str, region: str) -> str:
    """Physical name of a cluster: people type it, so it is fixed."""
    return f"{environment}-{region}"


def pool_stem(cloud: Cloud, pool: str, suffix: int = 1) -> str:
    """Say what is left of a pool's name on a cloud when `suffix` characters (the slot, a generation) follow it.

    On Azure letters and digits only, cut to fit 12; two pools whose stems are equal cannot live in one cluster.
    """
    if cloud == "azure":
        return "".join(c for c in pool if c.isalnum())[: POOL_LENGTH[cloud] - suffix]
    return pool[: POOL_LENGTH[cloud] - AUTONAME_LENGTH - suffix - 1]


def pool_name(cloud: Cloud, pool: str, slot: int, generation: str = "") -> str:
    """Physical name of one slot of a pool; `generation` keeps apart pools that replace one another.

    With a generation, make it depend on the pool's full name: a longer suffix cuts the stem shorter.
    """
    suffix = f"{slot}{generation}"
    stem = pool_stem(cloud, pool, len(suffix))
    return f"{stem}{suffix}" if cloud == "azure" else f"{stem}-{suffix}"
