"""Names as the clouds take them: how long they may be, and what is left of ours after the cut."""

from __future__ import annotations

from typing import Final

from stacks.clouds import Cloud

CLUSTER_LENGTH: Final[dict[Cloud, int]] = {"aws": 100, "gcp": 40, "azure": 63}
"""https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

AGENT_POOL_LENGTH: Final = 12
"""Lower-case letters and digits: https://learn.microsoft.com/azure/aks/create-node-pools"""


def cluster_name(environment: str, region: str) -> str:
    """Return the physical name of a cluster: people type it, so it is fixed."""
    return f"{environment}-{region}"


def agent_pool_stem(pool: str) -> str:
    """Return what AKS leaves of a pool's name beside the slot's digit: two equal ones cannot be told apart."""
    return "".join(c for c in pool if c.isalnum())[: AGENT_POOL_LENGTH - 1]
