"""What a node leaves for pods: capacity minus kube-reserved, eviction threshold and daemon sets, per cloud."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

EVICTION_MIB: Final = 100
"""Hard eviction threshold, `memory.available<100Mi`, of all three clouds (sources: the functions below)."""


class Room(NamedTuple):
    """Room for pods on one node, or what pods take of it: milli-CPU, MiB, whole GPUs, pods."""

    cpu_milli: int
    memory_mib: int
    gpu: int
    pods: int


NO_AGENTS: Final = Room(0, 0, 0, 0)


DAEMONS: Final[dict[str, Room]] = {
    "aws": Room(250, 320, 0, 6),
    "gcp": Room(300, 420, 0, 8),
    "azure": Room(300, 420, 0, 8),
}
"""What the managed service's own daemon sets ask of every node: an assumption of ours with a margin of about a third.

AWS: vpc-cni 50m + kube-proxy 100m + ebs-csi-node 30m + pod-identity agent.
GCP and Azure: CNI, kube-proxy, CSI, metadata and log agents of the managed service.
The agents of the stack's own services come on top: `Problem.agents`.
"""


def _tiers(amount: float, tiers: tuple[tuple[float, float], ...]) -> float:
    """Sum of `share` of each slice; a tier is (width, share), the last width may be infinite."""
    total = 0.0
    for width, share in tiers:
        part = min(amount, width)
        total += part * share
        amount -= part
    return total


def _cpu_reserved_tiered(vcpu: int) -> int:
    """6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest, in milli-CPU."""
    return round(_tiers(vcpu * 1000.0, ((1000, 0.06), (1000, 0.01), (2000, 0.005), (float("inf"), 0.0025))))


def eks_reserved(vcpu: int, max_pods: int) -> tuple[int, int]:
    """kube-reserved of EKS: tiered CPU; 11 MiB x max pods + 255 MiB.

    https://github.com/awslabs/amazon-eks-ami nodeadm/internal/kubelet/config.go, 2026-07-23.
    """
    return _cpu_reserved_tiered(vcpu), 11 * max_pods + 255


def gke_reserved(vcpu: int, memory_mib: int) -> tuple[int, int]:
    """kube-reserved of GKE: tiered CPU; 25/20/10/6/2 % of the first 4, next 4, 8, 112 GiB and the rest.

    https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes, 2026.
    """
    gib = 1024.0
    if memory_mib < gib:
        return _cpu_reserved_tiered(vcpu), 255
    tiers = ((4 * gib, 0.25), (4 * gib, 0.2), (8 * gib, 0.1), (112 * gib, 0.06), (float("inf"), 0.02))
    return _cpu_reserved_tiered(vcpu), round(_tiers(memory_mib, tiers))


_AKS_CPU: Final = ((1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (32, 420), (64, 740))


def aks_reserved(vcpu: int, memory_mib: int, max_pods: int) -> tuple[int, int]:
    """kube-reserved of AKS 1.29 and later: CPU by table; min(20 MB x max pods + 50 MB, 25 % of memory).

    https://learn.microsoft.com/azure/aks/node-resource-reservations, 2026. Between the table's sizes, and above 64
    cores, CPU grows by 10 milli a core, as the table does from 8 on.
    """
    cpu = _AKS_CPU[0][1]
    for cores, milli in _AKS_CPU:
        if vcpu >= cores:
            step = 20 if cores < 8 else 10  # noqa: PLR2004 - the table's own slope
            cpu = milli + (vcpu - cores) * step
    return cpu, round(min((20 * max_pods + 50) * 1e6 / 2**20, 0.25 * memory_mib))


def pods_per_node(cloud: str, instance_type: str, vcpu: int, listed: int) -> int:
    """How many pods a node may run.

    EKS with prefix delegation: 110 below 30 vCPU, else 250 (https://docs.aws.amazon.com/eks/latest/best-practices/
    prefix-mode-linux.html); types before Nitro (generation below 5) have no prefixes and keep the listed number.
    GKE Standard: 110, its default. AKS with the overlay network: 110, our choice (maximum 250).
    """
    if cloud != "aws":
        return 110
    generation = re.match(r"[a-z]+(\d)", instance_type)
    if instance_type.startswith("a1.") or (generation and int(generation[1]) >= 5):  # noqa: PLR2004
        return 110 if vcpu < 30 else 250  # noqa: PLR2004 - the vendor's own threshold
    return listed


def room(  # noqa: PLR0913, PLR0917
    cloud: str, instance_type: str, vcpu: int, memory_gib: float, gpu: int, listed_pods: int, agents: Room = NO_AGENTS
) -> Room:
    """Room for pods on a node of this type, never negative; `agents`: what the services' own daemon sets take.

    ValueError for an unknown cloud.
    """
    memory = int(memory_gib * 1024)
    pods = pods_per_node(cloud, instance_type, vcpu, listed_pods)
    match cloud:
        case "aws":
            cpu_reserved, memory_reserved = eks_reserved(vcpu, pods)
        case "gcp":
            cpu_reserved, memory_reserved = gke_reserved(vcpu, memory)
        case "azure":
            cpu_reserved, memory_reserved = aks_reserved(vcpu, memory, pods)
        case _:
            raise ValueError(f"no kube-reserved formula for cloud {cloud!r}; known: aws, gcp, azure")
    daemons = DAEMONS[cloud]
    return Room(
        max(0, vcpu * 1000 - cpu_reserved - daemons.cpu_milli - agents.cpu_milli),
        max(0, memory - memory_reserved - EVICTION_MIB - daemons.memory_mib - agents.memory_mib),
        gpu,
        max(0, pods - daemons.pods - agents.pods),
    )
